"""A whole run over a real broker that is killed in its midst: DAQ, data, fastmon, fast_processing and worker, with the
relay, on SQLite, in one process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.activemq import NEEDED, ActiveMq, installed
from swf.epic.accounting import ledger_of
from swf.epic.models import RunState, StfFile, TfSlice
from swf.store.models import Attempt, DeadLetter, Event, OutboxMessage

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
from stomp_process import process

pytestmark = pytest.mark.skipif(not installed(), reason=NEEDED)

STFS, SLICES = 40, 5
SETTINGS = {
    "fast_processing.stf_count": STFS,
    "fast_processing.slices_per_sample": SLICES,
    "simulation.realtime": False,
    "stf.content": "none",
    "payload.name": "noop",
}


@pytest.mark.parametrize("kills", [1, 3])
def test_a_run_comes_to_a_complete_ledger_though_its_broker_is_killed(store: Path, tmp_path: Path, kills: int) -> None:
    with ActiveMq(tmp_path / "broker") as broker, process(tmp_path / "data", broker, SETTINGS) as here:
        with ThreadPoolExecutor(1) as elsewhere:
            for kill in range(kills):
                while _completed() < STFS * SLICES * (kill + 1) / (kills + 2):
                    here.step()
                assert not here.epic.closed()
                broker.kill()
                started = elsewhere.submit(broker.start)
                while not started.done():
                    here.step()
                started.result()
        while not here.epic.closed() or OutboxMessage.objects.exists():
            here.step()
        run = here.epic.run_number
        ledger = ledger_of(run)
        assert ledger.balanced
        assert ledger.complete
        assert (ledger.produced, ledger.registered, ledger.missing) == (STFS, STFS, 0)
        assert TfSlice.objects.filter(run_number=run, status="completed").count() == STFS * SLICES
        assert StfFile.objects.filter(run=run).count() == STFS
        # Nothing was done twice: one attempt with one result for each slice.
        assert Attempt.objects.filter(run_number=run, outcome="ok").count() == STFS * SLICES
        assert not DeadLetter.objects.exists()
        sent = Event.objects.filter(run_number=run, kind="message")
        assert sent.filter(type="stf_gen").count() == sent.filter(type="stf_ready").count() == STFS
        assert sent.filter(type="slice_result").count() == STFS * SLICES
        # The broker has nothing left for anybody, nor put anything aside.
        with broker.client() as client:
            queues = [
                *(f"Consumer.torre1-{role}.epictopic" for role in ("data", "fastmon", "fast_processing")),
                "torre1.panda.transformer.slices",
                "torre1.panda.results.fastprocessing",
            ]
            for queue in queues:
                while client.statistics(queue)["size"]:
                    here.step()
                assert client.statistics(f"DLQ.{queue}") == {}


def _completed() -> int:
    return sum(RunState.objects.values_list("slices_completed", flat=True))
