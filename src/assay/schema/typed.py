"""Python types as targets: pydantic makes their JSON Schema and checks their data."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, PydanticUserError, TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUndefinedAnnotation
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, PydanticSerializationError, core_schema, to_json

from assay.errors import ConfigurationError, SchemaError
from assay.problems import Invalid, from_pydantic
from assay.types import JSON, JSONObject


@dataclass(frozen=True, slots=True, eq=False)
class Typed:
    """The checker of a Python type."""

    adapter: TypeAdapter[Any]
    schema: JSONObject
    by_name: bool | None
    """Whether field names are taken beside aliases: needed where an alias is a path, which no JSON Schema can say."""

    def parse(self, text: str, context: Any) -> Any:
        try:
            return self.adapter.validate_json(text, strict=True, context=context, by_name=self.by_name)
        except ValidationError as error:
            raise Invalid from error

    def validate(self, data: JSON, *, strict: bool, context: Any) -> Any:
        # Through JSON text, so that strict models, sets, tuples and dates take data as they take a reply.
        text = _json(data)
        try:
            return self.adapter.validate_json(text, strict=strict or None, context=context, by_name=self.by_name)
        except ValidationError as error:
            raise Invalid(from_pydantic(error, data, self.schema)) from error

    def dump(self, value: Any) -> JSON:
        """A value of the type as the JSON data that a model should write."""
        try:
            return self.adapter.dump_python(value, mode="json", by_alias=True, exclude_computed_fields=True, warnings="error")
        except PydanticSerializationError as error:
            raise ConfigurationError(f"not a value of the type: {str(error).splitlines()[0]}") from error


def _json(data: JSON) -> bytes:
    return to_json(data, inf_nan_mode="constants")


def build(type_: Any, name: str) -> tuple[TypeAdapter[Any], JSONObject, CoreSchema]:
    """pydantic's validator, JSON Schema and core schema of a type; `SchemaError` when it has none."""
    try:
        adapter: TypeAdapter[Any] = _adapter(type_)
        schema = adapter.json_schema(schema_generator=_Generator)
    except PydanticUndefinedAnnotation as error:
        raise SchemaError(
            f"{name} refers to {error.name!r}, which is not defined where it can be seen: define it first, or call model_rebuild()",
            path=error.name,
        ) from error
    except _Impossible as error:
        raise SchemaError(f"{name} has no JSON Schema: {error}", path=error.path) from error
    except PydanticUserError as error:
        path = _culprit(type_)
        at = f" at {path}" if path else ""
        raise SchemaError(f"{name} has no JSON Schema{at}: {_first_line(error)}", path=path) from error
    return adapter, schema, adapter.core_schema


def _adapter(type_: Any) -> TypeAdapter[Any]:
    if isinstance(type_, type) and issubclass(type_, BaseModel) and not type_.__pydantic_complete__:
        type_.model_rebuild(_types_namespace=_callers())
    return TypeAdapter(type_)


def _callers() -> Mapping[str, Any]:
    """The local names of the calling functions, inner ones first: where a model defined in a function finds its kin."""
    found: dict[str, Any] = {}
    frame = sys._getframe(1)  # noqa: SLF001  # the only way there is
    while frame is not None:
        if frame.f_code.co_name != "<module>" and not frame.f_globals.get("__name__", "").startswith(("assay.", "pydantic.")):
            found = {**frame.f_locals, **found}
        frame = frame.f_back  # type: ignore[assignment]
    return found


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].split(". Set `arbitrary", maxsplit=1)[0]


def _culprit(type_: Any) -> str:
    """The field, dotted, for which pydantic has no schema; "" when it is the type itself."""
    for name, hint in _hints(type_):
        try:
            TypeAdapter(hint).json_schema()
        except PydanticUserError:
            inner = _culprit(hint)
            return f"{name}.{inner}" if inner else name
    return next((path for argument in get_args(type_) if (path := _culprit(argument))), "")


def _hints(type_: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        yield from ((name, info.annotation) for name, info in type_.model_fields.items())
    elif is_dataclass(type_) or hasattr(type_, "__required_keys__") or hasattr(type_, "_fields"):
        hints = get_type_hints(type_, include_extras=True)
        names = [f.name for f in fields(type_)] if is_dataclass(type_) else list(hints)
        yield from ((name, hints[name]) for name in names if name in hints)


class _Impossible(PydanticInvalidForJsonSchema):
    """What has no JSON Schema, with the way to it."""

    def __init__(self, message: str, path: str) -> None:
        super().__init__(f"{path or 'the type itself'} is {message}")
        self.path = path

    def __str__(self) -> str:
        return self.message


class _Generator(GenerateJsonSchema):
    """pydantic's generator, that knows which field it is at, and lets a named tuple be written with its names."""

    ignored_warning_kinds = {"non-serializable-default", "skipped-choice"}  # noqa: RUF012  # pydantic's own declaration

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._way: list[Any] = []

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        self._way.append(schema)
        try:
            return super().generate_inner(schema)
        finally:
            self._way.pop()

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        what = error_info.removeprefix("core_schema.").removesuffix("Schema").lower()
        raise _Impossible(f"{_article(what)}, which JSON cannot hold", ".".join(self._names()))

    def _names(self) -> Iterator[str]:
        for outer, inner in zip(self._way, self._way[1:], strict=False):
            named = outer.get("fields") if isinstance(outer, dict) else None
            if isinstance(named, dict):
                yield from (name for name, part in named.items() if part is inner)
            elif isinstance(named, list):
                yield from (part["name"] for part in named if part is inner)

    def named_tuple_schema(self, schema: Any) -> JsonSchemaValue:
        parts = [(field["name"], field["schema"]) for field in schema["fields"]]
        named = {name: self.generate_inner(part) for name, part in parts}
        required = [name for name, part in parts if part["type"] != "default"]
        return {"type": "object", "properties": named, "required": required, "title": schema["cls"].__name__}

    def arguments_schema(self, schema: core_schema.ArgumentsSchema) -> JsonSchemaValue:
        named = [a for a in schema["arguments_schema"] if a.get("mode") != "positional_only"]
        if len(named) == len(schema["arguments_schema"]) and "var_args_schema" not in schema:
            return self.kw_arguments_schema(named, schema.get("var_kwargs_schema"))
        return super().arguments_schema(schema)


def _article(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def runs_user_code(schema: Any) -> bool:
    """Whether validating runs functions of the user: they may cost money or have effects."""
    return any(_is_users(part) or part.get("custom_init") or part.get("post_init") for part in _parts(schema))


def _is_users(part: Mapping[str, Any]) -> bool:
    if not str(part.get("type", "")).startswith("function-"):
        return False
    module = str(getattr(part["function"]["function"], "__module__", None) or "").partition(".")[0]
    return module not in _THEIRS and module not in sys.stdlib_module_names


_THEIRS = {"pydantic", "pydantic_core", "annotated_types"}


def has_path_alias(schema: Any) -> bool:
    """Whether a field is only found by a path of keys, which a JSON Schema cannot say."""
    return any(
        isinstance(alias := part.get("validation_alias"), list)
        and any(isinstance(a, list) and len(a) > 1 for a in [alias, *alias])
        for part in _parts(schema)
    )


def _parts(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Every dictionary of a core schema but for what only serialisation needs."""
    stack = [schema]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            yield part
            stack.extend(value for key, value in part.items() if key not in _ASIDE)
        elif isinstance(part, list | tuple):
            stack.extend(part)


_ASIDE = {"metadata", "serialization", "cls", "default", "config"}
