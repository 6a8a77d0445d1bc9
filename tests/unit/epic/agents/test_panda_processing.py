"""The fast-processing agent with PanDA workers: what it says to them, and what becomes of what they answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from epic_bench import RUN, EpicBench
from older_messages import RUN as OLDER_RUN
from older_messages import OlderDaq
from panda_messages import HEARTBEAT, panda_result
from swf.core.errors import ConfigError
from swf.core.ledger import Stage
from swf.epic.accounting import ledger_of
from swf.epic.messages import EPIC_TOPIC, SLICE_QUEUE
from swf.epic.models import PandaRun, RunState, TfSlice
from swf.epic.panda_workers.messages import RESULTS_QUEUE, SLICES_TOPIC, TRANSFORMER_TOPIC, WORKERS_TOPIC
from swf.messaging.bus import Subscription, Wire
from swf.store.models import Attempt, DeadLetter, Event, OutboxMessage, Run

SLICES = 3
LEASE_S = 600.0
SETTINGS: dict[str, object] = {
    "processing__workers_by": "panda",
    "agents__worker__enabled": False,
    "panda_workers__lease_s": LEASE_S,
    "fast_processing__slices_per_sample": SLICES,
}
ROLES = ("data", "fastmon", "fast_processing")


class Panda:
    """What stands at the other side of the bus: it hears everything, and answers what a test tells it to."""

    def __init__(self, bench: EpicBench) -> None:
        self._bench = bench
        self._sent = 0
        self._ears = [
            Subscription(namespace=bench.namespace, role="panda", destination=topic, types=frozenset())
            for topic in (SLICES_TOPIC, WORKERS_TOPIC, TRANSFORMER_TOPIC)
        ]
        for ear in self._ears:
            bench.bus.subscribe(ear)

    def hears(self) -> list[dict[str, Any]]:
        """The messages since the last time, topic by topic."""
        heard = []
        for ear in self._ears:
            deliveries = self._bench.bus.receive(ear, 1000)
            self._bench.bus.ack(deliveries)
            heard += [json.loads(delivery.body) for delivery in deliveries]
        return heard

    def says(self, *messages: dict[str, Any]) -> None:
        """Send results, and let the agents deal with them."""
        for message in messages:
            self._sent += 1
            wire = Wire(
                message_id=UUID(int=(1 << 80) + self._sent),
                namespace=self._bench.namespace,
                destination=RESULTS_QUEUE,
                msg_type=str(message["msg_type"]),
                run_number=RUN,
                body=json.dumps(message),
            )
            self._bench.bus.publish([wire])
        self._bench.run(2.0)


@pytest.fixture
def bench(store: Path, tmp_path: Path) -> Iterator[EpicBench]:
    with EpicBench(tmp_path, roles=ROLES, **SETTINGS) as bench:
        yield bench


@pytest.fixture
def panda(bench: EpicBench) -> Panda:
    return Panda(bench)


def taken(bench: EpicBench, panda: Panda, stfs: int = 1) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Take a run; the slices that are handed out, and what else is said."""
    daq = bench.daq()
    bench.send(
        daq.imminent(workflow_params={"target_worker_count": 30}),
        daq.start(),
        *(daq.stf(n) for n in range(1, stfs + 1)),
        daq.end(stfs),
    )
    bench.run(1.0)
    heard = panda.hears()
    slices = [message for message in heard if message["msg_type"] == "slice"]
    assert len(slices) == SLICES * stfs
    return slices, [message for message in heard if message["msg_type"] != "slice"]


def answer(request: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A worker's answer to a request as it came."""
    said = {"requested_at": request["created_at"], "run_id": request["run_id"]}
    return panda_result(request["content"], **said | changes)


def failure(request: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return answer(request, done=False, error="no such image", **changes)


def attempts() -> list[tuple[str, int, str]]:
    return sorted(Attempt.objects.values_list("item", "attempt", "outcome"))


def states() -> dict[str, str]:
    return dict(TfSlice.objects.order_by("name").values_list("name", "status"))


def test_workers_are_asked_for_once_and_let_go_when_the_run_is_closed(bench: EpicBench, panda: Panda) -> None:
    slices, said = taken(bench, panda)
    (asked,) = said
    assert (asked["msg_type"], asked["run_id"], asked["content"]["core_count"]) == ("run_imminent_worker", str(RUN), 30)
    # The end of data taking is not the end of the work: a slice may still have to be done again.
    assert PandaRun.objects.get().released_at is None
    bench.send(bench.daq(execution_id=Run.objects.get().execution_id).imminent())
    panda.says(*(answer(request) for request in slices))
    assert Run.objects.get().closed_at is not None
    end, stop = panda.hears()
    assert (end["msg_type"], end["run_id"], end["content"]["total_stf_files"]) == ("end_run", str(RUN), 1)
    assert (stop["msg_type"], stop["run_id"]) == ("stop_transformer", RUN)
    bench.run(5.0)
    assert panda.hears() == []
    assert ledger_of(RUN).complete


def test_a_slice_is_handed_out_under_a_lease_and_stays_queued(bench: EpicBench, panda: Panda) -> None:
    slices, _ = taken(bench, panda)
    for item, request in zip(TfSlice.objects.order_by("id"), slices, strict=True):
        assert request["content"]["req_id"] == str(item.req_id)
        assert (item.status, item.attempt, item.lease_holder) == ("queued", 0, "panda")
        assert item.lease_until is not None
        assert timedelta(seconds=LEASE_S - 10) < item.lease_until - bench.clock.now() <= timedelta(seconds=LEASE_S)
    assert len({request["created_at"] for request in slices}) == SLICES
    state = RunState.objects.get()
    assert (state.slices_queued, state.slices_processing) == (SLICES, 0)
    assert not OutboxMessage.objects.filter(destination=SLICE_QUEUE).exists()


def test_results_complete_slices_and_repeats_are_late(bench: EpicBench, panda: Panda) -> None:
    (first, *_), _ = taken(bench, panda)
    panda.says(answer(first), answer(first), answer(first, job="7000"))
    name = first["content"]["tf_filename"]
    # The same text is the same message; another worker's is another, and too late.
    assert attempts() == [(name, 1, "late"), (name, 1, "ok")]
    item = TfSlice.objects.get(name=name)
    assert (item.status, item.attempt, item.lease_until) == ("completed", 1, None)
    assert Attempt.objects.get(outcome="ok").detail == "output: /out/a.root"
    assert RunState.objects.get().slices_completed == 1


def test_a_failure_that_names_nothing_is_found_by_the_instant_of_its_request(bench: EpicBench, panda: Panda) -> None:
    slices, _ = taken(bench, panda)
    second = slices[1]
    panda.says(failure(second))
    item = TfSlice.objects.get(name=second["content"]["tf_filename"])
    assert (item.status, item.attempt, item.retries) == ("queued", 1, 1)
    assert item.reason == "crashed: no such image"
    (again,) = panda.hears()
    assert (again["content"]["req_id"], again["content"]["attempt"]) == (str(item.req_id), 2)
    assert item.lease_until is not None
    assert again["content"]["execution_id"] == Run.objects.get().execution_id
    # The failure of the attempt that was given up comes once more, in other words.
    panda.says(failure(second, job="7001"))
    assert TfSlice.objects.get(pk=item.pk).retries == 1
    assert attempts() == [(item.name, 1, "crashed"), (item.name, 1, "late")]


def test_a_result_of_an_attempt_that_was_given_up_changes_nothing(bench: EpicBench, panda: Panda) -> None:
    slices, _ = taken(bench, panda)
    first = slices[0]
    name = first["content"]["tf_filename"]
    bench.clock.advance(LEASE_S + 1)
    bench.run(1.0)
    assert [(item, outcome) for item, _, outcome in attempts()] == [(n, "lease_expired") for n in sorted(states())]
    again = {message["content"]["tf_filename"]: message for message in panda.hears()}
    assert len(again) == SLICES
    reason = TfSlice.objects.get(name=name).reason
    assert reason.startswith("lease_expired: panda did not report before ")
    panda.says(answer(first))
    assert states()[name] == "queued"
    assert (name, 1, "late") in attempts()
    panda.says(answer(again[name]))
    item = TfSlice.objects.get(name=name)
    assert (item.status, item.attempt) == ("completed", 2)


def test_a_slice_that_nobody_ever_answers_fails_after_its_retries(bench: EpicBench, panda: Panda) -> None:
    taken(bench, panda)
    for _ in range(4):
        bench.clock.advance(LEASE_S + 1)
        bench.run(2.0)
    assert set(states().values()) == {"failed"}
    assert Attempt.objects.filter(outcome="lease_expired").count() == 4 * SLICES
    assert sorted(set(Attempt.objects.values_list("attempt", flat=True))) == [1, 2, 3, 4]
    ledger = ledger_of(RUN)
    assert ledger.stages[Stage.PROCESSED] == {"failed": 1}
    assert ledger.balanced
    assert [m["msg_type"] for m in panda.hears()][-2:] == ["end_run", "stop_transformer"]


def test_a_result_without_its_request_counts_where_there_was_only_one(bench: EpicBench, panda: Panda) -> None:
    slices, _ = taken(bench, panda)
    for request in slices[:2]:
        del request["content"]["req_id"]
    panda.says(failure(slices[1]))
    panda.hears()
    panda.says(answer(slices[0], requested_at=None), answer(slices[1], requested_at=None))
    first, second = (TfSlice.objects.get(name=request["content"]["tf_filename"]) for request in slices[:2])
    assert (first.status, first.attempt) == ("completed", 1)
    # Of the other there were two: whose answer this is nobody can say.
    assert (second.status, second.attempt) == ("queued", 1)
    assert (second.name, 1, "late") in attempts()


@pytest.mark.parametrize(
    "changes",
    [
        {"run_id": "4711"},
        {"req_id": "00000000-0000-7000-8000-000000000000"},
        {"req_id": None, "start": 998, "end": 999},
    ],
)
def test_results_of_what_is_not_known_here_are_late(bench: EpicBench, panda: Panda, changes: dict[str, Any]) -> None:
    (first, *_), _ = taken(bench, panda)
    before = states(), RunState.objects.get().slices_queued
    content = first["content"] | {name: value for name, value in changes.items() if name != "run_id"}
    run_id = changes.get("run_id", first["run_id"])
    panda.says(panda_result(content, requested_at=first["created_at"], run_id=run_id))
    assert (states(), RunState.objects.get().slices_queued) == before
    (late,) = Attempt.objects.all()
    assert (late.outcome, late.item, late.run_number) == ("late", content["tf_filename"], int(run_id))
    assert late.detail == "answers no request that stands; ok: output: /out/a.root"
    assert not DeadLetter.objects.exists()


def test_a_failure_that_answers_no_known_instant_is_late(bench: EpicBench, panda: Panda) -> None:
    (first, *_), _ = taken(bench, panda)
    for instant in (None, "2026-01-01T00:00:00.999", "yesterday"):
        panda.says(panda_result(None, done=False, error="lost", requested_at=instant, run_id=first["run_id"]))
    assert set(states().values()) == {"queued"}
    assert attempts() == [("", 0, "late")] * 3


def test_signs_of_life_and_answers_to_them_leave_no_trace(bench: EpicBench, panda: Panda) -> None:
    taken(bench, panda)
    nothing = panda_result(None, done=False, run_id=None, requested_at=None)
    panda.says({**HEARTBEAT, "namespace": bench.namespace}, nothing)
    assert not Attempt.objects.exists()
    assert not DeadLetter.objects.exists()
    panda.says({"msg_type": "slice_result", "content": {"state": "done"}, "run_id": "soon"})
    assert DeadLetter.objects.get().error == "MalformedMessageError"


def test_what_is_said_to_workers_is_in_the_log_as_it_was_sent(bench: EpicBench, panda: Panda) -> None:
    slices, said = taken(bench, panda)
    log = Event.objects.filter(destination__startswith="/topic/panda.").order_by("id")
    assert [json.loads(event.body) for event in log] == [*said, *slices]


def test_a_process_that_is_killed_hands_nothing_out_twice(store: Path, tmp_path: Path) -> None:
    with EpicBench(tmp_path, roles=ROLES, **SETTINGS) as bench:
        panda = Panda(bench)
        slices, _ = taken(bench, panda)
        bench.kill()
        bench.start()
        bench.run(2.0)
        assert panda.hears() == []
        panda.says(*(answer(request) for request in slices))
        assert set(states().values()) == {"completed"}


def test_workers_are_asked_for_once_the_run_is_registered(store: Path, tmp_path: Path) -> None:
    with EpicBench(tmp_path, roles=ROLES, **SETTINGS) as bench:
        panda = Panda(bench)
        data = bench.runtimes.pop("data")
        bench.send(bench.daq().imminent())
        while bench.step():
            pass
        assert panda.hears() == []
        assert (DeadLetter.objects.get().state, Run.objects.count()) == ("retrying", 0)
        bench.runtimes["data"] = data
        bench.run(3.0)
        assert [message["msg_type"] for message in panda.hears()] == ["run_imminent_worker"]
        assert DeadLetter.objects.get().state == "redriven"


def test_a_run_of_an_older_daq_gets_workers_as_it_is_configured_here(store: Path, tmp_path: Path) -> None:
    plan: dict[str, object] = {"legacy__enabled": True, "fast_processing__target_worker_count": 7}
    with EpicBench(tmp_path, roles=ROLES, **SETTINGS | plan) as bench:
        panda = Panda(bench)
        for number, notice in enumerate(OlderDaq(bench.namespace).whole_run(2)):
            wire = Wire(
                message_id=UUID(int=(1 << 90) + number),
                namespace=bench.namespace,
                destination=EPIC_TOPIC,
                msg_type="",
                run_number=None,
                body=json.dumps(notice),
            )
            bench.bus.publish([wire])
        bench.run(2.0)
        heard = panda.hears()
        (asked,) = (message for message in heard if message["msg_type"] == "run_imminent_worker")
        assert (asked["run_id"], asked["content"]["core_count"]) == (str(OLDER_RUN), 7)
        panda.says(*(answer(message) for message in heard if message["msg_type"] == "slice"))
        assert ledger_of(OLDER_RUN).complete
        assert not DeadLetter.objects.exists()


def test_the_embedded_mode_has_no_broker_to_reach_them_by(store: Path, tmp_path: Path) -> None:
    with (
        EpicBench(tmp_path, "embedded", roles=("data",), **SETTINGS) as bench,
        pytest.raises(ConfigError, match=r"workers_by = .*PanDA workers are reached by a broker"),
    ):
        bench.agents.agent("fast_processing")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"agents__worker__enabled": True}, r"set \[agents\.worker\] enabled = false"),
        ({"panda_workers__slice_options": ("req_id=1",)}, r"slice_options.*is no further field of a slice"),
        ({"processing__workers_by": "harvester"}, r"workers_by.*worker_agents"),
        ({"panda_workers__lease_s": 0}, r"lease_s"),
    ],
)
def test_settings_that_do_not_go_together(
    store: Path, tmp_path: Path, changes: dict[str, object], expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected):
        EpicBench(tmp_path, roles=ROLES, **SETTINGS | changes)
