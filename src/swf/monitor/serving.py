"""Serving the monitor until it is asked to end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import IO, Any

from django.contrib.sessions.models import Session

from swf.monitor.logging_bridge import logging_configuration
from swf.monitor.root import MonitorOrder, application
from swf.monitor.server import Server


def serve(
    order: MonitorOrder, listener: socket.socket, *, ready: Callable[[], object], end_with: IO[Any] | None = None
) -> None:
    """Serve until a signal comes: requests that are under way are answered, and live events end.

    Args:
        order: what is served; Django is set up for it.
        listener: where requests come in.
        ready: called once it serves.
        end_with: it ends as well when the other side closes this stream, as it does when it is killed.
    """
    # Logins that are over stay in the table until somebody removes them.
    Session.objects.filter(expire_date__lt=order.clock.now()).delete()
    with application(order) as (app, log):
        server = Server(
            app,
            proxies=order.installation.monitor.proxies,
            log=logging_configuration(log),
            ready=ready,
        )
        if end_with is not None:
            threading.Thread(target=_end_with, args=(end_with, server), daemon=True).start()
        log.info("monitor.starts", address=str(listener.getsockname()[:2]), mode=str(order.installation.mode))
        server.run(sockets=[listener])
        log.info("monitor.ended")


def _end_with(stream: IO[Any], server: Server) -> None:
    """Wait for the end of a stream, and then end the server."""
    while stream.read(1024):
        pass
    server.end()
