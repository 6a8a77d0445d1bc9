"""Figures for Prometheus: what an agent did and what waits, over HTTP, and where to find it."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from messaging_bench import TOPIC, Bench, Writer, writer_agent
from swf.core.errors import ConfigError
from swf.messaging.relay import Relay
from swf.messaging.stomp.status import BusStatus, LinkStatus, SubscriptionStatus
from swf.service.metrics import AgentFigures, serving
from swf.store.models import DeadLetter

LINK = LinkStatus(connected=True, server="127.0.0.1:1", trouble="", connections=2)
SUBSCRIPTION = SubscriptionStatus(
    role="writer", destination=TOPIC, queue="q", confirmed=True, refusal="", waiting=3, unacknowledged=5, arrived=9,
    foreign=0, unwanted=0,
)  # fmt: skip
STATUS = BusStatus(consumer=LINK, producer=LINK, receipts_outstanding=1, subscriptions=(SUBSCRIPTION,))


def scraped(address: str) -> dict[tuple[str, str], float]:
    """What is answered: by name and by the label that tells apart."""
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.status == 200
    text = answer.read().decode()
    connection.close()
    apart = ("outcome", "state", "purpose", "kind")
    return {
        (sample.name, next((sample.labels[label] for label in apart if label in sample.labels), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def figures(bench: Bench, *, namespace_too: bool = False) -> AgentFigures:
    """Those of an agent that has handled one message of two and is to send another."""
    runtime = bench.runtime(writer_agent(Writer()))
    bench.send("a")
    bench.clock.advance(4)
    runtime.step()
    relay = Relay(bench.bus, [runtime.identity.name], bench.clock)
    DeadLetter.objects.create(
        namespace=bench.namespace, role=runtime.identity.role, destination=TOPIC, body="{}", error="e", reason="r",
        created_at=bench.clock.now(),
    )  # fmt: skip
    made = AgentFigures(runtime, relay, lambda: STATUS, bench.clock, namespace_too=namespace_too)
    made.step()
    return made


def test_a_scrape_gets_what_an_agent_did_and_what_waits(store: Path, tmp_path: Path) -> None:
    with serving(figures(Bench(), namespace_too=True), "127.0.0.1", 0, tmp_path / "m" / "a.json") as address:
        got = scraped(address)
    assert got["swf_messages_total", "handled"] == 1
    assert got["swf_messages_total", "failed"] == 0
    assert got["swf_message_lag_seconds", ""] == 4
    assert got["swf_dead_letters", "parked"] == 1
    assert got["swf_dead_letters", "retrying"] == 0
    assert got["swf_broker_connections_total", "consume"] == 2
    assert got["swf_queue_messages", "waiting"] == 3
    assert got["swf_queue_messages", "handled"] == 2
    assert got["swf_receipts_outstanding", ""] == 1
    assert ("swf_work_items", "queued") in got
    assert got["process_open_fds", ""] > 0


def test_one_agent_s_figures_are_not_those_of_the_namespace(store: Path, tmp_path: Path) -> None:
    with serving(figures(Bench()), "127.0.0.1", 0, tmp_path / "a.json") as address:
        assert not [name for name, _ in scraped(address) if name.startswith("swf_work")]


def test_prometheus_is_told_where_as_long_as_there_is_somebody(store: Path, tmp_path: Path) -> None:
    targets = tmp_path / "metrics" / "a.json"
    with serving(figures(Bench()), "127.0.0.1", 0, targets) as address:
        assert json.loads(targets.read_text()) == [{"targets": [address], "labels": {"job": "swf"}}]
    assert not targets.exists()


def test_a_port_that_is_taken_is_named(store: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ConfigError, match=rf"\[metrics\] port = {port}: .*choose another one"),
            serving(figures(Bench()), "127.0.0.1", port, tmp_path / "a.json"),
        ):
            pass


def test_what_is_no_scrape_disturbs_nobody(store: Path, tmp_path: Path) -> None:
    with serving(figures(Bench()), "127.0.0.1", 0, tmp_path / "a.json") as address:
        host, _, port = address.rpartition(":")
        for garbage in (b"\0\xff" * 100, b"GET ", b"CONNECT\naccept-version:1.2\n\n\0", b""):
            with socket.create_connection((host, int(port)), timeout=5) as stranger:
                stranger.sendall(garbage)
        assert scraped(address)["swf_messages_total", "handled"] == 1
