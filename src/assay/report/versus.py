"""The page of a comparison: differences with their intervals, drawn, and the cases in which two models part ways.

What documents and models say is escaped; the page has neither scripts nor requests.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise

from jinja2 import Environment, PackageLoader, StrictUndefined

from assay.data.paths import leaves
from assay.evals import Comparison, Scored
from assay.evals.align import field_of
from assay.ground import Evidence
from assay.types import JSON

SHOWN = 100
"""Cases that are shown of a comparison."""
LONGEST = 20_000
"""Characters of a case's text that are shown."""


def comparison_page(compared: Sequence[Comparison], *, made: datetime) -> str:
    """The HTML of comparisons; `made` is when. Gold's values are marked where they stand in a case's text."""
    environment = Environment(
        loader=PackageLoader("assay.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "figure": lambda share: "-" if share is None else f"{share:.3f}",
        "signed": lambda change: f"{change:+.3f}".replace("-", "\N{MINUS SIGN}"),
        "moment": lambda moment: f"{moment:%Y-%m-%d %H:%M} {moment.tzname()}",
        "text": lambda value: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
    }
    furthest = max((abs(end) for one in compared for end in _ends(one)), default=0.0)
    scale = next(step for step in (0.05, 0.1, 0.2, 0.5, 1.0) if furthest <= step or step == 1.0)
    template = environment.get_template("versus.html.jinja", globals={"scale": scale})
    return template.render(compared=compared, made=made, shown=SHOWN, values=_values, pieces=_pieces)


def _ends(one: Comparison) -> list[float]:
    return [end for difference in (one.total, one.exact, *one.fields.values()) for end in (difference.low, difference.high)]


def _values(data: JSON, field: str) -> str:
    """The values of one field, as text."""
    found = [value for path, value in leaves(data) if field_of(path) == field]
    return ", ".join(map(partial(json.dumps, ensure_ascii=False), found)) or "(none)"


def _pieces(scored: Scored) -> list[tuple[str, str]]:
    """The case's text cut where gold's values begin and end; each piece with the fields that stand there."""
    text = scored.text[:LONGEST]
    spans = [span for span in Evidence(json.dumps(scored.gold), scored.text, {}).spans if span.end <= len(text)]
    cuts = sorted({0, len(text), *(end for span in spans for end in (span.start, span.end))})
    return [
        (text[start:end], ", ".join(span.path for span in spans if span.start <= start and end <= span.end))
        for start, end in pairwise(cuts)
    ]
