"""The supervisord of a data directory: started, told of new programs, ended; also after one that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Final

from swf.core.errors import ConfigError, ServiceError, StorageError
from swf.core.times import Clock
from swf.service.control.orphans import find_orphans, heads, runs, send
from swf.service.control.place import ControlPlace
from swf.service.control.programs import STOP_WAIT_S, Program, configuration
from swf.service.control.supervisor import ALIVE, Supervisor
from swf.service.control.waiting import Tell, wait_until
from swf.storage.atomic import atomic_file

_START_S: Final = 30.0
_END_S: Final = 150.0
"""Longer than supervisord gives the slowest of its programs before it kills it, one after the other."""
_PASSED_ON: Final = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"),
    *("PYTHONPATH", "LD_LIBRARY_PATH", "SWF_HOME"),
)
"""The variables that supervisord and its programs get; the rest of a person's environment is not theirs."""


class Daemon:
    """The supervisord of one data directory."""

    def __init__(self, place: ControlPlace, clock: Clock, tell: Tell) -> None:
        self._place = place
        self._clock = clock
        self._tell = tell

    @property
    def supervisor(self) -> Supervisor:
        """To ask it."""
        return Supervisor(self._place.socket())

    def ensure(self, programs: Sequence[Program]) -> bool:
        """Have it run with these programs; none of them is started by this, those that run and are unchanged run on.

        Returns:
            whether it was started by this call.

        Raises:
            ConfigError: the package is missing, or a name cannot be written into the configuration.
            StorageError: the folder cannot be written.
            ServiceError: it does not start.
        """
        if find_spec("supervisor") is None:
            raise ConfigError("supervisor is not installed: pip install 'swf-testbed[services]'")
        socket = self._place.create()
        text = configuration(programs, socket=socket, user="root" if os.geteuid() == 0 else "")
        with atomic_file(self._place.configuration) as temporary:
            temporary.touch(mode=0o600)
            temporary.write_text(text, encoding="utf-8")
        if self.supervisor.pid() is not None:
            self.supervisor.reread()
            return False
        self.end_orphans()
        self._start()
        return True

    def shut_down(self) -> bool:
        """End it with everything that it runs; agents have 15 s to end in good order. Returns whether it ran.

        Raises:
            ServiceError: it does not end.
        """
        supervisor = self.supervisor
        pid = supervisor.pid()
        if pid is None:
            return self.end_orphans() > 0
        supervisor.shut_down()
        if not wait_until(lambda: not runs(pid), _END_S, self._clock):
            raise ServiceError(f"supervisord (process {pid}) does not end within {_END_S:g} s; see {self._place.log}")
        return True

    def stop(self, names: Sequence[str]) -> None:
        """Stop programs, all at the same time, and wait until they have ended.

        Raises:
            UnknownNameError: there is none of a name.
            ServiceError: one does not end.
        """
        supervisor = self.supervisor
        for name in names:
            supervisor.stop(name)

        def left() -> list[str]:
            return [each.name for each in supervisor.processes() if each.name in names and each.state in ALIVE]

        if not wait_until(lambda: not left(), _END_S, self._clock):
            raise ServiceError(f"{', '.join(left())} does not end within {_END_S:g} s; see {self._place.log}")

    def left_behind(self) -> list[str]:
        """The programs that a supervisord that was killed has left running; to be asked when none runs."""
        return [orphan.name for orphan in heads(find_orphans(self._place.socket()))]

    def end_orphans(self) -> int:
        """End what a supervisord that was killed has left running; returns how many processes that were.

        Raises:
            ServiceError: they do not end.
        """
        socket = self._place.socket()
        found = find_orphans(socket)
        if not found:
            return 0
        first = heads(found)
        self._tell(
            "an earlier supervisord was killed; ending what it left behind: "
            + ", ".join(f"{orphan.name} ({orphan.pid})" for orphan in first)
        )
        # Agents first: they hand back what they have, for which they need the servers.
        for servers in (False, True):
            group = [orphan for orphan in first if (orphan.name in SERVERS) is servers]
            send(group, signal.SIGTERM)
            # PostgreSQL takes SIGTERM for: wait until everybody has left.
            send([orphan for orphan in group if orphan.name == POSTGRESQL], signal.SIGINT)
            pids = [orphan.pid for orphan in group]
            wait_until(lambda pids=pids: not any(map(runs, pids)), STOP_WAIT_S, self._clock)  # type: ignore[misc]
        send(find_orphans(socket), signal.SIGKILL)
        if not wait_until(lambda: not find_orphans(socket), STOP_WAIT_S, self._clock):
            left = ", ".join(str(orphan.pid) for orphan in find_orphans(socket))
            raise ServiceError(f"processes of a killed supervisord do not end, not even by SIGKILL: {left}")
        return len(found)

    def _start(self) -> None:
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._place.configuration)]
        environment = _environment(os.environ)
        try:
            done = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_START_S,
                cwd=self._place.root,
                env=environment,
            )
        except OSError as error:
            raise StorageError(f"supervisord cannot be started in {self._place.root}: {error.strerror}") from error
        except subprocess.TimeoutExpired:
            raise ServiceError(f"supervisord has not started within {_START_S:g} s; see {self._place.log}") from None
        if done.returncode:
            said = (done.stderr or done.stdout).strip().rpartition("\n")[2]
            raise ServiceError(f"supervisord does not start: {said}; its configuration is {self._place.configuration}")
        supervisor = self.supervisor
        if not wait_until(lambda: supervisor.pid() is not None, _START_S, self._clock):
            raise ServiceError(f"supervisord does not answer; see {self._place.log}")


POSTGRESQL: Final = "postgresql"
ACTIVEMQ: Final = "activemq"
SERVERS: Final = (POSTGRESQL, ACTIVEMQ)
"""The names of the programs that are no agents."""


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    return {name: given[name] for name in _PASSED_ON if name in given}
