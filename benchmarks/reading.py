"""What runs in a fresh process: a store is filled, a run closed, and all of it read as people and agents read it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks import servers
from benchmarks.figures import WrongRunError, quantile
from benchmarks.shelves import NAMESPACE, STF_BYTES, Shelves, fill
from swf.service.instrument import instruments
from swf.service.opening import open_store
from swf.service.workspace import Workspace
from swf.store import database as store

PAGE = 100


def read(*, folder: Path, kind: str, runs: int, stfs: int, repeats: int, beside: str) -> dict[str, Any]:
    """The seconds in which the last of `runs` runs of `stfs` STFs is closed, and then the milliseconds of each look.

    `kind` is sqlite or postgresql; the server's folder is made in `beside`.
    """
    apps = [instrument.django_app for instrument in instruments()]
    with ExitStack() as stack:
        if kind == "postgresql":
            from swf.store.postgresql import postgresql

            store.configure(postgresql(stack.enter_context(servers.database(Path(beside))), probe=False), apps)
            store.migrate()
        else:
            open_store(Workspace(root=folder), apps)
        from django.db import connection

        stack.callback(connection.close)
        return _measured(folder, Shelves(runs=runs, stfs=stfs), repeats)


def _measured(folder: Path, shelves: Shelves, repeats: int) -> dict[str, Any]:
    from swf.core.times import SystemClock
    from swf.epic.models import StfFile, TfSlice

    began = time.perf_counter()
    fill(shelves, SystemClock().now())
    filled_s = time.perf_counter() - began
    rows = {"STFs": StfFile.objects.count(), "slices": TfSlice.objects.count()}
    closed_s = _close(shelves)
    dice = random.Random(1)
    looks = {name: [_ms(look) for _ in range(repeats)] for name, look in _looks(folder, shelves, dice).items()}
    return {
        "rows": rows,
        "filled_s": filled_s,
        "looks": {name: {"p50": quantile(ms, 0.5), "p99": quantile(ms, 0.99)} for name, ms in looks.items()},
        "closed_s": closed_s,
    }


def _ms(look: Callable[[], None]) -> float:
    began = time.perf_counter()
    look()
    return (time.perf_counter() - began) * 1e3


def _looks(folder: Path, shelves: Shelves, dice: random.Random) -> dict[str, Callable[[], None]]:
    """What is asked, each time about another run, and whether the answer is what it should be."""
    from swf.catalog.local import LocalCatalog
    from swf.core.times import SystemClock
    from swf.core.work import WorkState
    from swf.epic.buffer_keeper import BufferKeeper
    from swf.epic.daq.exit_buffer import ExitBufferPolicy
    from swf.epic.datasets import DatasetKeeper
    from swf.epic.models import FastMonFile, StfFile, TfSlice
    from swf.epic.names import stf_name
    from swf.epic.run_settings import RunBook
    from swf.epic.usecases.explain import explain
    from swf.epic.usecases.runs import list_runs
    from swf.epic.usecases.scene import Scene
    from swf.epic.usecases.stfs import list_stfs
    from swf.store.work import overdue, waiting

    clock = SystemClock()
    keeper = DatasetKeeper(LocalCatalog(clock), NAMESPACE, clock, RunBook())

    def runs() -> None:
        _check("runs", len(list_runs(limit=50)), min(50, shelves.runs))

    def page() -> None:
        run, before = dice.choice(shelves.numbers), dice.randint(1, shelves.stfs - PAGE)
        found = list_stfs(run, after=stf_name(run, before), limit=PAGE).stfs
        _check("STFs of a page", (found[0].sequence, len(found)), (before + 1, PAGE))

    def failed() -> None:
        found = list_stfs(dice.choice(shelves.numbers), status=WorkState.FAILED, limit=PAGE)
        _check("failed STFs", len(found.stfs), shelves.stfs - shelves.good)

    def prefix() -> None:
        run = dice.choice(shelves.numbers)
        tens = dice.randint(1, shelves.stfs // 10 - 1)
        _check("STFs of a prefix", len(list_stfs(run, prefix=f"swf.{run}.{tens:05d}").stfs), 10)

    def explained() -> None:
        name = stf_name(dice.choice(shelves.numbers), dice.randint(2, shelves.stfs))
        _check(name, explain(name, Scene(now=clock.now(), process=None)).name, name)

    def agents() -> None:
        found = waiting(StfFile, NAMESPACE, 16), waiting(FastMonFile, NAMESPACE, 16)
        _check("what waits", (*found, overdue(TfSlice, NAMESPACE, clock.now())), ([], [], []))

    def attachable() -> None:
        _check("STFs to attach", keeper.to_attach(), [])

    def buffer(free: int) -> BufferKeeper:
        policy = ExitBufferPolicy(
            capacity_bytes=shelves.runs * shelves.stfs * STF_BYTES + free, retention=timedelta(days=365)
        )
        return BufferKeeper(folder, policy, NAMESPACE, clock, runs=shelves.numbers)

    spacious, full, more = buffer(free=STF_BYTES), buffer(free=0), count(1)

    def fits() -> None:
        _check("refusal", spacious.refusal(STF_BYTES), "")

    def makes_room() -> None:
        # Each time one more STF than has left before, so that each time one more has to leave.
        _check("refusal", full.refusal(STF_BYTES * next(more)), "")

    return {
        "list of runs": runs,
        "STFs of a run, a page behind any STF": page,
        "STFs of a run that failed": failed,
        "STFs of a run by prefix": prefix,
        "explain one STF": explained,
        "agents: what waits, what is overdue": agents,
        "agents: STFs to attach to datasets": attachable,
        "DAQ: whether an STF fits into the exit buffer": fits,
        "DAQ: room for an STF in a full exit buffer": makes_room,
    }


def _close(shelves: Shelves) -> float:
    """Let the data agent's reconciler close the last run, none of whose STFs is in its dataset yet."""
    from swf.catalog.local import LocalCatalog
    from swf.core.codec import Decoder
    from swf.core.ids import Uuid7Source
    from swf.core.messages import Vocabulary
    from swf.core.times import SystemClock
    from swf.epic.closing import RunCloser
    from swf.epic.datasets import DatasetKeeper
    from swf.epic.run_settings import RunBook
    from swf.messaging.agent import Agent
    from swf.messaging.embedded import EmbeddedBus
    from swf.messaging.runtime import Runtime
    from swf.service.identity import enlist
    from swf.store.models import Dataset, Run

    clock = SystemClock()
    runtime = Runtime(
        Agent(role="data"),
        enlist("data", "bench", NAMESPACE, clock),
        bus=EmbeddedBus(clock),
        decoder=Decoder(Vocabulary([]), NAMESPACE),
        clock=clock,
        ids=Uuid7Source(clock),
    )
    run = shelves.numbers[-1]
    keeper = DatasetKeeper(LocalCatalog(clock), NAMESPACE, clock, RunBook())
    closer = RunCloser(NAMESPACE, clock, keeper)
    began = time.perf_counter()
    closer.step(runtime.turn)
    seconds = time.perf_counter() - began
    dataset = Dataset.objects.get(run_number=run)
    _check("the run", (Run.objects.get(pk=run).closed_at is not None, dataset.state), (True, Dataset.State.CLOSED))
    _check("files of the dataset", dataset.files.count(), shelves.good)
    return seconds


def _check(what: str, found: object, should: object) -> None:
    if found != should:
        raise WrongRunError(f"{what}: {found} instead of {should}")
