"""Files for the server: `multipart/form-data`."""

from __future__ import annotations

import mimetypes
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import IO, Any, TypeAlias

Content: TypeAlias = IO[bytes] | bytes | PathLike[str]
FileTypes: TypeAlias = Content | tuple[str | None, Content] | tuple[str | None, Content, str | None]
"""The file's content, an open file or a path; or `(name, content)`, or `(name, content, media type)`."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A form, mostly with one file in it. A field with several values is sent once for each, as `name[]`."""

    fields: Mapping[str, str | list[str]]
    name: str
    content: bytes | None
    media_type: str

    @classmethod
    def of(cls, file: FileTypes | None, fields: Mapping[str, str | list[str]]) -> Upload:
        """Reads `file` whole: a retry sends the same bytes again. `OSError` when it cannot be read."""
        if file is None:
            return cls(fields, "", None, "")
        name, content, media_type = (*file, None)[:3] if isinstance(file, tuple) else (None, file, None)
        data, own_name = _read(content)
        name = name or own_name or "upload"
        return cls(fields, name, data, media_type or mimetypes.guess_type(name)[0] or "application/octet-stream")

    def with_fields(self, extra: Mapping[str, Any]) -> Upload:
        return replace(self, fields={**self.fields, **{name: str(value) for name, value in extra.items()}})

    def encode(self) -> tuple[bytes, str]:
        """The body, and its content type."""
        boundary = secrets.token_hex(16)
        parts = [_part(boundary, f'name="{_quoted(name)}"', value.encode()) for name, value in self._values()]
        if self.content is not None:
            about = f'name="file"; filename="{_quoted(self.name)}"\r\nContent-Type: {self.media_type}'
            parts.append(_part(boundary, about, self.content))
        return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"

    def _values(self) -> Iterator[tuple[str, str]]:
        for name, value in self.fields.items():
            if isinstance(value, str):
                yield name, value
            else:
                yield from ((f"{name}[]", each) for each in value)


def file_from_path(path: str) -> tuple[str, bytes]:
    """A file to upload, with its name."""
    return Path(path).name, Path(path).read_bytes()


def _read(content: Any) -> tuple[bytes, str | None]:
    match content:
        case bytes() | bytearray():
            return bytes(content), None
        case str():
            raise TypeError(
                "a file must be bytes, an open file, a pathlib.Path or a tuple; a str could be a path or the content"
            )
        case PathLike():
            path = Path(content)
            return path.read_bytes(), path.name
        case _ if hasattr(content, "read"):
            data = content.read()
            if not isinstance(data, bytes):
                raise TypeError("the file is open in text mode: open it with 'rb'")
            name = getattr(content, "name", None)
            return data, Path(name).name if isinstance(name, str) else None
        case _:
            raise TypeError(f"a file must be bytes, an open file, a pathlib.Path or a tuple, not {type(content).__name__}")


def _part(boundary: str, about: str, data: bytes) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {about}\r\n\r\n".encode() + data + b"\r\n"


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
