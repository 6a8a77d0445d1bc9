from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from stf_files import hits

from swf.epic.stf.cells import cell_number
from swf.epic.stf.clustering import ClusterParameters, Clusters, Coincidences, find_clusters, find_coincidences
from swf.epic.stf.frames import Hits

P = ClusterParameters(time_window_ps=100, cell_reach=2, min_hits=2, coincidence_window_ps=1000, min_subsystems=3)


def cell(number: int, system: int = 5) -> int:
    return number << 8 | system


def rows(clusters: Clusters) -> list[tuple[int, ...]]:
    columns = (
        clusters.subsystem, clusters.tf, clusters.time_stamp, clusters.duration, clusters.cell_id >> np.uint64(8),
        clusters.amplitude, clusters.hits,
    )  # fmt: skip
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def clusters_of(*subsystems: Hits) -> Clusters:
    return find_clusters({f"S{i}": found for i, found in enumerate(subsystems)}, P)


def test_neighbours_in_time_and_cell_are_one_cluster() -> None:
    found = clusters_of(hits([(cell(10), 5, 1000), (cell(12), 7, 1100), (cell(11), 7, 1050)]))
    assert rows(found) == [(0, 0, 1000, 100, 11, 19, 3)]


def test_a_gap_in_time_or_cell_parts() -> None:
    found = clusters_of(hits([(cell(10), 5, 1000), (cell(10), 6, 1101), (cell(13), 7, 1101)]))
    assert rows(found) == [(0, 0, 1000, 0, 10, 5, 1), (0, 0, 1101, 0, 10, 6, 1), (0, 0, 1101, 0, 13, 7, 1)]


def test_a_link_in_time_through_a_cell_elsewhere_does_not_count() -> None:
    found = clusters_of(hits([(cell(10), 1, 1000), (cell(50), 2, 1080), (cell(10), 3, 1160)]))
    assert rows(found) == [(0, 0, 1000, 0, 10, 1, 1), (0, 0, 1080, 0, 50, 2, 1), (0, 0, 1160, 0, 10, 3, 1)]


def test_tfs_and_subsystems_are_apart() -> None:
    one = hits([(cell(10), 1, 1000)], [(cell(10), 2, 1000)])
    assert rows(clusters_of(one, one)) == [
        (0, 0, 1000, 0, 10, 1, 1), (0, 1, 1000, 0, 10, 2, 1), (1, 0, 1000, 0, 10, 1, 1), (1, 1, 1000, 0, 10, 2, 1),
    ]  # fmt: skip


def test_a_chain_may_be_long() -> None:
    found = clusters_of(hits([(cell(10 + 2 * i), 1, 90 * i) for i in range(50)]))
    assert rows(found) == [(0, 0, 0, 90 * 49, 10, 50, 50)]


def test_no_hit_at_all() -> None:
    found = clusters_of(hits([], []), hits([], []))
    assert len(found) == 0
    assert len(find_coincidences(found, P)) == 0


_hit = st.tuples(st.integers(0, 12).map(cell), st.integers(-9, 99), st.integers(0, 1500))
_two_tfs = st.lists(st.lists(_hit, max_size=25), min_size=2, max_size=2)


@settings(deadline=None)
@given(content=st.lists(_two_tfs, min_size=1, max_size=3))
def test_every_hit_is_in_one_cluster(content: list[list[list[tuple[int, int, int]]]]) -> None:
    subsystems = [hits(*tfs) for tfs in content]
    found = clusters_of(*subsystems)
    assert found.hits.sum() == sum(len(s) for s in subsystems)
    assert found.amplitude.sum() == sum(int(s.amplitude.sum()) for s in subsystems)
    assert np.all(found.duration <= P.time_window_ps * (found.hits - 1))
    shuffled = [hits(*(list(reversed(tf)) for tf in tfs)) for tfs in content]
    assert rows(clusters_of(*shuffled)) == rows(found)


@settings(deadline=None)
@given(tf=st.lists(_hit, max_size=25))
def test_clusters_are_those_of_a_plain_program(tf: list[tuple[int, int, int]]) -> None:
    def cut(chain: list[tuple[int, int, int]], key: int, gap: int) -> list[list[tuple[int, int, int]]]:
        chains: list[list[tuple[int, int, int]]] = []
        for hit in sorted(chain, key=lambda h: h[key]):
            if chains and hit[key] - chains[-1][-1][key] <= gap:
                chains[-1].append(hit)
            else:
                chains.append([hit])
        return chains

    by_number = [(c >> 8, amplitude, time) for c, amplitude, time in tf]
    expected = []
    for in_time in cut(by_number, 2, P.time_window_ps):
        for in_cell in cut(in_time, 0, P.cell_reach):
            for one in cut(in_cell, 2, P.time_window_ps):
                times = [time for _, _, time in one]
                peak = min(one, key=lambda h: (-h[1], h[0]))[0]
                total = sum(amplitude for _, amplitude, _ in one)
                expected.append((0, 0, min(times), max(times) - min(times), peak, total, len(one)))
    assert rows(clusters_of(hits(tf))) == sorted(expected)


def pair(time: int, number: int = 10) -> list[tuple[int, int, int]]:
    return [(cell(number), 1, time), (cell(number + 1), 2, time + 10)]


def coincidences(*subsystems: list[list[tuple[int, int, int]]]) -> list[tuple[int, ...]]:
    found: Coincidences = find_coincidences(clusters_of(*(hits(*tfs) for tfs in subsystems)), P)
    columns = (found.tf, found.time_stamp, found.subsystems, found.clusters, found.hits, found.amplitude)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_three_subsystems_at_a_time_are_a_coincidence() -> None:
    assert coincidences([pair(5000)], [pair(5900)], [pair(6900)]) == [(0, 5000, 3, 3, 6, 9)]


def test_two_are_none_even_with_three_clusters() -> None:
    assert coincidences([pair(5000) + pair(5100, 90)], [pair(5500)], [[]]) == []


def test_too_late_is_none() -> None:
    assert coincidences([pair(5000)], [pair(5900)], [pair(6901)]) == []


def test_single_hits_do_not_count() -> None:
    assert coincidences([pair(5000)], [pair(5100)], [[(cell(1), 9, 5100)]]) == []


def test_different_tfs_do_not_meet() -> None:
    assert coincidences([pair(5000), []], [pair(5000), []], [[], pair(5000)]) == []
    assert coincidences([[], pair(7)], [[], pair(7)], [[], pair(7)]) == [(1, 7, 3, 3, 6, 9)]


def test_numbers_of_cells() -> None:
    tracker, calorimeter = 0x0003_0002_0000_1A9C, 0x0000_0000_0007_51A9
    numbers = cell_number(np.array([tracker, tracker + (1 << 32), calorimeter, calorimeter + 256], dtype=np.uint64))
    assert numbers.tolist() == [0x0000_1A9C_0003_0002, 0x0000_1A9C_0003_0003, 0x0751, 0x0752]
