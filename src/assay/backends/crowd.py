"""How many requests a server takes at once: learned from refusals that name neither a limit nor a wait."""

from __future__ import annotations

POLL = 0.03
"""Seconds after which a waiting request looks for room again: a request takes far longer."""
GROW_AFTER, PATIENCE, MOST_PATIENCE = 5.0, 2.0, 300.0
"""Seconds without a refusal after which one more is let in; the factor by which this grows after each refused try; its maximum."""


class Crowd:
    """A server that has places for some requests refuses the others at once, and says no more than 429.

    A rate that is used up looks the same, except that it also refuses a single request.
    """

    def __init__(self) -> None:
        self.cap: int | None = None
        """How many may be under way; None: no such limit is known."""
        self._changed = 0.0
        self._after = GROW_AFTER
        self._trying = False

    def room(self, under_way: float) -> float:
        """For how many more there is room."""
        return float("inf") if self.cap is None else self.cap - under_way

    def refused(self, others: float, now: float) -> bool:
        """A request was refused while `others` were under way. Returns whether they were the reason; if not, no cap explains the refusal."""
        if others < 1:
            self.cap = None
            return False
        if self._trying:
            self._after = min(self._after * PATIENCE, MOST_PATIENCE)
        self.cap = int(others) if self.cap is None else min(self.cap, int(others))
        self._changed, self._trying = now, False
        return True

    def grow(self, now: float) -> None:
        """Let one more in, when it is time to try."""
        if self.cap is not None and now - self._changed >= self._after:
            self._after = GROW_AFTER if self._trying else self._after  # the one let in before was taken
            self.cap += 1
            self._changed, self._trying = now, True
