"""Numbers of cells, from DD4hep cell identifiers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LOW_HALF = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_SYSTEM_BITS = np.uint64(8)


def cell_number(cell_id: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A number for each cell, so that neighbours in a sensitive volume have neighbouring numbers.

    In a DD4hep readout the lowest 8 bits are the subsystem, the rest of the lower half usually the sensitive volume
    (layer, module, ...), and the upper half the place within it. So the number is: volume, then place, which is the
    identifier with its halves exchanged. A cell without a place is numbered by what follows the subsystem. This needs
    no geometry; it is exact for the simulated detector, and for others finds neighbours along one direction.
    """
    place = cell_id >> _HALF
    swapped = ((cell_id & _LOW_HALF) << _HALF) | place
    return np.where(place == 0, cell_id >> _SYSTEM_BITS, swapped)
