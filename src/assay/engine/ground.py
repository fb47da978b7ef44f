"""What an answer's values have to do with its source: the evidence of a verdict."""

from __future__ import annotations

from typing import Any

from assay.engine import prompt
from assay.engine.judge import Verdict
from assay.engine.prompt import Source
from assay.ground import Evidence
from assay.target.build import Target


def evidence(target: Target[Any], verdict: Verdict[Any], source: Source) -> Evidence:
    """Where the values of a good answer stand. Nothing is looked up before somebody asks."""
    return Evidence(
        verdict.text,
        prompt.text_of(source),
        target.json_schema,
        wrapper=target.wrapper,
        repairs=verdict.repairs,
        parts=prompt.begins(source),
    )
