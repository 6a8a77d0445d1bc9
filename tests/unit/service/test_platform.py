"""The platform of a process that runs one agent."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from swf.core.times import SystemClock
from swf.messaging.settings import BusSection
from swf.service.workspace import Workspace

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
from swf.service.platform import service


def test_what_a_killed_process_left_in_its_scratch_folder_goes_and_that_of_others_stays(
    store: Path, tmp_path: Path
) -> None:
    workspace = Workspace(root=tmp_path / "data")
    workspace.create()
    left, of_another = (workspace.scratch / name / "pool-0" / "stdout" for name in ("worker-1", "worker-2"))
    for path in (left, of_another):
        path.parent.mkdir(parents=True)
        path.touch()
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    broker = BusSection.model_validate({"port": port, "user": "agent", "password": "a password of a test"})
    with service(workspace, "testbed", "ann", app_name="worker-1", broker=broker, prefetch={}, clock=SystemClock()) as (
        platform,
        _,
    ):
        assert platform.scratch == workspace.scratch / "worker-1"
        assert not left.exists()
        assert of_another.exists()
