"""What the broker itself takes and gives, with receipts and acknowledgements: the ceiling of anything built on it."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.figures import WrongRunError
from benchmarks.processes import measure

if TYPE_CHECKING:
    from swf.messaging.bus import Wire
    from swf.messaging.settings import BusSection

_NAMESPACE: Final = "ceiling"
_BATCH, _HELD = 500, 400
_LIMIT_S: Final = 120.0


def ceiling(bus: BusSection, folder: Path, messages: int) -> dict[str, float]:
    """Requests for slices a second, through one queue: published by one process, in the windows that agents use,
    consumed by another."""
    settings = folder / "bus.json"
    settings.touch(mode=0o600)
    secret = {"user": bus.user, "password": bus.password.get_secret_value()}
    settings.write_text(json.dumps({"host": bus.host, "port": bus.port, **secret}), encoding="utf-8")
    with ThreadPoolExecutor(2) as pool:
        ways = ("ceiling:consume", "ceiling:publish")
        consumed, published = pool.map(
            lambda way: measure(way, folder, settings=str(settings), messages=messages), ways
        )
    return {
        "published_per_s": messages / (published["last"] - published["first"]),
        "per_s": messages / (consumed["last"] - published["first"]),
        "bytes": published["bytes"],
    }


def publish(*, folder: Path, settings: str, messages: int) -> dict[str, float]:
    """Publish requests; when that began, and when the broker had confirmed the last of them."""
    from swf.messaging.stomp import StompBus

    del folder
    wires = _wires(messages)
    with StompBus(_section(settings)) as bus:
        first = time.monotonic()
        for start in range(0, messages, _BATCH):
            bus.publish(wires[start : start + _BATCH])
        last = time.monotonic()
    return {"first": first, "last": last, "bytes": sum(len(wire.body) for wire in wires) / messages}


def consume(*, folder: Path, settings: str, messages: int) -> dict[str, float]:
    """Take so many messages and acknowledge them; when the last had come."""
    from swf.epic.messages import SLICE_QUEUE, Slice
    from swf.messaging.bus import Subscription
    from swf.messaging.stomp import StompBus

    del folder
    wake, left, deadline = threading.Event(), messages, time.monotonic() + _LIMIT_S
    subscription = Subscription(
        namespace=_NAMESPACE, role="worker", destination=SLICE_QUEUE, types=frozenset({Slice.msg_type})
    )
    with StompBus(_section(settings), on_ready=wake.set, prefetch={"worker": _HELD}) as bus:
        bus.subscribe(subscription)
        while left:
            wake.clear()
            deliveries = bus.receive(subscription, _BATCH)
            bus.ack(deliveries)
            left -= len(deliveries)
            if not deliveries and not wake.wait(deadline - time.monotonic()):
                raise WrongRunError(f"{left} of {messages} messages have not come within {_LIMIT_S:.0f} s")
        return {"last": time.monotonic()}


def _section(settings: str) -> BusSection:
    from swf.messaging.settings import BusSection

    return BusSection.model_validate(json.loads(Path(settings).read_bytes()))


def _wires(number: int) -> list[Wire]:
    """Requests like those that the fast-processing agent sends."""
    from swf.core.codec import encode
    from swf.core.ids import Uuid7Source
    from swf.core.messages import Envelope
    from swf.core.times import SystemClock
    from swf.epic.messages import SLICE_QUEUE, Slice
    from swf.epic.names import slice_name, stf_name
    from swf.messaging.bus import Wire

    clock = SystemClock()
    ids = Uuid7Source(clock)
    wires = []
    for index in range(number):
        stf = stf_name(1, index // 15 + 1)
        fields: dict[str, Any] = {"state": "run", "substate": "physics", "filename": stf, "start": 100, "end": 106}
        body = Slice(
            run_id=1,
            execution_id="fast_processing-bench-0001",
            slice_id=index % 15,
            tf_filename=slice_name(stf, index % 15),
            tf_count=7,
            req_id=ids.new(),
            attempt=1,
            **fields,
        )
        envelope = Envelope(
            message_id=ids.new(),
            namespace=_NAMESPACE,
            sender="fast_processing-agent-bench-1",
            sender_seq=index + 1,
            created_at=clock.now(),
        )
        wires.append(
            Wire(
                message_id=envelope.message_id,
                namespace=_NAMESPACE,
                destination=SLICE_QUEUE,
                msg_type=body.msg_type,
                run_number=1,
                body=encode(envelope, body),
            )
        )
    return wires
