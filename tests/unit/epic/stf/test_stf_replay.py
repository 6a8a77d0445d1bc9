from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from stf_files import joined, same

from swf.core.errors import DataError
from swf.epic.stf.edm4hep import read_events
from swf.epic.stf.layout import TF_PS
from swf.epic.stf.read import inspect, read_range
from swf.epic.stf.replay import ReplaySource
from swf.epic.stf.write import write_stf

_RECONSTRUCTED = "particle_physics/epic_sim/reco_2024-09_craterlake_2evt.edm4eic.root"
_GEANT = "particle_physics/epic_sim/test_sim.edm4hep.root"


def write_events(path: Path, branches: dict[str, list[list[float]]], **dtypes: str) -> Path:
    """A file of events, with branches as podio names them; types by the last part of the name."""
    known = {
        "cellID": "uint64", "amplitude": "int32", "charge": "int32", "timeStamp": "int32", "time": "float32",
        "eDep": "float32", "energy": "float32", "contributions_begin": "uint32", "contributions_end": "uint32",
        "index": "int32", "PDG": "int32",
    } | dtypes  # fmt: skip
    columns = {}
    for name, events in branches.items():
        flat = np.array([value for event in events for value in event], dtype=known[name.rpartition(".")[2]])
        columns[name] = ak.unflatten(flat, [len(event) for event in events])
    with uproot.recreate(path) as file:
        file.mktree(
            "events",
            {
                name: ak.types.ListType(ak.types.NumpyType(column.layout.content.dtype.name))
                for name, column in columns.items()
            },
            counter_name=lambda name: f"n_{name}",
        ).extend(columns)
    return path


RAW = {
    "ARawHits.cellID": [[1, 2, 3], [4]],
    "ARawHits.charge": [[10, 20, 30], [40]],
    "ARawHits.timeStamp": [[-500, 0, 700], [12]],
    "DRICHRawHits.cellID": [[5], []],
    "DRICHRawHits.charge": [[50], []],
    "DRICHRawHits.timeStamp": [[3], []],
    "BRawHits.cellID": [[6], [7, 8]],
    "BRawHits.amplitude": [[60], [70, 80]],
    "BRawHits.timeStamp": [[100], [200, 300]],
    "_ARawHits_links.index": [[1], [2]],
    "ARawHitAssociations.cellID": [[1], [2]],
}


def events_of(source: ReplaySource, tf_count: int = 300) -> dict[int, list[tuple[str, int, int, int]]]:
    """Per TF with exactly one event, its hits as (collection, cell, amplitude, time)."""
    frames = joined(list(source.frames(run=1, sequence=1, first_tf=0, tf_count=tf_count)))
    found: dict[int, list[tuple[str, int, int, int]]] = {}
    for name, hits in frames.hits.items():
        assert hits.time_stamp.min() >= 0
        assert hits.time_stamp.max() < TF_PS
        rows = zip(hits.tf_index(), hits.cell_id, hits.amplitude, hits.time_stamp, strict=True)
        for tf, cell, amplitude, time in rows:
            found.setdefault(int(tf), []).append((name, int(cell), int(amplitude), int(time)))
    return found


def test_digitised_hits_keep_what_they_are_and_their_times_to_each_other(tmp_path: Path) -> None:
    source = ReplaySource.open(write_events(tmp_path / "a.edm4eic.root", RAW), seed=1, events_per_tf=0.05)
    assert source.digitised
    assert (source.event_count, source.hits_left_out) == (2, 0)
    seen = set()
    for hits in events_of(source).values():
        start = next((t for name, cell, _, t in hits if cell in {2, 4}), None)
        assert start is not None
        seen.add(tuple((name, cell, amplitude, time - start) for name, cell, amplitude, time in hits))
    # Trackers count ps, calorimeters 10 ps, photon detectors 62.5 ps: 3 of them are 188 ps.
    first = (
        ("ARawHits", 1, 10, -500), ("ARawHits", 2, 20, 0), ("ARawHits", 3, 30, 700), ("DRICHRawHits", 5, 50, 188),
        ("BRawHits", 6, 60, 1000),
    )  # fmt: skip
    second = (("ARawHits", 4, 40, 0), ("BRawHits", 7, 70, 1988), ("BRawHits", 8, 80, 2988))
    assert {first, second} <= seen


def test_events_are_at_bunch_crossings(tmp_path: Path) -> None:
    events = {"ARawHits.cellID": [[1]], "ARawHits.charge": [[1]], "ARawHits.timeStamp": [[0]]}
    source = ReplaySource.open(write_events(tmp_path / "a.root", events), seed=1)
    frames = joined(list(source.frames(run=1, sequence=1, first_tf=0, tf_count=64)))
    times = frames.hits["ARawHits"].time_stamp.astype(np.int64)
    crossings = -(-times * 197 // 2_000_000)
    assert np.array_equal(crossings * 2_000_000 // 197, times)
    assert len(np.unique(crossings)) == len(crossings) > 30


SIMULATED_HITS = {
    "TrackerHits.cellID": [[1], [2]],
    "TrackerHits.eDep": [[2.5e-6], [0.0]],
    "TrackerHits.time": [[1.5], [float("nan")]],
    "EcalHits.cellID": [[11, 12], [13]],
    "EcalHits.energy": [[1e-3, 2e-3], [3e-3]],
    "EcalHits.contributions_begin": [[0, 2], [0]],
    "EcalHits.contributions_end": [[2, 3], [0]],
    "EcalHitsContributions.time": [[9.0, 7.0, 5.0], []],
    "EcalHitsContributions.PDG": [[1, 1, 1], []],
}


def test_simulated_hits_where_there_are_no_digitised_ones(tmp_path: Path) -> None:
    found = read_events(write_events(tmp_path / "a.edm4hep.root", SIMULATED_HITS))
    assert not found.digitised
    assert found.simulated
    tracker, calorimeter = found.collections["TrackerHits"], found.collections["EcalHits"]
    assert (tracker.cell_id.tolist(), tracker.time_ps.tolist(), tracker.amplitude.tolist()) == ([1], [1500], [3])
    assert (tracker.counts.tolist(), tracker.untimed) == ([1, 0], 1)
    assert (calorimeter.cell_id.tolist(), calorimeter.time_ps.tolist()) == ([11, 12], [7000, 5000])
    assert (calorimeter.counts.tolist(), calorimeter.untimed) == ([2, 0], 1)


def test_contributions_are_found_through_their_relation(tmp_path: Path) -> None:
    related = SIMULATED_HITS | {"_EcalHits_contributions.index": [[2, 2, 0], []]}
    found = read_events(write_events(tmp_path / "a.edm4hep.root", related))
    assert found.collections["EcalHits"].time_ps.tolist() == [5000, 9000]


@pytest.mark.parametrize(
    "wrong",
    [
        {"EcalHits.contributions_end": [[2, 4], [0]]},
        {"EcalHits.contributions_begin": [[3, 2], [0]]},
        {"_EcalHits_contributions.index": [[0, 1, 3], []]},
    ],
)
def test_contributions_that_are_not_there(tmp_path: Path, wrong: dict[str, list[list[float]]]) -> None:
    with pytest.raises(DataError, match=r"a\.root: EcalHits: a hit names contributions that are not there"):
        read_events(write_events(tmp_path / "a.root", SIMULATED_HITS | wrong))


def test_times_of_any_origin_and_hits_far_from_their_event(tmp_path: Path) -> None:
    events = {
        "ARawHits.cellID": [[1, 2, 3, 4]],
        "ARawHits.charge": [[1, 1, 1, 1]],
        "ARawHits.timeStamp": [[10**15, 10**15 + 5, 10**15 + TF_PS * 2, 0]],
    }
    source = ReplaySource.open(write_events(tmp_path / "a.root", events, timeStamp="int64"), seed=1)
    assert source.hits_left_out == 2
    for hits in events_of(source, 20).values():
        ones, twos = ([t for _, cell, _, t in hits if cell == wanted] for wanted in (1, 2))
        assert [t + 5 for t in ones] == twos
    assert source.provenance(1, 1).parameters["hits_left_out"] == 2


@pytest.mark.parametrize(
    ("branches", "words"),
    [
        ({"MCParticles.PDG": [[11]]}, "no collection of timed hits"),
        ({"AHits.cellID": [[1]], "AHits.energy": [[1.0]]}, "no collection of timed hits"),
        (
            {"ARawHits.cellID": [[], []], "ARawHits.charge": [[], []], "ARawHits.timeStamp": [[], []]},
            "2 events and no hits",
        ),
        (
            {"ARawHits.cellID": [[1, 2]], "ARawHits.charge": [[1]], "ARawHits.timeStamp": [[1]]},
            "do not all have a cell, an amplitude and a time",
        ),
    ],
)
def test_files_without_hits(tmp_path: Path, branches: dict[str, list[list[float]]], words: str) -> None:
    with pytest.raises(DataError, match=rf"a\.root.*{words}"):
        ReplaySource.open(write_events(tmp_path / "a.root", branches), seed=1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.write_bytes(b"not ROOT" * 100), "is not a ROOT file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: uproot.recreate(path).close(), "has no tree 'events'"),
    ],
)
def test_files_that_are_something_else(tmp_path: Path, make: Callable[[Path], object], words: str) -> None:
    make(tmp_path / "a.root")
    with pytest.raises(DataError, match=rf"a\.root {words}|a\.root cannot be read: {words}"):
        ReplaySource.open(tmp_path / "a.root", seed=1)


def test_the_same_stf_is_the_same_hits(tmp_path: Path) -> None:
    path = write_events(tmp_path / "a.root", RAW)
    one, two = (
        joined(list(ReplaySource.open(path, seed=seed).frames(run=1, sequence=1, first_tf=0, tf_count=70)))
        for seed in (3, 3)
    )
    other = joined(list(ReplaySource.open(path, seed=4).frames(run=1, sequence=1, first_tf=0, tf_count=70)))
    assert same(one, two)
    assert not same(one, other)


@pytest.mark.parametrize(
    ("name", "events", "hits", "collections", "digitised"),
    [(_RECONSTRUCTED, 2, 2397, 21, True), (_GEANT, 5, 2251, 9, False)],
)
def test_real_files(
    test_data: Path, tmp_path: Path, name: str, events: int, hits: int, collections: int, digitised: bool
) -> None:
    source = ReplaySource.open(test_data / name, seed=1)
    assert (source.event_count, source.digitised, source.simulated) == (events, digitised, True)
    assert sum(len(found.cell_id) for found in source.collections.values()) == hits - source.hits_left_out
    assert len(source.collections) == collections
    frames = list(source.frames(run=1, sequence=1, first_tf=9, tf_count=80))
    facts = write_stf(tmp_path / "a.stf", frames, provenance=source.provenance(1, 1))
    assert facts.hits == sum(block.hit_count for block in frames) > 0
    assert same(read_range(tmp_path / "a.stf", 0, 79), joined(frames))
    label = inspect(tmp_path / "a.stf").provenance.label
    assert label == f"SIMULATED: events of {Path(name).name}"


def test_every_real_hit_is_placed_unchanged(test_data: Path) -> None:
    with uproot.open(test_data / _RECONSTRUCTED) as file:
        tree = file["events"]
        cells = tree["B0ECalRawHits/B0ECalRawHits.cellID"].array(library="np")
        stamps = tree["B0ECalRawHits/B0ECalRawHits.timeStamp"].array(library="np")
    source = ReplaySource.open(test_data / _RECONSTRUCTED, seed=1, events_per_tf=0.2)
    frames = joined(list(source.frames(run=1, sequence=1, first_tf=0, tf_count=64)))
    found = frames.hits["B0ECalRawHits"]
    tf_of = found.tf_index()
    matched = 0
    for tf in np.unique(tf_of):
        own = found.cell_id[tf_of == tf]
        for event in range(2):
            if np.array_equal(own, cells[event]):
                ticks = (found.time_stamp[tf_of == tf] - found.time_stamp[tf_of == tf][0]) / 10
                assert np.array_equal(ticks, stamps[event] - stamps[event][0])
                matched += 1
    assert matched > 3
