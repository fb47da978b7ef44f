"""The JSON Schema of a Python type, made by pydantic; what has none is named by its field."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, PydanticUserError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUndefinedAnnotation
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema, to_json

from assay.errors import SchemaError
from assay.schema.marks import marked
from assay.schema.normal import normal
from assay.schema.words import either
from assay.target import typed
from assay.target.members import take_texts
from assay.target.problems import TOLD
from assay.types import JSONObject


def build(type_: Any, name: str) -> tuple[TypeAdapter[Any], JSONObject]:
    """The validator and the JSON Schema, in its plain form, of a type; `SchemaError` when it has none."""
    try:
        adapter: TypeAdapter[Any] = _adapter(type_)
        schema = normal(adapter.json_schema(schema_generator=_Generator))
        take_texts(adapter)
    except PydanticUndefinedAnnotation as error:
        raise SchemaError(
            f"{name} refers to {error.name!r}, which is not defined in a visible scope: define it first, or call model_rebuild()",
            path=error.name or "",
        ) from error
    except NameError as error:
        raise SchemaError(
            f"{name}: {error}: define it first, in a scope that the class can see", path=error.name or ""
        ) from error
    except _Impossible as error:
        raise SchemaError(f"{name} has no JSON Schema: {error}", path=error.path) from error
    except PydanticUserError as error:
        path = _culprit(type_)
        at = f" at {path}" if path else ""
        raise SchemaError(f"{name} has no JSON Schema{at}: {_first_line(error)}", path=path) from error
    return adapter, schema


def _adapter(type_: Any) -> TypeAdapter[Any]:
    for model in _models(type_):
        if not model.__pydantic_complete__:
            model.model_rebuild(_types_namespace=_callers())
    adapter: TypeAdapter[Any] = TypeAdapter(type_)
    if not adapter.pydantic_complete:
        adapter.rebuild(_types_namespace=_callers())
    return adapter


def _models(type_: Any) -> Iterator[type[BaseModel]]:
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        yield type_
    for argument in get_args(type_):
        yield from _models(argument)


def _callers() -> Mapping[str, Any]:
    """The local names of the calling functions, inner ones first: where a model defined in a function finds the classes beside it."""
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
    """The generator of pydantic, that knows which field it is at, and asks for decimals and named tuples as texts have them."""

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

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:  # noqa: ARG002  # pydantic's
        what = error_info.removeprefix("core_schema.").removesuffix("Schema").lower()
        raise _Impossible(f"{_article(what)}, which JSON cannot hold", ".".join(self._names()))

    def _names(self) -> Iterator[str]:
        for outer, inner in zip(self._way, self._way[1:], strict=False):
            named = outer.get("fields") if isinstance(outer, dict) else None
            if isinstance(named, dict):
                yield from (name for name, part in named.items() if part is inner)
            elif isinstance(named, list):
                yield from (part["name"] for part in named if part is inner)

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        # pydantic would also allow any string there: then "$12.50" fits, nobody mends it, and it fails at the end.
        made = super().decimal_schema(schema)
        options: list[JsonSchemaValue] = made.get("anyOf", [made])
        return marked(next((option for option in options if option.get("type") == "number"), made), exact=True)

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        made, asked = super().float_schema(schema), self._config.config_dict.get("allow_inf_nan", False)
        return marked(made, infinite=True) if schema.get("allow_inf_nan", asked) else made

    def date_schema(self, schema: core_schema.DateSchema) -> JsonSchemaValue:
        made = super().date_schema(schema)
        return marked(made, words=TOLD[f"date_{schema['now_op']}"]) if "now_op" in schema else made

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        made, zone = super().datetime_schema(schema), schema.get("tz_constraint")
        if zone in ("aware", "naive"):
            return marked(made, words=TOLD[f"timezone_{zone}"])
        return marked(made, words=TOLD[f"datetime_{schema['now_op']}"]) if "now_op" in schema else made

    def url_schema(self, schema: core_schema.UrlSchema) -> JsonSchemaValue:
        return _of_schemes(super().url_schema(schema), schema.get("allowed_schemes"))

    def multi_host_url_schema(self, schema: core_schema.MultiHostUrlSchema) -> JsonSchemaValue:
        return _of_schemes(super().multi_host_url_schema(schema), schema.get("allowed_schemes"))

    def complex_schema(self, schema: core_schema.ComplexSchema) -> JsonSchemaValue:
        return marked(super().complex_schema(schema), words=TOLD["complex_type"])

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        return _raw(super().function_before_schema(schema), schema)

    def function_wrap_schema(self, schema: core_schema.WrapValidatorFunctionSchema) -> JsonSchemaValue:
        return _raw(super().function_wrap_schema(schema), schema)

    def function_plain_schema(self, schema: core_schema.PlainValidatorFunctionSchema) -> JsonSchemaValue:
        return _raw(super().function_plain_schema(schema), schema)

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        return marked(made, names=None) if schema.get("custom_init") else made  # its own function may take any key

    def model_fields_schema(self, schema: core_schema.ModelFieldsSchema) -> JsonSchemaValue:
        return self._named(super().model_fields_schema(schema), schema["fields"].items())

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return self._named(super().typed_dict_schema(schema), schema["fields"].items())

    def dataclass_args_schema(self, schema: core_schema.DataclassArgsSchema) -> JsonSchemaValue:
        return self._named(super().dataclass_args_schema(schema), [(field["name"], field) for field in schema["fields"]])

    def _named(self, made: JsonSchemaValue, fields: Iterable[tuple[str, Any]]) -> JsonSchemaValue:
        """With the keys that a class accepts besides those of its schema: further aliases, and names of fields that have one."""
        by_name = self._config.validate_by_name or self._config.populate_by_name
        names: set[str] = set()
        for name, field in fields:
            ways = _ways(field.get("validation_alias"))
            names.update(str(way[0]) for way in ways)
            if by_name or any(len(way) > 1 for way in ways):
                names.add(name)
        return marked(made, names=sorted(names))

    def named_tuple_schema(self, schema: Any) -> JsonSchemaValue:
        parts = [(field["name"], field["schema"]) for field in schema["fields"]]
        named = {name: self.generate_inner(part) for name, part in parts}
        required = [name for name, part in parts if part["type"] != "default"]
        return marked({"type": "object", "properties": named, "required": required, "title": schema["cls"].__name__}, names=[])

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        keys = schema.get("keys_schema", {})
        members = [m.value for m in keys["members"]] if keys.get("type") == "enum" else keys.get("expected", ())
        if members and not all(isinstance(member, str) for member in members):  # keys are text, whatever they stand for
            made["propertyNames"] = {"enum": [to_json(member).decode().strip('"') for member in members]}
        return made

    def arguments_schema(self, schema: core_schema.ArgumentsSchema) -> JsonSchemaValue:
        named = [a for a in schema["arguments_schema"] if a.get("mode") != "positional_only"]
        if len(named) == len(schema["arguments_schema"]) and "var_args_schema" not in schema:
            return self.kw_arguments_schema(named, schema.get("var_kwargs_schema"))
        return super().arguments_schema(schema)


def _of_schemes(made: JsonSchemaValue, schemes: list[str] | None) -> JsonSchemaValue:
    return marked(made, words=TOLD["url_scheme"].format(expected_schemes=either(map(repr, schemes)))) if schemes else made


def _article(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def _ways(alias: Any) -> list[list[Any]]:
    """A field's aliases, each as the keys that lead to its value."""
    if not isinstance(alias, list):
        return [] if alias is None else [[alias]]
    return alias if isinstance(alias[0], list) else [alias]


def _raw(made: JsonSchemaValue, schema: Any) -> JsonSchemaValue:
    """With a mark, when it is a function of the user that gets the data first."""
    return marked(made, raw=True) if typed.is_foreign(schema["function"]["function"]) else made
