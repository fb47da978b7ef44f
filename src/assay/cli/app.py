"""The `assay` command: its subcommands, and the place where errors become messages and exit codes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from assay import __version__
from assay.cli.batch import batch
from assay.cli.common import FAILED, INTERRUPTED, USAGE
from assay.cli.console import err
from assay.cli.demo import demo
from assay.cli.doctor import doctor
from assay.cli.eval import evaluation
from assay.cli.extract import extract
from assay.cli.models import models
from assay.cli.read import read
from assay.cli.report import report
from assay.cli.schema import schema
from assay.cli.status import status
from assay.errors import (
    APIConnectionError,
    APITimeoutError,
    AssayError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    JSONValidateFailed,
    NotFoundError,
    PermissionDeniedError,
    RequestTooLargeError,
    SchemaError,
)

_REFUSED = (AuthenticationError, PermissionDeniedError, NotFoundError, BadRequestError, RequestTooLargeError)

app = typer.Typer(
    name="assay",
    no_args_is_help=True,
    help="Turn text into data you can trust: validated structured output from any language model.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(extract)
app.command()(read)
app.command()(batch)
app.command()(status)
app.command()(schema)
app.command("eval")(evaluation)
app.command()(report)
app.add_typer(models, name="models")
app.command()(doctor)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")] = False,
) -> None:
    pass


def exit_code(error: AssayError) -> int:
    """The exit code for an error: 2 when the same command can never succeed, else 1."""
    match error:
        case JSONValidateFailed() | APITimeoutError():
            return FAILED
        case ConfigurationError() | SchemaError() | APIConnectionError():
            return USAGE
        case _ if isinstance(error, _REFUSED):
            return USAGE
        case _:
            return FAILED


def main() -> None:
    """Run the command line. An error is a message on stderr and an exit code, never a traceback."""
    try:
        ended = app(standalone_mode=False)
    except AssayError as error:
        _say(str(error))
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except typer.Abort:
        sys.exit(FAILED)
    except TyperException as error:
        _say_usage(error)
        sys.exit(USAGE)
    sys.exit(ended if isinstance(ended, int) else 0)


def _say_usage(error: TyperException) -> None:
    """On our own console: the shell may have passed on the name of a malicious file."""
    message = error.format_message()
    context = getattr(error, "ctx", None)
    if not message:  # there were no arguments, and help was shown
        return
    if context is not None:
        err.print(context.get_usage(), markup=False, highlight=False, soft_wrap=True)
    _say(message)


def _say(message: str) -> None:
    err.print("[bold red]error[/]", end=" ")
    err.print(message, markup=False, highlight=False, soft_wrap=True)
