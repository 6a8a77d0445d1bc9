"""Where commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_WIDTH_OF_A_PIPE = 500


def emit(value: Any) -> None:
    """Write one JSON object, on one line, to standard output."""
    typer.echo(json.dumps(value, default=str, ensure_ascii=False))


def show(*parts: RenderableType) -> None:
    """Write texts, tables or trees to standard output."""
    console = _console(stderr=False)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str))


def table(*columns: str, title: str | None = None) -> Table:
    """An empty table whose cells are shown in full, on several lines where they must be."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def say(text: str) -> None:
    """Tell a person something on standard error."""
    typer.echo(text, err=True)


def error_console() -> Console:
    """A console on standard error."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    # Texts come from data: they are shown as they are, never read as markup. A pipe has no width of its own.
    return Console(
        stderr=stderr,
        markup=False,
        highlight=False,
        emoji=False,
        width=None if stream.isatty() else _WIDTH_OF_A_PIPE,
    )
