"""Images, with Pillow: a page each, without text. Runs in the helper only."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from assay.documents.document import Builder, Document, Wanted
from assay.documents.formats.pictures import Picture, fitted
from assay.documents.pages import chosen
from assay.errors import ConfigurationError

PIXELS = 89_000_000
"""Of one image, at most: more are taken as a decompression bomb."""


def read(data: bytes, wanted: Wanted) -> Document:
    image = _opened(data, wanted.name)
    builder = Builder()
    numbers = chosen(wanted.pages, getattr(image, "n_frames", 1), "page", wanted.name)
    if image.format == "GIF" or not hasattr(image, "n_frames"):
        numbers = numbers[:1]  # what moves is one picture
    for number in numbers:
        builder.add("", "page", number)
    return builder.document(blank=numbers)


def render(data: bytes, wanted: Wanted, *, dpi: int, side: int, most_bytes: int) -> list[bytes]:  # noqa: ARG001  # an image has its own
    image = _opened(data, wanted.name)
    return fitted([_frame(image, number - 1, side) for number in wanted.pages or (1,)], most_bytes)


def _opened(data: bytes, name: str) -> Any:
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415  # the extra `documents`

    Image.MAX_IMAGE_PIXELS = None
    try:
        image = Image.open(BytesIO(data))
    except UnidentifiedImageError:
        raise ConfigurationError(f"{name} is a broken image, or of an unsupported kind: save it as PNG or JPEG") from None
    if image.width * image.height > PIXELS:
        raise ConfigurationError(f"{name} has {image.width} x {image.height} pixels, more than {PIXELS // 1_000_000} million")
    try:
        image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise ConfigurationError(f"{name} is a broken image: {error}") from None
    return image


def _frame(image: Any, at: int, side: int) -> Picture:
    from PIL import Image, ImageOps  # noqa: PLC0415  # the extra `documents`

    if at:
        image.seek(at)
    frame = ImageOps.exif_transpose(image).convert("RGBA")
    paper = Image.new("RGBA", frame.size, "white")
    picture = Image.alpha_composite(paper, frame).convert("RGB")
    picture.thumbnail((side, side))
    return picture
