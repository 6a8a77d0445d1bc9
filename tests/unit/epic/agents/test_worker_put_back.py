"""What a worker that was killed, or that stops, left unfinished goes back to the queue, and its outputs go away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from swf.core.codec import Decoder
from swf.core.ids import CountingIds
from swf.core.messages import Vocabulary
from swf.core.payload import PayloadSpec
from swf.core.times import SystemClock
from swf.core.work import WorkState
from swf.epic.agents.worker import Workbench, worker_agent
from swf.epic.messages import EPIC_MESSAGES, SLICE_QUEUE
from swf.epic.models import TfSlice
from swf.epic.run_files import RunFiles
from swf.epic.run_settings import RunBook
from swf.epic.slice_queue import WorkerQueues
from swf.messaging.embedded import EmbeddedBus
from swf.messaging.runtime import Runtime
from swf.service.identity import enlist
from swf.service.io_pool import IoPool
from swf.service.workspace import Workspace
from swf.store.models import Attempt, OutboxMessage
from swf.workload.inline import InlinePool
from swf.workload.shelf import Shelf
from taken_run import RUN, TakenRun

SPEC = PayloadSpec(name="noop", entry_point="swf.workload.noop:run", expects_output=False)


class Died(BaseException):
    """The process ends here."""


class Scene:
    """A worker that starts where its predecessor died while it held two of three slices."""

    def __init__(self, root: Path, io: IoPool) -> None:
        self.products = root / "products"
        clock = SystemClock()
        identity = enlist("worker", "me", "testbed", clock)
        run = TakenRun()
        run.started()
        sample = run.sample(run.stf(1, slice_count=3))
        held = {"lease_holder": identity.name, "attempt": 2, "lease_until": clock.now()}
        self.left = [run.slice(sample, index, WorkState.PROCESSING, **held) for index in range(2)]
        self.done = run.slice(sample, 2, attempt=1)
        self.reached: list[str] = []
        self.die_at = ""
        self.bench = Workbench(
            shelf=Shelf(lambda spec, number: InlinePool(spec, clock=clock, on_ready=lambda: None)),
            payload_of=lambda run_number: SPEC,
            queues=WorkerQueues("testbed", clock),
            lease_of=lambda run_number: 900.0,
            slots=1,
            files=RunFiles(RunBook(), Workspace(root=root)),
            products=self.products,
            io=io,
            clock=clock,
        )
        self.runtime = Runtime(
            worker_agent(self.bench),
            identity,
            bus=EmbeddedBus(clock),
            decoder=Decoder(Vocabulary(EPIC_MESSAGES), "testbed"),
            clock=clock,
            ids=CountingIds(),
            boundary=self._boundary,
        )

    def output(self, item: TfSlice, attempt: int) -> Path:
        path = self.products / str(RUN) / f"{item.name.removesuffix('.tf')}_a{attempt}.root"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _boundary(self, name: str) -> None:
        if name == self.die_at:
            raise Died


@pytest.fixture
def scene(store: Path, tmp_path: Path) -> Iterator[Scene]:
    io = IoPool(1, lambda: None)
    yield Scene(tmp_path, io)
    io.close()


def test_slices_of_a_dead_worker_go_back_and_no_retry_is_used_up(scene: Scene) -> None:
    scene.bench.step(scene.runtime.turn)
    for item in scene.left:
        after = TfSlice.objects.get(pk=item.pk)
        assert (after.status, after.retries, after.attempt) == (WorkState.QUEUED, 0, 2)
        assert after.req_id != item.req_id
    assert OutboxMessage.objects.filter(destination=SLICE_QUEUE).count() == 2
    assert Attempt.objects.filter(outcome="released", attempt=2).count() == 2


def test_what_a_void_attempt_had_written_is_removed_and_nothing_else(scene: Scene) -> None:
    void = scene.output(scene.left[0], 2)
    summary = void.with_name(f"{void.name}.json")
    kept = [scene.output(scene.left[0], 1), scene.output(scene.done, 1)]
    for path in (void, summary, *kept):
        path.write_bytes(b"x")
    scene.bench.step(scene.runtime.turn)
    assert not void.exists()
    assert not summary.exists()
    assert all(path.exists() for path in kept)


def test_outputs_stay_until_it_is_committed_that_their_attempts_are_void(scene: Scene) -> None:
    path = scene.output(scene.left[0], 2)
    path.write_bytes(b"x")
    scene.die_at = "before_commit"
    with pytest.raises(Died):
        scene.bench.step(scene.runtime.turn)
    assert path.exists()
    assert TfSlice.objects.get(pk=scene.left[0].pk).status == WorkState.PROCESSING


def test_a_worker_that_stops_hands_back_and_removes_as_well(scene: Scene) -> None:
    path = scene.output(scene.left[1], 2)
    path.write_bytes(b"x")
    assert scene.bench.hand_back(scene.runtime.turn) == 2
    assert not path.exists()
