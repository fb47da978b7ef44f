"""What JSON data is called in annotations: the ground floor, so that `types` can build on what looks into data."""

from __future__ import annotations

from typing import Any, TypeAlias

JSON: TypeAlias = Any
"""Any JSON value. Python's type system has no useful closed form of it; every use of this alias is JSON data."""

JSONObject: TypeAlias = dict[str, Any]
