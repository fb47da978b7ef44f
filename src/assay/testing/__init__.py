"""Rehearsing what is built on assay, without a network and without a key: fake models, cassettes, faults.

All of it stands where bytes would travel, so it covers whole answers and streams, blocking and awaited, batches, the Groq
client, clients of other packages and the embedded model. The pytest plugin (`assay.testing.plugin`) comes with the package.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.testing.bad_day import Fault, faults
    from assay.testing.door import NetworkBlockedError, no_network
    from assay.testing.fake import FakeModel, NoAnswerError
    from assay.testing.outcomes import failed, outcome
    from assay.testing.playing import Cassette, CassetteMissError, Record, cassette
else:
    _FILES = {
        "Cassette": "playing",
        "CassetteMissError": "playing",
        "FakeModel": "fake",
        "Fault": "bad_day",
        "NetworkBlockedError": "door",
        "NoAnswerError": "fake",
        "Record": "playing",
        "cassette": "playing",
        "failed": "outcomes",
        "faults": "bad_day",
        "no_network": "door",
        "outcome": "outcomes",
    }

    def __getattr__(name: str) -> Any:
        """Imported when first used: pytest loads the plugin of this room in every run, also of projects that use nothing of it."""
        if name not in _FILES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(importlib.import_module(f"assay.testing.{_FILES[name]}"), name)
        return found


__all__ = [
    "Cassette",
    "CassetteMissError",
    "FakeModel",
    "Fault",
    "NetworkBlockedError",
    "NoAnswerError",
    "Record",
    "cassette",
    "failed",
    "faults",
    "no_network",
    "outcome",
]
