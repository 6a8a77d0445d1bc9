from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stf_files import any_frames, hits, part, simulated

from swf.core.errors import DataError
from swf.epic.stf.frames import Frames
from swf.epic.stf.histograms import GENERIC, RATE_BINS, TIME_BINS, Binning, Histograms, binning_of, fill, merged
from swf.epic.stf.layout import TF_PS


def as_json(histograms: dict[str, Histograms]) -> dict[str, object]:
    return {name: found.to_json() for name, found in histograms.items()}


@given(frames=any_frames(), data=st.data())
def test_the_parts_add_up_to_the_whole(frames: Frames, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, frames.tf_count))
    left, right = part(frames, 0, cut - 1), part(frames, cut, frames.tf_count)
    whole = fill(frames, generated=False)
    assert as_json(merged(fill(left, generated=False), fill(right, generated=False))) == as_json(whole)
    for name, found in whole.items():
        assert (
            found.hits == len(frames.hits[name]) == found.time.sum() == found.amplitude.sum() == found.occupancy.sum()
        )
        assert found.tf_count == frames.tf_count == found.rate.sum()


@given(frames=any_frames())
def test_they_come_back_from_json(frames: Frames) -> None:
    for found in fill(frames, generated=False).values():
        text = json.dumps(found.to_json())
        assert Histograms.from_json(json.loads(text)).to_json() == found.to_json()


def test_bins() -> None:
    found = Histograms.of(
        hits([], [(0, 0, 0)], [(0, -5, TF_PS - 1), (255 << 8, 40_000, TF_PS // 2), (3 << 8, 1023, 1), (0, 1024, 1)]),
        Binning(amplitude_stop=65_536, cells=256),
    )
    assert {i: int(n) for i, n in enumerate(found.rate) if n} == {0: 1, 1: 1, 3: 1}
    assert {i: int(n) for i, n in enumerate(found.time) if n} == {0: 3, TIME_BINS // 2 - 1: 1, TIME_BINS - 1: 1}
    assert {i: int(n) for i, n in enumerate(found.amplitude) if n} == {0: 3, 1: 1, 39: 1}
    assert {i: int(n) for i, n in enumerate(found.occupancy) if n} == {0: 3, 3: 1, 255: 1}


@pytest.mark.parametrize(
    ("count", "rate_bin"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4), (1023, 10), (1024, 11)]
)
def test_bins_of_the_rate_double(count: int, rate_bin: int) -> None:
    found = Histograms.of(hits([(1, 1, 1)] * count))
    assert found.rate.tolist() == [int(i == rate_bin) for i in range(RATE_BINS)]


def test_cells_of_unknown_detectors_are_spread_and_a_cell_keeps_its_bin() -> None:
    cells = [(cell << 32 | 0x1A9, 1, 1) for cell in range(2000)]
    spread = Histograms.of(hits(cells)).occupancy
    assert np.count_nonzero(spread) > 200
    noisy = Histograms.of(hits([cells[7]] * 500)).occupancy
    assert noisy.max() == 500


def test_the_simulated_detector_has_bins_of_its_own() -> None:
    assert binning_of("EcalBarrelScFiRawHits", generated=True).cells == 5760
    assert binning_of("EcalBarrelScFiRawHits", generated=False) == GENERIC
    assert binning_of("UnknownRawHits", generated=True) == GENERIC
    found = fill(next(iter(simulated(64, scale=1.0))), generated=True)["EcalBarrelScFiRawHits"]
    assert np.count_nonzero(found.occupancy) == 256


def test_different_bins_do_not_add() -> None:
    with pytest.raises(ValueError, match="do not add"):
        Histograms.empty(Binning(cells=5)) + Histograms.empty()


def test_the_empty_one_changes_nothing() -> None:
    found = Histograms.of(hits([(1, 2, 3)]))
    assert (found + Histograms.empty()).to_json() == found.to_json()


@pytest.mark.parametrize(
    "wrong", [{"version": 2}, {"rate": [1, 2]}, {"hits": "many"}, {"time": None}, {"occupancy": [10**30] * 256}]
)
def test_what_is_none_is_refused(wrong: dict[str, object]) -> None:
    content = Histograms.empty().to_json() | wrong
    with pytest.raises(DataError, match="histograms"):
        Histograms.from_json(content)
    with pytest.raises(DataError, match="histograms"):
        Histograms.from_json({})
