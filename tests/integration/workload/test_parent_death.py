"""Whatever ends the process that runs payloads ends them too."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from workbench import HERE, PATIENCE_S, HeldPipe

from swf.workload.kept import Kept

PARENT = """
import os, signal, sys, threading
from pathlib import Path
sys.path.insert(0, {here!r})
from workbench import Workbench, entry, python
from swf.core.times import SystemClock

spec = entry("hold_with_a_fork") if sys.argv[2] == "entry" else python("hold_with_a_fork")
at = Workbench(spec, 2, SystemClock(), Path(sys.argv[1]))
for key in "abc":
    at.submit(key, address=str(at.pipe))
if sys.argv[3] == "kill-but-a-fork":
    sys.stdin.readline()
    fork = os.fork()
    if fork == 0:
        signal.pause()
    print(fork, flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("kind", ["entry", "command"])
@pytest.mark.parametrize("ending", ["kill", "leave", "kill-but-a-fork"])
def test_payloads_and_their_forks_and_keepers_end_with_the_parent(tmp_path: Path, kind: str, ending: str) -> None:
    """`kill-but-a-fork`: a fork of the parent goes on holding all its sockets, so that none closes."""
    os.mkfifo(tmp_path / "pipe")
    pipe = HeldPipe(tmp_path / "pipe")
    program = [sys.executable, "-c", PARENT.format(here=str(HERE)), str(tmp_path), kind, ending]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        holders = pipe.holders(4)
        numbers = {number for pair in holders for number in pair} - {os.getpid()}
        assert len(numbers) == 6, "two payloads, their forks, and their keepers"
        watched = [os.pidfd_open(number) for number in numbers]
        fork = None
        if ending == "kill-but-a-fork":
            parent.stdin.write(b"\n")
            parent.stdin.flush()
            fork = int(parent.stdout.readline())
        if ending == "leave":
            parent.communicate(b"\n")
        else:
            parent.kill()
        try:
            pipe.wait_until_all_are_gone()
            for fd in watched:
                assert select.select([fd], [], [], PATIENCE_S)[0], "a process is left"
                os.close(fd)
        finally:
            if fork is not None:
                os.kill(fork, signal.SIGKILL)
        assert parent.wait() == (0 if ending == "leave" else -signal.SIGKILL)


def test_a_keeper_and_its_payload_end_when_its_socket_closes(tmp_path: Path) -> None:
    """The parent lives on, so that no signal comes: as on systems that send none."""
    os.mkfifo(tmp_path / "pipe")
    pipe = HeldPipe(tmp_path / "pipe")
    kept = Kept(tmp_path / "slot", 1000, os.environ)
    kept.run([sys.executable, str(HERE / "misbehaving.py"), "hold_with_a_fork", str(tmp_path / "pipe"), "-"])
    pipe.holders(2)
    kept.channel.close()
    try:
        pipe.wait_until_all_are_gone()
    finally:
        kept.kill()
        kept.close()


def test_a_payload_ends_with_its_keeper(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    pipe = HeldPipe(tmp_path / "pipe")
    program = [sys.executable, "-c", PARENT.format(here=str(HERE)).replace("hold_with_a_fork", "hold"), str(tmp_path)]
    with subprocess.Popen([*program, "entry", "kill"], stdin=subprocess.PIPE) as parent:
        for payload, keeper in pipe.holders(2):
            watched = os.pidfd_open(payload)
            os.kill(keeper, signal.SIGKILL)
            assert select.select([watched], [], [], PATIENCE_S)[0], "the payload is left"
            os.close(watched)
        parent.kill()
    pipe.wait_until_all_are_gone()
