"""Garbage into the ports that agents listen on: they go on, and answer who asks properly."""

from __future__ import annotations

import json
import random
import socket
import urllib.request
from pathlib import Path

from findings import counted, harm
from left_alone import Tell
from stage import Stage

_HALF_OPEN = 40
"""Connections that begin a question and never end it."""


def test_garbage_into_listening_ports_disturbs_no_agent(stage: Stage, tell: Tell, chance: random.Random) -> None:
    stage.start()
    ports = listening(stage.root / "logs")
    assert len(ports) == 6
    run = stage.ask(stfs=20)
    stage.until(lambda: stage.count("epic_tfslice") > 20, "it is under way")
    left_open = []
    for port in ports:
        for garbage in rubbish(chance):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
                wire.sendall(garbage)
        left_open += [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(_HALF_OPEN)]
        for wire in left_open[-_HALF_OPEN:]:
            wire.sendall(b"GET /metr")
        # Beside all of these somebody asks as he should.
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            assert answer.status == 200
            assert b"# TYPE" in answer.read()
    assert stage.ended(run).code == 0
    for wire in left_open:
        wire.close()
    stage.settle(1)
    found = stage.findings(1)
    tell(f"garbage into {len(ports)} ports: {counted(found)}")
    assert not harm(found), [str(finding) for finding in harm(found)]


def rubbish(chance: random.Random) -> list[bytes]:
    """What comes to a port that is open: scans, other protocols, and noise."""
    return [
        b"",
        b"\0" * 4096,
        chance.randbytes(4096),
        b"CONNECT\naccept-version:1.2\n\n\0",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + chance.randbytes(200),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"A" * 100_000,
        b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 5000,
    ]


def listening(logs: Path) -> list[int]:
    """The ports at which agents say that they give their figures."""
    lines = [json.loads(line) for log in sorted(logs.glob("*.log")) for line in log.read_text().splitlines()]
    return [int(line["address"].rpartition(":")[2]) for line in lines if line.get("event") == "metrics_served"]
