"""A persistent child: imports an entry point once, then takes jobs one by one over a socket.

It is started by a keeper. Each line from the socket is one job as a JSON list; each line back is `["ready"]`,
`["unusable", reason]`, or `["done", number, outcome, exit_code, detail, summary]` of the job with that number.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from swf.core.errors import ConfigError
from swf.core.payload import PayloadJob
from swf.workload.entry import call, load


def serve(entry_point: str, channel: socket.socket) -> None:
    """Work until the socket closes."""
    printed = [os.dup(1), os.dup(2)]
    try:
        function = load(entry_point)
    except ConfigError as error:
        _send(channel, ["unusable", str(error)])
        return
    _send(channel, ["ready"])
    for line in _lines(channel):
        number, key, address, first, last, output, run, slice_name = json.loads(line)
        _forget(printed)
        job = PayloadJob(key=key, input=address, first=first, last=last, output=Path(output), run=run, slice=slice_name)
        ended = call(function, job)
        _flush()
        _send(channel, ["done", number, ended.outcome, ended.exit_code, ended.detail, ended.summary])


def _lines(channel: socket.socket) -> Iterator[bytes]:
    pending = b""
    while data := channel.recv(65_536):
        *lines, pending = (pending + data).split(b"\n")
        yield from lines


def _send(channel: socket.socket, message: list[object]) -> None:
    channel.sendall(json.dumps(message, separators=(",", ":"), check_circular=False).encode() + b"\n")


def _forget(printed: list[int]) -> None:
    """Empty the files of what is printed, so that they hold the present job's alone."""
    for fd in printed:
        with contextlib.suppress(OSError):  # the payload closed it
            if os.fstat(fd).st_size:
                os.ftruncate(fd, 0)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed or replaced by the payload
            stream.flush()


def main() -> None:
    """Arguments: the entry point, the socket's descriptor."""
    entry_point, fd = sys.argv[1:]
    with socket.socket(fileno=int(fd)) as channel:
        channel.set_inheritable(False)
        serve(entry_point, channel)


if __name__ == "__main__":
    main()
