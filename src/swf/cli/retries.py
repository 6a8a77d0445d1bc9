"""`testbed runs retry`: trying slices once more that failed for good."""

from __future__ import annotations

from typing import Annotated

import typer

from swf.cli.options import (
    DEFAULT_DATA_DIR,
    DataDir,
    JsonFlag,
    ModeOption,
    NamespaceOption,
    RunNumber,
    Verbose,
    located,
)
from swf.cli.output import emit, show
from swf.cli.session import open_store_of, scene_in, user_name


def runs_retry(
    run: RunNumber,
    slices: Annotated[
        list[str] | None, typer.Argument(metavar="[SLICE]...", help="Their names. Default: all that failed or expired.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the event log.")] = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Have slices of an open run tried once more that failed or expired. The fast-processing agent takes it up, or the
    next one that is started. The account of a closed run is final."""
    workspace = open_store_of(data_dir, mode, read_only=False)
    from swf.epic.usecases.lookup import parse_run_number
    from swf.epic.usecases.retries import retry_slices

    request = retry_slices(
        parse_run_number(run),
        slices or [],
        user_name(),
        reason,
        scene_in(workspace, namespace),
    )
    if as_json:
        emit(request.as_json())
    else:
        show(request.text, *located([request.next] if request.next else [], data_dir))
