"""What is there of a value while its text still comes: `Partial`, and the `View` that gives it its type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from assay.decode.mark import Container, Mark, first
from assay.outcome import Outcome
from assay.streaming.model import Rules
from assay.streaming.shape import Entry, Key, Shape, shape
from assay.types import JSON

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Partial(Generic[T]):
    """A value of which some parts are there. What is shown once does not change, unless a re-ask replaces the whole.

    The last one of a stream is `complete`: its `value` is the validated value and its `outcome` tells how it came about.
    """

    paths: tuple[str, ...]
    """JSON Pointers to what was completed since the one before, in the order in which it was; "" is the whole."""
    attempt: int = 1
    """Which request it comes from, counted from 1."""
    outcome: Outcome[T] | None = None
    """Set on the last one."""
    _mark: Mark = field(default=Mark(()), repr=False)
    _view: View | None = field(default=None, repr=False)

    @property
    def complete(self) -> bool:
        return self.outcome is not None

    @property
    def value(self) -> T | None:
        """The value so far, in the target's type; None while nothing of it can be shown.

        In an object that is still open a field that is not there is None, whatever its default; a model's
        `model_fields_set` names those that are there. A list holds the items before the one being written, and that one as
        far as it is there. Strings, numbers and objects have passed their checks when they are shown; what does not pass is
        left out. The validators of an object run when it is closed.
        """
        if self.outcome is not None:
            return self.outcome.value
        value: T | None = None if self._view is None else self._view.value(self._mark)
        return value

    @property
    def data(self) -> JSON:
        """The value so far as plain JSON data, unchecked. Its parts are shared with other partials: do not change them."""
        if self.outcome is not None:
            return self.outcome.data
        return None if self._view is None else self._view.data(self._mark)

    @property
    def live(self) -> JSON:
        """The data as it is by now, not a copy: to look into where the parts in `paths` are."""
        return None if self._view is None else self._view.live(self._mark)


@dataclass(slots=True)
class _Checked:
    """The finished entries of one container that have been checked so far."""

    source: Container
    values: Any
    counts: list[int] = field(default_factory=lambda: [0])
    """How many values there were after each entry: one that fails its check adds none."""


class View:
    """Reads the marks of one reply as values of a type. An entry is checked once: when it is whole and somebody looks."""

    def __init__(
        self,
        annotation: Any,
        *,
        wrapper: str | None = None,
        context: Any = None,
        strict: bool = False,
        unfinished: bool = False,
    ) -> None:
        """`annotation`: a type, or None for plain JSON. `wrapper`: the key of the object in which the value travels.

        `unfinished`: strings and numbers are shown while they are being written; they may still change then.
        """
        self._plain = annotation is None
        self._shape = None if self._plain else shape(annotation)
        self._wrapper = wrapper
        self._rules = Rules(context, strict or None)
        self.unfinished = unfinished
        self._checked: dict[int, _Checked] = {}

    @property
    def openers(self) -> str:
        """The brackets that a reply may start with: an object, or the bare list where a wrapped one is wanted."""
        return "{" if self._wrapper is None else "{["

    def paths(self, paths: Sequence[str], mark: Mark) -> tuple[str, ...]:
        """Paths of a reply as paths of the value."""
        if self._wrapper is None or isinstance(mark.open[0][0], list):
            return tuple(paths)
        prefix = f"/{self._wrapper}"
        return tuple(path.removeprefix(prefix) for path in paths if path.startswith(prefix))

    def data(self, mark: Mark) -> JSON:
        """The value so far as plain JSON."""
        return self._bare(mark).data(unfinished=self.unfinished)

    def live(self, mark: Mark) -> JSON:
        """The data as it is by now, not a copy."""
        bare = self._bare(mark)
        return bare.open[0][0] if bare.open else None

    def value(self, mark: Mark) -> Any:
        """The value so far in its type; None when nothing can be shown."""
        mark = self._bare(mark)
        if self._plain:
            return mark.data(unfinished=self.unfinished)
        if self._shape is None or not mark.open:
            return None
        return self._level(self._shape, mark, 0)

    def _bare(self, mark: Mark) -> Mark:
        """Without the wrapper's level. A model that leaves the wrapper out is understood: its list is the root."""
        if self._wrapper is None or not mark.open or isinstance(mark.open[0][0], list):
            return mark
        inner = mark.open[0][0].get(self._wrapper)
        if len(mark.open) == 1 and isinstance(inner, dict | list):
            return Mark(((inner, len(inner)),))
        return Mark(mark.open[1:] if inner is not None else (), mark.pending)

    def _level(self, shape: Shape, mark: Mark, level: int) -> Any:
        container, size = mark.open[level]
        innermost = level == len(mark.open) - 1
        values = self._finished(shape, container, size if innermost else size - 1)
        if innermost:
            self._add_pending(shape, values, mark, size)
        else:
            self._add_open(shape, values, mark, level)
        return shape.build(values)

    def _add_open(self, outer: Shape, values: Any, mark: Mark, level: int) -> None:
        """The last entry, an object or list that is open itself."""
        container, size = mark.open[level]
        key: Key = size - 1 if isinstance(container, list) else next(islice(container, size - 1, None))
        entry = outer.entry(key)
        inner = None if entry is None else shape(entry.annotation)
        if entry is not None and inner is not None:
            _put(values, entry.name, self._level(inner, mark, level + 1))

    def _add_pending(self, outer: Shape, values: Any, mark: Mark, size: int) -> None:
        """The string or number that is being written."""
        if not self.unfinished or mark.pending is None:
            return
        entry = outer.entry(size if mark.pending.key is None else mark.pending.key)
        begun = mark.pending.read()
        if entry is not None and entry.shows(begun):
            _put(values, entry.name, begun)

    def _finished(self, shape: Shape, container: Container, size: int) -> Any:
        """A copy of the first `size` entries, checked."""
        checked = self._checked.get(id(container))
        if checked is None:
            checked = self._checked[id(container)] = _Checked(container, [] if isinstance(container, list) else {})
        done = len(checked.counts) - 1
        if done < size:
            for key, value in _entries(container, done, size):
                self._check(shape, checked, key, value)
        return first(checked.values, checked.counts[size])

    def _check(self, outer: Shape, checked: _Checked, key: Key, value: JSON) -> None:
        entry = outer.entry(key)
        if entry is not None:
            try:
                _put(checked.values, entry.name, entry.check(value, checked.values, self._rules))
            except ValidationError:
                self._keep_good_parts(entry, checked, value)
        checked.counts.append(len(checked.values))

    def _keep_good_parts(self, entry: Entry, checked: _Checked, value: JSON) -> None:
        """An object or list that fails as a whole stays as it was shown while it was open."""
        inner = shape(entry.annotation)
        if inner is not None and isinstance(value, dict | list):
            _put(checked.values, entry.name, self._level(inner, Mark(((value, len(value)),)), 0))


def _entries(container: Container, start: int, end: int) -> Iterable[tuple[Key, JSON]]:
    if isinstance(container, list):
        return enumerate(container[start:end], start)
    return islice(container.items(), start, end)


def _put(values: Any, name: Key, value: Any) -> None:
    """Into its place; behind a gap in a list nothing is put: it would stand at another's place."""
    if isinstance(values, dict):
        values[name] = value
    elif len(values) == name:
        values.append(value)
