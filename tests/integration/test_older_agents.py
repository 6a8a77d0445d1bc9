"""Agents of an older system on the same topic of a real broker: they read what ours say, and ours read theirs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from older_messages import EXECUTION, RUN, OlderDaq, stf_ready
from services.activemq import NEEDED, ActiveMq, installed
from services.stomp_client import StompClient
from swf.core.ids import Uuid7Source
from swf.core.times import SystemClock
from swf.epic.accounting import ledger_of
from swf.epic.messages import EPIC_TOPIC
from swf.messaging.turn import Identity
from swf.service.heartbeat_topic import HeartbeatTopic
from swf.store.models import DeadLetter, Run, WorkflowExecution

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
from stomp_process import NAMESPACE, process
from swf.messaging.stomp import StompBus

pytestmark = pytest.mark.skipif(not installed(), reason=NEEDED)

STFS = 3
SETTINGS: dict[str, object] = {
    "fast_processing.stf_count": STFS,
    "fast_processing.slices_per_sample": 2,
    "simulation.realtime": False,
    "stf.content": "none",
    "payload.name": "noop",
    "legacy.enabled": True,
    "legacy.time_zone": "UTC",
}
LIFECYCLE = {"execution_id", "simulation_tick", "state", "substate"}
READ_BY_OLDER_AGENTS: dict[str, set[str]] = {
    "run_imminent": {*LIFECYCLE, "dataset"},
    "start_run": LIFECYCLE,
    "end_run": {*LIFECYCLE, "total_stf_files"},
    "stf_gen": {*LIFECYCLE, "filename", "sequence", "size_bytes", "checksum"},
    "stf_ready": {"execution_id", "state", "substate", "filename", "sequence", "tf_count", "size_bytes", "checksum"},
    "tf_file_registered": {"execution_id", "tf_filename", "stf_filename", "tf_first", "tf_last", "tf_count"},
}
"""What their handlers take out of each, beside type, namespace, sender and run."""


@pytest.fixture(scope="module")
def activemq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActiveMq]:
    with ActiveMq(tmp_path_factory.mktemp("activemq")) as broker:
        yield broker


def say(client: StompClient, *messages: dict[str, Any]) -> None:
    """Send as they do: the text alone."""
    for message in messages:
        client.send(EPIC_TOPIC, json.dumps(message))


def test_older_and_newer_agents_share_a_topic(activemq: ActiveMq, store: Path, tmp_path: Path) -> None:
    today = f"{SystemClock().now():%Y-%m-%d}"
    daq = OlderDaq(NAMESPACE, day=today)
    notices = daq.whole_run(STFS)
    with (
        activemq.client() as listener,
        activemq.client() as speaker,
        process(tmp_path / "data", activemq, SETTINGS) as here,
    ):
        listener.subscribe(EPIC_TOPIC)
        say(speaker, OlderDaq("torre2", run=4711, day=today).imminent(), *notices[:-1])
        say(speaker, *(stf_ready(each) for each in notices if each["msg_type"] == "stf_gen"))
        say(speaker, {"msg_type": "chat", "namespace": NAMESPACE, "content": "hello"}, notices[-1])
        here.until(lambda: here.epic.closed() and Run.objects.filter(pk=RUN, closed_at__isnull=False).exists())
        ours = here.epic.run_number
        heard = _until_the_end_of(listener, ours)

    assert ledger_of(ours).complete
    theirs = ledger_of(RUN)
    assert (theirs.complete, theirs.produced) == (True, STFS)
    assert WorkflowExecution.objects.get(pk=EXECUTION).status == "completed"
    assert not Run.objects.filter(pk=4711).exists()
    assert set(DeadLetter.objects.values_list("error", "state")) == {("UnknownTypeError", "parked")}

    assert {message["msg_type"] for message in heard} >= READ_BY_OLDER_AGENTS.keys()
    for message in heard:
        assert all(not isinstance(value, dict) or name == "workflow_params" for name, value in message.items())
        assert (message["namespace"], message["run_id"]) == (NAMESPACE, str(ours))
        assert isinstance(message["sender"], str)
        wanted = READ_BY_OLDER_AGENTS[message["msg_type"]]
        assert wanted <= {name for name, value in message.items() if value is not None}, message


def test_agents_say_that_they_live_where_older_listeners_hear_it(activemq: ActiveMq) -> None:
    settings = activemq.settings()
    identity = Identity(name="data-agent-ann-1", role="data", namespace=NAMESPACE)
    clock = SystemClock()
    with activemq.client("monitor") as listener, StompBus(settings) as bus:
        listener.subscribe("/topic/heartbeat")
        topic = HeartbeatTopic(bus, settings.heartbeat_topic, [identity], ids=Uuid7Source(clock), clock=clock)
        while not topic.say(status="OK", operational_state="READY"):
            assert not bus.status().ready
        frame = listener.receive()
        assert (frame.headers["msg_type"], frame.headers["namespace"]) == ("heartbeat", NAMESPACE)
        said = json.loads(frame.body)
        assert (said["instance_name"], said["status"]) == ("data-agent-ann-1", "OK")


def _until_the_end_of(listener: StompClient, run: int) -> list[dict[str, Any]]:
    """What ours said of a run, up to its end and its last sample, whichever comes later."""
    heard: list[dict[str, Any]] = []
    said: Counter[str] = Counter()
    while not (said["end_run"] and said["tf_file_registered"] == STFS):
        message = json.loads(listener.receive().body)
        if message.get("run_id") == str(run):
            heard.append(message)
            said[message["msg_type"]] += 1
    return heard
