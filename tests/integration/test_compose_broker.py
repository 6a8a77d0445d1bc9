"""The broker's command in the compose file starts a broker from the folder that `testbed init` makes."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
import yaml

from services.activemq import NEEDED, installed, pause
from services.postgres import free_port
from swf.core.errors import ServiceError
from swf.deploy.activemq import find_program
from swf.deploy.compose.engine import COMPOSE_FILE
from swf.messaging.settings import BusSection
from swf.service import containers
from swf.service.setup import prepare
from swf.service.workspace import Workspace

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
from swf.messaging.stomp import probe

pytestmark = pytest.mark.skipif(not installed(), reason=NEEDED)

PATIENCE_S = 60.0


def test_a_broker_starts_from_its_folder(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path / "swf-data")
    prepare(tmp_path, workspace, "testbed")
    environment = containers.read_environment(workspace)
    folder = containers.broker_folder(workspace)
    # In the container it has the port to itself, and is reached from outside it.
    values = folder / "conf" / "broker.properties"
    port = free_port()
    text = values.read_text()
    assert "swf.port.stomp=61613\n" in text
    assert "swf.host=0.0.0.0\n" in text
    values.write_text(text.replace("61613", str(port)).replace("0.0.0.0", "127.0.0.1"))
    program = find_program()
    assert program is not None
    entrypoint = yaml.safe_load(COMPOSE_FILE.read_text())["services"]["activemq"]["entrypoint"]
    command = [
        str(part).replace("/opt/apache-activemq", str(program.home)).replace("/broker/", f"{folder}/").replace(
            "=/broker", f"={folder}"
        )
        for part in entrypoint
    ]  # fmt: skip
    settings = BusSection.model_validate({**environment.bus(), "port": port})
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not _lets_us_in(settings):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            pause()
        wrong = settings.model_copy(update={"user": "monitor"})
        with pytest.raises(ServiceError, match="refused user 'monitor'"):
            probe(wrong)
    finally:
        process.terminate()
        process.wait(30)
    assert (folder / "data" / "kahadb").is_dir()


def _lets_us_in(settings: BusSection) -> bool:
    try:
        probe(settings)
    except ServiceError:
        return False
    return True
