"""The worker: slices are claimed, run, reported and handed back; nothing is lost where something fails."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError

from epic_bench import RUN, EpicBench, good
from locked import locked
from swf.core.payload import Outcome, PayloadJob, PayloadSpec
from swf.epic.agents import worker
from swf.epic.agents.worker import Workbench, worker_agent
from swf.epic.messages import RESULT_QUEUE, SLICE_QUEUE
from swf.epic.models import RunState, TfSlice
from swf.messaging.runtime import Runtime
from swf.store.models import Attempt, DeadLetter, OutboxMessage, Product
from swf.workload.inline import InlinePool
from swf.workload.shelf import Shelf

SLICES = 5


def writes(job: PayloadJob) -> dict[str, object]:
    """A payload that writes its output."""
    job.output.write_bytes(b"x" * 100)
    return good(job) | {"code_version": "1.2", "parameters": {"threshold": 3}}


def says_it_too_deep(job: PayloadJob) -> dict[str, object]:
    """A payload whose summary is nested deeper than a message may be."""
    value: object = 1
    for _ in range(20):
        value = [value]
    return {"a": value}


def says_what_no_row_can_hold(job: PayloadJob) -> dict[str, object]:
    """A payload whose summary has characters that no database takes."""
    return {"a": "null \0 and half \ud800"}


def with_payload(folder: Path, function: str, *, expects_output: bool, bus: str = "embedded") -> EpicBench:
    """All agents, with a payload of this module."""
    bench = EpicBench(
        folder, bus, fast_processing__slices_per_sample=SLICES, roles=("data", "fastmon", "fast_processing")
    )
    spec = PayloadSpec(name="t", entry_point=f"{__name__}:{function}", expects_output=expects_output, version="1")
    bench.worker = Workbench(
        shelf=Shelf(lambda spec, number: InlinePool(spec, clock=bench.clock, on_ready=lambda: None)),
        payload_of=lambda run_number: spec,
        queues=bench.agents.queues,
        lease_of=lambda run_number: 900.0,
        slots=4,
        files=bench.agents.files,
        products=bench.workspace.products,
        io=bench.io,
        clock=bench.clock,
    )
    bench.runtimes["worker"] = bench.agents.runtime(worker_agent(bench.worker))
    return bench


@pytest.fixture
def bench(sqlite_store: Path, tmp_path: Path) -> Iterator[EpicBench]:
    with EpicBench(tmp_path, "embedded", fast_processing__slices_per_sample=SLICES) as bench:
        yield bench


def queued(bench: EpicBench, stfs: int = 1) -> Runtime:
    """Take a run until its slices are queued; returns the worker's runtime."""
    worker = bench.runtimes.pop("worker")
    daq = bench.daq()
    bench.send(daq.imminent(), daq.start(), *(daq.stf(n) for n in range(1, stfs + 1)), daq.end(stfs))
    bench.run()
    assert TfSlice.objects.filter(status="queued").count() == SLICES * stfs
    bench.runtimes["worker"] = worker
    return worker


def test_slices_are_claimed_before_they_run_and_acknowledged_with_their_result(bench: EpicBench) -> None:
    worker = queued(bench)
    worker.step()
    claimed = TfSlice.objects.filter(status="processing", attempt=1, lease_holder=worker.identity.name)
    assert claimed.count() == 4
    assert OutboxMessage.objects.filter(destination=SLICE_QUEUE).count() == SLICES
    bench.io.wait("worker")
    worker.step()
    bench.io.wait("worker")
    worker.step()
    assert OutboxMessage.objects.filter(destination=RESULT_QUEUE).exists()
    bench.run()
    assert not OutboxMessage.objects.filter(destination__startswith="/queue/").exists()
    assert RunState.objects.get().slices_completed == SLICES


def test_a_worker_takes_no_more_than_it_can_run(bench: EpicBench) -> None:
    worker = queued(bench, stfs=4)
    worker.step()
    assert TfSlice.objects.filter(status="processing").count() == 4


def test_results_are_not_lost_where_the_database_fails_at_their_report(bench: EpicBench, sqlite_store: Path) -> None:
    worker = queued(bench)
    worker.step()
    for _ in range(3):
        with locked(sqlite_store), pytest.raises(OperationalError, match="locked"):
            worker.step()
    bench.run()
    assert RunState.objects.get().slices_completed == SLICES
    assert set(TfSlice.objects.values_list("attempt", flat=True)) == {1}
    assert bench.worker.capacity() >= 4, "no place is taken for ever"


def test_what_a_dead_worker_held_is_handed_back_also_where_the_database_fails_at_first(
    bench: EpicBench, sqlite_store: Path
) -> None:
    queued(bench).step()
    bench.kill()
    bench.start()
    with locked(sqlite_store), pytest.raises(OperationalError, match="locked"):
        bench.runtimes["worker"].step()
    bench.run()
    assert RunState.objects.get().slices_completed == SLICES
    assert sorted(Attempt.objects.values_list("outcome", flat=True)) == ["ok"] * SLICES + ["released"] * 4


def test_a_product_is_registered_with_its_checksums_and_where_it_came_from(sqlite_store: Path, tmp_path: Path) -> None:
    with with_payload(tmp_path, "writes", expects_output=True) as bench:
        daq = bench.daq()
        bench.send(*daq.whole_run(1))
        bench.run()
    product = Product.objects.order_by("name")[0]
    assert product.name == "swf.100010.000001_slice_000_a1.root"
    digest = hashlib.sha256(b"x" * 100).hexdigest()
    assert (product.size_bytes, product.sha256, product.made_from) == (100, digest, "swf.100010.000001.stf")
    assert (product.item, product.attempt, product.code_version) == ("swf.100010.000001_slice_000.tf", 1, "1.2")
    assert (product.parameters, product.simulated) == ({"threshold": 3}, True)
    assert (bench.workspace.products / product.location).stat().st_size == 100
    assert Product.objects.count() == SLICES


@pytest.mark.parametrize("function", ["says_it_too_deep", "says_what_no_row_can_hold"])
def test_a_summary_that_no_message_can_carry_fails_the_attempt(
    sqlite_store: Path, tmp_path: Path, function: str
) -> None:
    with with_payload(tmp_path, function, expects_output=False) as bench:
        daq = bench.daq()
        bench.send(*daq.whole_run(1))
        bench.run()
    assert not DeadLetter.objects.exists()
    assert set(TfSlice.objects.values_list("status", "attempt")) == {("failed", 4)}
    reason = TfSlice.objects.order_by("id")[0].reason
    assert reason.startswith("no_output: its summary cannot be sent: the message ")


def test_an_output_that_cannot_be_read_fails_the_attempt(sqlite_store: Path, tmp_path: Path) -> None:
    with with_payload(tmp_path, "writes", expects_output=True) as bench:
        worker = queued(bench)
        worker.step()
        # The payloads have ended well; before their outputs are read, the disk loses them.
        shutil.rmtree(bench.workspace.products / str(RUN))
        worker.step()
        bench.io.wait("worker")
        worker.step()
        lost = list(OutboxMessage.objects.filter(destination=RESULT_QUEUE))
        assert len(lost) == 4
        assert all('"outcome":"no_output"' in message.body for message in lost)
        bench.run()
    # They were tried again, and that time nothing was lost.
    assert set(TfSlice.objects.values_list("status", flat=True)) == {"completed"}
    assert Attempt.objects.filter(outcome="no_output").count() == 4


def test_a_folder_that_cannot_be_made_fails_attempts_and_not_the_agent(sqlite_store: Path, tmp_path: Path) -> None:
    with with_payload(tmp_path, "writes", expects_output=True) as bench:
        (bench.workspace.products / str(RUN)).write_text("a file lies where the folder should be")
        daq = bench.daq()
        bench.send(*daq.whole_run(1))
        bench.run()
    assert set(TfSlice.objects.values_list("status", flat=True)) == {"failed"}
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {Outcome.NOT_STARTED.value}


def test_a_worker_that_stops_hands_back_what_it_has_not_done(bench: EpicBench) -> None:
    worker = queued(bench)
    worker.step()
    returned = bench.worker.hand_back(worker.turn)
    assert returned == 4
    assert set(TfSlice.objects.values_list("status", "retries")) == {("queued", 0)}
    assert RunState.objects.get().slices_queued == SLICES
    assert list(Attempt.objects.values_list("outcome", flat=True)) == ["released"] * 4
    # What its payloads find after that is nobody's.
    bench.run()
    assert RunState.objects.get().slices_completed == SLICES


def test_leases_of_what_is_worked_at_are_renewed(bench: EpicBench) -> None:
    worker = queued(bench)
    bench.worker._shelf.take = list  # type: ignore[method-assign, attr-defined] - payloads that take their time
    worker.step()
    first = TfSlice.objects.filter(status="processing")[0].lease_until
    for _ in range(10):
        bench.clock.advance(200)
        for runtime in bench.runtimes.values():
            runtime.step()
    assert TfSlice.objects.filter(status="processing").count() == 4
    assert not Attempt.objects.exists()
    renewed = TfSlice.objects.filter(status="processing")[0].lease_until
    assert first is not None
    assert renewed is not None
    assert (renewed - first).total_seconds() >= 1500


def test_a_slice_whose_worker_does_not_report_goes_to_another_attempt(bench: EpicBench) -> None:
    worker = queued(bench)
    worker.step()
    bench.kill()
    bench.start()
    silent = bench.runtimes.pop("worker")
    bench.clock.advance(901)
    bench.run()
    assert sorted(Attempt.objects.values_list("outcome", flat=True)) == ["lease_expired"] * 4
    reason = Attempt.objects.all()[0].detail
    assert reason.startswith(f"lease_expired: {silent.identity.name} did not report before ")
    assert set(TfSlice.objects.values_list("status", flat=True)) == {"queued"}
    bench.runtimes["worker"] = silent
    bench.run()
    assert set(TfSlice.objects.values_list("status", flat=True)) == {"completed"}
    assert TfSlice.objects.filter(attempt=2, retries=1).count() == 4


def test_a_worker_takes_no_slices_while_its_disk_is_full(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EpicBench(tmp_path) as bench:
        free = [worker.LEAST_FREE_BYTES - 1]
        monkeypatch.setattr(worker, "_room_at", lambda folder: free[0])
        assert bench.worker.capacity() == 0
        free[0] += 1
        assert bench.worker.capacity() == 0, "the disk is looked at once a second"
        bench.clock.advance(1.0)
        assert bench.worker.capacity() > 0
