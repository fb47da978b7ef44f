"""The page as one HTML file that needs nothing else, with neither scripts nor requests.

Texts and values are not trusted: the template escapes whatever it is given, signs that steer a terminal or the direction
of writing are shown as signs, and the page's own security policy forbids scripts and everything from outside.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence

from assay.data.paths import leaves
from assay.review.pieces import Piece, pieces
from assay.types import JSON, Match, Span, frozen

LONGEST = 2000
"""Characters that are shown of a value."""

MATCHES: dict[Match, str] = {
    "exact": "exactly as in the text",
    "folded": "except for case, width and spaces",
    "value": "in another print",
    "words": "words in another order",
    "near": "except for a small difference",
    "quote": "shown by a quote",
}


@frozen
class Reviewed:
    """One document and its result."""

    title: str
    source: str
    data: JSON
    spans: tuple[Span, ...] = ()
    ungrounded: tuple[str, ...] = ()
    failure: str = ""
    """Why there is no value."""
    wrong: tuple[tuple[str, JSON], ...] = ()
    """Paths that gold has otherwise, each with what it has."""


@frozen
class Field:
    """One value on the page."""

    path: str
    shown: str
    spans: tuple[int, ...]
    how: str
    state: str
    """`missing`: it should stand in the text and does not; `found`; `aside`: it was not looked for."""
    place: str = ""
    gold: str = ""


@frozen
class Shown:
    """One document as the template takes it."""

    title: str
    fields: tuple[Field, ...]
    pieces: tuple[Piece, ...]
    owners: tuple[int, ...]
    """Of each span: its field, by position."""
    missing: int
    failure: str


def page(documents: Sequence[Reviewed], *, title: str = "") -> str:
    """The HTML of some documents; those that need a check come first."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # only for who wants a page

    environment = Environment(
        loader=PackageLoader("assay.review", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    shown = [_shown(document) for document in documents]
    name = title or (documents[0].title if len(documents) == 1 else f"{len(documents)} documents")
    return environment.get_template("page.html.jinja").render(title=name, documents=shown)


def _shown(document: Reviewed) -> Shown:
    fields = sorted(_fields(document), key=lambda field: _ORDER[field.state])  # stable: in the value's order
    owners = {span: at for at, field in enumerate(fields) for span in field.spans}
    return Shown(
        title=document.title,
        fields=tuple(fields),
        pieces=tuple(pieces(document.source, document.spans)),
        owners=tuple(owners.get(at, 0) for at in range(len(document.spans))),
        missing=sum(field.state == "missing" for field in fields),
        failure=document.failure,
    )


_ORDER = {"missing": 0, "wrong": 0, "found": 1, "aside": 2}


def _fields(document: Reviewed) -> Iterator[Field]:
    by_path: dict[str, list[int]] = {}
    for at, span in enumerate(document.spans):
        by_path.setdefault(span.path, []).append(at)
    nowhere, gold = set(document.ungrounded), dict(document.wrong)
    for path, value in leaves(document.data):
        its = by_path.pop(path, [])
        first = document.spans[its[0]] if its else None
        state = "missing" if path in nowhere else "found" if its else "aside"
        how = MATCHES[first.match] if first is not None else "not in the text" if state == "missing" else "not looked for"
        place = "" if first is None or first.place is None else str(first.place)
        wrong = path in gold
        yield Field(
            path, _text(value), tuple(its), how, "wrong" if wrong else state, place, _text(gold.pop(path)) if wrong else ""
        )
    for path, its in by_path.items():  # places of a gold value that the answer has not
        yield Field(path, "(nothing)", tuple(its), "only in gold", "wrong", "", _text(gold.pop(path, None)))
    for path, value in gold.items():
        yield Field(path, "(nothing)", (), "only in gold", "wrong", "", _text(value))


def _text(value: JSON) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"


def visible(text: str) -> str:
    """A text with its control and direction signs as signs that can be seen, of the same length."""
    if text.isprintable():
        return text
    return "".join(map(_sign, text))


def _sign(char: str) -> str:
    if char in "\n\t" or char.isprintable():
        return char
    code, category = ord(char), unicodedata.category(char)
    if category == "Cc":
        return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"
    steers = 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
    return "\ufffd" if steers or category == "Cs" else char
