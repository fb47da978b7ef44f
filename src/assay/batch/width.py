"""How many rows are under way at once: up while the server keeps up, down when it does not."""

from __future__ import annotations

from assay.errors import APIConnectionError, InternalServerError

FIRST = 8
"""Where a run starts that was not told how wide it may be."""


class Width:
    """Additive increase, multiplicative decrease, as TCP: `now` is how many rows may be under way.

    It doubles round by round until the first sign of overload (a timeout, a broken connection, a 5xx, after their own
    retries), halves at each, and then grows by one a round. A round is as many good answers as there are rows under way, so
    one burst of failures counts once.
    """

    def __init__(self, ceiling: int, *, start: int | None = None) -> None:
        self.ceiling = ceiling
        self.now = min(ceiling, FIRST if start is None else start)
        self._slow_start = True
        self._good = 0
        self._deaf = 0

    def heard(self, error: Exception | None) -> None:
        """A row ended: with this error, or with none that is the server's."""
        if isinstance(error, APIConnectionError | InternalServerError):
            self._overloaded()
            return
        self._deaf = max(0, self._deaf - 1)
        self._good += 1
        if self._good >= self.now:
            self._good = 0
            self.now = min(self.ceiling, self.now * 2 if self._slow_start else self.now + 1)

    def _overloaded(self) -> None:
        self._good = 0
        if self._deaf > 0:  # of the same burst
            self._deaf -= 1
            return
        self._slow_start = False
        self.now = max(1, self.now // 2)
        self._deaf = self.now
