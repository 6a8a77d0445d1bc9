"""`testbed runs stfs`: the STFs of a run, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from swf.cli.options import DEFAULT_DATA_DIR, DataDir, JsonFlag, ModeOption, NamespaceOption, RunNumber, Verbose
from swf.cli.output import emit, say, show, table
from swf.cli.session import open_store_of, scene_in
from swf.core.work import WorkState

if TYPE_CHECKING:
    from swf.epic.usecases.stfs import StfLine, StfPage


def runs_stfs(
    run: RunNumber,
    status: Annotated[
        WorkState | None, typer.Option("--status", metavar="STATUS", help="Only those in this state of registration.")
    ] = None,
    prefix: Annotated[str, typer.Option("--prefix", metavar="TEXT", help="Only those whose names begin so.")] = "",
    after: Annotated[str | None, typer.Option("--after", metavar="NAME", help="Begin behind this STF.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, metavar="N", help="So many at most.")] = 100,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """The registered STFs of a run in their order, one page of them. Its end names the STF to go on behind.
    STATUS is queued, processing, completed, failed, expired or cancelled."""
    workspace = open_store_of(data_dir, mode)
    from swf.epic.usecases.lookup import parse_run_number
    from swf.epic.usecases.stfs import list_stfs

    number = parse_run_number(run)
    page = list_stfs(number, scene_in(workspace, namespace), status=status, prefix=prefix, after=after, limit=limit)
    if as_json:
        emit(page.as_json())
    elif page.stfs:
        _show(page)
    else:
        show(f"run {number} has no such STF")


def _show(page: StfPage) -> None:
    made = table("STF", "status", "registered (UTC)", "bytes", "TFs", "samples", "slices", "dataset", "buffer")
    for line in page.stfs:
        made.add_row(*_cells(line))
    show(made)
    if page.after is not None:
        say(f"there are more: --after {page.after}")


def _cells(line: StfLine) -> list[str]:
    lost = f", {line.slices_lost} lost" if line.slices_lost else ""
    return [
        f"{line.name}{' SIMULATED' if line.simulated else ''}",
        f"{line.status}: {line.reason}" if line.reason else line.status,
        f"{line.registered:%Y-%m-%d %H:%M:%S}",
        str(line.size_bytes),
        str(line.tfs),
        "" if line.samples is None else str(line.samples),
        "" if line.slices is None else f"{line.slices_completed} of {line.slices}{lost}",
        "attached" if line.attached else "",
        "yes" if line.in_buffer else "",
    ]
