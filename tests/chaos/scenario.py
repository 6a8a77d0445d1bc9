"""A run that is disturbed, and resumed until it is done: what is done to it, and what came of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from checker import check, compare
from findings import Finding, counted, harm, unexpected
from records import Records, latest_execution, read_records
from testbed_process import Ended, TestbedProcess

INTERRUPTED: Final = 130
"""The exit code of a run that was paused."""

_MOST_RESUMES: Final = 8
_DONE: Final = frozenset({"completed", "stopped"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What is run: a short run of SIMULATED STFs, always the same."""

    stf_count: int = 3
    settings: tuple[str, ...] = ("stf.tf_count=150", "stf.seed=7", "processing.workers=2")

    def arguments(self, data_dir: Path) -> list[str]:
        """The arguments of `testbed` that start it."""
        flags = [part for setting in self.settings for part in ("--set", setting)]
        count = ["--stf-count", str(self.stf_count)]
        return ["run", "fast_processing", "--no-realtime", *count, *flags, "--json", "--data-dir", str(data_dir)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """What is done to one process: killed at the n-th passage of an effect boundary, or sent signals."""

    kill_at: str = ""
    signals: tuple[tuple[float, str], ...] = ()

    def __str__(self) -> str:
        return self.kill_at or ", ".join(f"{name} at {after:.2f} s" for after, name in self.signals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A run to disturb: one process after the other, each resuming what the one before left."""

    name: str
    disturbances: tuple[Disturbance, ...]


@dataclass(slots=True, kw_only=True)
class Played:
    """What came of a case."""

    case: Case
    processes: list[Ended] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def struck(self) -> int:
        """How many processes the disturbances ended."""
        return sum(1 for ended in self.processes if ended.code != 0)

    @property
    def orphans(self) -> int:
        """Payload processes and keepers that outlived a process, and ended by themselves."""
        return sum(ended.orphans for ended in self.processes)

    def __str__(self) -> str:
        codes = " ".join(str(ended.code) for ended in self.processes)
        seconds = sum(ended.seconds for ended in self.processes)
        return f"{self.case.name}: {counted(self.findings)}; processes ended {codes}; {seconds:.1f} s"


def run_alone(parameters: Parameters, root: Path) -> tuple[Ended, dict[str, int]]:
    """One undisturbed run; how its process ended, and how often it reached each effect boundary."""
    import json

    boundaries = root / "boundaries.json"
    data_dir = root / "data"
    with TestbedProcess([*parameters.arguments(data_dir), "--boundaries", str(boundaries)], root) as process:
        ended = process.wait()
    if ended.code != 0:
        raise AssertionError(f"the undisturbed run ended with {ended.code}: {ended.stderr[-2000:]}")
    wrong = harm(check(read_records(data_dir)))
    if wrong or ended.left or ended.orphans:
        raise AssertionError(f"the undisturbed run is not whole: {wrong} {ended.left} {ended.orphans} orphans")
    reached: dict[str, int] = json.loads(boundaries.read_text())
    return ended, reached


def play(case: Case, parameters: Parameters, alone: Records, root: Path) -> Played:
    """Disturb a run, resume it until it is done, and compare it with the one that was left alone.

    The folder is removed where no harm was found.
    """
    played = Played(case=case)
    data_dir = root / "data"
    remaining = list(case.disturbances)
    for _ in range(_MOST_RESUMES + len(remaining)):
        disturbance = remaining.pop(0) if remaining else Disturbance()
        played.processes.append(_one_process(disturbance, parameters, data_dir, root))
        played.findings += _well_ended(played.processes[-1], disturbance)
        execution = latest_execution(data_dir)
        if execution is not None and execution[1] in _DONE:
            break
    else:
        played.findings.append(unexpected("the run is not done, however often it is resumed"))
    played.findings += compare(alone, read_records(data_dir))
    if not harm(played.findings):
        shutil.rmtree(root)
    return played


def play_all(
    cases: Sequence[Case],
    parameters: Parameters,
    alone: Records,
    root: Path,
    *,
    at_once: int,
    tell: Callable[[str], None],
) -> list[Played]:
    """Play cases, so many at a time; tell of each as it is done."""
    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(play, case, parameters, alone, root / str(n)) for n, case in enumerate(cases)]
        done = []
        for future in as_completed(futures):
            played = future.result()
            done.append(played)
            tell(str(played))
            for finding in harm(played.findings)[:20]:
                tell(f"    {finding}")
    return done


def _one_process(disturbance: Disturbance, parameters: Parameters, data_dir: Path, root: Path) -> Ended:
    execution = latest_execution(data_dir)
    # A process that was killed before it made the row of its execution has nothing to go on with: it is started again.
    arguments = (
        parameters.arguments(data_dir)
        if execution is None
        else ["run", "--resume", execution[0], "--json", "--data-dir", str(data_dir)]
    )
    if disturbance.kill_at:
        arguments += ["--kill-at", disturbance.kill_at]
    with TestbedProcess(arguments, root, signals=disturbance.signals) as process:
        return process.wait()


def _well_ended(ended: Ended, disturbance: Disturbance) -> list[Finding]:
    """What is wrong with how a process ended: it may end by itself, or as the disturbance asks."""
    wrong = [unexpected(f"a process was left behind: {name}") for name in ended.left]
    if ended.overdue:
        wrong.append(unexpected("the process did not end"))
    names = {"KILL"} if disturbance.kill_at else {name for _, name in disturbance.signals}
    # A signal that comes before the program listens ends it as it ends any program.
    expected = {0, *(-_NUMBERS[name] for name in names), *((INTERRUPTED,) if names & {"INT", "TERM"} else ())}
    if ended.code not in expected:
        wrong.append(unexpected(f"a process ended with {ended.code}: {ended.stderr[-1500:]}"))
    return wrong


_NUMBERS: Final = {"KILL": 9, "INT": 2, "TERM": 15}
