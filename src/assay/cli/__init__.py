"""The command line: typer and rich over `assay.api`, `assay.batch` and the local models."""

from __future__ import annotations

from assay.cli.app import main

__all__ = ["main"]
