"""`assay schema`: the schema of a target, and the prompt that is sent with it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from assay.cli import show
from assay.cli.common import load_target
from assay.cli.console import err, out, to_json
from assay.connect import providers
from assay.connect.compile import compose
from assay.connect.providers import ANY_SERVER, Provider
from assay.errors import ConfigurationError
from assay.options import Options
from assay.schema.keywords import DEFINITIONS
from assay.schema.passes import form
from assay.target.build import Target, target
from assay.target.lint import lint as warnings
from assay.types import JSONObject

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema(
    spec: Annotated[str, typer.Argument(metavar="SCHEMA", help="A .json file, module:Class or path.py:Class.")],
    *,
    provider: Annotated[
        str | None, typer.Option("--for", metavar="PROVIDER", help="In the form for a provider: groq, openai, local ...")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", metavar="NAME", help="A model of that provider.")] = None,
    prompt: Annotated[bool, typer.Option("--prompt", help="Print the prompt instead of the schema.")] = False,
    lint: Annotated[bool, typer.Option("--lint", help="Warn about what may go wrong.")] = False,
    instructions: Annotated[str | None, typer.Option(metavar="TEXT", help="Instructions to show in the prompt.")] = None,
    prompt_style: Annotated[str | None, typer.Option(help="schema, template or fields.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="The schema alone.")] = False,
) -> None:
    """Show a schema as it is sent (stdout), with its prompt (stderr)."""
    compiled = target(load_target(spec))
    row = _row(provider)
    profile = row.profile_of(model or row.default_model or "")
    options = Options.of(instructions=instructions, prompt_style=prompt_style)
    asked = compose(compiled, options, profile).ask("... the document ...")
    if prompt:
        out.print(show.messages(asked))
    else:
        sent = form(compiled.json_schema, profile.dialect)[0] if provider else _own(compiled)
        show.write(out, to_json(sent), "json")
        if not quiet:
            err.print(show.messages(asked))
    if lint:
        for warning in warnings(compiled.json_schema, profile):
            err.print(Text(str(warning), style="yellow"))


def _row(provider: str | None) -> Provider:
    if provider is None:
        return ANY_SERVER
    rows = {**providers.BY_NAME, "local": providers.LOCAL}
    if provider not in rows:
        raise ConfigurationError(f"--for must be one of {', '.join(sorted(rows))}; got {provider!r}")
    return rows[provider]


def _own(compiled: Target[object]) -> JSONObject:
    """The schema as a file of its own: of the bare value, with the draft that it is written in."""
    whole = compiled.json_schema
    if compiled.wrapper is None:
        return {"$schema": _DRAFT, **whole}
    aside = {key: value for key, value in whole.items() if key in DEFINITIONS}
    return {"$schema": _DRAFT, "title": compiled.name, **whole["properties"][compiled.wrapper], **aside}
