"""Any type becomes a target, once; its check takes what the type takes and says what is wrong with the rest."""

from __future__ import annotations

import datetime as dt
import gc
import json
import pickle
import re
import subprocess
import sys
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, Optional, TypeVar, Union

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    HttpUrl,
    RootModel,
    Tag,
    TypeAdapter,
    computed_field,
    field_validator,
)
from typing_extensions import TypedDict

from assay.errors import ConfigurationError, SchemaError
from assay.target.build import JSONSchema, Target, target
from assay.target.problems import Invalid

T = TypeVar("T")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Contact(BaseModel):
    email: str
    phone: str | None = None


class Node(BaseModel):
    name: str
    kids: list[Node] = []


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


class Zoo(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    full_name: str = Field(alias="fullName")


class Person(TypedDict):
    name: str
    born: dt.date


@dataclass
class Point:
    x: int
    y: int = 0


class Pair(NamedTuple):
    left: int
    right: str = "r"


class Page(BaseModel, Generic[T]):
    rows: list[T]


class Numbers(RootModel[list[int]]):
    pass


VALUES: list[tuple[Any, str, Any]] = [
    (Contact, '{"email": "a@b.c"}', Contact(email="a@b.c")),
    (Node, '{"name": "a", "kids": [{"name": "b"}]}', Node(name="a", kids=[Node(name="b")])),
    (Zoo, '{"pet": {"kind": "cat", "lives": 9}}', Zoo(pet=Cat(kind="cat", lives=9))),
    (Aliased, '{"fullName": "Ada"}', Aliased(fullName="Ada")),
    (Person, '{"name": "Ada", "born": "1815-12-10"}', {"name": "Ada", "born": dt.date(1815, 12, 10)}),
    (Point, '{"x": 1}', Point(1)),
    (Pair, '{"left": 1}', Pair(1)),
    (Page[Contact], '{"rows": [{"email": "e"}]}', Page[Contact](rows=[Contact(email="e")])),
    (Numbers, '{"items": [1, 2]}', Numbers([1, 2])),
    (list[int], '{"items": [1, 2]}', [1, 2]),
    (Iterable[Contact], '{"items": [{"email": "e"}]}', [Contact(email="e")]),
    (set[str], '{"items": ["a"]}', {"a"}),
    (tuple[int, str], '{"items": [1, "a"]}', (1, "a")),
    (dict[str, Contact], '{"x": {"email": "e"}}', {"x": Contact(email="e")}),
    (dict[str, str | Contact], '{"x": {"email": "e"}, "y": "z"}', {"x": Contact(email="e"), "y": "z"}),
    (Literal["a", "b"], '{"value": "b"}', "b"),
    (Colour, '{"value": "red"}', Colour.RED),
    (int, '{"value": 7}', 7),
    (str, '{"value": "s"}', "s"),
    (Cat | Dog, '{"value": {"kind": "dog", "tricks": []}}', Dog(kind="dog", tricks=[])),
    (Optional[Contact], '{"value": null}', None),  # noqa: UP045
    (Annotated[int, Field(ge=1)], '{"value": 1}', 1),
    (Decimal, '{"value": 1.5}', Decimal("1.5")),
    (dt.date, '{"value": "2024-02-29"}', dt.date(2024, 2, 29)),
    (HttpUrl, '{"value": "https://a.example/"}', HttpUrl("https://a.example/")),
    ({"type": "array", "items": {"type": "integer"}}, '{"items": [1]}', [1]),
    ({"type": "object", "properties": {"a": {"type": "string"}}}, '{"a": "b"}', {"a": "b"}),
]


@pytest.mark.parametrize(("type_", "text", "value"), VALUES, ids=lambda v: str(v)[:40])
def test_a_good_reply_gives_the_value_on_both_ways(type_: Any, text: str, value: Any) -> None:
    made = target(type_)
    assert made.parse(text) == value
    assert made.validate(json.loads(text)) == value


@pytest.mark.parametrize(("type_", "text", "value"), VALUES, ids=lambda v: str(v)[:40])
def test_the_schema_is_that_of_an_object_and_describes_the_reply(type_: Any, text: str, value: Any) -> None:
    schema = target(type_).json_schema
    assert schema["type"] == "object"
    target(schema).validate(json.loads(text))


@pytest.mark.parametrize(("type_", "text", "value"), VALUES, ids=lambda v: str(v)[:40])
def test_a_value_is_dumped_as_a_reply_that_gives_it_again(type_: Any, text: str, value: Any) -> None:
    made = target(type_)
    assert made.validate(made.dump(value)) == value


@pytest.mark.parametrize("type_", [type_ for type_, _, _ in VALUES], ids=lambda v: str(v)[:40])
def test_the_example_fits_the_type(type_: Any) -> None:
    made = target(type_)
    made.validate(made.example())


def test_what_an_example_holds_tells_itself_made_up() -> None:
    assert target(Node).example() == {"name": "<name>", "kids": [{"name": "<name>", "kids": []}]}
    assert target(Point).example() == {"x": 0, "y": 0}


@pytest.mark.parametrize("type_", [type_ for type_, _, _ in VALUES], ids=lambda v: str(v)[:40])
def test_the_text_of_a_worked_example_says_its_values(type_: Any) -> None:
    text, answer = target(type_).worked_example()
    assert answer == target(type_).example()
    assert set(re.findall(r"<\w+>", json.dumps(answer))) - {"<key>"} == set(re.findall(r"<\w+>", text)) - {"<key>"}
    assert text.startswith("The ")


def test_a_bare_value_is_taken_where_an_object_holds_it_and_its_problems_point_into_it() -> None:
    made = target(list[Contact])
    assert made.validate([{"email": "e"}]) == [Contact(email="e")]
    with pytest.raises(Invalid) as caught:
        made.validate([{"email": "e"}, {}])
    assert [p.path for p in caught.value.problems] == ["/1/email"]
    with pytest.raises(Invalid) as caught:
        made.validate({"items": [{}]})
    assert [p.path for p in caught.value.problems] == ["/items/0/email"]
    assert made.wrap([1]) == made.wrap({"items": [1]}) == {"items": [1]}


# -- exactness ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ['{"x": "1"}', '{"x": 1.0}', '{"x": true}', '```{"x": 1}```', '{"x": 1} and so on'])
def test_the_quick_way_takes_only_what_needs_no_conversion(text: str) -> None:
    with pytest.raises(Invalid):
        target(Point).parse(text)


def test_strict_is_to_the_letter_otherwise_what_pydantic_takes() -> None:
    assert target(Point).validate({"x": "1"}) == Point(1)
    with pytest.raises(Invalid):
        target(Point).validate({"x": "1"}, strict=True)


def test_a_strict_model_takes_dates_and_sets_as_json_has_them() -> None:
    class Event(BaseModel):
        model_config = ConfigDict(strict=True)
        day: dt.date
        tags: set[str]
        size: tuple[int, int]

    value = target(Event).validate({"day": "2024-03-05", "tags": ["a"], "size": [1, 2]})
    assert value == Event(day=dt.date(2024, 3, 5), tags={"a"}, size=(1, 2))


@pytest.mark.parametrize("type_", [dt.date, dt.datetime, dt.timedelta, dt.date | None, list[dt.date], str | dt.date])
def test_a_number_is_no_date(type_: Any) -> None:
    data = [20240305] if type_ == list[dt.date] else 20240305
    with pytest.raises(Invalid):
        target(type_).validate(data)


def test_the_validation_context_reaches_the_validators() -> None:
    def known(value: str, info: Any) -> str:
        if value not in info.context["known"]:
            raise ValueError("a known name")
        return value

    class Order(BaseModel):
        item: Annotated[str, AfterValidator(known)]

    assert target(Order).validate({"item": "a"}, context={"known": {"a"}}) == Order.model_construct(item="a")
    with pytest.raises(Invalid) as caught:
        target(Order).validate({"item": "b"}, context={"known": {"a"}})
    assert caught.value.problems[0].want == "a known name"


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def test_it_is_known_whether_a_users_function_runs() -> None:
    class Checked(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def check(cls, value: str) -> str:
            return value

    class Deep(BaseModel):
        parts: list[dict[str, Checked]]

    class After(BaseModel):
        name: str

        def model_post_init(self, context: Any) -> None:
            self.name = self.name.title()

    bound = Annotated[int, BeforeValidator(partial(_stripped))]
    for type_ in (Checked, Deep, list[Checked], After, Annotated[int, BeforeValidator(_stripped)], bound):
        assert target(type_).has_validators, type_
    for type_ in (
        Contact,
        Zoo,
        HttpUrl,
        Decimal,
        Path,
        Point,
        Page[int],
        {"type": "object"},
        Annotated[int, Field(multiple_of=5)],
    ):
        assert not target(type_).has_validators, type_


def test_an_alias_that_is_a_path_is_taken_by_the_name_that_the_schema_shows() -> None:
    class Flat(BaseModel):
        city: str = Field(validation_alias=AliasPath("address", "city"))
        name: str = Field(validation_alias=AliasChoices("n", "fullName"))

    assert target(Flat).json_schema["required"] == ["city", "n"]
    assert target(Flat).parse('{"city": "Rome", "n": "Ada"}').city == "Rome"


def test_broken_unicode_is_a_problem_not_a_crash() -> None:
    with pytest.raises(Invalid):
        target(Contact).validate({"email": "\ud800"})


# -- models in functions, forward references, caching ------------------------------------------------------------------


def test_models_of_a_function_that_refer_forward_are_found() -> None:
    class Order(BaseModel):
        lines: list[Line]  # noqa: F821  # defined below

    class Line(BaseModel):
        sku: str

    assert target(Order).parse('{"lines": [{"sku": "s"}]}').lines == [Line(sku="s")]


def test_a_name_that_nobody_defines_is_named() -> None:
    class Order(BaseModel):
        lines: list[Nowhere]  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(SchemaError, match="Nowhere"):
        target(Order)


def test_a_target_is_built_once_per_type() -> None:
    for type_ in (Contact, list[Contact], Contact | None, list[int], dict[str, str | Contact], Annotated[int, Field(ge=1)]):
        assert target(type_) is target(type_)
    schema = {"type": "object", "properties": {"a": {}}}
    assert target(schema) is target(json.loads(json.dumps(schema)))
    assert target(target(Contact)) is target(Contact)
    assert target(Contact) is not target(list[Contact])


def test_types_that_only_look_alike_are_told_apart() -> None:
    class Base(BaseModel):
        a: int

    class Derived(Base):
        b: int

    target(Base)
    assert "b" in target(Derived).json_schema["properties"]
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    before = target(schema)
    schema["properties"]["a"] = {"type": "string"}
    assert target(schema) is not before
    assert target(Literal[1]).json_schema != target(Literal[True]).json_schema


def test_a_model_defined_in_a_function_is_freed_with_its_target() -> None:
    def use() -> weakref.ref[type]:
        class Local(BaseModel):
            a: int

        for type_ in (Local, list[Local], Local | None, dict[str, Contact | Local]):
            target(type_)
        return weakref.ref(Local)

    gone = use()
    gc.collect()
    assert gone() is None


def test_a_schema_file_is_read_again_when_it_changed(tmp_path: Path) -> None:
    file = tmp_path / "thing.json"
    file.write_text('{"type": "object", "title": "One"}')
    assert target(file).name == "One"
    assert target(file) is target(file)
    file.write_text('{"type": "object", "title": "Number two"}')
    assert target(file).name == "Number_two"


def test_importing_the_room_does_not_load_jsonschema() -> None:
    code = "import sys, assay.target.build; sys.exit('jsonschema' in sys.modules)"
    path = Path(__file__).parents[2] / "src"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(path)}, check=False).returncode == 0


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        (Contact, "Contact"),
        (list[Contact], "list_Contact"),
        (Page[Contact], "Page_Contact"),
        (JSONSchema({"type": "object", "title": "Träger & Co"}), "Tr_ger_Co"),
        (JSONSchema({"type": "object"}, name="mine"), "mine"),
        (JSONSchema({"type": "object", "title": "x" * 90}), "x" * 64),
    ],
)
def test_names_are_such_as_every_server_takes(type_: Any, name: str) -> None:
    assert target(type_).name == name


# -- what cannot be a target -------------------------------------------------------------------------------------------


class Weird:
    pass


class Broken(TypedDict):
    fine: int
    odd: list[Weird]


def test_a_type_without_a_schema_names_the_field() -> None:
    class Inner(BaseModel):
        call: Any = None
        back: type[int]

    class Outer(BaseModel):
        name: str
        inner: list[Inner]

    with pytest.raises(SchemaError, match="odd") as caught:
        target(Broken)
    assert caught.value.path == "odd"
    from collections.abc import Callable

    class Calls(BaseModel):
        name: str
        hook: Callable[[int], int]

    class Holder(BaseModel):
        calls: list[Calls]

    with pytest.raises(SchemaError, match=r"calls\.hook"):
        target(Holder)
    with pytest.raises(SchemaError, match="Weird"):
        target(list[Weird])


@pytest.mark.parametrize(
    ("schema", "path", "said"),
    [
        ({"type": "objekt"}, "/type", "objekt"),
        ({"type": "object", "properties": {"a": {"minimum": "x"}}}, "/properties/a/minimum", "'x'"),
        ({"type": "object", "properties": {"a": {"$ref": "https://example.com/s.json"}}}, "/properties/a/$ref", "fetched"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/no"}}}, "/properties/a/$ref", "it does not exist"),
        ({"$schema": "https://example.com/draft-99", "type": "object"}, "/$schema", "draft-99"),
    ],
)
def test_a_json_schema_that_is_none_says_where(schema: dict[str, Any], path: str, said: str) -> None:
    with pytest.raises(SchemaError, match=said) as caught:
        target(schema)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("content", "said"), [(b"[]", "an object"), (b"{", "not JSON"), (b"\xff", "UTF-8"), (None, "cannot be read")]
)
def test_a_schema_file_that_is_none_says_so(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "s.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SchemaError, match=said):
        target(file)


# -- JSON Schemas ------------------------------------------------------------------------------------------------------


def test_a_schema_is_checked_in_its_draft() -> None:
    four = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "properties": {"a": {"minimum": 1, "exclusiveMinimum": True}},
    }
    with pytest.raises(Invalid):
        target(four).validate({"a": 1})
    newest = {"type": "object", "properties": {"a": {"type": "array", "prefixItems": [{"type": "integer"}]}}}
    with pytest.raises(Invalid):
        target(newest).validate({"a": ["x"]})


@pytest.mark.parametrize(
    ("format_", "good", "bad"),
    [
        ("date", "2024-02-29", "2023-02-29"),
        ("date-time", "2024-02-29T10:00:00Z", "yesterday"),
        ("email", "a@b.c", "nobody"),
        ("uri", "https://a.example/", "not a uri"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("uuid", "12345678-1234-5678-1234-567812345678", "1234"),
    ],
)
def test_formats_are_checked(format_: str, good: str, bad: str) -> None:
    made = target({"type": "object", "properties": {"v": {"type": "string", "format": format_}}})
    assert made.parse(json.dumps({"v": good})) == {"v": good}
    with pytest.raises(Invalid):
        made.parse(json.dumps({"v": bad}))


def test_a_wrapped_schema_keeps_its_references() -> None:
    tree = {"type": "array", "items": {"$ref": "#"}}
    assert target(tree).parse('{"items": [[], [[]]]}') == [[], [[]]]
    with pytest.raises(Invalid):
        target(tree).validate([[1]])
    named = {"$defs": {"n": {"type": "integer"}}, "type": "array", "items": {"$ref": "#/$defs/n"}}
    assert target(named).parse('{"items": [1]}') == [1]
    with pytest.raises(Invalid):
        target(named).parse('{"items": ["1"]}')


# -- examples ----------------------------------------------------------------------------------------------------------


def test_an_example_may_be_a_value_or_plain_data() -> None:
    assert target(Person).dump({"name": "Ada", "born": dt.date(1815, 12, 10)}) == {"name": "Ada", "born": "1815-12-10"}
    assert target(Aliased).dump(Aliased(fullName="Ada")) == {"fullName": "Ada"}
    assert target(list[Contact]).dump([Contact(email="e")]) == {"items": [{"email": "e", "phone": None}]}
    assert target(list[Contact]).dump([{"email": "e"}]) == {"items": [{"email": "e"}]}
    assert target(Contact).dump({"email": "e"}) == {"email": "e"}


def test_computed_fields_are_no_part_of_an_example() -> None:
    class Box(BaseModel):
        model_config = ConfigDict(extra="forbid")
        side: int

        @computed_field  # type: ignore[prop-decorator]
        @property
        def area(self) -> int:
            return self.side**2

    assert target(Box).dump(Box(side=2)) == {"side": 2}


@pytest.mark.parametrize("value", [{"phone": "1"}, {"email": 3}, "e", Point(1), {"email": object()}])
def test_an_example_that_does_not_fit_says_so(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="example"):
        target(Contact).dump(value)


# -- travelling --------------------------------------------------------------------------------------------------------


def test_a_class_is_pickled_without_what_was_built_for_it() -> None:
    target(Contact)
    slot = vars(Contact)["__assay_slot__"]
    assert pickle.loads(pickle.dumps(slot)) == {}
    assert pickle.loads(pickle.dumps(Contact(email="e"))) == Contact(email="e")


def test_targets_are_typed() -> None:
    made: Target[Any] = target(Union[int, str])  # noqa: UP007
    assert made.parse('{"value": "s"}') == "s"
    assert TypeAdapter(int | str).validate_json('"s"') == "s"


def test_a_callable_discriminator_works() -> None:
    def kind(value: Any) -> str:
        return "text" if isinstance(value, str) else "contact"

    class Holder(BaseModel):
        who: Annotated[Annotated[str, Tag("text")] | Annotated[Contact, Tag("contact")], Discriminator(kind)]

    assert target(Holder).parse('{"who": {"email": "e"}}').who == Contact(email="e")
    with pytest.raises(Invalid) as caught:
        target(Holder).validate({"who": {"phone": "1"}})
    assert [p.path for p in caught.value.problems] == ["/who/email"]
