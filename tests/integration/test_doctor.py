"""`testbed doctor` in service mode, with a real broker and a real database, in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from services.activemq import NEEDED, ActiveMq, installed
from services.postgres import PostgresServer
from services.stomp_bus import eventually
from swf.service.doctor.note import Surgery

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
pytestmark = [
    pytest.mark.services,
    pytest.mark.database("postgresql"),
    pytest.mark.skipif(not installed(), reason=NEEDED),
]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActiveMq]:
    with ActiveMq(tmp_path_factory.mktemp("mq"), openwire=True) as started:
        yield started


class Terminal:
    """A folder, and the variables that say where broker and database are."""

    def __init__(self, folder: Path, broker: ActiveMq, database: PostgresServer, name: str) -> None:
        self.folder = folder
        self.variables = {
            "SWF_MODE": "service",
            "ACTIVEMQ_PORT": str(broker.port),
            "ACTIVEMQ_USER": "agent",
            "ACTIVEMQ_PASSWORD": broker.plan.passwords["agent"],
            "SWF_DATABASE_PORT": str(database.port),
            "SWF_DATABASE_NAME": name,
            "SWF_DATABASE_USER": database.user,
            "SWF_DATABASE_PASSWORD": database.password,
        }

    @property
    def surgery(self) -> Surgery:
        """The doctor's namespace and topic for this folder."""
        return Surgery.of(self.folder / "swf-data")

    @property
    def queue(self) -> str:
        """Its queue on the broker."""
        return f"Consumer.{self.surgery.namespace}-doctor.{self.surgery.topic.removeprefix('/topic/')}"

    def start(self, *arguments: str, changes: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "swf.cli", *arguments],
            cwd=self.folder,
            env={**os.environ, **self.variables, **(changes or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, changes: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """The exit code, and the object on standard output."""
        process = self.start(*arguments, "--json", changes=changes)
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in err, err
        secrets = [self.variables["ACTIVEMQ_PASSWORD"], self.variables["SWF_DATABASE_PASSWORD"]]
        assert not any(secret in out + err for secret in secrets)
        return process.returncode, json.loads(out)


@pytest.fixture
def terminal(broker: ActiveMq, postgres: PostgresServer, postgres_database: str, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, broker, postgres, postgres_database)


def findings(report: Any) -> dict[str, dict[str, str]]:
    return {finding["subject"]: finding for finding in report["findings"]}


def test_what_works_is_in_order(terminal: Terminal, broker: ActiveMq) -> None:
    code, report = terminal.run("doctor")
    found = findings(report)
    assert code == 0
    in_order = ("database", "database clock", "connections", "tables", "writing", "broker", "role queues", "redelivery")
    assert {name: found[name]["verdict"] for name in in_order} == dict.fromkeys(in_order, "ok")
    # The test's server does not wait for its disk.
    assert "fsync" in found["durability"]["found"]
    assert found["supervisord"]["verdict"] == "warning"
    with broker.client() as client:
        assert client.statistics(terminal.queue)["size"] == 0
        assert client.statistics(f"DLQ.{terminal.queue}") == {}


@pytest.mark.parametrize(
    ("changes", "subject", "words"),
    [
        ({"ACTIVEMQ_PASSWORD": "wrong"}, "broker", "refused user 'agent'"),
        ({"ACTIVEMQ_USER": ""}, "broker", "[bus] user is not set"),
        ({"SWF_DATABASE_PASSWORD": "wrong"}, "database", "refuses the user or the password"),
        ({"SWF_DATABASE_NAME": "nothing-there"}, "database", "make it: createdb nothing-there"),
        ({"SWF_DATABASE_NAME": ""}, "database", "no database is named"),
        ({"SWF_DATABASE_NAME": "postgres"}, "tables", "changes are missing"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_is_looked_at(
    terminal: Terminal, changes: dict[str, str], subject: str, words: str
) -> None:
    code, report = terminal.run("doctor", changes=changes)
    found = findings(report)
    assert (code, report["healthy"]) == (1, False)
    assert found[subject]["verdict"] == "failed"
    assert words in found[subject]["found"]
    assert {"python", "clock"} <= set(found)
    assert ("role queues" in found) == (subject != "broker")


def test_a_port_of_openwire_is_named(terminal: Terminal, broker: ActiveMq) -> None:
    code, report = terminal.run("doctor", changes={"ACTIVEMQ_PORT": str(broker.plan.openwire_port)})
    assert code == 1
    assert "speaks OpenWire, not STOMP" in findings(report)["broker"]["found"]


def test_a_user_who_may_only_listen_is_told(terminal: Terminal, broker: ActiveMq) -> None:
    changes = {"ACTIVEMQ_USER": "monitor", "ACTIVEMQ_PASSWORD": broker.plan.passwords["monitor"]}
    code, report = terminal.run("doctor", changes=changes)
    assert code == 1
    assert "not authorized to write" in findings(report)["messages"]["found"]


def test_nothing_is_lost_and_nothing_remains(terminal: Terminal, broker: ActiveMq) -> None:
    code, tally = terminal.run("doctor", "--chaos", "--messages", "1000", "--seed", "11")
    assert code == 0
    assert (tally["sent"], tally["recorded"], tally["lost"], tally["duplicated"]) == (1000, 1000, 0, 0)
    assert (tally["drops"], tally["passed"]) == (4, True)
    assert tally["sent_twice"] > 50
    assert tally["recovered"] > 0
    assert tally["ended_in_the_inbox"] >= tally["sent_twice"]
    with broker.client() as client:
        assert client.statistics(terminal.queue)["size"] == 0
        assert client.statistics(f"DLQ.{terminal.queue}") == {}


def test_a_loss_test_that_was_killed_does_not_spoil_the_next(terminal: Terminal, broker: ActiveMq) -> None:
    # What it cannot clean up is in a folder that goes with this test.
    killed = terminal.start("doctor", "--chaos", "--messages", "200000", changes={"TMPDIR": str(terminal.folder)})

    def at_work() -> bool:
        with broker.client() as client:
            return client.statistics(terminal.queue).get("enqueueCount", 0) > 500

    eventually(at_work, "messages are sent")
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    code, tally = terminal.run("doctor", "--chaos", "--messages", "300")
    assert (code, tally["recorded"], tally["lost"], tally["unexpected"]) == (0, 300, 0, 0)
    with broker.client() as client:
        assert client.statistics(terminal.queue)["size"] == 0


def test_two_doctors_of_one_directory_do_not_take_each_others_messages(terminal: Terminal, broker: ActiveMq) -> None:
    with terminal.surgery.alone():
        code, report = terminal.run("doctor", "--chaos", "--messages", "100")
    assert (code, "another testbed doctor" in report["error"]["message"]) == (5, True)


def test_a_broker_without_virtual_topics_and_redelivery_is_told_apart(
    postgres: PostgresServer, postgres_database: str, tmp_path: Path
) -> None:
    started = ActiveMq(tmp_path / "mq")
    configuration = started.plan.folder / "conf" / "broker.xml"
    text = configuration.read_text()
    without_redelivery = _without(text, "<redeliveryPlugin", "</redeliveryPlugin>")
    configuration.write_text(without_redelivery)
    terminal = Terminal(tmp_path, started, postgres, postgres_database)
    with started:
        code, report = terminal.run("doctor")
        found = findings(report)["redelivery"]
        assert (code, found["verdict"]) == (0, "warning"), report
        assert "dead-letter queue at once" in found["found"]
        with started.client() as client:
            assert client.statistics(f"DLQ.{terminal.queue}")["size"] == 0
    configuration.write_text(_without(without_redelivery, "<virtualTopic", "/>"))
    with started:
        code, report = terminal.run("doctor")
        found = findings(report)["role queues"]
        assert (code, found["verdict"]) == (1, "failed")
        assert "no virtual topics" in found["advice"]


def _without(text: str, begin: str, end: str) -> str:
    before, part, rest = text.partition(begin)
    assert part
    return before + rest.partition(end)[2]


def test_the_broker_removes_the_empty_queue(postgres: PostgresServer, postgres_database: str, tmp_path: Path) -> None:
    started = ActiveMq(tmp_path / "mq")
    configuration = started.plan.folder / "conf" / "broker.xml"
    text = configuration.read_text()
    quick = text.replace('Purge="60000"', 'Purge="200"').replace('BeforeGC="60000"', 'BeforeGC="500"')
    assert text.count('"60000"') == quick.count('"60000"') + 3
    configuration.write_text(quick)
    terminal = Terminal(tmp_path, started, postgres, postgres_database)
    with started:
        assert terminal.run("doctor", "--chaos", "--messages", "100")[0] == 0

        def is_gone() -> bool:
            with started.client() as client:
                return client.statistics(terminal.queue) == {}

        eventually(is_gone, "the broker removes the doctor's queue")
