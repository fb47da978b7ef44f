"""How sure a model was of each value, by the probabilities of the tokens that it wrote it with."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from math import exp

from assay.data.paths import leaves
from assay.data.pointer import join, split
from assay.data.sites import sites
from assay.types import JSON

DIGITS = 6
"""Of a confidence: equal ones must not differ in how they were added up."""

Token = tuple[str, float]
"""A piece of a reply, and the natural logarithm of its probability."""


def confidence(reply: str, tokens: Iterable[Token]) -> dict[str, float]:
    """By JSON Pointer, the joint probability (0 to 1) of the tokens that make up each scalar of a reply that is plain JSON.

    A token that a value shares with what stands around it counts whole. Empty for a reply that is not plain JSON, or that does not
    match the tokens.
    """
    pieces = list(tokens)
    starts = [0, *accumulate(len(text) for text, _ in pieces)]
    if not pieces or starts[-1] != len(reply) or "".join(text for text, _ in pieces) != reply:
        return {}
    try:
        where = sites(reply)
    except (ValueError, RecursionError):
        return {}
    sums = [0.0, *accumulate(logarithm for _, logarithm in pieces)]
    found: dict[str, float] = {}
    for path, (start, end) in where.items():
        first, last = bisect_right(starts, start) - 1, bisect_left(starts, end)
        found[path] = round(min(1.0, exp(sums[last] - sums[first])), DIGITS)
    return found


def of_answers(answers: Iterable[tuple[str, Iterable[Token]]], data: JSON) -> dict[str, float]:
    """By JSON Pointer into `data`, the confidence of the last answer that gave each of its scalars.

    An answer is the whole, the whole under the one key of its wrapper, or an object of parts under their paths.
    """
    there = dict(leaves(data))
    found: dict[str, float] = {}
    for reply, tokens in answers:
        for path, share in confidence(reply, tokens).items():
            if (place := next((form for form in _forms(path) if form in there), None)) is not None:
                found[place] = share
    return found


def _forms(path: str) -> Iterator[str]:
    """What a path of an answer may be in the value: the same, that of a part, and either without the wrapper's key."""
    key, *rest = split(path) or ("",)
    for form in (path, key + join(rest)) if key.startswith("/") else (path,):
        yield form
        yield join(split(form)[1:])
