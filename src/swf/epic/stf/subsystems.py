"""The subsystems of the simulated detector: how many cells, how much noise, what an event leaves in them.

SIMULATED: the numbers give a plausible mixture of quiet and busy subsystems. They are not a measurement and not a
prediction of the ePIC detector; only the names of the collections are ePIC's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Subsystem:
    """One subsystem. A cell identifier is `cell << 8 | system`, with cells numbered from 0."""

    collection: str
    system: int
    """DD4hep keeps the number of the subsystem in the lowest 8 bits of a cell identifier."""
    cells: int
    noise_per_tf: float
    """Mean number of noise hits in a TF, anywhere and at any time."""
    acceptance: float
    """Probability that an event is seen at all."""
    hits_per_event: float
    """Mean number of hits of an event that is seen, beyond a first one."""
    cell_spread: float
    """Standard deviation of the cells of one event's hits about their common centre."""
    delay_ns: float
    """Mean time of a hit after its bunch crossing."""
    time_spread_ns: float
    amplitude: float
    """Mean amplitude of a signal hit, ADC counts above the pedestal."""
    pedestal: int = 20

    def cell_id(self, cell: int) -> int:
        """The identifier of a cell."""
        return cell << 8 | self.system


SUBSYSTEMS: Final = (
    Subsystem(
        collection="SiBarrelVertexRawHits",
        system=31,
        cells=1 << 20,
        noise_per_tf=160,
        acceptance=0.95,
        hits_per_event=6,
        cell_spread=2,
        delay_ns=2,
        time_spread_ns=2,
        amplitude=40,
    ),
    Subsystem(
        collection="SiBarrelRawHits",
        system=60,
        cells=1 << 22,
        noise_per_tf=200,
        acceptance=0.95,
        hits_per_event=5,
        cell_spread=3,
        delay_ns=4,
        time_spread_ns=2,
        amplitude=40,
    ),
    Subsystem(
        collection="MPGDBarrelRawHits",
        system=61,
        cells=1 << 15,
        noise_per_tf=60,
        acceptance=0.8,
        hits_per_event=3,
        cell_spread=2,
        delay_ns=5,
        time_spread_ns=3,
        amplitude=300,
    ),
    Subsystem(
        collection="TOFBarrelRawHits",
        system=92,
        cells=1 << 21,
        noise_per_tf=100,
        acceptance=0.85,
        hits_per_event=3,
        cell_spread=1.5,
        delay_ns=6,
        time_spread_ns=0.1,
        amplitude=90,
    ),
    Subsystem(
        collection="DRICHRawHits",
        system=120,
        cells=1 << 18,
        noise_per_tf=320,
        acceptance=0.35,
        hits_per_event=14,
        cell_spread=40,
        delay_ns=14,
        time_spread_ns=0.5,
        amplitude=260,
    ),
    Subsystem(
        collection="EcalBarrelScFiRawHits",
        system=105,
        cells=5760,
        noise_per_tf=50,
        acceptance=0.8,
        hits_per_event=9,
        cell_spread=3,
        delay_ns=7,
        time_spread_ns=1,
        amplitude=900,
        pedestal=100,
    ),
    Subsystem(
        collection="EcalEndcapNRawHits",
        system=103,
        cells=2816,
        noise_per_tf=25,
        acceptance=0.6,
        hits_per_event=8,
        cell_spread=2,
        delay_ns=9,
        time_spread_ns=0.5,
        amplitude=2500,
        pedestal=20,
    ),
    Subsystem(
        collection="EcalEndcapPRawHits",
        system=106,
        cells=16384,
        noise_per_tf=60,
        acceptance=0.7,
        hits_per_event=10,
        cell_spread=3,
        delay_ns=12,
        time_spread_ns=0.8,
        amplitude=1200,
        pedestal=200,
    ),
    Subsystem(
        collection="HcalBarrelRawHits",
        system=111,
        cells=7680,
        noise_per_tf=20,
        acceptance=0.5,
        hits_per_event=4,
        cell_spread=2,
        delay_ns=18,
        time_spread_ns=3,
        amplitude=120,
        pedestal=300,
    ),
    Subsystem(
        collection="LFHCALRawHits",
        system=116,
        cells=63280,
        noise_per_tf=50,
        acceptance=0.6,
        hits_per_event=9,
        cell_spread=4,
        delay_ns=14,
        time_spread_ns=3,
        amplitude=250,
        pedestal=25,
    ),
)
"""About 1,045 noise hits and, at 4 events, 200 signal hits in a TF: 100 TFs are about 2 MB."""

EVENTS_PER_TF: Final = 4.0
"""Mean number of signal events in a TF."""


def mean_hits_per_tf(subsystems: tuple[Subsystem, ...] = SUBSYSTEMS, events_per_tf: float = EVENTS_PER_TF) -> float:
    """Mean number of hits of one TF, at scale 1."""
    return sum(s.noise_per_tf + events_per_tf * s.acceptance * (1 + s.hits_per_event) for s in subsystems)
