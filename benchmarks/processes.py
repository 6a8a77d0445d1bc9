"""Fresh processes: each measurement runs in one of its own, in a folder of its own, so that none spoils another."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import WrongRunError

_LIMIT_S = 1800


def measure(function: str, folder: Path, **arguments: Any) -> dict[str, Any]:
    """What `module:function(folder=..., **arguments)` of this package returns in a new process.

    `folder` of the function is a new, empty folder below the one given here, removed afterwards. Arguments and result
    are values that JSON knows.

    Raises:
        WrongRunError: the process failed, or says that its run went wrong.
    """
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as own:
        result = Path(own) / "result.json"
        work = Path(own) / "work"
        work.mkdir()
        call = json.dumps({"function": function, "folder": str(work), "result": str(result), "arguments": arguments})
        try:
            ended = subprocess.run(
                [sys.executable, "-m", "benchmarks.child", call],
                check=False,
                timeout=_LIMIT_S,
                stderr=subprocess.PIPE,
                text=True,
            )
        except subprocess.TimeoutExpired:
            raise WrongRunError(f"{function} did not end within {_LIMIT_S} s") from None
        if ended.returncode != 0:
            last = ended.stderr.strip().splitlines()[-1:] or ["no message"]
            sys.stderr.write(ended.stderr)
            raise WrongRunError(f"{function} failed: {last[0]}")
        measured: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return measured
