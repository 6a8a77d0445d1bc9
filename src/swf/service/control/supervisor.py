"""What a running supervisord is asked and told: XML-RPC over its socket."""

from __future__ import annotations

import http.client
import socket
import xmlrpc.client
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from swf.core.errors import ServiceError, UnknownNameError

_ANSWER_S: Final = 60.0
"""It answers at once, except when it is asked to wait for processes."""


class ProcessState(StrEnum):
    """The states of a process, in supervisor's words."""

    STOPPED = "STOPPED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    BACKOFF = "BACKOFF"
    """It ended as soon as it was started, and is tried again."""
    STOPPING = "STOPPING"
    EXITED = "EXITED"
    FATAL = "FATAL"
    """It could not be started, several times; nothing more is tried."""
    UNKNOWN = "UNKNOWN"


ALIVE: Final = frozenset({ProcessState.STARTING, ProcessState.RUNNING, ProcessState.STOPPING})
"""States in which there is a process."""

WANTED: Final = frozenset({ProcessState.STARTING, ProcessState.RUNNING, ProcessState.BACKOFF})
"""States of what was started and shall run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One program as supervisord sees it."""

    name: str
    state: ProcessState
    pid: int | None
    """None where there is no process."""
    uptime_s: int | None
    """None where there is no process."""
    trouble: str
    """Why there is none, as far as supervisord knows; empty where it runs or was stopped."""


class Supervisor:
    """A supervisord, by its socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pid(self) -> int | None:
        """Its process; None where none listens, whatever a killed one has left behind.

        Raises:
            ServiceError: it does not answer as it should.
        """
        try:
            return int(self._proxy().supervisor.getPID())
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            return None
        except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
            raise self._failed(error) from error

    def processes(self) -> list[Process]:
        """All programs, by name.

        Raises:
            ServiceError: it does not answer.
        """
        found = self._call("getAllProcessInfo")
        return sorted((_process(info) for info in found), key=lambda process: process.name)

    def start(self, name: str) -> None:
        """Start a program; nothing happens where it runs. It does not wait.

        Raises:
            UnknownNameError: there is none of that name.
            ServiceError: it cannot be started, or supervisord does not answer.
        """
        self._call("startProcess", name, False, passed_over=(_ALREADY_STARTED,))

    def stop(self, name: str) -> None:
        """Ask a program to end; nothing happens where it does not run. It does not wait.

        Raises:
            UnknownNameError: there is none of that name.
            ServiceError: supervisord does not answer.
        """
        self._call("stopProcess", name, False, passed_over=(_NOT_RUNNING,))

    def shut_down(self) -> None:
        """Stop everything, and supervisord itself. It does not wait.

        Raises:
            ServiceError: it does not answer.
        """
        self._call("shutdown", passed_over=(_SHUTTING_DOWN,))

    def reread(self) -> None:
        """Take the configuration as it is now. A program that is new or changed is stopped, and has to be started.

        Raises:
            ServiceError: the configuration cannot be read, or supervisord does not answer.
        """
        ((added, changed, removed),) = self._call("reloadConfig")
        for name in (*changed, *removed):
            self._call("stopProcessGroup", name, True)
            self._call("removeProcessGroup", name)
        for name in (*added, *changed):
            self._call("addProcessGroup", name, passed_over=(_ALREADY_ADDED,))

    def _call(self, method: str, *arguments: Any, passed_over: Iterable[int] = ()) -> Any:
        try:
            return getattr(self._proxy().supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode in passed_over:
                return None
            if fault.faultCode == _BAD_NAME:
                raise UnknownNameError(f"supervisord has no program {arguments[0]!r}") from fault
            raise ServiceError(
                f"supervisord cannot do {method} {' '.join(map(str, arguments))}: {fault.faultString}"
            ) from fault
        except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> ServiceError:
        return ServiceError(f"supervisord at {self._path} does not answer: {error}")

    def _proxy(self) -> Any:
        return xmlrpc.client.ServerProxy("http://supervisor", transport=_Transport(self._path))


_SHUTTING_DOWN, _BAD_NAME, _ALREADY_STARTED, _NOT_RUNNING, _ALREADY_ADDED = 6, 10, 60, 70, 90
"""What supervisord answers, of `supervisor.xmlrpc.Faults`."""


def _process(info: dict[str, Any]) -> Process:
    state = ProcessState(info["statename"])
    alive = state in ALIVE and bool(info["pid"])
    failed = state in {ProcessState.BACKOFF, ProcessState.FATAL, ProcessState.EXITED, ProcessState.UNKNOWN}
    return Process(
        name=str(info["name"]),
        state=state,
        pid=int(info["pid"]) if alive else None,
        uptime_s=max(int(info["now"]) - int(info["start"]), 0) if alive else None,
        trouble=str(info["spawnerr"] or info["description"]) if failed else "",
    )


class _Transport(xmlrpc.client.Transport):
    """XML-RPC over a socket of the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return _Connection(self._path)


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_ANSWER_S)
        self._path = path

    def connect(self) -> None:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.settimeout(_ANSWER_S)
        try:
            made.connect(str(self._path))
        except OSError:
            made.close()
            raise
        self.sock = made
