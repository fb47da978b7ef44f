"""The text that a row's columns make: one of them, several under their names, or what a template says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pydantic_core import to_json

from assay.batch.formats.nulls import is_null
from assay.errors import ConfigurationError
from assay.types import JSON

_LONE = re.compile("[\ud800-\udfff]")


class NoText(Exception):  # noqa: N818  # a row without a text, and why: no error of the program
    """A row has no text; `said` is what stands in its place."""

    def __init__(self, why: str, said: JSON) -> None:
        super().__init__(why)
        self.said = said


class Prompt:
    """Makes texts out of rows. Raises `ConfigurationError` for a template that is not valid."""

    def __init__(self, text: str | tuple[str, ...], template: str = "", *, keep_text: bool = False) -> None:
        names = (text,) if isinstance(text, str) else text
        self.columns: tuple[str, ...] = () if template else names
        """Columns that every row must have."""
        self._take: Callable[..., Any] = dict.get if keep_text else dict.pop
        self._only = self.columns[0] if len(self.columns) == 1 else None
        self._render = _template(template) if template else None

    def text(self, row: dict[str, Any]) -> str:
        """The text of a row, out of which its columns are taken. Raises `NoText`."""
        if self._only is not None:
            return self._alone(self._only, row)
        if self._render is not None:
            return _told(self._render(row), "the text that the template makes")
        found = {name: self._take(row, name, None) for name in self.columns}
        parts = [f"{name}: {_written(value)}" for name, value in found.items() if not _empty(value)]
        if not parts:
            raise NoText(f"no text in {', '.join(map(repr, self.columns))}", None)
        return "\n\n".join(parts)

    def _alone(self, name: str, row: dict[str, Any]) -> str:
        text = self._take(row, name, None)
        if isinstance(text, str):
            return text if text.isascii() and not text.isspace() and text else _told(text, "the text")
        if is_null(text):
            has = f"; it has {', '.join(row)}" if row and name not in row else ""
            raise NoText(f"no text in {name!r}{has}", None)
        raise NoText(f"{name!r} is a {type(text).__name__}, not a text", text)


def _told(text: str, what: str) -> str:
    if not text.isascii() and _LONE.search(text):
        raise NoText(f"{what} has a lone surrogate, which is not a character", text)
    if text.strip():
        return text
    raise NoText(f"{what} is empty", text)


def _empty(value: object) -> bool:
    return is_null(value) or (isinstance(value, str) and not value.strip())


def _written(value: Any) -> str:
    return value if isinstance(value, str) else to_json(value, fallback=str).decode("utf-8", "replace")


def _template(source: str) -> Callable[[dict[str, Any]], str]:
    from jinja2 import StrictUndefined, TemplateError  # noqa: PLC0415  # only for who has a template
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701  # a text for a model, no HTML
    try:
        template = environment.from_string(source)
    except TemplateError as error:
        raise ConfigurationError(f"the prompt template is not valid: {error}") from None

    def render(row: dict[str, Any]) -> str:
        try:
            return template.render(row, row=row)
        except Exception as error:  # noqa: BLE001  # a template of the user's: whatever it raises is its row's failure
            raise NoText(f"the prompt template cannot be filled: {error}", None) from None

    return render
