"""What was plainly meant: numbers and dates as they are printed, scalars of another type; every change on record."""

from assay.coerce.coercer import Coerced, Coercer, coerce

__all__ = ["Coerced", "Coercer", "coerce"]
