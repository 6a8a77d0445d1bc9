"""The platform of a process: what its agents are given, opened once and closed in order."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from swf.core.effects import Boundary, no_boundary
from swf.core.ids import IdSource, Uuid7Source
from swf.core.times import Clock, SystemClock
from swf.messaging.bus import Bus
from swf.messaging.embedded import EmbeddedBus
from swf.messaging.settings import BusSection
from swf.service.io_pool import IoPool
from swf.service.logs import Log, LogSink
from swf.service.workspace import Workspace

if TYPE_CHECKING:
    from swf.messaging.stomp import StompBus

IO_THREADS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What is shared by all agents of one process."""

    workspace: Workspace
    namespace: str
    user: str
    clock: Clock
    ids: IdSource
    bus: Bus
    io: IoPool
    wake: threading.Event
    sink: LogSink
    scratch: Path
    """Where this process, and no other, may leave working files."""
    boundary: Boundary


@contextmanager
def embedded(
    workspace: Workspace, namespace: str, user: str, *, app_name: str, boundary: Boundary = no_boundary
) -> Iterator[Platform]:
    """The platform of the one process that runs agents in a data directory. Its store is open already.

    Raises:
        BusyError: another process runs agents there.
    """
    clock, wake = SystemClock(), threading.Event()
    with workspace.locked(), _opened(workspace, app_name, clock, wake) as (sink, io):
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
            scratch=workspace.scratch,
            boundary=boundary,
        )


@contextmanager
def service(
    workspace: Workspace,
    namespace: str,
    user: str,
    *,
    app_name: str,
    broker: BusSection,
    prefetch: Mapping[str, int],
    boundary: Boundary = no_boundary,
    echo: Callable[[str], None] = lambda line: None,
    clock: Clock,
) -> Iterator[tuple[Platform, StompBus]]:
    """The platform of a process that runs one agent beside others, and its connections to the broker. Its store is open
    already; a broker that does not answer yet is waited for meanwhile.

    Args:
        app_name: the agent's name, which no other process has: its log and its scratch folder are called so.
        prefetch: how many messages of a work queue a role holds.
        echo: gets each log line, for a person who watches.
        clock: the one that all processes of the testbed go by.

    Raises:
        ConfigError: the settings of the broker cannot be right.
    """
    # What speaks to a broker is an extra: embedded mode needs none of it.
    from swf.messaging.stomp import StompBus

    wake = threading.Event()
    scratch = workspace.scratch / app_name
    # What a killed process of this name had there is nobody's any more.
    shutil.rmtree(scratch, ignore_errors=True)
    with _opened(workspace, app_name, clock, wake, echo) as (sink, io):
        # Events of the bus come from its own thread: they wait in the log like any other line.
        log: Log = sink.logger("bus", namespace=namespace)
        with StompBus(broker, on_ready=wake.set, on_event=log.info, prefetch=prefetch) as bus:
            platform = Platform(
                workspace=workspace,
                namespace=namespace,
                user=user,
                clock=clock,
                ids=Uuid7Source(clock),
                bus=bus,
                io=io,
                wake=wake,
                sink=sink,
                scratch=scratch,
                boundary=boundary,
            )
            yield platform, bus


@contextmanager
def _opened(
    workspace: Workspace,
    app_name: str,
    clock: Clock,
    wake: threading.Event,
    echo: Callable[[str], None] = lambda line: None,
) -> Iterator[tuple[LogSink, IoPool]]:
    sink = LogSink(workspace.logs / f"{app_name}.log", app_name, clock, echo)
    io = IoPool(IO_THREADS, wake.set)
    try:
        yield sink, io
    finally:
        io.close()
        sink.close()
