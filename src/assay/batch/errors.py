"""What stops a whole run. A row that fails stops nothing: it is a row with an error."""

from __future__ import annotations

from assay.errors import AssayError, ConfigurationError


class OutputBusy(ConfigurationError):  # noqa: N818  # reads as what it says
    """Another run writes this output."""


class StorageError(AssayError):
    """The journal or the output could not be written: a full disk, a failing one, no permission."""
