from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stf_files import joined, same

from swf.epic.stf.clustering import ClusterParameters, find_clusters, find_coincidences
from swf.epic.stf.frames import Frames
from swf.epic.stf.layout import TF_PS
from swf.epic.stf.simulate import SimulatedSource
from swf.epic.stf.subsystems import SUBSYSTEMS, mean_hits_per_tf
from swf.epic.stf.write import write_stf


def frames_of(source: SimulatedSource, tf_count: int = 100, sequence: int = 1) -> Frames:
    return joined(list(source.frames(run=101, sequence=sequence, first_tf=5000, tf_count=tf_count)))


def test_the_same_stf_is_the_same_hits_in_any_order_of_making() -> None:
    source = SimulatedSource(seed=1)
    second, first = frames_of(source, sequence=2), frames_of(source, sequence=1)
    assert same(frames_of(SimulatedSource(seed=1), sequence=1), first)
    assert same(frames_of(SimulatedSource(seed=1), sequence=2), second)
    assert not same(first, second)
    assert not same(frames_of(SimulatedSource(seed=2)), first)


@pytest.mark.parametrize("tf_count", [1, 64, 65, 130])
def test_the_tf_count_and_numbers(tf_count: int) -> None:
    frames = frames_of(SimulatedSource(seed=1, scale=0.01), tf_count)
    assert np.array_equal(frames.tf_number, np.arange(5000, 5000 + tf_count))


def test_occupancies_are_those_of_the_table() -> None:
    frames = frames_of(SimulatedSource(seed=1), 200)
    for subsystem in SUBSYSTEMS:
        found = frames.hits[subsystem.collection]
        expected = 200 * (subsystem.noise_per_tf + 4 * subsystem.acceptance * (1 + subsystem.hits_per_event))
        assert len(found) == pytest.approx(expected, rel=0.1)
        assert np.all(found.cell_id & np.uint64(0xFF) == subsystem.system)
        assert int(found.cell_id.max() >> np.uint64(8)) < subsystem.cells
        assert found.time_stamp.min() >= 0
        assert found.time_stamp.max() < TF_PS


def test_events_are_coincidences_and_noise_is_none() -> None:
    parameters = ClusterParameters()
    events = 4 * 200

    def found(source: SimulatedSource) -> int:
        clusters = find_clusters(frames_of(source, 200).hits, parameters)
        return len(find_coincidences(clusters, parameters))

    assert found(SimulatedSource(seed=1)) == pytest.approx(events, rel=0.15)
    assert found(SimulatedSource(seed=1, events_per_tf=0)) == 0


@pytest.mark.parametrize(("target_bytes", "tf_count"), [(500_000, 20), (3_000_000, 100)])
def test_the_size_asked_for(tmp_path: Path, target_bytes: int, tf_count: int) -> None:
    source = SimulatedSource.of_size(seed=1, target_bytes=target_bytes, tf_count=tf_count)
    frames = source.frames(run=1, sequence=1, first_tf=0, tf_count=tf_count)
    facts = write_stf(tmp_path / "a.stf", frames, provenance=source.provenance(1, 1))
    assert facts.size_bytes == pytest.approx(target_bytes, rel=0.2)


def test_two_gigabytes_are_a_matter_of_scale() -> None:
    source = SimulatedSource.of_size(seed=1, target_bytes=2 * 10**9, tf_count=1000)
    one_tf = sum(
        s.noise_per_tf * source.scale + 4 * source.scale * s.acceptance * (1 + s.hits_per_event) for s in SUBSYSTEMS
    )
    assert one_tf * 16 * 1000 == pytest.approx(2e9)
    with pytest.raises(ValueError, match="must be positive"):
        SimulatedSource.of_size(seed=1, target_bytes=0, tf_count=1)


def test_about_two_megabytes_for_100_tfs() -> None:
    assert 1.5e6 < mean_hits_per_tf() * 16 * 100 < 2.5e6


def test_it_says_simulated() -> None:
    provenance = SimulatedSource(seed=9).provenance(3, 4)
    assert provenance.label == "SIMULATED"
    assert provenance.simulated
    assert (provenance.seed, provenance.run, provenance.sequence) == (9, 3, 4)
    assert replace(provenance, origin="a.root").label == "SIMULATED: events of a.root"
    assert replace(provenance, origin="a.root", simulated=False).label == "events of a.root"
