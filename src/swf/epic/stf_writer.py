"""Making the STFs of a run, as its configuration describes them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from swf.core.effects import Boundary
from swf.epic.names import stf_name
from swf.epic.settings_daq import StfSection
from swf.epic.stf.frames import Frames
from swf.epic.stf.layout import HIT_BYTES
from swf.epic.stf.provenance import Provenance
from swf.epic.stf.replay import ReplaySource
from swf.epic.stf.simulate import SimulatedSource
from swf.epic.stf.subsystems import mean_hits_per_tf
from swf.epic.stf.write import write_stf
from swf.storage.checksums import FileFacts

_OVERHEAD_BYTES = 400_000
"""What an STF has beside its hits, generously: headers, baskets, the tree's description."""


class StfWriter(Protocol):
    """Makes the STFs of a run. `write` runs on a thread; the same number always gives the same file."""

    has_content: bool
    simulated: bool
    tf_count: int
    expected_bytes: int

    def write(self, sequence: int) -> FileFacts:
        """Write STF number `sequence` into the exit buffer; returns what identifies its content.

        Raises:
            StorageError: it cannot be written now.
        """
        ...

    def tf_first(self, sequence: int) -> int:
        """The detector's number of the first TF of STF number `sequence`."""
        ...


class FrameSource(Protocol):
    """Where the TFs of STFs come from."""

    def frames(self, *, run: int, sequence: int, first_tf: int, tf_count: int) -> Iterable[Frames]:
        """The TFs of one STF; the same arguments always give the same ones."""
        ...

    def provenance(self, run: int, sequence: int) -> Provenance:
        """What is kept in the file."""
        ...


class EmptyStfs:
    """STFs that are announced without being written: what is left is what is around the data."""

    has_content = False
    simulated = True
    expected_bytes = 0

    def __init__(self, tf_count: int, tf_base: int) -> None:
        self.tf_count = tf_count
        self._tf_base = tf_base

    def write(self, sequence: int) -> FileFacts:
        """Nothing is written.

        Raises:
            AssertionError: always; a caller asks `has_content` first.
        """
        raise AssertionError(f"STF {sequence} has no content to write")

    def tf_first(self, sequence: int) -> int:
        return self._tf_base + (sequence - 1) * self.tf_count


class StfFiles:
    """STFs as files in the exit buffer, from one source."""

    has_content = True

    def __init__(
        self,
        source: FrameSource,
        *,
        folder: Path,
        run_number: int,
        tf_count: int,
        tf_base: int,
        expected_bytes: int,
        compression: str | None,
        boundary: Boundary,
    ) -> None:
        self.tf_count = tf_count
        self.expected_bytes = expected_bytes
        self.simulated = source.provenance(run_number, 1).simulated
        self._source = source
        self._folder = folder
        self._run_number = run_number
        self._tf_base = tf_base
        self._compression = compression
        self._boundary = boundary

    def write(self, sequence: int) -> FileFacts:
        run = self._run_number
        return write_stf(
            self._folder / stf_name(run, sequence),
            self._source.frames(run=run, sequence=sequence, first_tf=self.tf_first(sequence), tf_count=self.tf_count),
            provenance=self._source.provenance(run, sequence),
            compression=self._compression,
            boundary=self._boundary,
        )

    def tf_first(self, sequence: int) -> int:
        return self._tf_base + (sequence - 1) * self.tf_count


def stf_writer(section: StfSection, *, folder: Path, run_number: int, tf_base: int, boundary: Boundary) -> StfWriter:
    """The writer for `[stf]`.

    Raises:
        DataError: the input file is not of a known format, or has no hits.
    """
    if section.content == "none":
        return EmptyStfs(section.tf_count, tf_base)
    hits = mean_hits_per_tf() * section.tf_count * HIT_BYTES
    source: FrameSource
    if section.input is not None:
        source = ReplaySource.open(section.input, seed=section.seed)
    elif section.target_mb:
        hits = section.target_mb * 1e6
        source = SimulatedSource.of_size(seed=section.seed, target_bytes=int(hits), tf_count=section.tf_count)
    else:
        source = SimulatedSource(seed=section.seed)
    return StfFiles(
        source,
        folder=folder,
        run_number=run_number,
        tf_count=section.tf_count,
        tf_base=tf_base,
        expected_bytes=int(hits) + _OVERHEAD_BYTES,
        compression=None if section.compression == "none" else section.compression,
        boundary=boundary,
    )
