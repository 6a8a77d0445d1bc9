"""PanDA workers at a real broker: they answer, fail, repeat themselves, lose slices, and come late."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from panda_worker import PandaWorker, Request, done, failed
from services.activemq import NEEDED, ActiveMq, installed
from swf.core.ledger import Stage
from swf.core.times import SystemClock
from swf.epic.accounting import ledger_of
from swf.epic.models import PandaRun, TfSlice
from swf.store.models import Attempt, DeadLetter, OutboxMessage

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
from stomp_process import NAMESPACE, process

pytestmark = pytest.mark.skipif(not installed(), reason=NEEDED)

STFS, SLICES = 3, 3
SETTINGS: dict[str, object] = {
    "fast_processing.stf_count": STFS,
    "fast_processing.slices_per_sample": SLICES,
    "simulation.realtime": False,
    "stf.content": "none",
    "processing.workers_by": "panda",
    "agents.worker.enabled": False,
    "panda_workers.slice_options": ("file_type=fake",),
}


@pytest.fixture(scope="module")
def activemq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActiveMq]:
    with ActiveMq(tmp_path_factory.mktemp("activemq"), panda=True) as broker:
        yield broker


def test_a_whole_run_with_workers_of_every_kind(activemq: ActiveMq, store: Path, tmp_path: Path) -> None:
    settings = SETTINGS | {"panda_workers.lease_s": 4.0}
    seen: Counter[str] = Counter()
    lost: list[Request] = []

    def act(request: Request) -> list[dict[str, Any]]:
        name = request["content"]["tf_filename"].partition(".")[2].partition(".")[2]
        seen[name] += 1
        match name, seen[name]:
            case "000001_slice_000.tf", 1:
                return [failed(request)]
            case "000001_slice_001.tf", 1:
                return [done(request), done(request), done(request, job="7001")]
            case "000001_slice_002.tf", 1:
                # Its result is lost on the way, and the slice acknowledged all the same.
                lost.append(request)
                return []
            case "000001_slice_002.tf", 2:
                return [done(lost[0], job="7002"), done(request)]
            case "000002_slice_000.tf", _:
                return [failed(request)]
            case _:
                return [done(request)]

    with (
        process(tmp_path / "data", activemq, settings) as here,
        activemq.client() as manager,
        activemq.client("worker") as broadcast,
    ):
        manager.subscribe("/topic/panda.workers")
        broadcast.subscribe("/topic/panda.transformer", selector=f"namespace='{NAMESPACE}'")
        run = here.epic.run_number
        with (
            PandaWorker(activemq, NAMESPACE, run, act) as worker,
            PandaWorker(activemq, "torre2", run, act) as foreign,
            PandaWorker(activemq, NAMESPACE, run + 1, act) as next_run,
        ):
            here.until(lambda: PandaRun.objects.filter(released_at__isnull=False).exists())
            here.until(lambda: not OutboxMessage.objects.exists())
            given = len(worker.given)
        asked, ended = (json.loads(manager.receive().body) for _ in range(2))
        stop = json.loads(broadcast.receive().body)

    assert foreign.given == next_run.given == []
    with activemq.client() as client:
        # iDDS and the workers' transceiver have theirs of each.
        assert client.statistics("panda.slices.idds")["enqueueCount"] == given
        answers = client.statistics("panda.results.worker")["enqueueCount"]
        assert answers == client.statistics("panda.results.idds")["enqueueCount"] >= given
    assert (asked["msg_type"], asked["run_id"], asked["content"]["core_count"]) == ("run_imminent_worker", str(run), 30)
    assert (ended["msg_type"], ended["content"]["total_stf_files"]) == ("end_run", STFS)
    assert (stop["msg_type"], stop["run_id"]) == ("stop_transformer", run)
    slices = {item.name.partition(f"{run}.")[2]: item for item in TfSlice.objects.all()}
    failed_ones = [name for name, item in slices.items() if item.status != "completed"]
    assert failed_ones == ["000002_slice_000.tf"]
    assert (slices["000001_slice_000.tf"].attempt, slices["000001_slice_002.tf"].attempt) == (2, 2)
    outcomes = {name: _outcomes(item) for name, item in slices.items()}
    assert outcomes["000001_slice_000.tf"] == [(1, "crashed"), (2, "ok")]
    # The same text twice is one message; what another job says is a second, and late.
    assert outcomes["000001_slice_001.tf"] == [(1, "late"), (1, "ok")]
    assert outcomes["000001_slice_002.tf"] == [(1, "late"), (1, "lease_expired"), (2, "ok")]
    assert outcomes["000002_slice_000.tf"] == [(n, "crashed") for n in (1, 2, 3, 4)]
    assert Attempt.objects.filter(outcome="ok").count() == STFS * SLICES - 1
    ledger = ledger_of(run)
    assert ledger.balanced
    assert ledger.stages[Stage.PROCESSED] == {"completed": STFS - 1, "failed": 1}
    assert not DeadLetter.objects.exists()
    (headers, *_), (first, *_) = worker.headers, worker.given
    assert {name: headers[name] for name in ("persistent", "ttl", "vo", "msg_type", "namespace", "run_id")} == {
        "persistent": "true",
        "ttl": "4000",
        "vo": "eic",
        "msg_type": "slice",
        "namespace": NAMESPACE,
        "run_id": str(run),
    }
    assert int(headers["expires"]) > 0
    assert first["content"]["file_type"] == "fake"


def test_a_worker_that_comes_late_begins_nothing_that_was_given_up(
    activemq: ActiveMq, store: Path, tmp_path: Path
) -> None:
    settings = SETTINGS | {"panda_workers.lease_s": 2.0, "processing.max_retries": 100}
    with process(tmp_path / "data", activemq, settings) as here:
        # Nobody is there: each slice is given up, and handed out again.
        here.until(lambda: Attempt.objects.filter(outcome="lease_expired").count() >= 2 * STFS * SLICES)
        came_ms = SystemClock().now().timestamp() * 1000
        with PandaWorker(activemq, NAMESPACE, here.epic.run_number, lambda request: [done(request)]) as worker:
            here.until(here.epic.closed)
    assert ledger_of(here.epic.run_number).complete
    assert len(worker.headers) >= STFS * SLICES
    assert all(int(headers["expires"]) > came_ms for headers in worker.headers)
    with activemq.client() as client:
        assert client.statistics("DLQ.panda.slices.transformer") == {}


def test_two_namespaces_share_the_queue_of_results(activemq: ActiveMq, store: Path, tmp_path: Path) -> None:
    with process(tmp_path / "data", activemq, SETTINGS) as here:
        run = here.epic.run_number
        with (
            PandaWorker(activemq, NAMESPACE, run, lambda request: [done(request)]) as ours,
            PandaWorker(activemq, "torre2", run, lambda request: []) as theirs,
            activemq.client() as other,
        ):
            here.until(lambda: len(ours.given) > 0)
            theirs.says(done(ours.given[0], job="8000"))
            here.until(here.epic.closed)
            other.subscribe("/queue/panda.results.fastprocessing", selector="namespace = 'torre2'")
            kept = json.loads(other.receive().body)
    assert kept["content"]["panda_id"] == "8000"
    assert Attempt.objects.exclude(outcome="ok").count() == 0


def _outcomes(item: TfSlice) -> list[tuple[int, str]]:
    return sorted(Attempt.objects.filter(item=item.name).values_list("attempt", "outcome"))
