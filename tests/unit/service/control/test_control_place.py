"""Where the socket of a supervisord lies, who may start and stop, and what a killed one leaves behind."""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from swf.core.errors import BusyError
from swf.service.control.orphans import Orphan, find_orphans, heads, runs
from swf.service.control.place import SOCKET_PATH_BYTES, ControlPlace, fits


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files, short enough for sockets."""
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    return tmp_path


def _place(root: Path) -> ControlPlace:
    root.mkdir(parents=True)
    return ControlPlace(root=root)


def test_the_socket_lies_in_the_data_directory_and_only_its_owner_comes_there(temporary: Path) -> None:
    place = _place(temporary / "d")
    assert place.create() == Path("supervisor/supervisor.sock")
    assert place.socket() == temporary / "d" / "supervisor" / "supervisor.sock"
    assert place.folder.stat().st_mode & 0o777 == 0o700


def test_a_data_directory_behind_a_symbolic_link_is_the_same_one(temporary: Path) -> None:
    place = _place(temporary / "d")
    (temporary / "link").symlink_to(temporary / "d")
    assert ControlPlace(root=temporary / "link").socket() == place.socket()


def test_where_the_path_is_too_long_the_socket_lies_in_a_private_folder_that_is_remembered(temporary: Path) -> None:
    place = _place(temporary / ("x" * 120))
    socket = place.create()
    assert socket.is_absolute()
    assert fits(socket)
    assert socket.parent.stat().st_mode & 0o777 == 0o700
    assert place.socket() == place.create() == ControlPlace(root=place.root).socket() == socket
    place.forget_socket()
    assert not socket.parent.exists()


def test_a_folder_that_others_may_enter_by_now_is_not_trusted(temporary: Path) -> None:
    place = _place(temporary / ("x" * 120))
    first = place.create()
    first.parent.chmod(0o777)
    second = place.create()
    assert second != first
    first.parent.rmdir()
    place.forget_socket()


def test_a_path_fits_where_supervisord_can_add_its_pid() -> None:
    longest = SOCKET_PATH_BYTES - len(".4194304")
    assert fits(Path("/" + "x" * (longest - 1)))
    assert not fits(Path("/" + "x" * longest))
    assert not fits(Path("/" + "é" * (longest // 2 + 1))), "bytes count, not letters"


def test_one_command_at_a_time_starts_and_stops(temporary: Path) -> None:
    place = _place(temporary / "d")
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(place.root, held, done))
    other.start()
    assert held.wait(60)
    with pytest.raises(BusyError, match="another command starts or stops the services of"), place.locked():
        pass
    done.set()
    other.join(60)
    with place.locked():
        pass


def _hold(root: Path, held: Event, done: Event) -> None:
    with ControlPlace(root=root).locked():
        held.set()
        done.wait(60)


def test_orphans_are_those_with_the_mark_of_this_socket(tmp_path: Path) -> None:
    ours = b"PATH=/bin\0SUPERVISOR_SERVER_URL=unix:///d/s.sock\0SUPERVISOR_PROCESS_NAME=data-agent\0"
    _process(tmp_path, 70, parent=1, environ=ours)
    _process(tmp_path, 71, parent=70, environ=ours)
    _process(tmp_path, 72, parent=1, environ=ours.replace(b"/d/", b"/other/"))
    _process(tmp_path, 73, parent=1, environ=b"")
    (tmp_path / "self").mkdir()
    found = find_orphans(Path("/d/s.sock"), tmp_path)
    assert found == [
        Orphan(pid=70, parent=1, name="data-agent"),
        Orphan(pid=71, parent=70, name="data-agent"),
    ]
    assert [orphan.pid for orphan in heads(found)] == [70]


def test_a_process_that_nobody_has_reaped_does_not_run(tmp_path: Path) -> None:
    _process(tmp_path, 70, parent=1, environ=b"", state="Z")
    _process(tmp_path, 71, parent=1, environ=b"", state="S")
    assert [runs(pid, tmp_path) for pid in (70, 71, 72)] == [False, True, False]


def _process(proc: Path, pid: int, *, parent: int, environ: bytes, state: str = "S") -> None:
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "environ").write_bytes(environ)
    (folder / "stat").write_text(f"{pid} (a) b c) {state} {parent} 0 0")
