"""The ROOT file of clusters and coincidences that the reference payload writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

import numpy as np
from numpy.typing import NDArray

from swf.epic.stf.clustering import Clusters, Coincidences
from swf.epic.stf.frames import Frames
from swf.epic.stf.layout import PROVENANCE
from swf.epic.stf.provenance import Provenance
from swf.epic.stf.rootsink import RootSink
from swf.storage.atomic import atomic_file

_CLUSTERS: Final = {
    "tf_number": np.uint64,
    "subsystem": np.int32,
    "timeStamp": np.int32,
    "duration": np.int32,
    "cellID": np.uint64,
    "amplitude": np.int64,
    "hits": np.int32,
}
_COINCIDENCES: Final = {
    "tf_number": np.uint64,
    "timeStamp": np.int32,
    "subsystems": np.int32,
    "clusters": np.int32,
    "hits": np.int32,
    "amplitude": np.int64,
}


def write_product(
    path: Path,
    blocks: Iterable[tuple[Frames, Clusters, Coincidences]],
    *,
    provenance: Provenance,
    about: Mapping[str, object],
) -> None:
    """Write what was found in blocks of TFs, atomically. The same content gives the same bytes.

    Raises:
        StorageError: it cannot be written.
    """
    import uproot

    text = json.dumps(about, separators=(",", ":"), sort_keys=True)
    with atomic_file(path) as temporary, RootSink(temporary) as sink:
        with uproot.recreate(sink, compression=None, uuid_function=lambda: uuid5(NAMESPACE_OID, text)) as file:
            file[PROVENANCE] = provenance.to_json()
            file["product"] = text
            clusters = file.mktree("clusters", _CLUSTERS)
            coincidences = file.mktree("coincidences", _COINCIDENCES)
            for frames, found, together in blocks:
                _extend(clusters, _cluster_columns(frames, found))
                _extend(coincidences, _coincidence_columns(frames, together))
        sink.settle()


def _extend(tree: Any, columns: dict[str, NDArray[Any]]) -> None:
    if len(columns["tf_number"]):
        tree.extend(columns)


def _cluster_columns(frames: Frames, found: Clusters) -> dict[str, NDArray[Any]]:
    return {
        "tf_number": frames.tf_number[found.tf],
        "subsystem": found.subsystem,
        "timeStamp": found.time_stamp,
        "duration": found.duration,
        "cellID": found.cell_id,
        "amplitude": found.amplitude,
        "hits": found.hits,
    }


def _coincidence_columns(frames: Frames, found: Coincidences) -> dict[str, NDArray[Any]]:
    return {
        "tf_number": frames.tf_number[found.tf],
        "timeStamp": found.time_stamp,
        "subsystems": found.subsystems,
        "clusters": found.clusters,
        "hits": found.hits,
        "amplitude": found.amplitude,
    }
