"""Making the STFs of a run, as its configuration describes them."""

from __future__ import annotations

from pathlib import Path

from swf.epic.agents.daq_simulator import StfWriter, WrittenStf
from swf.epic.settings_daq import StfSection
from swf.messaging.boundary import Boundary


class EmptyStfs:
    """STFs that are announced without being written: what is left is what is around the data."""

    has_content = False
    simulated = True
    expected_bytes = 0

    def __init__(self, tf_count: int, tf_base: int) -> None:
        self.tf_count = tf_count
        self._tf_base = tf_base

    def write(self, sequence: int) -> WrittenStf:
        """Nothing is written.

        Raises:
            AssertionError: always; a caller asks `has_content` first.
        """
        raise AssertionError(f"STF {sequence} has no content to write")

    def tf_first(self, sequence: int) -> int:
        return self._tf_base + (sequence - 1) * self.tf_count


def stf_writer(
    section: StfSection, *, folder: Path, run_number: int, tf_base: int, boundary: Boundary
) -> StfWriter:
    """The writer for `[stf]`."""
    return EmptyStfs(section.tf_count, tf_base)
