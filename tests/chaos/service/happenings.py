"""What happens to a run in the process of the test: wires that break, a broker that is killed, a worker that vanishes.

Each is called once in each round of the run, and tells whether the run may be done for all that it has in mind.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

from process_in_test import Life
from unruly import UnrulyBus

from services.activemq import ActiveMq
from services.tcp_proxy import TcpProxy
from swf.core.payload import PayloadJob, PayloadSpec
from swf.epic.composition import EpicAgents
from swf.epic.messages import EPIC_TOPIC
from swf.epic.models import TfSlice
from swf.messaging.bus import Bus, Wire
from swf.messaging.runtime import Runtime
from swf.messaging.settings import BusSection
from swf.messaging.stomp import StompBus
from swf.store.models import Event, SystemAgent
from swf.workload.port import Pool
from swf.workload.shelf import Shelf

STRANGERS: Final = "elsewhere"
"""Another namespace at the same broker."""


class Happening:
    """Nothing happens. Others do more; each is for one run. `broker` is where it takes place."""

    def __init__(self, broker: ActiveMq) -> None:
        self.activemq = broker

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left of it."""

    @property
    def settings(self) -> BusSection:
        """How the agents reach the broker."""
        return self.activemq.settings()

    def around(self, bus: StompBus) -> Bus:
        """What the agents use for a bus."""
        return bus

    def look(self, here: Life) -> bool:
        """A round of the run."""
        return True


class BrokenWire(Happening):
    """The wire between agents and broker is in the hands of the test."""

    def __init__(self, broker: ActiveMq) -> None:
        super().__init__(broker)
        self.proxy = TcpProxy(broker.port)
        self.rounds = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.proxy.close()

    @property
    def settings(self) -> BusSection:
        return self.activemq.settings(port=self.proxy.port)


class CutsAgainAndAgain(BrokenWire):
    """The wire is cut every few rounds, ten times."""

    def look(self, here: Life) -> bool:
        self.rounds += 1
        if self.rounds % 5 == 0 and self.rounds <= 50 and here.bus.status().ready:
            self.proxy.cut()
        return self.rounds > 50


class SwallowsWhatIsSaid(BrokenWire):
    """While messages wait to be published nothing passes any more, as on a line that is half open; then it is cut."""

    def __init__(self, broker: ActiveMq) -> None:
        super().__init__(broker)
        self._timers: list[threading.Timer] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for timer in self._timers:
            timer.cancel()
            timer.join()
        super().__exit__(kind, error, trace)

    def around(self, bus: StompBus) -> Bus:
        return _Listening(bus, self)

    def about_to_publish(self) -> None:
        """The moment for it: the third and the sixth time."""
        self.rounds += 1
        if self.rounds in {3, 6}:
            self.proxy.stall()
            self._timers.append(threading.Timer(0.3, self._cut))
            self._timers[-1].start()

    def _cut(self) -> None:
        self.proxy.cut()
        self.proxy.flow()


class BrokerDies(Happening):
    """The broker is killed while messages wait there, and started again."""

    def __init__(self, broker: ActiveMq) -> None:
        super().__init__(broker)
        self._died = False

    def look(self, here: Life) -> bool:
        waiting = sum(subscription.waiting for subscription in here.bus.status().subscriptions)
        if waiting and not self._died:
            self.activemq.kill()
            self.activemq.start()
            self._died = True
        return self._died


class EverythingComesThrice(Happening):
    """Each message is published three times, in disorder."""

    def __init__(self, broker: ActiveMq) -> None:
        super().__init__(broker)
        self._bus: UnrulyBus | None = None

    def around(self, bus: StompBus) -> Bus:
        self._bus = UnrulyBus(bus, random.Random(1), window=20, delay=40)
        return self._bus

    def look(self, here: Life) -> bool:
        if self._bus is None:
            return True
        self._bus.idle()
        return self._bus.waiting == 0


class StrangersSpeak(Happening):
    """Agents of another namespace, whose runs have the same numbers, announce an STF of theirs on the same topic."""

    def __init__(self, broker: ActiveMq) -> None:
        super().__init__(broker)
        self._said = False

    def look(self, here: Life) -> bool:
        if self._said:
            return True
        ours = Event.objects.filter(type="stf_gen").first()
        if ours is None:
            return False
        body = json.loads(ours.body)
        sequence = 77
        theirs = {
            **body,
            "namespace": STRANGERS,
            "message_id": str(uuid4()),
            "sender_seq": 77,
            "sequence": sequence,
            "filename": f"swf.{body['run_id']}.{sequence:06d}.stf",
        }
        headers = {"namespace": STRANGERS, "msg_type": "stf_gen", "persistent": "true"}
        with self.activemq.client() as client:
            client.send(EPIC_TOPIC, json.dumps(theirs), **headers)
        self._said = True
        return True


class AWorkerVanishes(Happening):
    """A second worker claims slices, and is never heard of again."""

    def __init__(self, broker: ActiveMq) -> None:
        super().__init__(broker)
        self._bus: StompBus | None = None
        self._runtime: Runtime | None = None
        self._gone = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bus is not None:
            self._bus.close()

    def look(self, here: Life) -> bool:
        if self._gone:
            return True
        if self._bus is None or self._runtime is None:
            self._bus = StompBus(self.activemq.settings())
            agents = EpicAgents(replace(here.platform, user="stranger", bus=self._bus), here.configuration)
            agents.shelf = _Void()
            self._runtime = agents.runtime(agents.agent("worker"))
        self._runtime.step()
        name = self._runtime.identity.name
        if TfSlice.objects.filter(lease_holder=name).exists():
            self._bus.close()
            SystemAgent.objects.filter(pk=name).update(status=SystemAgent.Status.EXITED, pid=None)
            self._gone = True
        return self._gone


class _Void(Shelf):
    """Takes payloads, and nothing comes of them."""

    def __init__(self) -> None:
        super().__init__(_no_pool)

    def submit(self, spec: PayloadSpec, job: PayloadJob) -> None:
        """It is gone."""


def _no_pool(spec: PayloadSpec, number: int) -> Pool:
    raise AssertionError("nothing is run here")


class _Listening:
    """Tells of each publication before it is made."""

    shares_database = False

    def __init__(self, bus: Bus, told: SwallowsWhatIsSaid) -> None:
        self._bus = bus
        self._told = told
        self.subscribe, self.receive, self.ack, self.announce = bus.subscribe, bus.receive, bus.ack, bus.announce

    def publish(self, messages: Sequence[Wire]) -> None:
        self._told.about_to_publish()
        self._bus.publish(messages)
