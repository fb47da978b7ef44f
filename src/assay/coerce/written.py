"""What a model copied as it is printed, turned into what the schema wants, by the conventions of the document.

A printed value that reads in only one way does not need the document. One that reads in two, and that the document does not
decide, is left as it is: `assay.coerce` names both readings.
"""

from __future__ import annotations

import re
from decimal import Decimal

from assay.coerce.coercer import Coerced
from assay.coerce.conventions import Conventions
from assay.coerce.dates import readings as moments
from assay.coerce.notes import shown
from assay.coerce.numbers import Number
from assay.coerce.numbers import readings as numbers
from assay.coerce.scales import CHINESE, LETTERS, chinese, scale
from assay.data.pointer import Token, join
from assay.schema.navigate import child, govern, types_of
from assay.types import JSON, JSONObject, Repair

_DATES = frozenset({"date", "date-time", "time"})
_ONE = re.compile(r"[^\d]*?([-+−]?\s?\d(?:[\d.,'’ \u00a0\u202f]*\d)?)\s?([^\d]*)")  # noqa: RUF001
_AROUND = 24
"""Characters around a number that are taken as its unit or label."""


def convert(data: JSON, schema: JSONObject, conventions: Conventions, *, copied: bool) -> Coerced:
    """`data` with its prints turned. `copied`: the model was asked for the text as printed, so a unit beside a number is fine."""
    repairs: list[Repair] = []
    turned = _turned(data, schema, schema, (), _Turn(conventions, copied, repairs))
    return Coerced(turned, tuple(repairs))


class _Turn:
    def __init__(self, conventions: Conventions, copied: bool, repairs: list[Repair]) -> None:
        self.conventions, self.copied, self.repairs = conventions, copied, repairs

    def number(self, text: str, *, whole: bool) -> JSON:
        found = numbers(text) or (_with_a_unit(text) if self.copied else ())
        kept = self.conventions.number(found) if len(found) > 1 else list(found)
        if len(kept) != 1:
            return None
        value = kept[0].value
        if whole:
            return int(value) if value == value.to_integral_value() and value.adjusted() < 400 else None
        return kept[0].plain

    def moment(self, text: str, form: str) -> JSON:
        found = moments(text, form)
        kept = self.conventions.moment(found) if len(found) > 1 else list(found)
        different = {one.iso for one in kept}
        return different.pop() if len(different) == 1 else None


def _with_a_unit(text: str) -> tuple[Number, ...]:
    """The readings of the one number in a text with words around it: `14 days`, `ca. 1.200 kg`, `$75 million`."""
    text = text.strip()
    if CHINESE.match(text):
        found = CHINESE.match(text)
        return (Number(chinese(found[0])),) if found and not re.search(r"\d", text[found.end() :]) else ()
    one = _ONE.fullmatch(text)
    if one is None or len(text) - len(one[1]) > _AROUND:
        return ()
    factor, words = Decimal(1), one[2].split()
    for word in words:
        more = scale(word)
        if more is None:
            break
        factor *= more
    if factor == 1 and words and words[0].lower() in LETTERS:  # a million, or a metre
        return ()
    return tuple(Number(reading.value * factor, reading.decimal) for reading in numbers(one[1]))


def _turned(data: JSON, schema: JSON, root: JSONObject, way: tuple[Token, ...], turn: _Turn) -> JSON:
    if isinstance(data, dict | list) and data:
        governing = govern(schema, data, root)
        if isinstance(data, dict):
            return {key: _turned(value, child(governing, key), root, (*way, key), turn) for key, value in data.items()}
        return [_turned(value, child(governing, at), root, (*way, at), turn) for at, value in enumerate(data)]
    if not isinstance(data, str) or schema is None:
        return data
    value = _value(data, govern(schema, data, root), turn)
    if value is None or value == data:
        return data
    turn.repairs.append(Repair(join(way), "coerced", shown(data), shown(value)))
    return value


def _value(text: str, schema: JSONObject, turn: _Turn) -> JSON:
    types = set(types_of(schema))
    if not schema.keys().isdisjoint(("enum", "const")):
        return None
    if types & {"number", "integer"} and "string" not in types:
        return turn.number(text, whole="number" not in types)
    form = schema.get("format")
    return turn.moment(text, form) if isinstance(form, str) and form in _DATES else None
