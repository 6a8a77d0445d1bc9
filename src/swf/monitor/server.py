"""The server of the monitor: one process, one port, an end in good order."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

import uvicorn

from swf.core.errors import BusyError, ConfigError
from swf.monitor.asgi import Application

GRACE_S: Final = 3
"""How long requests that are under way, and readers of live events, are waited for at the end."""
_HEADER_BYTES: Final = 32 * 1024


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: an address of this machine.
        port: 0 means any that is free.

    Raises:
        BusyError: another process listens there.
        ConfigError: it cannot be listened on.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BusyError(
                f"{host}:{port} is in use by another process: choose another --port, or 0 for any that is free"
            ) from error
        raise ConfigError(
            f"--host {host} --port {port}: cannot be listened on: {error.strerror or error}; expected an address of "
            "this machine"
        ) from error


def address_of(listener: socket.socket) -> str:
    """Where a socket listens, as browsers write it: `http://127.0.0.1:8080`."""
    host, port = listener.getsockname()[:2]
    parsed = ipaddress.ip_address(host)
    if parsed.is_unspecified:
        host = "127.0.0.1" if parsed.version == 4 else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """A server that says when it serves.

    Args:
        application: what answers.
        proxies: addresses that may say on whose behalf they ask.
        log: the configuration of Python's logging, to which the server writes.
        ready: called once it serves.
    """

    def __init__(
        self, application: Application, *, proxies: Sequence[str], log: dict[str, Any], ready: Callable[[], object]
    ) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http="h11",
                ws="none",
                lifespan="on",
                interface="asgi3",
                access_log=False,
                log_config=log,
                proxy_headers=bool(proxies),
                forwarded_allow_ips=list(proxies),
                server_header=False,
                h11_max_incomplete_event_size=_HEADER_BYTES,
                timeout_graceful_shutdown=GRACE_S,
                timeout_keep_alive=15,
            )
        )
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Readers of live events are told first: the server would wait for them.
        await self.lifespan.shutdown()
        await super().shutdown(sockets)

    def end(self) -> None:
        """Ask for the end; may be called from any thread."""
        self.should_exit = True
