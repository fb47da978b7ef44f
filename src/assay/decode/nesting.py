"""Where a missing bracket may belong, or a superfluous one may be: whether more than one place makes sense."""

from __future__ import annotations

from assay.types import JSON


def may_end_earlier(value: JSON) -> bool:
    """Whether the closing bracket that `value` lacks may be missing further in: `[[1, 2]` is `[[1, 2]]` or `[[1], 2]`."""
    if isinstance(value, list):
        return bool(value) and isinstance(value[-1], list)
    last = _last_object(value)
    return len(last) > 1 or (len(last) == 1 and (len(value) == 1 or may_end_earlier(last)))


def may_end_later(value: JSON) -> bool:
    """Whether a brace too many behind `value` may be one inside of it: `{"a": {"b": 1}, "c": 2}}`."""
    if not isinstance(value, dict):
        return False
    *others, _ = value.values() or (None,)
    return any(isinstance(other, dict) and other for other in others) or may_end_later(_last_object(value) or None)


def _last_object(value: JSON) -> dict[str, JSON]:
    """The object that is the last value of an object; {} without one."""
    last = next(reversed(value.values()), None) if isinstance(value, dict) else None
    return last if isinstance(last, dict) else {}
