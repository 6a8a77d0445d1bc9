"""A command ends and continues only what it has started itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from swf.core.errors import BusyError, ConfigError, IllegalMoveError
from swf.core.modes import Mode
from swf.core.times import ManualClock
from swf.service.control.agents import Crew
from swf.service.control.start import StartedBy, StartOrder, refuse_unless_startable
from swf.service.control.stop import Stopped, stop_all
from swf.service.service_file import write_service_file
from swf.service.settings import ServiceSection
from swf.service.workspace import Workspace


def _order(workspace: Workspace, by: StartedBy) -> StartOrder:
    crew = Crew(roles=(), workflow="stf_datataking", config=None)
    return StartOrder(workspace=workspace, by=by, crew=crew, django_apps=())


def _written(tmp_path: Path, by: str) -> Workspace:
    workspace = Workspace(root=tmp_path)
    write_service_file(workspace.service_file, {ServiceSection: {"mode": Mode.SERVICE, "by": by}})
    return workspace


@pytest.mark.parametrize("wrote", list(StartedBy))
@pytest.mark.parametrize("asks", list(StartedBy))
def test_only_the_command_that_started_goes_on_and_only_its_counterpart_ends(
    tmp_path: Path, wrote: StartedBy, asks: StartedBy
) -> None:
    workspace = _written(tmp_path, wrote.value)
    if wrote is asks:
        refuse_unless_startable(_order(workspace, asks))
        stopped = stop_all(workspace, asks, clock=ManualClock(), tell=print)
        assert stopped == Stopped(programs=(), was_in_service=True)
        assert not workspace.service_file.exists()
        return
    advice = f"were started with `testbed {wrote}`; end them first with: {wrote.reversed_by}"
    with pytest.raises(IllegalMoveError, match=advice):
        refuse_unless_startable(_order(workspace, asks))
    with pytest.raises(IllegalMoveError, match=advice):
        stop_all(workspace, asks, clock=ManualClock(), tell=print)
    assert workspace.service_file.exists()


def test_a_file_that_somebody_wrote_by_hand_is_left_to_them(tmp_path: Path) -> None:
    workspace = _written(tmp_path, "")
    with pytest.raises(IllegalMoveError, match="was not written by a command that starts services"):
        stop_all(workspace, StartedBy.UP, clock=ManualClock(), tell=print)
    assert workspace.service_file.exists()


def test_a_file_that_is_broken_is_named(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    workspace.service_file.write_text("[service]\nby = 7\n")
    with pytest.raises(ConfigError, match=r"service\.toml: \[service\] by: not what testbed writes there"):
        stop_all(workspace, StartedBy.UP, clock=ManualClock(), tell=print)


def test_beside_a_run_in_embedded_mode_nothing_is_started(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path)
    with workspace.locked(), pytest.raises(BusyError, match="runs in embedded mode"):
        refuse_unless_startable(_order(workspace, StartedBy.UP))


def test_where_nothing_is_there_nothing_is_stopped_and_nothing_is_made(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path / "none")
    stopped = stop_all(workspace, StartedBy.UP, clock=ManualClock(), tell=print)
    assert stopped == Stopped(programs=(), was_in_service=False)
    assert not workspace.root.exists()
