"""A real ActiveMQ broker on 127.0.0.1, for tests: with the shipped configuration, on free ports."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from services.stomp_client import StompClient
from swf.deploy.activemq import PACKAGES, BrokerPlan, Keystore, find_program, lay_out, new_passwords, start_command
from swf.messaging.settings import BusSection
from swf.service.control.local_servers import free_ports

NEEDED = f"needs the Debian packages {' '.join(PACKAGES)} and a Java runtime (make test APT=1)"

START_S = 60.0


def installed() -> bool:
    """Whether a broker can be started here."""
    return find_program() is not None


class ActiveMq:
    """One broker. It can be killed and started again, with the same data, on the same ports."""

    def __init__(
        self, folder: Path, *, keystore: Keystore | None = None, panda: bool = False, openwire: bool = False
    ) -> None:
        program = find_program()
        assert program is not None, NEEDED
        ports = free_ports(3)
        self.plan = BrokerPlan(
            folder=folder,
            passwords={**new_passwords(), "agent": AWKWARD_PASSWORD},
            stomp_port=ports[0],
            stomp_tls_port=ports[1] if keystore else None,
            openwire_port=ports[2] if openwire else None,
            keystore=keystore,
            panda_fan_out=panda,
            panda_managers=panda,
            heap_mb=256,
            store_limit="1 gb",
            temp_limit="200 mb",
            memory_limit="64 mb",
            queue_memory_limit="2 mb",
        )
        lay_out(self.plan)
        self._command = start_command(self.plan, program)
        self._log = folder / "broker.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The STOMP port."""
        assert self.plan.stomp_port is not None
        return self.plan.stomp_port

    def start(self) -> None:
        """Start the broker, and wait until it lets a client in."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the broker did not start: {self.log()[-2000:]}")
            pause()

    def kill(self) -> None:
        """SIGKILL: it has no time to write anything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """SIGTERM, and SIGKILL where that does not help."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and not ended since."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """The broker's process."""
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        """What the broker has logged."""
        return self._log.read_text(errors="replace")

    def client(self, user: str = "agent", *, timeout_s: float = 10.0) -> StompClient:
        """A connection of a test's own."""
        return StompClient(self.port, user, self.plan.passwords[user], timeout_s=timeout_s)

    def settings(self, user: str = "agent", **values: object) -> BusSection:
        """The settings of a bus at this broker."""
        given = {"port": self.port, "user": user, "password": self.plan.passwords[user], "heartbeat_s": 2.0}
        return BusSection.model_validate(given | values)

    def connections(self) -> int:
        """How many connections to its STOMP port stand, as the kernel counts them."""
        return connections_to(self.port)

    def _answers(self) -> bool:
        try:
            self.client(timeout_s=2.0).close()
            # Its ports open one after the other.
            for port in (self.plan.stomp_tls_port, self.plan.openwire_port):
                if port is not None:
                    socket.create_connection(("127.0.0.1", port), timeout=2.0).close()
        except OSError:
            return False
        return True


AWKWARD_PASSWORD = "50%41:c ü€$1 #!="
"""Every character that some layer takes for something else."""


def pause(seconds: float = 0.05) -> None:
    """A server that works tells nobody when it is done: ask again shortly."""
    time.sleep(seconds)


def connections_to(port: int) -> int:
    """How many connections from this machine to a port of 127.0.0.1 stand, as the kernel counts them."""
    remote, established = f"0100007F:{port:04X}", "01"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2] == remote and row[3] == established for row in rows)
