"""What runs in a fresh process: the whole system without content, as fast as it goes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from benchmarks.execution import WITHOUT_CONTENT, check, execution, open_folder, run_to_close


def unpaced(*, folder: Path, stfs: int, keep: str = "", limit_s: float = 900.0) -> dict[str, Any]:
    """Take and process a run of `stfs` STFs; its store is copied to `keep`, where that is given."""
    workspace = open_folder(folder)
    settings = {**WITHOUT_CONTENT, "simulation.realtime": False, "fast_processing.stf_count": stfs}
    with execution(workspace, settings) as (running, stages):
        timed = run_to_close(running, stages, limit_s)
        rows = check(running, stfs)
    if keep:
        from django.db import connection

        connection.close()  # the last connection to leave folds the write-ahead log into the file
        shutil.copy(workspace.database, keep)
    return {
        "wall_s": timed.wall_s,
        "cpu_s": timed.cpu_s,
        "round_trips": timed.stages.round_trips,
        "transactions": timed.stages.transactions,
        "stages": timed.stages.as_json(),
        "rows": rows,
    }
