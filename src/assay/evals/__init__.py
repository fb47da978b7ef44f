"""How accurate a model is on documents whose answers are known: scores for each field, against gold.

    scores = evaluate(extractor, cases("cases.jsonl"))
    scores.total.f1, scores.fields["/items/*/price"].recall

same    when two values are the same        score   extracted data against gold, field by field
align   which items of two lists are meant  run     the cases of a file, extracted and scored
rules   how each field is compared          versus  two models on the same cases, and whether chance explains it
"""

from __future__ import annotations

from assay.evals.kept import scored
from assay.evals.rules import rules_of
from assay.evals.run import Case, Result, Scores, add_up, cases, evaluate, results
from assay.evals.same import same
from assay.evals.score import Score, compare
from assay.evals.versus import Comparison, Difference, Scored, versus

__all__ = [
    "Case",
    "Comparison",
    "Difference",
    "Result",
    "Score",
    "Scored",
    "Scores",
    "add_up",
    "cases",
    "compare",
    "evaluate",
    "results",
    "rules_of",
    "same",
    "scored",
    "versus",
]
