"""Keeps one session with the broker open, for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import cycle
from typing import Final, Protocol

from swf.core.errors import ServiceError
from swf.messaging.stomp.access import Access
from swf.messaging.stomp.dial import Trouble, dial
from swf.messaging.stomp.session import OnMessage, Session
from swf.messaging.stomp.status import LinkStatus

SHORT_LIVED_S: Final = 1.0
"""A session that was lost sooner counts as a failure: what lets us in and throws us out is not to be rushed."""
FIRST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_REFUSED_S = 0.05, 0.8, 10.0


class OnEvent(Protocol):
    """Called on the bus's thread with the name of what happened and its fields; must not wait."""

    def __call__(self, event: str, **fields: object) -> None: ...


def pause_s(failures: int, refused: bool, chance: float) -> float:
    """How long to wait before the next attempt after so many failures in a row; `chance` is from 0 to 1.

    A broker that is back is found within a second. One that refuses us stays so until somebody changes something.
    """
    if failures == 0:
        return 0.0
    longest = LONGEST_PAUSE_REFUSED_S if refused else LONGEST_PAUSE_S
    return min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 20), longest) * (0.5 + 0.5 * chance)


class Link:
    """One connection that comes back. Lives on the bus's thread."""

    def __init__(
        self,
        purpose: str,
        access: Access,
        *,
        on_open: Callable[[Session], Awaitable[None]],
        on_message: OnMessage,
        on_lost: Callable[[], None],
        on_event: OnEvent,
        chance: Callable[[], float],
    ) -> None:
        self._purpose = purpose
        self._access = access
        self._endpoints = cycle(access.endpoints)
        self._on_open = on_open
        self._on_message = on_message
        self._on_lost = on_lost
        self._on_event = on_event
        self._chance = chance
        self._tried = asyncio.Event()
        self._session: Session | None = None
        self._trouble = Trouble(text="")
        self._server = str(access.endpoints[0])
        self._connections = 0
        self._closing = False

    async def serve(self) -> None:
        """Connect, stay connected, connect again; until `close`."""
        failures = 0
        while not self._closing:
            connections = self._connections
            await asyncio.sleep(pause_s(failures, self._trouble.refused, self._chance()))
            began = asyncio.get_running_loop().time()
            try:
                outcome = await dial(next(self._endpoints), self._access)
                if isinstance(outcome, Session):
                    outcome = await self._use(outcome)
            except Exception as error:  # noqa: BLE001 - the loop boundary: whatever it was, we connect again
                outcome = Trouble(text=f"an unforeseen error on the connection: {error!r}")
            lived = self._connections > connections and asyncio.get_running_loop().time() - began >= SHORT_LIVED_S
            failures = 0 if lived else failures + 1
            self._note(outcome)

    async def session(self) -> Session:
        """The open session; at the start, it waits for the first attempt to end.

        Raises:
            ServiceError: there is no connection now.
        """
        await self._tried.wait()
        if self._session is None:
            raise ServiceError(f"no connection to the broker: {self._trouble.text}")
        return self._session

    async def close(self, timeout_s: float) -> None:
        """End the session in good order, and open no other."""
        self._closing = True
        if self._session is not None:
            await self._session.close(timeout_s)

    def status(self) -> LinkStatus:
        """The connection at this moment."""
        return LinkStatus(
            connected=self._session is not None and self._session.is_open,
            server=self._server,
            trouble=self._trouble.text,
            connections=self._connections,
        )

    @property
    def receipts_outstanding(self) -> int:
        """Requests that were sent and not confirmed yet."""
        return self._session.receipts_outstanding if self._session is not None else 0

    async def _use(self, session: Session) -> Trouble:
        """Use a session until it is lost. Returns how that came."""
        listening = asyncio.create_task(session.listen(self._on_message))
        self._session, self._server, self._trouble = session, session.server, Trouble(text="")
        self._connections += 1
        self._on_event("broker_connected", purpose=self._purpose, server=session.server, connections=self._connections)
        try:
            await self._on_open(session)
            self._tried.set()
            reason = await listening
        finally:
            session.lose("given up")
            listening.cancel()
            self._session = None
            self._on_lost()
        return Trouble(text=f"the connection to {session.server} was lost: {reason}")

    def _note(self, trouble: Trouble) -> None:
        if trouble != self._trouble and not self._closing:
            self._on_event("broker_lost", purpose=self._purpose, reason=trouble.text, refused=trouble.refused)
        self._trouble = trouble
        self._tried.set()
