"""A payload that misbehaves at chosen slices, at their first attempt, and then does what the reference payload does.

As an entry point `chaos_payload:run`; as a command `python chaos_payload.py INPUT FIRST LAST OUTPUT RUN SLICE`. What it
does is said by a file, in JSON, that CHAOS_PLAN names: `marks`, a folder where it notes what it did; for each of
`crash`, `hang` and `wait` a list of slice numbers within their STF; the pipe `at`, to which those that wait write
their names, and `go`: each then reads from a pipe of its own, `go` and its name.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from swf.core.payload import PayloadJob
from swf.epic.payloads import reference


def run(job: PayloadJob) -> dict[str, object]:
    """Misbehave once where the plan says so; otherwise process the slice."""
    plan = json.loads(Path(os.environ["CHAOS_PLAN"]).read_text())
    number = int(job.slice.removesuffix(".tf").rpartition("_")[2])
    for deed, act in (("crash", _crash), ("hang", _hang), ("wait", _wait)):
        if number in plan.get(deed, ()) and _first(Path(plan["marks"]) / f"{deed}-{job.slice}"):
            act(plan, job.slice)
    return reference.run(job)


def _first(mark: Path) -> bool:
    """Whether this is the first attempt to come here."""
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def _crash(plan: dict[str, Any], name: str) -> None:
    sys.stderr.write(f"SIMULATED crash at {name}\n")
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGSEGV)


def _hang(plan: dict[str, Any], name: str) -> None:
    signal.pause()


def _wait(plan: dict[str, Any], name: str) -> None:
    """Say where it is, and go on when somebody lets it; not where all may go on."""
    if (Path(plan["marks"]) / "open").exists():
        return
    pipe = Path(f"{plan['go']}-{name}")
    os.mkfifo(pipe)
    with Path(plan["at"]).open("w") as at:
        at.write(f"{name}\n")
    with pipe.open() as go:
        go.readline()


def main(arguments: list[str]) -> None:
    """Do one job, and leave the summary beside its output."""
    address, first, last, output, number, name = arguments
    job = PayloadJob(
        key=name, input=address, first=int(first), last=int(last), output=Path(output), run=int(number), slice=name
    )
    Path(f"{output}.json").write_text(json.dumps(run(job)))


if __name__ == "__main__":
    main(sys.argv[1:])
