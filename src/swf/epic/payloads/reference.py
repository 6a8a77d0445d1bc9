"""The reference payload: decodes the hits of a TF range, clusters them, and finds coincidences across subsystems.

Its output is a ROOT file with a tree `clusters` (tf_number, subsystem, timeStamp, duration, cellID, amplitude, hits), a
tree `coincidences` (tf_number, timeStamp, subsystems, clusters, hits, amplitude), times in ps since the start of the
TF, and two object strings in JSON: `provenance` of the hits, with its label SIMULATED where that is so, and `product`,
which says from what and how this was made. What clusters and coincidences are: `swf.epic.stf.clustering`.

As an entry point: `swf.epic.payloads.reference:run`. As a command:
`python -m swf.epic.payloads.reference --input ... --first ... --last ... --output ... --run ... --slice ...`, which
writes the summary to `<output>.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from swf.core.errors import SwfError
from swf.core.payload import PayloadJob

if TYPE_CHECKING:  # what they import costs a third of a second: only when a job runs
    from swf.epic.stf.clustering import ClusterParameters, Clusters, Coincidences
    from swf.epic.stf.frames import Frames
    from swf.epic.stf.provenance import Provenance

CODE_VERSION: Final = "reference/1"
"""Changes with anything that changes the result."""


def run(job: PayloadJob) -> dict[str, object]:
    """Process one slice; the summary says what was found.

    `hits_found` is the number of hits in the TFs. Reading is in steps of 64 TFs, so that memory does not grow with the
    slice.

    Raises:
        DataError: the input is missing, truncated, corrupted or no STF, or the range is outside of it.
        StorageError: the input cannot be read, or the output cannot be written.
    """
    from swf.epic.payloads.product import write_product
    from swf.epic.stf.clustering import ClusterParameters
    from swf.epic.stf.layout import MAX_TFS_PER_BASKET
    from swf.epic.stf.read import open_stf

    parameters = ClusterParameters()
    summary = _Summary(parameters)
    with open_stf(job.input) as stf:
        blocks = (summary.add(frames) for frames in stf.blocks(job.first, job.last, MAX_TFS_PER_BASKET))
        about = _about(job, stf.content.provenance, stf.content.collections, parameters)
        write_product(job.output, blocks, provenance=stf.content.provenance, about=about)
    return summary.fields(stf.content.provenance)


class _Summary:
    """Counts what is found, block by block."""

    def __init__(self, parameters: ClusterParameters) -> None:
        self._parameters = parameters
        self._hits: dict[str, int] = {}
        self._tf_count = self._clusters = self._coincidences = self._bytes_read = 0

    def add(self, frames: Frames) -> tuple[Frames, Clusters, Coincidences]:
        """Find what is in a block."""
        from swf.epic.stf.clustering import find_clusters, find_coincidences

        clusters = find_clusters(frames.hits, self._parameters)
        coincidences = find_coincidences(clusters, self._parameters)
        for name, hits in frames.hits.items():
            self._hits[name] = self._hits.get(name, 0) + len(hits)
        self._tf_count += frames.tf_count
        self._clusters += len(clusters)
        self._coincidences += len(coincidences)
        self._bytes_read += frames.bytes_read
        return frames, clusters, coincidences

    def fields(self, provenance: Provenance) -> dict[str, object]:
        """The summary."""
        return {
            "tf_count": self._tf_count,
            "hits_found": sum(self._hits.values()),
            "hits_by_subsystem": self._hits,
            "clusters": self._clusters,
            "coincidences": self._coincidences,
            "bytes_read": self._bytes_read,
            "simulated": provenance.simulated,
            "label": provenance.label,
            "code_version": CODE_VERSION,
            "parameters": asdict(self._parameters),
        }


def _about(
    job: PayloadJob, provenance: Provenance, subsystems: Sequence[str], parameters: ClusterParameters
) -> dict[str, object]:
    return {
        "label": provenance.label,
        "input": job.input.partition("?")[0].rpartition("/")[2],
        "first": job.first,
        "last": job.last,
        "run": job.run,
        "slice": job.slice,
        "subsystems": list(subsystems),
        "code_version": CODE_VERSION,
        "parameters": asdict(parameters),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code: 0, or 1 with a line on standard error."""
    parser = argparse.ArgumentParser(prog="swf.epic.payloads.reference", description="Process a TF range of an STF.")
    parser.add_argument("--input", required=True, help="the STF: a path or a root:// address")
    parser.add_argument("--first", required=True, type=int, help="first entry, from 0")
    parser.add_argument("--last", required=True, type=int, help="last entry, included")
    parser.add_argument("--output", required=True, type=Path, help="the ROOT file to write")
    parser.add_argument("--run", required=True, type=int, help="the run number")
    parser.add_argument("--slice", required=True, help="the name of the slice")
    given = parser.parse_args(arguments)
    job = PayloadJob(
        key=given.slice,
        input=given.input,
        first=given.first,
        last=given.last,
        output=given.output,
        run=given.run,
        slice=given.slice,
    )
    try:
        summary = run(job)
        _write_summary(job.output, summary)
    except SwfError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _write_summary(output: Path, summary: dict[str, object]) -> None:
    from swf.storage.atomic import atomic_file

    with atomic_file(output.with_name(f"{output.name}.json")) as temporary:
        temporary.write_text(json.dumps(summary) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
