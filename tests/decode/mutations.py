"""Known values, written as JSON, damaged by seeded edits; and what of a reading of the damaged text is no misreading.

A reading is fair when it gives the known value; when the damaged text is valid JSON and the reading is what it says; or when it differs
from the known value only in texts that stand so in the damaged text and are as near to the known ones as the edits are long: a
letter of a string, a quote that is now in it. All else is a misreading: a member gone, an item too many, a number that became a
text although it may still be a number, a literal that became a text. What is said to be cut may lack its end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from random import Random
from typing import Any

VALUES: list[Any] = [
    {"name": "Ada Lovelace", "age": 36, "email": None, "active": True, "tags": ["math", "poetry"]},
    {"invoice": {"number": "INV-2024/117", "date": "2024-03-05", "total": 1234.5}, "lines": [{"sku": "A1", "n": 3}, {"sku": "B2", "n": 12}]},
    [{"id": 1, "ok": False, "note": "fine, thanks"}, {"id": 2, "ok": True, "note": ""}, {"id": 3, "ok": None, "note": "see [1]"}],
    {"title": 'He said "no" and left', "path": "C:\\new\\Work", "tex": "\\frac{1}{2} + \\alpha", "re": "\\d+\\.\\w*"},
    {"url": "https://example.org/a?b=c&d=1#top", "time": "10:30", "ratio": "1:2", "code": "if (x) { return [1]; }"},
    {"a": [], "b": {}, "c": [[1, 2], [3, 4]], "d": [[], [{}]], "e": -0.5e-3},
    {"text": "line one\nline two\n\tindented", "emoji": "héllo wörld 日本 😀", "quote": "it's a 24\" screen", "n": 0},
    [1, 2.5, -3, "x", True, None, [4, 5], {"k": "v"}],
    {"matrix": [[1, 0, 0], [0, 1, 0]], "labels": ["north", "south"], "meta": {"unit": "mm", "scale": 0.1, "exact": False}},
    {"people": [{"first": "Ann", "last": "O'Neil"}, {"first": "Bo", "last": "van der Berg"}], "count": 2, "next": None},
    {"q": "What is 2 + 2?", "a": "4", "why": "because 2, 2: sum; done", "sure": True, "steps": ["add", "check"]},
    ["alpha", "beta gamma", "delta, epsilon", "zeta: eta", "theta/iota"],
]  # fmt: skip
_ALPHABET = '"""\'\'{}[]:,,\\/;#`.-_ \n0159aetnx”“('
Edit = tuple[str, int]
"""The damaged text, and how many characters the edits took or put."""


def written(value: Any) -> list[str]:
    """The value as models write it."""
    plain = json.dumps(value, ensure_ascii=False)
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    lines = json.dumps(value, ensure_ascii=False, indent=2)
    return [plain, compact, lines, f"Here it is:\n```json\n{lines}\n```\nDone."]


def damaged(count: int, seed: int) -> Iterator[tuple[Any, str, int]]:
    """`count` known values, each with a damaged text and the size of the damage."""
    random = Random(seed)  # noqa: S311  # the same at every run
    texts = [(value, text) for value in VALUES for text in written(value)]
    for _ in range(count):
        value, text = random.choice(texts)
        size = 0
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            text, took = _edit(text, random)
            size += took
        yield value, text, size


def _edit(text: str, random: Random) -> Edit:
    at = random.randrange(len(text))
    match random.randrange(7):
        case 0 | 1:
            return text[:at] + text[at + 1 :], 1
        case 2 | 3:
            return text[:at] + random.choice(_ALPHABET) + text[at:], 1
        case 4:
            return text[:at] + random.choice(_ALPHABET) + text[at + 1 :], 2
        case 5:
            return text[:at] + text[at : at + 2][::-1] + text[at + 2 :], 2
        case _:
            length = random.randint(2, 6)
            return text[:at] + (text[at : at + length] if random.random() < 0.5 else "") + text[
                at + length * (random.random() < 0.5) :
            ], length


def says(text: str) -> Any:
    """What a strict reader makes of a text, as JSON stands in it from the first bracket to the last; `NOTHING` when it is none."""
    body = (
        text[text.find("```json\n") + 8 : text.rfind("\n```")]
        if text.startswith("Here it is:\n```json\n") and text.endswith("\n```\nDone.")
        else text
    )
    try:
        return json.loads(body, object_pairs_hook=_single, parse_constant=_refused)
    except ValueError:
        return NOTHING


NOTHING = object()


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)


def _refused(name: str) -> Any:
    raise ValueError(name)


def is_fair(value: Any, read: Any, text: str, size: int, *, cut: bool) -> bool:
    """Whether `read` may be what `text` says, where `value` was damaged by `size` characters."""
    said = says(text)
    if said is not NOTHING:
        return _same(said, read)
    return _near(value, read, text, size, cut=cut) or (
        cut and _items_near(_leaves(value), _leaves(read)[:-1], text, size, cut=True)  # how it is nested is not known
    )


def _leaves(value: Any) -> list[Any]:
    """The keys and scalars of a value, one behind the other."""
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in (key, *_leaves(item))]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _near(old: Any, new: Any, text: str, size: int, *, cut: bool) -> bool:
    if cut and not isinstance(new, dict | list):
        return True  # what stood at the end, which is said to be cut
    match old, new:
        case dict(), dict():
            return _members_near(list(old.items()), list(new.items()), text, size, cut=cut)
        case list(), list():
            return _items_near(old, new, text, size, cut=cut)
        case ((bool() | None), str()):
            known = json.dumps(old)
            return (len(new) < 3 or _distance(known, new, size) > 1) and _text_near(known, new, text, size)
        case ((bool() | None), _):
            return _same(old, new)
        case str(), str():
            return _text_near(old, new, text, size, cut=cut)
        case ((int() | float()), str()):
            return not _may_be_number(new) and _text_near(json.dumps(old), new, text, size)
        case ((int() | float()), (int() | float())) if not isinstance(new, bool):
            known = json.dumps(old)
            return _same(old, new) or any(
                _number(token) == new and _distance(known, token, size) <= size for token in _NUMBERS.findall(text)
            )
        case _:
            return False


def _items_near(old: list[Any], new: list[Any], text: str, size: int, *, cut: bool) -> bool:
    """The same items, but for scalars as short as the edits that were put in or taken out, and two that became one."""
    if not new:
        return cut or sum(_length(item) for item in old) <= size
    if cut and len(new) == 1 and isinstance(new[0], list) and _near(old, new[0], text, size, cut=cut):
        return True
    if (
        old
        and _near(old[0], new[0], text, size, cut=cut and len(new) == 1)
        and _items_near(old[1:], new[1:], text, size, cut=cut)
    ):
        return True
    if old and _length(old[0]) <= size and _items_near(old[1:], new, text, size - _length(old[0]), cut=cut):
        return True
    if _length(new[0]) <= size and _items_near(old, new[1:], text, size - _length(new[0]), cut=cut):
        return True
    return (
        len(old) > 1 and _became_one(old[0], old[1], new[0], text, size) and _items_near(old[2:], new[1:], text, size, cut=cut)
    )


def _length(item: Any) -> int:
    return len(json.dumps(item)) - 2 * isinstance(item, str)


def _became_one(one: Any, two: Any, new: Any, text: str, size: int) -> bool:
    """Whether an edit took what stood between two scalars."""
    if any(isinstance(item, dict | list) for item in (one, two, new)):
        return False
    plain = [item if isinstance(item, str) else json.dumps(item) for item in (one, two, new)]
    return _text_near(plain[0] + plain[1], plain[2], text, size)


def _members_near(old: list[tuple[str, Any]], new: list[tuple[str, Any]], text: str, size: int, *, cut: bool) -> bool:
    if len(old) == len(new) or (cut and len(new) < len(old)):
        return all(
            _text_near(key, other, text, size) and _near(item, inner, text, size, cut=cut and n == len(new) - 1)
            for n, ((key, item), (other, inner)) in enumerate(zip(old, new, strict=False))
        )
    longer = old if len(old) > len(new) else new
    for n, (key, item) in enumerate(longer):
        took = len(key) + len(json.dumps(item))
        if took <= size:
            rest = longer[:n] + longer[n + 1 :]
            if _members_near(*((rest, new) if longer is old else (old, rest)), text, size - took, cut=cut):
                return True
    return False


_NUMBERS = re.compile(r"[-+.\deE]+")


def _number(token: str) -> float | None:
    try:
        return float(token)
    except ValueError:
        return None


def _may_be_number(text: str) -> bool:
    if text[:1] == "0" and text.isdigit():  # 007: no number of JSON, and all of it is there
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True


def _text_near(old: str, new: str, text: str, size: int, *, cut: bool = False) -> bool:
    if old == new or (cut and old.startswith(new)):
        return True
    lined = text.replace("\n", "\\n")  # a raw line break in a text is one, too
    stands = new in text or _unquoted(json.dumps(new, ensure_ascii=False)[1:-1]) in _unquoted(lined)
    controls = any(new.count(sign) > old.count(sign) for sign in "\n\t\f\b\r")  # only where they stand so, or an escape says so
    if not stands and (controls or _raw(new) not in _raw(text)):
        return False
    return min(_distance(old, new, size), _distance(_raw(old), _raw(new), size)) <= size


def _unquoted(text: str) -> str:
    """With quotes that are escaped as those that are not."""
    return re.sub(r"\\([\"'`])", r"\1", text)


def _raw(text: str) -> str:
    """Without backslashes: one that is put in or taken out changes what the next letter means."""
    return text.replace("\\", "").replace("\n", "n").replace("\t", "t")


def _distance(one: str, other: str, most: int) -> int:
    """How many characters have to be put in, taken out or changed, counted up to `most` and a little beyond."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    row = list(range(len(other) + 1))
    for at, left in enumerate(one, 1):
        above, row = row, [at]
        for n, right in enumerate(other, 1):
            row.append(min(above[n] + 1, row[-1] + 1, above[n - 1] + (left != right)))
    return row[-1]
