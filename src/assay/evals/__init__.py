"""How right a model is on documents whose answers are known: scores for each field, against gold."""

from assay.evals.run import Case, Result, Summary, cases, evaluate, summarise
from assay.evals.score import Score, compare

__all__ = ["Case", "Result", "Score", "Summary", "cases", "compare", "evaluate", "summarise"]
