"""TF sample files: a range of an STF's TFs, in a file of the same layout, and their monitoring histograms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from swf.core.effects import Boundary, no_boundary
from swf.epic.stf.frames import Frames
from swf.epic.stf.histograms import Histograms, fill, merged
from swf.epic.stf.layout import MAX_TFS_PER_BASKET
from swf.epic.stf.provenance import GENERATED, Provenance
from swf.epic.stf.read import open_stf
from swf.epic.stf.write import write_stf
from swf.storage.checksums import FileFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFacts(FileFacts):
    """What identifies a TF sample file, and what is in it."""

    tf_first: int
    """First and last entry of the STF that it holds, both included."""
    tf_last: int
    tf_count: int
    hits: int
    histograms: dict[str, Histograms]
    """Per subsystem."""
    bytes_read: int
    """Bytes read from the STF."""


def write_sample(
    stf_location: str | Path, out_path: Path, first: int, last: int, boundary: Boundary = no_boundary
) -> SampleFacts:
    """Copy the TFs `first` to `last` (0-based entries, both included) of an STF, without reading the rest of it.

    Raises:
        DataError: the STF is missing, truncated, corrupted or no STF, or the range is outside of it.
        StorageError: it cannot be read, or the sample file cannot be written.
        ConfigError: it is remote and the package that reads from servers is missing.
    """
    histograms: dict[str, Histograms] = {}
    bytes_read = 0

    with open_stf(stf_location) as stf:
        origin = stf.content.provenance

        def copied() -> Iterator[Frames]:
            nonlocal histograms, bytes_read
            for frames in stf.blocks(first, last, MAX_TFS_PER_BASKET):
                histograms = merged(histograms, fill(frames, generated=origin.origin == GENERATED))
                bytes_read += frames.bytes_read
                yield frames

        facts = write_stf(out_path, copied(), provenance=_sampled(origin, stf_location, first, last), boundary=boundary)
    return SampleFacts(
        size_bytes=facts.size_bytes,
        adler32=facts.adler32,
        sha256=facts.sha256,
        tf_first=first,
        tf_last=last,
        tf_count=facts.tf_count,
        hits=facts.hits,
        histograms=histograms,
        bytes_read=bytes_read,
    )


def _sampled(origin: Provenance, location: str | Path, first: int, last: int) -> Provenance:
    name = str(location).partition("?")[0].rpartition("/")[2]
    return replace(origin, parameters={**origin.parameters, "sample_of": name, "tf_first": first, "tf_last": last})
