"""The page: one HTML file that needs nothing else, with neither scripts nor requests.

Texts, replies and error messages are not trusted: the template escapes whatever it is given, and the page's own
security policy forbids scripts and everything from outside.
"""

from __future__ import annotations

import json
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from assay.report.digest import Digest
from assay.review.page import visible
from assay.review.pieces import pieces
from assay.types import JSON

LONGEST = 4000
"""Characters that are shown of a reply or a value."""


def page(digest: Digest, *, made: datetime) -> str:
    """The HTML of a digest; `made` is when."""
    return _environment().get_template("page.html.jinja").render(run=digest, made=made)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("assay.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "data": _data,
        "pieces": lambda row: pieces(row.text, row.spans),
        "visible": visible,
        "json": _json,
        "clip": _clip,
        "moment": _moment,
        "share": _share,
        "number": _number,
        "money": _money,
    }
    return environment


def _data(value: JSON) -> str:
    """JSON data as text; a string as it is."""
    return _clip(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2))


def _json(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False)


def _clip(text: str) -> str:
    left_out = len(text) - LONGEST
    return text if left_out <= 0 else f"{text[:LONGEST]}\n... and {left_out:,} more characters"


def _moment(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} {time.tzname()}"


def _share(part: int, whole: int) -> str:
    """A percentage; empty for a total of 0, and never 100 for less than all or 0 for more than none."""
    if not whole:
        return "-"
    percent = 100 * part / whole
    if 0 < part < whole:
        percent = min(99.9, max(0.1, percent))
    return f"{percent:.1f} %"


def _number(value: float) -> str:
    return f"{value:,}"


def _money(cost: float | None) -> str:
    if cost is None:
        return "not known"
    return f"${cost:,.2f}" if cost >= 1 or not cost else f"${cost:.4f}"
