"""The platform of a process in embedded mode: what its agents are given, opened once and closed in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from swf.core.effects import Boundary, no_boundary
from swf.core.ids import IdSource, Uuid7Source
from swf.core.times import Clock, SystemClock
from swf.messaging.embedded import EmbeddedBus
from swf.service.io_pool import IoPool
from swf.service.logs import LogSink
from swf.service.workspace import Workspace

IO_THREADS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What is shared by all agents of one process."""

    workspace: Workspace
    namespace: str
    user: str
    clock: Clock
    ids: IdSource
    bus: EmbeddedBus
    io: IoPool
    wake: threading.Event
    sink: LogSink
    boundary: Boundary


@contextmanager
def embedded(
    workspace: Workspace, namespace: str, user: str, *, app_name: str, boundary: Boundary = no_boundary
) -> Iterator[Platform]:
    """The platform of the one process that runs agents in a data directory. Its store is open already.

    Raises:
        BusyError: another process runs agents there.
    """
    clock = SystemClock()
    wake = threading.Event()
    with workspace.locked():
        sink = LogSink(workspace.logs / f"{app_name}.log", app_name, clock)
        io = IoPool(IO_THREADS, wake.set)
        try:
            yield Platform(
                workspace=workspace,
                namespace=namespace,
                user=user,
                clock=clock,
                ids=Uuid7Source(clock),
                bus=EmbeddedBus(clock),
                io=io,
                wake=wake,
                sink=sink,
                boundary=boundary,
            )
        finally:
            io.close()
            sink.close()
