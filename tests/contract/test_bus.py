"""The bus adapters keep the contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from bus_contract import BusContract, SharedDatabaseBusContract

from swf.core.times import ManualClock
from swf.messaging.embedded import EmbeddedBus
from swf.messaging.memory import MemoryBus


class TestMemoryBus(BusContract):
    @pytest.fixture
    def broker(self) -> MemoryBroker:
        return MemoryBroker()


class TestEmbeddedBus(SharedDatabaseBusContract):
    @pytest.fixture
    def broker(self, store: Path) -> EmbeddedBroker:
        return EmbeddedBroker()


class MemoryBroker:
    """The bus is itself the broker: a lost connection gives back what was not acknowledged."""

    def __init__(self) -> None:
        self._bus = MemoryBus()

    def connect(self) -> MemoryBus:
        self._bus.redeliver()
        return self._bus

    def settle(self) -> None:
        """At once."""


class EmbeddedBroker:
    """The store is the broker; a bus is what one process knows of it."""

    def connect(self) -> EmbeddedBus:
        return EmbeddedBus(ManualClock())

    def settle(self) -> None:
        """At once."""
