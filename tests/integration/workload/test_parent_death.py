"""Whatever ends the process that runs payloads ends them too."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from workbench import HERE, HeldPipe

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
sys.stdin.readline()
"""


@pytest.mark.parametrize("kind", ["entry", "command"])
@pytest.mark.parametrize("ending", ["kill", "leave"])
def test_payloads_and_their_forks_and_keepers_end_with_the_parent(tmp_path: Path, kind: str, ending: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    pipe = HeldPipe(tmp_path / "pipe")
    program = [sys.executable, "-c", PARENT.format(here=str(HERE)), str(tmp_path), kind]
    with subprocess.Popen(program, stdin=subprocess.PIPE) as parent:
        holders = pipe.holders(4)
        numbers = {number for pair in holders for number in pair} - {os.getpid()}
        assert len(numbers) == 6, "two payloads, their forks, and their keepers"
        watched = [os.pidfd_open(number) for number in numbers]
        if ending == "kill":
            parent.kill()
        else:
            parent.communicate(b"\n")
        pipe.wait_until_all_are_gone()
        for fd in watched:
            assert select.select([fd], [], [], 60)[0], "a process is left"
            os.close(fd)
        assert parent.wait() == (-signal.SIGKILL if ending == "kill" else 0)


def test_a_payload_ends_with_its_keeper(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    pipe = HeldPipe(tmp_path / "pipe")
    program = [sys.executable, "-c", PARENT.format(here=str(HERE)).replace("hold_with_a_fork", "hold"), str(tmp_path)]
    with subprocess.Popen([*program, "entry"], stdin=subprocess.PIPE) as parent:
        for payload, keeper in pipe.holders(2):
            watched = os.pidfd_open(payload)
            os.kill(keeper, signal.SIGKILL)
            assert select.select([watched], [], [], 60)[0], "the payload is left"
            os.close(watched)
        parent.kill()
    pipe.wait_until_all_are_gone()
