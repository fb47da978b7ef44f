"""No damage to a text, of twenty thousand kinds, makes another value of it than it says."""

from __future__ import annotations

import pytest

from assay.decode import read
from assay.errors import DecodeError
from decode.mutations import VALUES, damaged, is_fair, written

COUNT, SEEDS = 4000, 6


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_damaged_text_is_misread(seed: int) -> None:
    given, misread = 0, []
    for value, text, size in damaged(COUNT, seed):
        try:
            reading = read(text)
        except DecodeError:
            continue
        given += 1
        if not is_fair(value, reading.value, text, size, cut=reading.truncated):
            misread.append((text, reading.value))
    assert not misread
    assert given > 0.4 * COUNT  # a reader that refuses all misreads nothing


def test_what_is_not_damaged_is_fair_and_another_value_is_not() -> None:
    for value in VALUES:
        for text in written(value):
            assert is_fair(value, read(text).value, text, 1, cut=False)
            assert not is_fair(value, VALUES[0] if value is not VALUES[0] else [], text, 1, cut=False)
    for text, old, new in [
        ('{"a": true, "b": 1;}', {"a": True, "b": 1}, {"a": True}),
        ('{"a": tru, "b": 1}', {"a": True, "b": 1}, {"a": "tru", "b": 1}),
        ('["a", ,"b"]', ["a", "b"], ["a", None, "b"]),
        ('["see "x" y"]', ["see x y"], ["see ", "x", " y"]),
        ('{"n": 1_2}', {"n": 12}, {"n": "1_2"}),
        ('{"a": "b, "c": 1}', {"a": "b", "c": 1}, {"a": 'b, "c": 1'}),
    ]:
        assert not is_fair(old, new, text, 1, cut=False)
