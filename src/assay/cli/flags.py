"""The flags that commands share, declared once as fields of a dataclass."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from assay.errors import ConfigurationError
from assay.options import Budget
from assay.types import Mode, PromptStyle, Secret

_AS_GIVEN = (
    *("base_url", "mode", "instructions", "prompt_style"),
    *("temperature", "max_tokens", "retries", "max_retries", "timeout", "context_tokens", "vision"),
    *("ground", "values", "locale"),
)
"""Flags whose value is the option's."""


def _flag(help_: str, metavar: str | None, *names: str) -> Any:
    return typer.Option(*names, metavar=metavar, help=help_, rich_help_panel="Model")


def _reading(help_: str, metavar: str) -> Any:
    return typer.Option(metavar=metavar, help=help_, rich_help_panel="Reading")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFlags:
    """How the model is reached and asked: the shared flags of the command line. None: not given."""

    model: Annotated[list[str] | None, _flag("The model to ask.", "PROVIDER/NAME", "--model", "-m")] = None
    base_url: Annotated[str | None, _flag("An OpenAI-compatible server.", "URL")] = None
    api_key_env: Annotated[str | None, _flag("The environment variable with the API key.", "NAME")] = None
    header: Annotated[
        list[str] | None,
        _flag("An extra header, such as gateways need; its value is in the variable.", "NAME=VARIABLE", "--header"),
    ] = None
    mode: Annotated[str | None, _flag(f"How JSON is asked for: {', '.join(['auto', *Mode])}.", "MODE")] = None
    instructions: Annotated[str | None, _flag("What to look for, in your own words.", "TEXT")] = None
    examples: Annotated[Path | None, _flag('Worked examples, one per line: {"text": ..., "value": ...}.', "FILE")] = None
    context: Annotated[str | None, _flag("Context for a pydantic model's validators.", "JSON")] = None
    prompt_style: Annotated[str | None, _flag(f"How the schema is written: {', '.join(PromptStyle)}.", "STYLE")] = None
    strict: Annotated[bool, _flag("Do not coerce near misses.", None, "--strict")] = False
    temperature: Annotated[float | None, _flag("0 to 2 (default 0).", "NUMBER")] = None
    max_tokens: Annotated[int | None, _flag("The maximum length of an answer, in tokens.", "COUNT")] = None
    retries: Annotated[int | None, _flag("The most re-asks after an invalid answer (default 2).", "COUNT")] = None
    max_retries: Annotated[int | None, _flag("The most retries of a failed request (default 2).", "COUNT")] = None
    timeout: Annotated[float | None, _flag("The time limit of a request (default 60).", "SECONDS")] = None
    split: Annotated[str | None, _flag("Split long documents: auto, never, or characters per piece.", "HOW")] = None
    context_tokens: Annotated[int | None, _flag("The model's context: tokens of prompt and answer together.", "COUNT")] = None
    vision: Annotated[str | None, _flag("Send pages as images: auto, never, always.", "HOW")] = None
    ground: Annotated[str | None, _flag("Ask again for values that are not in the text: off, ask, require.", "WHEN")] = None
    prompt_cache: Annotated[bool, _flag("Mark the system prompt for Anthropic's cache.", None, "--prompt-cache")] = False
    values: Annotated[str | None, _flag("How the model gives numbers and dates: typed, or as_written in the text.", "FORM")] = (
        None
    )
    locale: Annotated[
        str | None, _flag("How the texts write numbers and dates: de, en_US (default: as each text shows).", "NAME")
    ] = None
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only results and errors.")] = False

    def options(self) -> dict[str, Any]:
        """The flags that were given, as keyword arguments of `extract` and `Extractor`."""
        given = {name: getattr(self, name) for name in _AS_GIVEN if getattr(self, name) is not None}
        if self.model:
            given["model"] = self.model[0] if len(self.model) == 1 else list(self.model)
        if self.split is not None:
            given["split"] = int(self.split) if self.split.isascii() and self.split.isdigit() else self.split
        given |= {name: True for name in ("strict", "prompt_cache") if getattr(self, name)}
        if self.examples is not None:
            given["examples"] = _examples(self.examples)
        if self.context is not None:
            given["context"] = _json(self.context, "--context")
        if self.api_key_env is not None:
            given["api_key"] = _value(self.api_key_env, "--api-key-env")
        if self.header:
            given["headers"] = dict(map(_header, self.header))
        return given


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFlags:
    """How files are read as documents. None: not given."""

    pages: Annotated[str | None, _reading("Pages, slides or sheets: '1-3,7' (default: all).", "PAGES")] = None
    encoding: Annotated[str | None, _reading("The encoding of a text that is not UTF-8.", "NAME")] = None
    ocr: Annotated[str | None, _reading("Read pages that are images with this program: tesseract.", "PROGRAM")] = None


_SHARED = (ModelFlags, ReadFlags)


def takes_model_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command shared flags: it declares `flags: ModelFlags`, `reading: ReadFlags` or both in their place."""
    hints = get_type_hints(command, include_extras=True)
    shared = {name: kind for name, kind in hints.items() if kind in _SHARED}
    own = [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(command).parameters.items()
        if name not in shared
    ]
    theirs = {name: _parameters(kind) for name, kind in shared.items()}

    @wraps(command)
    def with_flags(**given: Any) -> None:
        groups = {name: kind(**{flag.name: given.pop(flag.name) for flag in theirs[name]}) for name, kind in shared.items()}
        command(**given, **groups)

    # typer reads the signature and the annotations of what it is given.
    all_ = [*own, *chain.from_iterable(theirs.values())]
    with_flags.__signature__ = inspect.Signature(all_)  # type: ignore[attr-defined]
    with_flags.__annotations__ = {parameter.name: parameter.annotation for parameter in all_}
    return with_flags


def _parameters(kind: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(flag.name, inspect.Parameter.KEYWORD_ONLY, default=flag.default, annotation=hints[flag.name])
        for flag in dataclasses.fields(kind)
    ]


def budget(text: str) -> Budget:
    """A `--budget`: US dollars (`0.50`, `$0.50`) or tokens (`20000 tokens`)."""
    match = re.fullmatch(r"\s*\$?\s*(\d+(?:\.\d+)?)\s*(tokens?)?\s*", text)
    if match is None or (match[2] and "." in match[1]):
        raise ConfigurationError(f"--budget {text!r} is not a budget: write dollars (0.50) or tokens ('20000 tokens')")
    return Budget(tokens=int(match[1])) if match[2] else Budget(cost=float(match[1]))


def _header(given: str) -> tuple[str, str]:
    name, equals, variable = given.partition("=")
    if not equals or not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII):  # a token of RFC 9110 5.6.2
        raise ConfigurationError(
            f"--header {given!r}: write NAME=VARIABLE; the header's value is taken from the environment variable"
        )
    return name, _value(variable, f"--header {name}")


def _value(variable: str, flag: str) -> str:
    key = Secret(os.environ.get(variable, "").strip())
    if not key:
        raise ConfigurationError(f"{flag} {variable}: this environment variable is not set, or is empty")
    return key


def _examples(path: Path) -> list[tuple[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--examples {path}: {error}") from None
    return [_example(line, f"--examples {path}, line {at}") for at, line in enumerate(lines, 1) if line.strip()]


def _example(line: str, where: str) -> tuple[str, Any]:
    pair = _json(line, where)
    if not isinstance(pair, dict) or not isinstance(pair.get("text"), str) or "value" not in pair:
        raise ConfigurationError(f'{where}: each line must be an object {{"text": "...", "value": ...}}')
    return pair["text"], pair["value"]


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"{where} is not JSON: {error}") from None
