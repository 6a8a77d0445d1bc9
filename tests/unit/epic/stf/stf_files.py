"""Content for the tests of STF files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from swf.epic.stf.frames import Frames, Hits, tf_numbers
from swf.epic.stf.layout import TF_PS
from swf.epic.stf.provenance import Provenance
from swf.epic.stf.simulate import SimulatedSource
from swf.epic.stf.write import StfFacts, write_stf

MADE_BY_HAND = Provenance(simulated=True, origin="generated", seed=5, run=7, sequence=1)


def hits(*tfs: Sequence[tuple[int, int, int]]) -> Hits:
    """Hits given per TF as (cell identifier, amplitude, time in ps)."""
    rows = [row for tf in tfs for row in tf]
    return Hits(
        counts=np.array([len(tf) for tf in tfs], dtype=np.int32),
        cell_id=np.array([row[0] for row in rows], dtype=np.uint64),
        amplitude=np.array([row[1] for row in rows], dtype=np.int32),
        time_stamp=np.array([row[2] for row in rows], dtype=np.int32),
    )


def same(one: Frames, other: Frames) -> bool:
    """Whether TFs and hits are the same, in the same order."""
    return (
        np.array_equal(one.tf_number, other.tf_number)
        and list(one.hits) == list(other.hits)
        and all(
            np.array_equal(getattr(one.hits[name], field), getattr(other.hits[name], field))
            for name in one.hits
            for field in ("counts", "cell_id", "amplitude", "time_stamp")
        )
    )


def joined(blocks: Sequence[Frames]) -> Frames:
    """Consecutive blocks as one."""
    return Frames(
        tf_number=np.concatenate([b.tf_number for b in blocks]),
        hits={
            name: Hits(
                counts=np.concatenate([b.hits[name].counts for b in blocks]),
                cell_id=np.concatenate([b.hits[name].cell_id for b in blocks]),
                amplitude=np.concatenate([b.hits[name].amplitude for b in blocks]),
                time_stamp=np.concatenate([b.hits[name].time_stamp for b in blocks]),
            )
            for name in blocks[0].hits
        },
    )


def part(frames: Frames, first: int, last: int) -> Frames:
    """The TFs with index `first` to `last`, both included."""
    return Frames(
        tf_number=frames.tf_number[first : last + 1],
        hits={name: found.select(first, last + 1) for name, found in frames.hits.items()},
    )


def simulated(tf_count: int = 150, *, seed: int = 11, scale: float = 0.05, first_tf: int = 10_000) -> Iterator[Frames]:
    """A small STF's content."""
    return SimulatedSource(seed=seed, scale=scale).frames(run=7, sequence=1, first_tf=first_tf, tf_count=tf_count)


def write(path: Path, tf_count: int = 150, compression: str | None = None) -> StfFacts:
    """Write a small STF."""
    return write_stf(path, simulated(tf_count), provenance=MADE_BY_HAND, compression=compression)


_hit = st.tuples(st.integers(0, 2**64 - 1), st.integers(-(2**31), 2**31 - 1), st.integers(0, TF_PS - 1))
_tf = st.lists(_hit, max_size=4)


@st.composite
def any_frames(draw: st.DrawFn, max_tfs: int = 5) -> Frames:
    """Any TFs with few hits."""
    count = draw(st.integers(1, max_tfs))
    names = draw(st.lists(st.sampled_from(["ARawHits", "BRawHits", "CHits"]), min_size=1, unique=True))
    return Frames(
        tf_number=tf_numbers(draw(st.integers(0, 2**47)), count),
        hits={name: hits(*draw(st.lists(_tf, min_size=count, max_size=count))) for name in names},
    )
