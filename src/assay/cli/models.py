"""`assay models`: list the local models, and download one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich import box
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from assay.backends.local import weights
from assay.backends.local.table import DEFAULT, MODELS
from assay.cli.console import err, out
from assay.connect.address import default_model
from assay.connect.connection import LOCAL_DEFAULT
from assay.options import Options

models = typer.Typer(invoke_without_command=True, help="List local models, and download one.")


@models.callback()
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        show_models()


@models.command("list")
def show_models() -> None:
    """List the local models that are known by name."""
    rows = Table("model", "size", "licence", "parameters", "here", box=box.SIMPLE_HEAD, header_style="bold")
    for model in MODELS.values():
        here = "[green]yes[/]" if weights.present(model) else "[dim]no[/]"
        rows.add_row(f"local/{model.name}", f"{model.size_bytes / 1e6:,.0f} MB", model.licence, model.params, here)
    out.print(rows)
    err.print(
        f"[dim]Kept in {weights.folder()} · download one with: assay models pull NAME · or use any local:/path/model.gguf[/]"
    )


@models.command()
def pull(
    name: Annotated[
        str, typer.Argument(help="A model's name, with or without local/.", autocompletion=lambda: list(MODELS))
    ] = DEFAULT,
    *,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Download a model unless it is here; print the path of its file."""
    name = name.removeprefix("local/")
    with fetching(f"fetching {name}", quiet=quiet) as progress:
        path = weights.pull(name, progress)
    out.print(str(path), markup=False, highlight=False)


def fetch_embedded(options: Options, *, quiet: bool = False) -> None:
    """Download the small default model if these options need it and it is not here yet: once, and with a progress bar."""
    if quiet:
        logging.getLogger("assay").setLevel(logging.ERROR)
    model = options.model or (None if options.client else default_model(options.base_url))
    if model in ("local", LOCAL_DEFAULT):
        with fetching(f"fetching {LOCAL_DEFAULT} (once)", quiet=quiet) as progress:
            weights.resolve(DEFAULT, progress)


@contextmanager
def fetching(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr that appears when the first bytes come."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet) as bars:
        bar = bars.add_task(what, total=None, visible=False)

        def progress(done: int, total: int) -> None:
            bars.update(bar, completed=done, total=total, visible=True)

        yield progress
