"""The consoles: what documents, models, servers and file names say is shown on a terminal, but cannot control it.

A terminal takes commands out of what it prints: to set its title, to write to the clipboard, to overwrite what stands above. Rich's
own are kept apart from texts, so all texts can be made harmless at one place, whoever prints them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_COMMANDS = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""C0 except tab and line feed, DEL, C1, and signs that change the direction of text."""
_UNESCAPED = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Those that JSON does not escape by itself."""


def harmless(text: str) -> str:
    r"""A text with its control characters written out: `\x1b` for the one that begins a terminal's commands."""
    return _COMMANDS.sub(lambda found: _written(found[0]), text)


def _written(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def to_json(value: Any) -> str:
    """JSON for a person or a program: characters of all scripts, control characters escaped, so that both get the same value."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _UNESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class SafeConsole(Console):
    """A console whose texts cannot control the terminal."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control or not _COMMANDS.search(segment.text):
                yield segment
            else:
                yield Segment(harmless(segment.text), segment.style)

    def echo(self, text: str) -> None:
        """A text as it is for a program or a file, harmless for a terminal."""
        self.print(text, markup=False, highlight=False, soft_wrap=True) if self.is_terminal else self._raw(text)

    def _raw(self, text: str) -> None:
        self.file.write(f"{text}\n")


out = SafeConsole()
"""Results."""
err = SafeConsole(stderr=True)
"""Everything that is not a result."""
