"""Pages of HTML, with lexbor: what a reader sees, block by block, tables row by row. Runs in the helper only."""

from __future__ import annotations

import re
from typing import Any

from assay.documents.document import Document, Wanted
from assay.documents.formats.plain import decode
from assay.errors import ConfigurationError

DEEPEST = 2000
"""Elements inside each other, at most."""

_UNSEEN = frozenset(
    {"script", "style", "noscript", "template", "head", "svg", "iframe", "object", "select", "datalist", "canvas"}
)
_INLINE = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "label",
        "mark",
        "nobr",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
        "ruby",
        "rb",
        "rt",
        "rp",
        "button",
    ]
)
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\n\f]+")


def read(data: bytes, wanted: Wanted) -> Document:
    if wanted.pages is not None:
        raise ConfigurationError(f"{wanted.name} is an HTML page and has no pages: leave pages out")
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415  # the extra `documents`

    page = _Page()
    root = LexborHTMLParser(_decoded(data, wanted)).root
    if root is not None:
        page.walk(root, wanted.name)
    return Document(page.text(), notes=page.notes())


def _decoded(data: bytes, wanted: Wanted) -> str:
    """In the encoding that the user says, or a mark or the page itself does."""
    said = _CHARSET.search(data[:4096])
    marked = data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:64]
    if wanted.encoding is None and said is not None and not marked:
        name = said[1].decode("ascii")
        name = "cp1252" if name.lower() in ("iso-8859-1", "latin1", "latin-1", "us-ascii", "ascii") else name  # as browsers do
        wanted = Wanted(wanted.name, None, name)
    return decode(data, wanted)


class _Page:
    """The text of a page as it is put together."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._hidden = 0
        self._asis = 0

    def text(self) -> str:
        lines = [line.rstrip(" ") for line in "".join(self._parts).split("\n")]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    def notes(self) -> tuple[str, ...]:
        return (f"{self._hidden} hidden element{'s were' if self._hidden > 1 else ' was'} left out",) if self._hidden else ()

    def walk(self, root: Any, name: str) -> None:
        """Depth first, by hand: pages may be nested deeper than Python's stack."""
        node, depth = root, 0
        while node is not None:
            child = node.child if self._enter(node) else None
            if child is not None:
                node, depth = child, depth + 1
                if depth > DEEPEST:
                    raise ConfigurationError(f"{name} is nested deeper than {DEEPEST} elements")
                continue
            while node is not None:
                self._leave(node)
                following = node.next if depth else None
                if following is not None:
                    node = following
                    break
                node, depth = (node.parent, depth - 1) if depth else (None, 0)

    def _enter(self, node: Any) -> bool:
        """Begin a node; whether its children are to be seen."""
        tag: str = node.tag
        if tag == "-text":
            self._say(node.text_content or "")
            return False
        if tag in _UNSEEN or tag.startswith(("-", "!")):
            return tag == "-document"
        attributes = node.attributes
        if "hidden" in attributes or _HIDDEN.search(attributes.get("style") or ""):
            self._hidden += 1
            return False
        self._begin(tag, attributes)
        return True

    def _begin(self, tag: str, attributes: Any) -> None:
        match tag:
            case "br":
                self._parts.append("\n")
            case "img":
                self._parts.append(attributes.get("alt") or "")
            case "input" if (attributes.get("type") or "text") not in ("hidden", "password"):
                self._parts.append(attributes.get("value") or "")
            case "td" | "th":
                if not self._ends_with("\n"):
                    self._parts.append(" | ")
            case "tr" | "li" | "dt" | "dd" | "option" | "caption":
                self._break(1)
                self._parts.append("- " if tag == "li" else "")
            case "pre" | "textarea":
                self._asis += 1
                self._break(2)
            case _ if tag not in _INLINE:
                self._break(2 if tag in ("p", "table", "ul", "ol", "blockquote", *_HEADINGS) else 1)
                if tag in _HEADINGS:
                    self._parts.append(f"{_HEADINGS[tag]} ")

    def _leave(self, node: Any) -> None:
        tag = node.tag
        if tag in ("pre", "textarea") and self._asis:
            self._asis -= 1
        if tag in _INLINE or tag in ("td", "th", "br", "img", "input") or tag.startswith(("-", "!")) or tag in _UNSEEN:
            return
        self._break(2 if tag in ("p", "table", "ul", "ol", "blockquote", "pre", *_HEADINGS) else 1)

    def _say(self, text: str) -> None:
        if not self._asis:
            text = _SPACES.sub(" ", text)
            if self._ends_with("\n") or self._ends_with(" ") or not self._parts:
                text = text.removeprefix(" ")
        if text:
            self._parts.append(text)

    def _break(self, lines: int) -> None:
        if not self._parts:
            return
        have = 0
        for part in reversed(self._parts):
            ends = len(part) - len(part.rstrip("\n"))
            have += ends
            if ends < len(part):
                break
        self._parts.append("\n" * max(0, lines - have))

    def _ends_with(self, sign: str) -> bool:
        return next((part.endswith(sign) for part in reversed(self._parts) if part), True)
