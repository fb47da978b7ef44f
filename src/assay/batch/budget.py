"""What a run may spend, and how long its answers may be."""

from __future__ import annotations

from dataclasses import replace

from assay.batch.stops import Stop
from assay.errors import ConfigurationError
from assay.options import Budget
from assay.prices import Price
from assay.types import Usage

ENOUGH = 30
"""Answers to have seen before their length is trusted."""
MARGIN, SPARE = 1.5, 32
"""Room beyond the longest recent answer: this many times, and so many tokens more. A cut answer is asked again."""
FORGET = 0.999
"""Of the longest answer, per answer: one that was unusually long is forgotten after a thousand or so."""


class Purse:
    """The budget of a run. Everything that was ever spent on this output counts, so that a resumed run does not start from zero.

    A row is begun only if it and all that are under way can be paid for, each at the mean cost of the rows so far.
    """

    def __init__(self, budget: Budget | None, price: Price | None, rows: int, spent: Usage) -> None:
        if budget is not None and budget.cost is not None and price is None:
            raise ConfigurationError("the price of this model is not known: give the budget in tokens, '200000 tokens'")
        self._budget = budget
        if spent.cost is None and price is not None:  # some of it was spent before a price was known
            spent = replace(spent, cost=price.cost(spent))
        self._rows, self._tokens, self._cost = rows, spent.total_tokens, spent.cost or 0.0

    def pay(self, usage: Usage) -> None:
        self._rows += 1
        self._tokens += usage.total_tokens
        self._cost += usage.cost or 0.0

    def stop(self, under_way: int) -> Stop | None:
        """Why one more row beside those under way must not begin; None when it may."""
        if self._budget is None:
            return None
        more = 1 + (under_way + 1) / max(1, self._rows)
        tokens, cost = self._budget.tokens, self._budget.cost
        if tokens is not None and self._tokens * more > tokens:
            return Stop("budget", f"the budget of {tokens:,} tokens is used up: {self._tokens:,} were spent")
        if cost is not None and self._cost * more > cost:
            return Stop("budget", f"the budget of ${cost:g} is used up: ${self._cost:.4f} was spent")
        return None


class Room:
    """How many tokens an answer needs, learned from answers: servers book `max_tokens` against their limits, used or not."""

    def __init__(self) -> None:
        self._seen = 0
        self._longest = 0.0

    def heard(self, completion_tokens: int) -> None:
        self._seen += 1
        self._longest = max(self._longest * FORGET, completion_tokens)

    @property
    def tokens(self) -> int | None:
        return None if self._seen < ENOUGH or not self._longest else int(self._longest * MARGIN) + SPARE
