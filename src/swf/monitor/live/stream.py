"""The address of live events: `GET /api/v1/events/stream`."""

from __future__ import annotations

import asyncio
import json
from typing import Final

from swf.core.errors import QuestionError, SwfError
from swf.monitor.asgi import Receive, Scope, Send
from swf.monitor.live.asked import asked
from swf.monitor.live.feed import EventFeed, Reader
from swf.monitor.live.frames import GREETING, MEDIA_TYPE
from swf.store import database
from swf.web.access import Access
from swf.web.asgi_access import access_in
from swf.web.problems import MEDIA_TYPE as PROBLEM_TYPE
from swf.web.problems import Problem, problem, problem_of

PATH: Final = "/api/v1/events/stream"
AGAIN_S: Final = 5
"""When who is refused for now should come again."""
LOOK_S: Final = 60.0
"""How often is seen whether a reader still may see what it sees."""


class EventStream:
    """An ASGI application: each request is a reader of the feed until one side ends it.

    Args:
        feed: what is read.
        look_s: how often is seen whether a reader still may see what it sees.
    """

    def __init__(self, feed: EventFeed, *, look_s: float = LOOK_S) -> None:
        self._feed = feed
        self._look_s = look_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["swf.route"] = PATH
        wrong: dict[str, object] = {}
        try:
            access = await access_in(scope)
            scope["swf.user"] = access.who
            refusal = _refusal(scope, access)
            if refusal is None:
                header = _header(scope, b"last-event-id")
                wish = asked(scope["query_string"].decode("latin-1"), header, access)
                reader = await self._feed.join(wish.wanted, wish.after)
        except SwfError as error:
            refusal, wrong = problem_of(error), _wrong(error)
        except database.FAILURES:
            refusal = problem(503, "the database does not answer; come again later")
        if refusal is not None:
            await _refuse(refusal, wrong, send)
            return
        try:
            await self._serve(reader, access, scope, receive, send)
        finally:
            self._feed.leave(reader)

    async def _serve(self, reader: Reader, access: Access, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the reader is gone, is too slow, may see other things than before, or the monitor ends."""
        sending = asyncio.create_task(self._send(reader, send))
        until = {
            asyncio.create_task(_gone(receive)),
            asyncio.create_task(self._changed(access, scope)),
            asyncio.create_task(reader.over.wait()),
        }
        try:
            await asyncio.wait({sending, *until}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, *until):
                task.cancel()
            await asyncio.gather(sending, *until, return_exceptions=True)
        if not sending.cancelled() and (error := sending.exception()) is not None:
            raise error
        if not reader.too_slow:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, reader: Reader, send: Send) -> None:
        headers = [
            (b"content-type", f"{MEDIA_TYPE}; charset=utf-8".encode()),
            (b"cache-control", b"no-store"),
            # Proxies keep nothing back.
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": GREETING, "more_body": True})
        while True:
            piece = await reader.next()
            if not piece.data:
                return
            try:
                async with asyncio.timeout(self._feed.limits.stall_s):
                    await send({"type": "http.response.body", "body": piece.data, "more_body": True})
            except TimeoutError:
                self._feed.drop(reader)
                return
            reader.took(piece)

    async def _changed(self, access: Access, scope: Scope) -> None:
        """Returns when who reads may see other things than at the beginning: its token was revoked, say."""
        while True:
            await asyncio.sleep(self._look_s)
            try:
                if await access_in(scope) != access:
                    return
            except database.FAILURES:
                continue


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _refusal(scope: Scope, access: Access) -> Problem | None:
    if scope["method"] != "GET":
        return problem(405, "live events are read: use GET")
    if not access.known:
        return problem(401, "log in, or send the header Authorization: Bearer TOKEN")
    if not access.grants:
        return problem(403, f"{access.who} may see nothing yet; an administrator can grant a role")
    return None


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _wrong(error: SwfError) -> dict[str, object]:
    """Which value is wrong, as REST says it."""
    if not isinstance(error, QuestionError):
        return {}
    return {"errors": [{"in": "query", "name": error.field, "problem": error.problem}]}


async def _refuse(what: Problem, more: dict[str, object], send: Send) -> None:
    body = json.dumps(what.as_json() | more).encode()
    headers = [(b"content-type", PROBLEM_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    if what.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="swf-testbed"'))
    if what.status == 405:
        headers.append((b"allow", b"GET"))
    if what.status == 503:
        headers.append((b"retry-after", str(AGAIN_S).encode()))
    await send({"type": "http.response.start", "status": what.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
