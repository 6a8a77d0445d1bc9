"""One look at the broker: whether it is there and lets us in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from swf.core.errors import ServiceError
from swf.messaging.settings import BusSection
from swf.messaging.stomp.access import Endpoint, access
from swf.messaging.stomp.dial import Trouble, dial


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look at one broker found; `trouble` is empty where it let us in."""

    endpoint: Endpoint
    trouble: str


def probe(settings: BusSection) -> list[Seen]:
    """Open a connection to each of the brokers, once, and close it.

    Raises:
        ConfigError: a setting is missing or cannot be right.
        ServiceError: no broker let us in; the message says of each why.
    """
    seen = asyncio.run(_probe(settings))
    if all(each.trouble for each in seen):
        raise ServiceError("; ".join(each.trouble for each in seen))
    return seen


async def _probe(settings: BusSection) -> list[Seen]:
    way_in = access(settings)
    seen = []
    for endpoint in way_in.endpoints:
        outcome = await dial(endpoint, way_in)
        if isinstance(outcome, Trouble):
            seen.append(Seen(endpoint=endpoint, trouble=outcome.text))
        else:
            outcome.lose("only looked")
            seen.append(Seen(endpoint=endpoint, trouble=""))
    return seen
