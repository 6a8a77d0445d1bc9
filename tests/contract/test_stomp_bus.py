"""The bus over STOMP keeps the contract, on a real broker."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from bus_contract import BusContract

from services.activemq import NEEDED, ActiveMq, installed
from services.stomp_bus import NamesOfOneTest, eventually, settled
from swf.messaging.bus import Subscription
from swf.messaging.stomp import StompBus

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
pytestmark = pytest.mark.skipif(not installed(), reason=NEEDED)

_numbers = count(1)


@pytest.fixture(scope="module")
def activemq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActiveMq]:
    with ActiveMq(tmp_path_factory.mktemp("activemq")) as broker:
        yield broker


class TestStompBus(BusContract):
    @pytest.fixture
    def broker(self, activemq: ActiveMq) -> Iterator[RealBroker]:
        broker = RealBroker(activemq)
        yield broker
        broker.close()


class RealBroker:
    """One broker for all tests; each has names of its own, so that it is empty for it."""

    def __init__(self, activemq: ActiveMq) -> None:
        self._activemq = activemq
        self._names = NamesOfOneTest(test=f"t{next(_numbers)}")
        self._bus: SettlingBus | None = None

    def connect(self) -> StompBus:
        self.close()
        self._bus = SettlingBus(self._activemq, self._names)
        return self._bus

    def settle(self) -> None:
        if self._bus is not None:
            self._bus.settle()

    def close(self) -> None:
        if self._bus is not None:
            self._bus.close()


class SettlingBus(StompBus):
    """After `subscribe` it waits for what was in the queue before: the suite expects that of a new subscription."""

    def __init__(self, activemq: ActiveMq, names: NamesOfOneTest) -> None:
        self._activemq = activemq
        super().__init__(activemq.settings(queue_prefetch=200), names=names)

    def subscribe(self, subscription: Subscription) -> None:
        super().subscribe(subscription)
        self.settle()

    def settle(self) -> None:
        eventually(lambda: settled(self._activemq, self), "the broker delivers what it has")
