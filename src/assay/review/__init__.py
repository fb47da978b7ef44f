"""A page to check values on: the source with each value marked, the fields beside it, links both ways."""

from assay.review.page import Reviewed, page

__all__ = ["Reviewed", "page"]
