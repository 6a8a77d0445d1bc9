"""Setting a working folder and its data directory up: what is not there is made, what is there stays as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import swf.deploy
from swf.core.errors import StorageError
from swf.deploy.compose import ServiceEnvironment
from swf.messaging.settings import STOMP_PORT
from swf.service import containers
from swf.service.control.local_servers import free_ports, is_free
from swf.service.workspace import Workspace

_TEMPLATES: Final = Path(swf.deploy.__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was made, and what was there and stays."""

    made: tuple[Path, ...]
    kept: tuple[Path, ...]


def prepare(folder: Path, workspace: Workspace, namespace: str) -> Prepared:
    """Set up: `testbed.toml` and `setup.sh` in the working folder; in the data directory its folders, and secrets and
    configuration of the servers that `testbed start` runs in containers.

    Raises:
        StorageError: something cannot be written.
        ConfigError: `service.env` is there and is wrong.
    """
    steps = _Steps()
    secret = containers.environment_file(workspace)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        steps.folder(workspace)
        steps.file(folder / "testbed.toml", _template("testbed.toml").replace("@namespace@", namespace))
        steps.file(folder / "setup.sh", _template("setup.sh"))
        environment = ServiceEnvironment.new(
            database_port=_port(containers.DATABASE_PORT), broker_port=_port(STOMP_PORT)
        )
        steps.file(secret, environment.text(containers.broker_folder(workspace)), mode=0o600)
        containers.lay_out_broker(workspace, containers.read_environment(workspace))
    except OSError as error:
        raise StorageError(f"{error.filename or folder} cannot be written: {error.strerror}; check who may") from error
    return Prepared(made=tuple(steps.made), kept=tuple(steps.kept))


class _Steps:
    def __init__(self) -> None:
        self.made: list[Path] = []
        self.kept: list[Path] = []

    def folder(self, workspace: Workspace) -> None:
        """The data directory."""
        (self.kept if workspace.logs.is_dir() else self.made).append(workspace.root)
        workspace.create()

    def file(self, path: Path, text: str, *, mode: int = 0o644) -> None:
        """A file, where there is none of its name."""
        try:
            path.touch(mode=mode, exist_ok=False)
        except FileExistsError:
            self.kept.append(path)
            return
        try:
            path.write_text(text, encoding="utf-8")
        except OSError:
            path.unlink()  # a beginning of it would be kept the next time
            raise
        self.made.append(path)


def _template(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _port(usual: int) -> int:
    """The usual port, or another one where somebody listens there already."""
    return usual if is_free(usual) else free_ports(1)[0]
