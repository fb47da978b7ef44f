"""Pages as JPEG, lowered until they fit together into what a server takes. Runs in the helper only."""

from __future__ import annotations

from io import BytesIO
from typing import Any, TypeAlias

from assay.errors import ConfigurationError

Picture: TypeAlias = Any
"""A `PIL.Image.Image`, which has no name here where Pillow is not installed."""

_STEPS = ((1.0, 85), (1.0, 70), (0.8, 70), (0.65, 60), (0.5, 55))
"""Of the size, and JPEG quality: tried one after the other."""


def fitted(pictures: list[Picture], most_bytes: int) -> list[bytes]:
    """JPEGs of all pictures, `most_bytes` together at most. Raises `ConfigurationError` when that would make them unreadable."""
    for scale, quality in _STEPS:
        made = [_jpeg(picture, scale, quality) for picture in pictures]
        if sum(map(len, made)) <= most_bytes:
            return made
    total = sum(map(len, made))
    raise ConfigurationError(
        f"{len(pictures)} pages as images are {total / 1e6:.1f} MB at their smallest, but the server takes {most_bytes / 1e6:.1f} MB: "
        "choose fewer with pages="
    )


def _jpeg(picture: Picture, scale: float, quality: int) -> bytes:
    if scale < 1:
        picture = picture.resize((max(1, int(picture.width * scale)), max(1, int(picture.height * scale))))
    packed = BytesIO()
    picture.save(packed, "JPEG", quality=quality)
    return packed.getvalue()
