"""What a type's schema lists, its validation takes; and what an example shows, the schema beside it says."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import pytest
from jsonschema import Draft202012Validator
from pydantic import (
    UUID1,
    UUID4,
    AliasChoices,
    AnyUrl,
    AwareDatetime,
    BaseModel,
    Field,
    FutureDate,
    FutureDatetime,
    HttpUrl,
    IPvAnyNetwork,
    Json,
    NaiveDatetime,
    PastDate,
    PastDatetime,
    PostgresDsn,
    SecretBytes,
    SecretStr,
    create_model,
)

from assay.errors import SchemaError
from assay.target.build import target
from assay.target.problems import Invalid


class Days(enum.Enum):
    first = dt.date(2024, 1, 1)
    second = dt.date(2024, 2, 1)


class Pairs(enum.Enum):
    a = (1, 2)
    b = (3, 4)


class Prices(enum.Enum):
    low = Decimal("1.10")
    high = Decimal(2)


class Ids(enum.Enum):
    one = uuid.UUID(int=1)


class Spans(enum.Enum):
    day = dt.timedelta(days=1)


class Numbers(enum.IntEnum):
    one = 1
    two = 2


@pytest.mark.parametrize("members", [Days, Pairs, Prices, Ids, Spans, Numbers])
@pytest.mark.parametrize("strict", [False, True])
def test_every_member_that_is_listed_is_taken(members: type[enum.Enum], strict: bool) -> None:
    class Holder(BaseModel):
        one: members  # type: ignore[valid-type]
        more: list[members] = []  # type: ignore[valid-type]
        either: members | bool = True  # type: ignore[valid-type]

    made = target(Holder)
    (listed,) = (part["enum"] for part in made.json_schema["$defs"].values())
    assert len(listed) == len(members)
    for text, member in zip(listed, members, strict=True):
        value = made.validate({"one": text, "more": [text], "either": text}, strict=strict)
        assert (value.one, value.more, value.either) == (member, [member], member)
        assert made.dump(Holder(one=member)) == {"one": text, "more": [], "either": True}


def test_a_price_is_taken_as_a_number_too() -> None:
    assert target(Prices).validate({"value": 1.1}) is Prices.low


@pytest.mark.parametrize(
    ("type_", "keys"),
    [(dict[Literal[1, 2], str], ["1", "2"]), (dict[Numbers, str], ["1", "2"]), (dict[Literal["a", 3], str], ["a", "3"])],
)
def test_keys_that_are_listed_are_taken(type_: Any, keys: list[str]) -> None:
    made = target(type_)
    assert made.json_schema["propertyNames"] == {"enum": keys}
    assert len(made.validate(dict.fromkeys(keys, "x"))) == len(keys)
    with pytest.raises(Invalid):
        made.validate({"7": "x"})


class Point(NamedTuple):
    x: int
    y: Decimal


@dataclass
class Stop:
    at: Point
    price: Decimal


class Shown(BaseModel):
    name: str = Field(validation_alias="Name", serialization_alias="label")
    other: str = Field("o", validation_alias=AliasChoices("Other", "other"))
    key: SecretStr
    raw: SecretBytes = SecretBytes(b"b")
    point: Point
    stops: list[Stop] = []
    by_name: dict[str, Point] = {}
    price: Decimal | None = None
    day: Days = Days.first


@pytest.mark.parametrize("price", [Decimal("12.50"), Decimal(3), None])
def test_an_example_is_what_the_schema_says(price: Decimal | None) -> None:
    point = Point(1, Decimal("1.5"))
    given = Shown(Name="n", key=SecretStr("s"), point=point, stops=[Stop(point, Decimal(2))], by_name={"a": point}, price=price)
    made = target(Shown)
    data = made.dump(given)
    Draft202012Validator(made.json_schema).validate(data)
    assert data["key"] == "s"
    assert data["point"] == {"x": 1, "y": 1.5}
    assert made.validate(data) == given


@pytest.mark.parametrize(
    ("type_", "said", "word"),
    [
        (AwareDatetime, "2024-01-01T10:00:00", "with its time zone"),
        (NaiveDatetime, "2024-01-01T10:00:00Z", "without a time zone"),
        (PastDate, "2999-01-01", "in the past"),
        (FutureDate, "1999-01-01", "in the future"),
        (PastDatetime, "2999-01-01T00:00:00", "in the past"),
        (FutureDatetime, "1999-01-01T00:00:00", "in the future"),
        (UUID1, "x", "version 1"),
        (UUID4, "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "version 4"),
        (IPvAnyNetwork, "x", "network"),
        (HttpUrl, "ftp://x", "'http' or 'https'"),
        (PostgresDsn, "http://x", "postgres"),
        (HttpUrl, "http://x/" + "y" * 3000, "at most 2083 characters"),
        (AnyUrl, "x", "a URL"),
        (Json[list[int]], "[1", "JSON"),
        (complex, "x", "complex number"),
    ],
)
def test_a_complaint_says_what_would_do(type_: Any, said: str, word: str) -> None:
    made = target(type_)
    with pytest.raises(Invalid) as caught:
        made.validate({"value": said})
    assert word in caught.value.problems[0].want
    assert caught.value.problems[0].want != "a string"


@pytest.mark.parametrize(
    ("type_", "word"),
    [
        (AwareDatetime, "with its time zone, like 2024-03-05T14:30:00+01:00"),
        (AwareDatetime | None, "with its time zone, like 2024-03-05T14:30:00+01:00 or null"),
        (NaiveDatetime, "without a time zone"),
        (PastDate, "a date in the past"),
        (FutureDate, "a date in the future"),
        (PastDatetime, "a date and time in the past"),
        (FutureDatetime, "a date and time in the future"),
        (UUID1, "version 1"),
        (UUID4, "version 4"),
        (IPvAnyNetwork, "network"),
        (HttpUrl, "begins with 'http' or 'https'"),
        (PostgresDsn, "'postgres', "),
        (AnyUrl, "a URL"),
        (Json[list[int]], "text that is JSON"),
        (complex, "a complex number"),
    ],
)
@pytest.mark.parametrize("said", [{}, {"field": {}}, {"field": []}])
def test_what_is_missing_is_described_as_what_is_wrong(type_: Any, word: str, said: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        target(create_model("Made", field=(type_, ...))).validate(said)
    assert caught.value.problems[0].path == "/field"
    assert word in caught.value.problems[0].want


@pytest.mark.parametrize("type_", [AwareDatetime, NaiveDatetime, PastDate, PastDatetime, FutureDate | None])
def test_a_number_is_no_moment_however_it_is_described(type_: Any) -> None:
    with pytest.raises(Invalid) as caught:
        target(create_model("Made", field=(type_, ...))).validate({"field": 86400})
    assert caught.value.problems[0].path == "/field"


def test_classes_of_a_function_are_found_by_those_that_name_them() -> None:
    @dataclass
    class Inner:
        size: int

    @dataclass
    class Outer:
        inner: Inner
        more: list[Inner]

    class Both(NamedTuple):
        one: Inner
        two: Outer

    for type_ in (Outer, list[Outer], Both, dict[str, Outer], Outer | None):
        assert "size" in str(target(type_).json_schema)


def test_a_class_that_is_completed_later_is_found_in_a_list() -> None:
    class Early(BaseModel):
        later: Later

    class Later(BaseModel):
        size: int

    for type_ in (list[Early], dict[str, Early], Early | None, Early):
        assert "size" in str(target(type_).json_schema)


def test_a_name_that_is_nowhere_is_said() -> None:
    @dataclass
    class Lost:
        inner: Nowhere  # type: ignore[name-defined]  # noqa: F821

    for type_ in (Lost, list[Lost]):
        with pytest.raises(SchemaError, match="Nowhere"):
            target(type_)


def test_a_map_that_is_given_as_an_example_keeps_its_keys() -> None:
    data: Mapping[str, Any] = target(dict[Days, Point]).dump({Days.first: Point(1, Decimal(2))})
    assert data == {"2024-01-01": {"x": 1, "y": 2}}
