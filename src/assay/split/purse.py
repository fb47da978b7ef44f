"""One budget for all pieces of a document, which are asked side by side."""

from __future__ import annotations

from assay.engine import prompt
from assay.engine.loop import BYTES_PER_TOKEN_AT_LEAST, DEFAULT_ANSWER
from assay.errors import APIError, BudgetExceeded
from assay.options import Budget
from assay.prices import Price
from assay.types import Call, Usage


class OverBudgetError(APIError):
    """Ends the extraction of a piece: its next request could exceed the budget, and was not sent."""

    def __init__(self, error: BudgetExceeded) -> None:
        super().__init__(str(error))
        self.error = error


class Purse:
    """What all pieces together may spend: a request under way is booked at its maximum, until its reply says what it used."""

    def __init__(self, budget: Budget | None, price: Price | None) -> None:
        self._budget, self._price = budget, price
        self._tokens, self._cost = 0, 0.0

    def book(self, call: Call) -> Usage:
        """Book a call. Raises `OverBudgetError` when it could break the budget."""
        words = sum(len(prompt.text_of((message,)).encode("utf-8", "replace")) for message in call.messages)
        most = Usage(words // BYTES_PER_TOKEN_AT_LEAST, call.params.max_tokens or DEFAULT_ANSWER)
        tokens, cost = most.prompt_tokens + most.completion_tokens, self._price.cost(most) if self._price is not None else 0.0
        budget = self._budget
        if budget is not None and budget.tokens is not None and self._tokens + tokens > budget.tokens:
            raise OverBudgetError(
                BudgetExceeded(
                    f"the next request may take {tokens} tokens; {self._tokens} of {budget.tokens} are spent or under way",
                    spent=self._tokens,
                    limit=budget.tokens,
                )
            )
        if budget is not None and budget.cost is not None and self._cost + cost > budget.cost:
            raise OverBudgetError(
                BudgetExceeded(
                    f"the next request may cost ${cost:.6f}; ${self._cost:.6f} of ${budget.cost:.6f} are spent or under way",
                    spent=self._cost,
                    limit=budget.cost,
                )
            )
        self._tokens, self._cost = self._tokens + tokens, self._cost + cost
        return most

    def settle(self, booked: Usage, used: Usage) -> None:
        """What a call took in place of what was booked for it."""
        self._tokens += used.total_tokens - booked.prompt_tokens - booked.completion_tokens
        if self._price is not None:
            self._cost += self._price.cost(used) - self._price.cost(booked)
