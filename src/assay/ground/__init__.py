"""Where the values of an answer are in its source, by letters or by meaning, and which are not there."""

from assay.ground.evidence import Evidence, as_printed
from assay.ground.leaves import marked
from assay.ground.markers import Grounded, Inferred, NotStated, Quoted

__all__ = ["Evidence", "Grounded", "Inferred", "NotStated", "Quoted", "as_printed", "marked"]
