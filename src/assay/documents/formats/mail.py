"""Mail (EML): its headers, its text, and its attachments, which come in by the same door as any file."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from typing import Any

from assay.documents.document import Builder, Document, Wanted
from assay.documents.formats.plain import decode
from assay.documents.reader import read_bytes
from assay.errors import ConfigurationError

DEEPEST = 5
"""Mails attached to mails."""
PARTS = 1000
"""Of one mail."""
_HEADERS = ("From", "To", "Cc", "Date", "Subject")


def read(data: bytes, wanted: Wanted) -> Document:
    if wanted.pages is not None:
        raise ConfigurationError(f"{wanted.name} is an email and has no pages: leave pages out")
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        data = decode(data, wanted).encode()
    message = email.message_from_bytes(data, policy=email.policy.default)
    mail = _Mail(wanted)
    mail.add(message, "mail", 1, "")
    return mail.builder.document(notes=mail.notes)


class _Mail:
    def __init__(self, wanted: Wanted) -> None:
        self.builder = Builder()
        self.notes: list[str] = []
        self._wanted = wanted
        self._attachments = 0

    def add(self, message: Any, kind: str, number: int, name: str, depth: int = 0) -> None:
        """A mail with all that is attached to it."""
        lines = [f"{header}: {' '.join(str(message[header]).split())}" for header in _HEADERS if message[header] is not None]
        body = message.get_body(("plain", "html"))
        text = self._body(body) if body is not None else ""
        self.builder.add("\n".join([*lines, "", text]).strip("\n"), kind, number, name)
        for part in _attachments(message):
            self._attach(part, depth)

    def _body(self, part: Any) -> str:
        if part.get_content_type() == "text/html":
            return read_bytes(b"<html>" + _payload(part), Wanted(f"{self._wanted.name} (its body)", None, _charset(part))).text
        return _text(part).replace("\r\n", "\n").strip()

    def _attach(self, part: Any, depth: int) -> None:
        self._attachments += 1
        number = self._attachments
        if number > PARTS:
            raise ConfigurationError(f"{self._wanted.name} has more than {PARTS} attachments")
        called = part.get_filename() or ""
        name = called or f"attachment {number}"
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            if depth < DEEPEST and isinstance(inner, list) and inner:
                self.add(inner[0], "attachment", number, called, depth + 1)
            else:
                self.notes.append(
                    f"the attached mail {name!r} was left out: emails are attached to emails more than {DEEPEST} deep"
                )
            return
        try:
            found = read_bytes(_payload(part), Wanted(name))
        except ConfigurationError as error:
            self.notes.append(f"an attachment was left out: {error}")
            return
        if found.blank:
            self.notes.append(
                f"of the attachment {name!r} pages without text were left out: {', '.join(map(str, found.blank))}"
            )
        if found.text:
            self.builder.add(found.text, "attachment", number, called)
        self.notes += [f"{name}: {note}" for note in found.notes]


def _attachments(message: Any) -> Iterator[Any]:
    if message.get_content_type() == "multipart/alternative":
        return
    try:
        for part in message.iter_attachments():
            if not (part.get_content_maintype() == "image" and part.get("Content-ID")):
                yield part  # a picture with an id is part of the page
    except (AttributeError, TypeError):  # a multipart without parts
        return


def _payload(part: Any) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _charset(part: Any) -> str | None:
    try:
        b"".decode(charset := part.get_content_charset() or "utf-8")
    except LookupError:
        return "cp1252"
    return None if charset == "utf-8" else charset


def _text(part: Any) -> str:
    data = _payload(part)
    try:
        return data.decode(_charset(part) or "utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")  # what a mail program that names the wrong one has mostly written
