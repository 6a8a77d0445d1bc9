"""One execution of fast processing in this process, from its configuration to its closed run, checked to the last
row."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import WrongRunError
from swf.config import Configuration, Override, Sources, WorkflowRegistry
from swf.core.effects import Boundary, no_boundary
from swf.service.instrument import instruments
from swf.service.opening import open_store
from swf.service.workspace import Workspace

if TYPE_CHECKING:
    from benchmarks.stages import Stages
    from swf.epic.launch import EpicExecution

SLICES = 15
"""Slices per STF, as the shipped workflow has it."""

WITHOUT_CONTENT = {"stf.content": "none", "payload.name": "noop"}

_LOOK_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What running an execution took."""

    wall_s: float
    cpu_s: float
    stages: Stages


def open_folder(folder: Path) -> Workspace:
    """A new store in `folder`, of all instruments. Once per process."""
    workspace = Workspace(root=folder)
    open_store(workspace, [instrument.django_app for instrument in instruments()])
    return workspace


def configured(settings: Mapping[str, object]) -> tuple[Configuration, Path]:
    """The shipped fast-processing workflow with these settings (`section.key`), and the file of its definition."""
    brought = instruments()
    overrides = tuple(Override(key=key, value=value, flag="the benchmark") for key, value in settings.items())
    registry = WorkflowRegistry(
        kinds=[kind for each in brought for kind in each.kinds],
        shipped=[each.workflows for each in brought],
        sources=Sources(overrides=overrides),
    )
    workflow = registry.find("fast_processing")
    return registry.load(workflow), workflow.path


@contextmanager
def execution(
    workspace: Workspace, settings: Mapping[str, object], boundary: Boundary = no_boundary
) -> Iterator[tuple[EpicExecution, Stages]]:
    """An execution of the shipped fast-processing workflow, with these settings (`section.key`), and its stages."""
    from benchmarks.stages import Stages
    from swf.epic.launch import EpicExecution
    from swf.service.executions import start_execution
    from swf.service.platform import embedded

    configuration, definition = configured(settings)
    stages = Stages()
    with embedded(workspace, "bench", "bench", app_name="bench", boundary=boundary) as platform, stages.watching():
        row = start_execution(configuration, definition, "bench", platform.clock)
        running = EpicExecution(platform, configuration, row)
        try:
            yield running, stages
        finally:
            running.close()


def run_to_close(
    running: EpicExecution, stages: Stages, limit_s: float, at_each_look: Callable[[], None] = lambda: None
) -> Timed:
    """Run an execution until its run is closed by its ledger.

    Raises:
        WrongRunError: it is not closed within `limit_s`.
    """
    stages.begin()
    began, cpu_began = time.perf_counter(), time.process_time()
    look_at, done = 0.0, False

    def closed() -> bool:
        nonlocal look_at, done
        now = time.perf_counter()
        if now >= look_at:
            look_at = now + _LOOK_S
            at_each_look()
            done = running.closed()
        return done or now - began > limit_s

    running.loop.run(closed, running.simulator.seconds_to_next)
    taken = Timed(wall_s=time.perf_counter() - began, cpu_s=time.process_time() - cpu_began, stages=stages.taken())
    if not done:
        raise WrongRunError(f"the run was not closed within {limit_s:.0f} s")
    if len(taken.stages.by_role) <= len(running.runtimes):
        raise WrongRunError(f"the time of some agents was not measured, only of {', '.join(taken.stages.by_role)}")
    return taken


def check(running: EpicExecution, stfs: int) -> dict[str, int]:
    """Check that nothing is lost, repeated or left over. Returns the rows per table of the store.

    Raises:
        WrongRunError: something is.
    """
    return check_rows({running.run_number: stfs})


def check_rows(stfs_of: Mapping[int, int]) -> dict[str, int]:
    """Check that of these runs, each with so many STFs, and of all others, nothing is lost, repeated or left over.
    Returns the rows per table of the store.

    Raises:
        WrongRunError: something is.
    """
    from swf.core.work import WorkState
    from swf.epic.accounting import ledger_of
    from swf.epic.models import FastMonFile, StfFile, TfSlice
    from swf.store.models import Attempt, DeadLetter, Event, InboxEntry, OutboxMessage

    found: dict[str, tuple[object, object]] = {}
    for run, stfs in stfs_of.items():
        ledger = ledger_of(run)
        slices = TfSlice.objects.filter(run_number=run)
        found |= {
            f"run {run}: ledger complete": (ledger.complete, True),
            f"run {run}: STFs produced": (ledger.produced, stfs),
            f"run {run}: STFs missing": (ledger.missing, 0),
            f"run {run}: slices completed": (slices.filter(status=WorkState.COMPLETED).count(), stfs * SLICES),
            f"run {run}: slices": (slices.count(), stfs * SLICES),
            f"run {run}: attempts": (Attempt.objects.filter(run_number=run).count(), stfs * SLICES),
            f"run {run}: results": (Event.objects.filter(run_number=run, type="slice_result").count(), stfs * SLICES),
        }
    found |= {
        "dead letters": (DeadLetter.objects.count(), 0),
        "messages left in queues": (OutboxMessage.objects.filter(destination__startswith="/queue/").count(), 0),
    }
    wrong = [f"{what}: {is_} instead of {should}" for what, (is_, should) in found.items() if is_ != should]
    if wrong:
        raise WrongRunError("; ".join(wrong))
    models = (Event, InboxEntry, OutboxMessage, Attempt, StfFile, FastMonFile, TfSlice)
    rows = {model.__name__: model._default_manager.count() for model in models}
    return {**rows, "messages": Event.objects.filter(kind=Event.Kind.MESSAGE).count()}
