"""`testbed init`: a working folder with a configuration, and a data directory with secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swf.cli.options import DEFAULT_DATA_DIR, DataDir, JsonFlag, RunNamespace, Verbose
from swf.cli.output import emit, show
from swf.cli.session import workspace_of


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The working folder; made where it is not.")] = Path(),
    namespace: RunNamespace = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Set a working folder up: testbed.toml to be edited, setup.sh to be sourced, and a data directory in it, with
    folders for logs and files, and with generated secrets for `testbed start`. What is there already stays as it is."""
    from swf.service.setup import prepare

    prepared = prepare(folder.absolute(), workspace_of((folder / data_dir).absolute()), namespace or "testbed")
    if as_json:
        emit({"made": [str(path) for path in prepared.made], "kept": [str(path) for path in prepared.kept]})
        return
    show(
        *(f"made {path}" for path in prepared.made),
        *(f"kept {path}: it was there" for path in prepared.kept),
        "edit testbed.toml; in each new terminal: . setup.sh",
    )
