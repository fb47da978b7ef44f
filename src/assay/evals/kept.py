"""Results as lines of a file, and back: what `--results` writes, `--against` reads and a comparison needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assay.batch.rows import error_text
from assay.errors import ConfigurationError
from assay.evals.run import Result
from assay.evals.score import Score
from assay.evals.versus import Scored
from assay.types import JSONObject


def scored(result: Result) -> Scored:
    """What a comparison needs of a result."""
    usage = result.outcome.usage
    return Scored(
        result.case.id,
        result.case.text,
        result.case.gold,
        result.value,
        result.scores,
        result.ran,
        result.outcome.ok,
        usage.cost,
        usage.total_tokens,
        sum(attempt.latency for attempt in result.outcome.attempts),
    )


def line(result: Result, model: str) -> JSONObject:
    """A result as an object of JSON."""
    known = scored(result)
    return {
        "id": known.id,
        "model": model,
        "text": known.text,
        "gold": known.gold,
        "value": known.value,
        "error": None if result.outcome.ok else error_text(result.outcome.error),
        "attempts": len(result.outcome.attempts),
        "ran": known.ran,
        "tokens": known.tokens,
        "cost": known.cost,
        "seconds": round(known.seconds, 3),
        "ungrounded": list(result.outcome.ungrounded),
        "scores": {name: asdict(score) for name, score in known.scores.items()},
    }


def write(path: Path, lines: Iterable[JSONObject]) -> None:
    """Raises `ConfigurationError` when the file cannot be written."""
    try:
        path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--results {path} cannot be written: {error.strerror or error}") from None


def read(path: Path, model: str) -> tuple[str, Sequence[Scored]]:
    """The results of an earlier run: those of `model`, or, when it has none of that name, those of the only model in it.

    Raises `ConfigurationError` for a file that holds no results, or those of several other models.
    """
    try:
        rows = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines() if text.strip()]
        by_model: dict[str, list[Scored]] = {}
        for row in rows:
            by_model.setdefault(str(row.get("model", "earlier")), []).append(_scored(row))
    except OSError as error:
        raise ConfigurationError(f"--against {path} cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError(f"--against {path} is not a file that assay eval --results wrote") from None
    if not by_model:
        raise ConfigurationError(f"--against {path} has no results")
    if model in by_model:
        return model, by_model[model]
    if len(by_model) > 1:
        raise ConfigurationError(f"--against {path} has results of {', '.join(by_model)}, but none of {model}")
    return next(iter(by_model.items()))


def _scored(row: Any) -> Scored:
    scores = {name: Score(**counts) for name, counts in row["scores"].items()}
    ran, cost = bool(row.get("ran", True)), row.get("cost")
    return Scored(
        row["id"],
        str(row.get("text", "")),
        row.get("gold"),
        row.get("value"),
        scores,
        ran,
        row["error"] is None,
        cost if isinstance(cost, int | float) else None,
        int(row.get("tokens", 0)),
        float(row.get("seconds", 0.0)),
    )
