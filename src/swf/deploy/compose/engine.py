"""One compose project, and docker's command line, which runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from swf.core.errors import ServiceError

COMPOSE_FILE: Final = Path(__file__).parent / "compose.yaml"
"""The shipped compose file."""

_LOOK_S: Final = 30.0
_STOP_S: Final = 180.0
_ELSE: Final = "use `testbed up` with locally installed servers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of the project, as the engine sees it."""

    service: str
    state: str
    """`running`, `exited`, `created` ..."""
    health: str
    """`healthy`, `starting`, `unhealthy`; empty where it is not running."""
    status: str
    """In the engine's words, with how long."""

    @property
    def in_order(self) -> bool:
        """Whether it runs, and its own check of its health agrees."""
        return self.state == "running" and self.health in {"", "healthy"}


class Project:
    """The servers of one data directory in containers.

    Args:
        variables: what the compose file needs; with secrets. They are stronger than the variables of the terminal.
    """

    def __init__(self, variables: Mapping[str, str], *, file: Path = COMPOSE_FILE) -> None:
        self._file = file
        self._environment = {**os.environ, **variables}

    def check(self) -> None:
        """See to it that containers can be run here.

        Raises:
            ServiceError: docker or its compose plugin is not installed, or no engine answers.
        """
        done = self._docker("version", "--format", "{{.Server.Version}}", timeout_s=_LOOK_S)
        if done.returncode:
            raise ServiceError(
                f"docker is installed, but no engine answers: {_said(done)}; start it, or {_ELSE} instead"
            )
        if self._docker("compose", "version", "--short", timeout_s=_LOOK_S).returncode:
            raise ServiceError(
                "docker is installed without its compose plugin: install it (package docker-compose-plugin or "
                f"docker-compose-v2), or {_ELSE} instead"
            )

    def up(self, *, patience_s: int = 300) -> None:
        """Make the containers and start them, and wait until both say that they are healthy.

        Raises:
            ServiceError: they do not come up; the message has the engine's words.
        """
        self._compose("up", "--detach", "--wait", "--wait-timeout", str(patience_s), timeout_s=patience_s + _STOP_S)

    def down(self) -> None:
        """Stop the containers and remove them; their data stay.

        Raises:
            ServiceError: the engine does not do it.
        """
        self._compose("down", timeout_s=_STOP_S)

    def containers(self) -> list[Container]:
        """The containers that there are, whether they run or not.

        Raises:
            ServiceError: the engine does not say.
        """
        text = self._compose("ps", "--all", "--format", "json", timeout_s=_LOOK_S)
        return [_container(row) for row in _rows(text)]

    def configuration(self) -> str:
        """The compose file with its values, as compose understood it. It holds secrets.

        Raises:
            ServiceError: compose does not accept it.
        """
        return self._compose("config", timeout_s=_LOOK_S)

    def _compose(self, *arguments: str, timeout_s: float) -> str:
        done = self._docker("compose", "--file", str(self._file), *arguments, timeout_s=timeout_s)
        if done.returncode:
            raise ServiceError(
                f"docker compose {arguments[0]} failed: {_said(done)}; see: docker compose "
                f"--project-name {self._environment.get('COMPOSE_PROJECT_NAME', '')} logs"
            )
        return done.stdout

    def _docker(self, *arguments: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
        program = shutil.which("docker", path=self._environment.get("PATH"))
        if program is None:
            raise ServiceError(f"docker is not installed: install it with its compose plugin, or {_ELSE} instead")
        try:
            return subprocess.run(
                [program, *arguments],
                check=False,
                capture_output=True,
                text=True,
                errors="replace",
                env=self._environment,
                stdin=subprocess.DEVNULL,
                timeout=timeout_s,
            )
        except subprocess.TimeoutExpired:
            raise ServiceError(
                f"docker {arguments[0]} gave no answer within {timeout_s:g} s; see that its engine is well, or {_ELSE} "
                "instead"
            ) from None


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """The last words of a command that failed."""
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return (
        lines[-1].removesuffix(" Is the docker daemon running?").rstrip(".")[:500]
        if lines
        else f"exit code {done.returncode}"
    )


def _rows(text: str) -> list[dict[str, Any]]:
    """What `ps --format json` wrote: one object per line, and in older versions one list."""
    values = [json.loads(line) for line in text.splitlines() if line.strip()]
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


def _container(row: Mapping[str, Any]) -> Container:
    texts = {key: str(row.get(key, "")) for key in ("Service", "State", "Health", "Status")}
    return Container(
        service=texts["Service"], state=texts["State"], health=texts["Health"], status=texts["Status"] or texts["State"]
    )
