"""A hundred thousand rows: `run` and `arun` extract from a file of rows into another, and nothing is lost or paid for twice.

journal    what is finished; the truth       formats/     rows in and out, a file per format
recorder   the thread that writes it         feed         the thread that reads
runner     workers that ask                  run          all of it, from opening to summary
place      which files are a run's own       provider     through a provider's batch API
"""

from __future__ import annotations

from assay.batch.errors import OutputBusy, StorageError
from assay.batch.formats import Columns
from assay.batch.place import journal_path
from assay.batch.plan import Estimate, Pace
from assay.batch.progress import Progress, Reporter, Summary
from assay.batch.run import arun, dry_run, run
from assay.batch.settings import Settings
from assay.batch.status import Status, status
from assay.batch.stops import Stop

__all__ = [
    "Columns",
    "Estimate",
    "OutputBusy",
    "Pace",
    "Progress",
    "Reporter",
    "Settings",
    "Status",
    "Stop",
    "StorageError",
    "Summary",
    "arun",
    "dry_run",
    "journal_path",
    "run",
    "status",
]
