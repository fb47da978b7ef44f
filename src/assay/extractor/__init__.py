"""An extraction, compiled once: `Extractor`, what one model does for it, and who is asked when that one fails."""

from assay.extractor.extractor import SETTINGS, Extractor, settings_of

__all__ = ["SETTINGS", "Extractor", "settings_of"]
