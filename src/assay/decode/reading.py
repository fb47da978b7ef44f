"""`read`: the JSON value in a model's text, or the reason why there is none."""

from __future__ import annotations

from pydantic_core import from_json

from assay.decode.result import Reading
from assay.types import JSONObject


def read(text: str, schema: JSONObject | None = None) -> Reading:
    """The JSON value in a model's text.

    Valid JSON is taken as it is (of a key that is there twice, the last; see below). Otherwise the value is looked for behind
    thinking, in fences and amid prose, and read leniently; every repair is recorded. When several values are there, `schema`
    decides which is meant; without one they must be equal.

    Raises `DecodeError` when there is no value, when values contradict each other, when a repair could give two different
    values, and when the text is nested deeper than 200 levels or (malformed) longer than 16 million characters.

    Repeated keys: in valid JSON they are not noticed, as the fast parser (`pydantic_core.from_json`) does not report them and a
    second pass would cost as much as the first; the last wins, as RFC 8259 says most parsers do. In malformed text a key with two
    different values is an error, since it mostly shows a missing bracket.
    """
    try:
        value = from_json(text, allow_inf_nan=False)
        if type(value) is not str or schema is None:
            return Reading(value, candidates=(value,))
    except ValueError:
        pass
    from assay.decode.mending import mended  # noqa: PLC0415  # takes 20 ms to import, and most replies are plain JSON

    return mended(text, schema)
