"""A PanDA worker for tests, written from what real ones do on the wire: it takes one slice at a time, publishes what
came of it, and acknowledges after that."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from panda_messages import panda_result
from services.activemq import ActiveMq
from services.stomp_client import Frame

SLICES, RESULTS = "/queue/panda.slices.transformer", "/topic/panda.results"

Request = dict[str, Any]
Act = Callable[[Request], list[dict[str, Any]]]
"""What a worker says of a slice that it was given: one message, several, or none."""


def done(request: Request, **changes: Any) -> dict[str, Any]:
    """A slice was processed."""
    said = {"requested_at": request["created_at"], "run_id": request["run_id"]}
    return panda_result(request["content"], **said | changes)


def failed(request: Request, **changes: Any) -> dict[str, Any]:
    """It could not be; nothing of the slice is repeated."""
    return done(request, done=False, error="no such image", **changes)


class PandaWorker:
    """One worker of a run, on a thread of its own, until it is left."""

    def __init__(self, broker: ActiveMq, namespace: str, run: int, act: Act) -> None:
        self.given: list[Request] = []
        """The slices that it was given, in their order."""
        self.headers: list[dict[str, str]] = []
        self._namespace = namespace
        self._run = run
        self._act = act
        self._publisher = broker.client("worker")
        self._slices = broker.client("worker", timeout_s=300.0)
        self._slices.subscribe(
            SLICES,
            ack="client-individual",
            selector=f"namespace='{namespace}' AND (run_id = '{run}')",
            durable="False",
            **{"activemq.prefetchSize": "1"},
        )
        self._trouble: list[BaseException] = []
        self._leaves = threading.Event()
        self._thread = threading.Thread(target=self._work, name="panda-worker", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaves.set()
        self._slices.hang_up()
        self._thread.join(20.0)
        for client in (self._slices, self._publisher):
            client.close()
        assert not self._thread.is_alive()
        assert self._trouble == []

    def says(self, message: dict[str, Any]) -> None:
        """Publish a result, as its publisher does."""
        headers = {
            "persistent": "true",
            "ttl": "43200000",
            "vo": "eic",
            "msg_type": "slice_result",
            "run_id": str(self._run),
            "namespace": self._namespace,
            "client-id": "torre1.ResultPublisher.wn7.0a1b2c3d",
            "ack": "auto",
        }
        self._publisher.send(RESULTS, json.dumps(message), **headers)

    def _work(self) -> None:
        try:
            while True:
                self._take(self._slices.receive())
        except OSError as error:
            if not self._leaves.is_set():
                self._trouble.append(error)
        except BaseException as error:  # noqa: BLE001 - shown by the test that uses it
            self._trouble.append(error)

    def _take(self, frame: Frame) -> None:
        request = json.loads(frame.body)
        self.given.append(request)
        self.headers.append(frame.headers)
        for message in self._act(request):
            self.says(message)
        self._slices.ack(frame)
