"""Pydantic models of which some fields are there: their finished fields checked as the model itself will check them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import AliasChoices, BaseModel
from pydantic_core import CoreConfig, PydanticUndefined, SchemaValidator
from pydantic_core.core_schema import CoreSchema, definitions_schema

from assay.types import JSON


@dataclass(frozen=True, slots=True)
class Rules:
    """What checks go by."""

    context: Any = None
    strict: bool | None = None
    """True: no coercion at all; None: as the type says."""


def open_model(model: type[BaseModel], values: dict[str, Any]) -> BaseModel:
    """An instance with these fields; the others are None, defaults too: a default shown early might not stay.

    `model_fields_set` says which are there. No code of the user runs: no validator, no `model_post_init`. Private attributes
    have their defaults. Computed fields are computed when they are looked at, and None where that fails for want of a field.
    """
    value = model.__new__(_shown(model))
    object.__setattr__(value, "__dict__", {**dict.fromkeys(model.model_fields), **values})
    object.__setattr__(value, "__pydantic_fields_set__", set(values))
    object.__setattr__(value, "__pydantic_extra__", {} if model.model_config.get("extra") == "allow" else None)
    private = {name: attribute.get_default() for name, attribute in model.__private_attributes__.items()}
    kept = {name: default for name, default in private.items() if default is not PydanticUndefined}
    object.__setattr__(value, "__pydantic_private__", kept if private else None)
    return value


@cache
def _shown(model: type[BaseModel]) -> type[BaseModel]:
    """The model itself; of one with computed fields a class like it, that can be printed and dumped with fields missing."""
    computed = model.model_computed_fields
    if not computed:
        return model
    inside: dict[str, Any] = {name: _forgiving(getattr(model, name, None), name, model) for name in computed}
    inside |= {"__module__": model.__module__, "__qualname__": model.__qualname__, "__doc__": model.__doc__}
    inside["__reduce__"] = lambda self: (open_model, (model, {name: self.__dict__[name] for name in self.model_fields_set}))
    # Not made by pydantic's metaclass: it would build the validators of the model once more.
    shown: type[BaseModel] = type.__new__(type(model), model.__name__, (model,), inside)
    return shown


def _forgiving(computed: Any, name: str, model: type[BaseModel]) -> property:
    """A computed field that is None where it cannot be computed yet."""

    def get(self: BaseModel) -> Any:
        try:
            return computed.__get__(self, model)
        except Exception:  # noqa: BLE001  # the user's code, with fields that it may count on later
            return None

    get.__name__ = name
    return property(get)


def wire_names(model: type[BaseModel]) -> dict[str, str]:
    """From the keys that the model's fields may have in JSON to the fields' names."""
    by_name = model.model_config.get("populate_by_name") or model.model_config.get("validate_by_name")
    names: dict[str, str] = {}
    for name, info in model.model_fields.items():
        alias = info.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias or name]
        names.update({choice: name for choice in choices if isinstance(choice, str)})
        if by_name:
            names.setdefault(name, name)
    return names


def field_check(model: type[BaseModel], name: str) -> Callable[[JSON, Mapping[str, Any], Rules], Any]:
    """A check of one field, with the model's own field validators and without its model validators."""
    fields = fields_validator(model)
    assert fields is not None

    def check(value: JSON, before: Mapping[str, Any], rules: Rules) -> Any:
        values: Any = fields.validate_assignment(before, name, value, strict=rules.strict, context=rules.context)
        return values[0][name]

    return check


@cache
def fields_validator(model: type[BaseModel]) -> SchemaValidator | None:
    """A validator of the model's fields alone: the inner part of its core schema. None when it has another structure."""
    schema: Any = model.__pydantic_core_schema__
    definitions: list[CoreSchema] = []
    config: CoreConfig | None = None
    while schema["type"] != "model-fields":
        if schema["type"] == "definitions":
            definitions = schema["definitions"]
            schema = schema["schema"]
        elif schema["type"] == "definition-ref":
            schema = next(part for part in definitions if part.get("ref") == schema["schema_ref"])
        elif "schema" in schema:
            config = schema.get("config", config)
            schema = schema["schema"]
        else:
            return None
    return SchemaValidator(definitions_schema(schema, definitions), config)
