"""The layout of an STF file, and the times of the detector.

An STF is a ROOT file with a tree `events`, one entry per TF:

    tf_number               uint64   its number, monotonic for the life of the detector
    first_bunch_crossing    uint64   number of its first bunch crossing: tf_number * 2^16
    n<Collection>           int32    number of hits of a subsystem in this TF
    <Collection>.cellID     uint64   jagged; the channel, a DD4hep cell identifier
    <Collection>.amplitude  int32    jagged; ADC counts
    <Collection>.timeStamp  int32    jagged; ps since the start of the TF, from 0 up to TF_PS

and an object string `provenance`, a JSON object. Names and types of the branches of a collection are those of podio's
`RawCalorimeterHit` and `RawTrackerHit`. A picosecond is the finest tick of any subsystem's digitisation, so that every
tick of a real file has a time of its own here; and a TF has 6.7e8 of them, so that an int32 holds them.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

TREE: Final = "events"
PROVENANCE: Final = "provenance"

TF_NUMBER: Final = "tf_number"
FIRST_CROSSING: Final = "first_bunch_crossing"

MAX_TFS_PER_BASKET: Final = 64
"""So that a TF range is read with little more than itself."""

BUNCH_CROSSINGS_PER_TF: Final = 1 << 16
CROSSING_RATE_HZ: Final = 98.5e6
CROSSING_PS: Final = Fraction(10**12, 98_500_000)
"""Picoseconds from one bunch crossing to the next: 10152.28."""
TF_SECONDS: Final = BUNCH_CROSSINGS_PER_TF / CROSSING_RATE_HZ
"""0.665 ms."""
TF_PS: Final = int(TF_SECONDS * 1e12)
"""Picoseconds in a TF: 665,340,101; a time stamp is below it."""

HIT_BYTES: Final = 16
"""Bytes of one hit, uncompressed."""
