"""How a batch is run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from assay.batch.formats import Columns
from assay.errors import ConfigurationError
from assay.extractor import Extractor
from assay.options import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a batch is run. The defaults suit most."""

    concurrency: int | None = None
    """Rows at once, at most. None: begin small and grow while the server keeps up."""
    order: Literal["input", "done"] = "input"
    """The order of the finished output; while the run goes on rows are appended as they finish."""
    retry_failed: bool = False
    max_failures: int | None = None
    budget: Budget | None = None
    """Of all runs that write this output together."""
    errors: Path | None = None
    """The errors file; None: beside the output, `NAME.errors.jsonl`."""
    columns: Columns = field(default_factory=Columns)
    delimiter: str | None = None
    encoding: str | None = None
    """How the input is read, see `ReadOptions`."""
    pages: str | None = None
    ocr: str | None = None
    """How documents are read, see `assay.read`."""
    limit: int | None = None
    """Only the first rows of the input; a later run takes the others."""
    force: bool = False
    """Overwrite files that are there and were not written by a run."""
    read: tuple[Path, ...] = ()
    """Files that the run reads besides its input, and so must not write."""
    format: str = ""
    """The kind of the output, `.csv`; empty: what its name says."""
    safe_csv: bool = False
    """Keep spreadsheets from taking texts for formulas."""
    accept: float | None = None
    """The confidence from which on a value needs no look: rows name the others under `review` (see `assay.evals.calibrate`)."""
    evidence: bool = True
    """Look for every value in its text: rows say where it stands (`evidence`), and which stand nowhere (`ungrounded`)."""
    provider_batch: bool = False
    """Through the provider's batch API; what it leaves open is asked online."""
    submit: bool = False
    """With `provider_batch`: send, and do not wait."""
    collect: bool = False
    """With `provider_batch`: wait for what was sent and bring it, and send nothing new."""
    fallback: Extractor[Any] | str | None = None
    """A second model, or an extractor with one, for rows that fail: a name is asked on the first one's server if that has
    `base_url`, else of the provider that it names.
    """

    def check(self) -> None:
        """Raise `ConfigurationError` for settings that contradict each other."""
        for name, value in (("concurrency", self.concurrency), ("limit", self.limit)):
            if value is not None and value < 1:
                raise ConfigurationError(f"--{name} must be 1 or more; got {value}")
        if self.submit and self.collect:
            raise ConfigurationError("--submit sends and --collect fetches: give only one of them")
        if self.submit and not self.provider_batch:
            raise ConfigurationError("--submit needs --provider-batch")
