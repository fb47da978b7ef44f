"""Partial values of a reply while it still comes. `Partial` is what users see; the rest joins it to an extraction."""

from assay.streaming.flow import Showing, to_the_end
from assay.streaming.items import Items
from assay.streaming.partial import Partial, View
from assay.streaming.plan import StreamMode, plan

__all__ = ["Items", "Partial", "Showing", "StreamMode", "View", "plan", "to_the_end"]
