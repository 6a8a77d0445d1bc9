"""The payload contract: what a payload is given, and what is kept of one attempt to run it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Outcome(StrEnum):
    """How an attempt ended."""

    OK = "ok"
    """Exit code 0 and the output is there."""
    CRASHED = "crashed"
    """A non-zero exit code, an exception, or a signal."""
    TIMED_OUT = "timed_out"
    """Still running at its time limit; ended by us."""
    OUT_OF_MEMORY = "out_of_memory"
    """Over its memory limit, or killed for memory by the host."""
    NO_OUTPUT = "no_output"
    """Exit code 0 but the output is missing or empty, or its `<output>.json` is not a JSON object."""
    NOT_STARTED = "not_started"
    """The command does not exist or cannot be executed; the entry point does not exist or cannot be imported."""
    CANCELLED = "cancelled"
    """Ended by us because its result is no longer wanted, or because we stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadSpec:
    """How to run a payload, from the configuration: never from a message.

    Exactly one of `command` and `entry_point` is set. `command` is an argument list, run without a shell; each argument
    may hold `{input} {first} {last} {output} {run} {slice}`. `entry_point` is `module:function`, called with a
    `PayloadJob`; it writes the output and returns a JSON-able summary, or None.
    """

    name: str
    command: tuple[str, ...] = ()
    entry_point: str = ""
    version: str = ""
    timeout_s: float = 600.0
    memory_mb: int = 2048
    """Memory that one payload may hold with all the processes it starts, in units of 2^20 bytes."""
    output_suffix: str = ".root"
    expects_output: bool = True
    """Whether a successful payload has written its output. Where False, the output is not looked at."""
    environment: tuple[str, ...] = ()
    """Variables for the payload beyond the few that every payload gets: `NAME` passes on the one set here, `NAME=value`
    sets one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadJob:
    """One attempt: entries `first` to `last` (0-based, both included) of `input`, to be written to `output`."""

    key: str
    """Identity of the attempt, unique among running jobs."""
    input: str
    """A local path or a `root://` address."""
    first: int
    last: int
    output: Path
    run: int
    slice: str
    """The slice's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadResult:
    """What is kept of one attempt."""

    key: str
    outcome: Outcome
    exit_code: int | None = None
    """The exit code; negative for a signal. None where no process of this attempt ended: it never ran, or its entry
    point raised."""
    detail: str = ""
    """One line: what happened and what to do."""
    stderr_tail: str = ""
    """The last 4,000 characters of its standard error."""
    seconds: float = 0.0
    output: Path | None = None
    """The output, where there is one."""
    summary: dict[str, object] = field(default_factory=dict)
    """What the payload says of its result; from a command, the JSON file `<output>.json` where it wrote one."""
