"""The unit of `timeStamp` in the `*RawHits` collections of ePIC's reconstruction.

Source: the digitisation settings of EICrecon (`resolutionTDC`, `timeResolution` in src/detectors/*, and the algorithms
in src/algorithms/digi and calorimetry/CalorimeterHitDigi), which were the same from September 2024 to August 2026.
"""

from __future__ import annotations

from typing import Final

TRACKER_PS: Final = 1.0
"""`RawTrackerHit`: silicon and gas trackers write picoseconds."""

CALORIMETER_PS: Final = 10.0
"""`RawCalorimeterHit`: 10 ps where no other step is set."""

_OTHERS: Final = {
    "HcalBarrel": 1.0,
    "EcalBarrelImaging": 3250.0,
    "DIRC": 62.5,
    "DRICH": 62.5,
    "PFRICH": 62.5,
    "RICHEndcapN": 62.5,
}
"""Photon detectors write sixteenths of a nanosecond."""


def tick_ps(collection: str, *, calorimeter: bool) -> float:
    """Picoseconds per unit of `timeStamp`; `calorimeter` where the collection has `amplitude`, not `charge`."""
    return _OTHERS.get(collection.removesuffix("RawHits"), CALORIMETER_PS if calorimeter else TRACKER_PS)
