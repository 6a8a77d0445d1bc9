"""All that the doctor looks at, in order; and the loss test, with a store of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import connection

from swf.core.ids import IdSource
from swf.core.modes import Mode
from swf.core.times import Clock
from swf.messaging.bus import Bus
from swf.messaging.settings import BusSection
from swf.service.doctor import machine, place, store, supervision
from swf.service.doctor.finding import Finding, Verdict
from swf.service.doctor.loss_plan import LossPlan, Tally
from swf.service.doctor.machine import ClockWatch
from swf.service.doctor.note import Surgery
from swf.service.doctor.place import BufferPlan
from swf.service.mode import Installation
from swf.service.workspace import Workspace
from swf.store import database

if TYPE_CHECKING:
    from swf.service.doctor.loss_test import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is looked at."""

    workspace: Workspace
    installation: Installation
    namespace: str
    buffer: BufferPlan
    django_apps: Sequence[str]

    @property
    def surgery(self) -> Surgery:
        """Where the doctor sends its messages."""
        return Surgery.of(self.workspace.root)


def examine(patient: Patient, clock: Clock, ids: IdSource) -> Iterator[Finding]:
    """Look at one thing after the other. A process does this once: it opens the store."""
    watch = ClockWatch(clock)
    mode = patient.installation.mode
    yield machine.python()
    packages = machine.packages(mode)
    yield packages
    yield from place.findings(patient.workspace, patient.buffer)
    if mode is Mode.EMBEDDED:
        yield from store.embedded_findings(patient.workspace, patient.django_apps)
        yield from _agents(patient, clock)
    elif packages.verdict is not Verdict.FAILED:
        yield from store.service_findings(patient.installation.database, patient.django_apps, clock)
        from swf.service.doctor import broker  # stompman, which the embedded mode does without

        yield from broker.findings(patient.installation.bus, patient.surgery, ids, clock)
        yield supervision.finding(patient.workspace)
        yield from _agents(patient, clock)
    yield watch.finding()


def _agents(patient: Patient, clock: Clock) -> Iterator[Finding]:
    """The agents, where the database can be asked."""
    if store.can_be_asked():
        from swf.service.doctor import crew

        yield from crew.agents(patient.namespace, patient.installation.mode, clock)


def loss_test(patient: Patient, plan: LossPlan, clock: Clock, ids: IdSource, told: Progress) -> Tally:
    """Send messages under a namespace of the doctor's own: through the broker of the service mode, or the embedded bus.
    They are recorded in a store in a temporary folder, which goes with the test. A process does this once.

    Raises:
        ConfigError, ServiceError: the broker cannot be used.
        BusyError: another doctor is at it.
    """
    surgery = patient.surgery
    if patient.installation.mode is Mode.SERVICE:
        from swf.messaging.stomp import probe

        probe(patient.installation.bus)
    with surgery.alone(), tempfile.TemporaryDirectory(prefix="swf-doctor-", ignore_cleanup_errors=True) as folder:
        database.configure(database.sqlite(Path(folder) / "swf.sqlite3"), patient.django_apps)
        database.migrate()
        from swf.service.doctor.loss_test import LossTest

        try:
            return LossTest(plan, _bus(patient.installation, clock), surgery, clock=clock, ids=ids, told=told).run()
        finally:
            connection.close()


def _bus(installation: Installation, clock: Clock) -> Callable[[Callable[[], None]], AbstractContextManager[Bus]]:
    if installation.mode is Mode.SERVICE:
        return lambda arrived: _by_stomp(installation.bus, arrived)
    return lambda arrived: _embedded(clock)


@contextmanager
def _by_stomp(section: BusSection, arrived: Callable[[], None]) -> Iterator[Bus]:
    from swf.messaging.stomp import StompBus

    with StompBus(section, on_ready=arrived) as bus:
        yield bus


@contextmanager
def _embedded(clock: Clock) -> Iterator[Bus]:
    from swf.messaging.embedded import EmbeddedBus

    yield EmbeddedBus(clock)
