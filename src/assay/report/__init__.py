"""What a batch run did, as a page for people: `read` gathers it out of the journal, `page` writes the HTML."""

from __future__ import annotations

from assay.report.digest import Digest, read
from assay.report.page import page

__all__ = ["Digest", "page", "read"]
