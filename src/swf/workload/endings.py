"""What an attempt came to: from how its processes ended, and from what it left."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from swf.core.payload import Outcome, PayloadJob, PayloadSpec

TAIL_CHARACTERS: Final = 4_000
"""How much of what a payload printed last is kept."""

LARGEST_SUMMARY: Final = 1_000_000
"""A `<output>.json` with more bytes than this is not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a payload's process ended. `exit_code` is negative for a signal; `over_memory_mb` is what the payload held
    when its keeper killed it for that, else 0; `oom_killed` says that the kernel was killing for memory."""

    exit_code: int
    over_memory_mb: int = 0
    oom_killed: bool = False


def judge_ending(ending: Ending, spec: PayloadSpec) -> tuple[Outcome, str]:
    """The outcome that the end of a process alone tells, and one line of detail. `ok` still has its output to show."""
    if ending.over_memory_mb:
        return Outcome.OUT_OF_MEMORY, (
            f"it held {ending.over_memory_mb} MB, its limit is {spec.memory_mb} MB: "
            "raise memory_mb, or give it fewer entries at once"
        )
    if ending.oom_killed:
        return Outcome.OUT_OF_MEMORY, (
            "the kernel killed it while this host was out of memory: run fewer at once, or lower memory_mb"
        )
    if ending.exit_code < 0:
        return Outcome.CRASHED, f"it was ended by {signal_name(-ending.exit_code)}"
    if ending.exit_code > 0:
        return Outcome.CRASHED, f"it ended with exit code {ending.exit_code}"
    return Outcome.OK, ""


def signal_name(number: int) -> str:
    """`signal 11 (SIGSEGV)`."""
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def clear_output(spec: PayloadSpec, job: PayloadJob) -> None:
    """Make the output's folder, and remove what an earlier attempt left under its name, so that it cannot pass for new.

    Raises:
        OSError: the folder cannot be made, or the file not be removed.
    """
    if spec.expects_output or spec.command:
        job.output.parent.mkdir(parents=True, exist_ok=True)
    drop_output(spec, job)


def drop_output(spec: PayloadSpec, job: PayloadJob) -> None:
    """Remove the output and its summary, if there.

    Raises:
        OSError: they cannot be removed.
    """
    if spec.expects_output:
        job.output.unlink(missing_ok=True)
        summary_path(job.output).unlink(missing_ok=True)


def output_problem(spec: PayloadSpec, job: PayloadJob) -> str:
    """What is wrong with the output of a payload that ended well; nothing if it is there, or none is expected."""
    if not spec.expects_output:
        return ""
    try:
        size = job.output.stat().st_size
    except OSError as error:
        return f"its output {job.output} is not there: {error.strerror}"
    return "" if size and job.output.is_file() else f"its output {job.output} is empty or not a file"


def summary_path(output: Path) -> Path:
    """Where a command may leave its summary: the output's name and `.json`."""
    return output.with_name(output.name + ".json")


def read_summary(output: Path) -> dict[str, object]:
    """The summary that a command left beside its output; empty where it left none.

    Raises:
        ValueError: there is one, but it cannot be read, is too large, or is not a JSON object.
    """
    path = summary_path(output)
    if path.exists() and not path.is_file():
        raise ValueError(f"its summary {path} is not a file")
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_SUMMARY + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ValueError(f"its summary {path} cannot be read: {error.strerror}") from None
    if len(data) > LARGEST_SUMMARY:
        raise ValueError(f"its summary {path} has more than {LARGEST_SUMMARY} bytes")
    try:
        summary = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its summary {path} is not JSON: {error}") from None
    if not isinstance(summary, dict):
        raise ValueError(f"its summary {path} is a JSON {type(summary).__name__}; expected an object")
    return summary


def read_tail(folder: Path) -> str:
    """The last of what was printed to standard error; to standard output where nothing was."""
    for name in ("stderr", "stdout"):
        try:
            if not (folder / name).is_file():  # the payload put something else there
                continue
            with (folder / name).open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - 4 * TAIL_CHARACTERS))
                end = file.read(4 * TAIL_CHARACTERS)
        except OSError:
            continue
        text = end.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
        if text.strip():
            return text[-TAIL_CHARACTERS:]
    return ""


def _refuse(name: str) -> None:
    raise ValueError(f"it holds {name}")
