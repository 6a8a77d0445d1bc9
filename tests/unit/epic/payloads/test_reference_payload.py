from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import uproot

from swf.core.errors import DataError
from swf.core.payload import PayloadJob
from swf.epic.payloads.reference import main, run
from swf.epic.stf.provenance import Provenance
from swf.epic.stf.read import read_range
from swf.epic.stf.simulate import SimulatedSource
from swf.epic.stf.write import write_stf
from swf.workload.entry import call, load


@pytest.fixture(scope="module")
def stf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("buffer") / "swf.7.000001.stf"
    source = SimulatedSource(seed=3, scale=0.3)
    frames = source.frames(run=7, sequence=1, first_tf=900, tf_count=100)
    write_stf(path, frames, provenance=source.provenance(7, 1))
    return path


def job_on(stf: Path, folder: Path, first: int, last: int) -> PayloadJob:
    return PayloadJob(
        key="1",
        input=str(stf),
        first=first,
        last=last,
        output=folder / "out" / "a.root",
        run=7,
        slice="swf.7.000001_slice_004.tf",
    )


@pytest.mark.parametrize(("first", "last"), [(0, 0), (3, 9), (60, 70), (0, 99)])
def test_every_hit_of_the_range_is_found(stf: Path, tmp_path: Path, first: int, last: int) -> None:
    summary = run(job_on(stf, tmp_path, first, last))
    expected = read_range(stf, first, last)
    assert summary["tf_count"] == last - first + 1
    assert summary["hits_found"] == expected.hit_count
    assert summary["hits_by_subsystem"] == {name: len(hits) for name, hits in expected.hits.items()}
    assert (summary["simulated"], summary["label"]) == (True, "SIMULATED")
    with uproot.open(tmp_path / "out" / "a.root") as file:
        clusters = file["clusters"].arrays(library="np")
        assert len(clusters["hits"]) == summary["clusters"]
        assert clusters["hits"].sum() == expected.hit_count
        assert set(np.unique(clusters["tf_number"])) <= set(range(900 + first, 901 + last))
        assert clusters["amplitude"].sum() == sum(int(h.amplitude.sum()) for h in expected.hits.values())
        assert file["coincidences"].num_entries == summary["coincidences"]


def test_the_output_says_from_what_and_how_it_was_made(stf: Path, tmp_path: Path) -> None:
    summary = run(job_on(stf, tmp_path, 3, 9))
    with uproot.open(tmp_path / "out" / "a.root") as file:
        product = json.loads(str(file["product"]))
        provenance = Provenance.from_json(str(file["provenance"]))
    assert product["label"] == provenance.label == "SIMULATED"
    assert (product["input"], product["first"], product["last"]) == (stf.name, 3, 9)
    assert (product["run"], product["slice"]) == (7, "swf.7.000001_slice_004.tf")
    assert product["code_version"] == summary["code_version"]
    assert product["parameters"] == summary["parameters"]
    assert product["subsystems"][0] == "SiBarrelVertexRawHits"


def test_the_same_slice_gives_the_same_bytes(stf: Path, tmp_path: Path) -> None:
    job = job_on(stf, tmp_path, 3, 9)
    other = replace(job, output=tmp_path / "b.root", key="2")
    assert run(job) == run(other)
    assert job.output.read_bytes() == other.output.read_bytes()


def test_a_slice_without_a_coincidence(tmp_path: Path) -> None:
    source = SimulatedSource(seed=3, scale=0.05, events_per_tf=0)
    path = tmp_path / "noise.stf"
    write_stf(path, source.frames(run=7, sequence=1, first_tf=0, tf_count=3), provenance=source.provenance(7, 1))
    assert run(job_on(path, tmp_path, 0, 2))["coincidences"] == 0
    with uproot.open(tmp_path / "out" / "a.root") as file:
        assert file["coincidences"].num_entries == 0


def test_what_fails_leaves_nothing(stf: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="asked for 90 to 100"):
        run(job_on(stf, tmp_path, 90, 100))
    cut = tmp_path / "cut.stf"
    cut.write_bytes(stf.read_bytes()[:-5000])
    with pytest.raises(DataError, match=r"cut\.stf is truncated"):
        run(job_on(cut, tmp_path, 0, 9))
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_as_an_entry_point(stf: Path, tmp_path: Path) -> None:
    ended = call(load("swf.epic.payloads.reference:run"), job_on(stf, tmp_path, 0, 4))
    assert ended.outcome == "ok"
    assert ended.summary["hits_found"] == read_range(stf, 0, 4).hit_count


def test_as_a_command(stf: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.root"
    arguments = ["--input", stf, "--first", "3", "--last", "9", "--output", output, "--run", "7", "--slice", "s"]
    command = [sys.executable, "-m", "swf.epic.payloads.reference", *arguments]
    subprocess.run(command, check=True, timeout=120)
    summary = json.loads((tmp_path / "a.root.json").read_text(encoding="utf-8"))
    assert summary["hits_found"] == read_range(stf, 3, 9).hit_count
    assert output.stat().st_size > 0


def test_the_command_tells_what_is_wrong(stf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "a.root"
    wrong = ["--input", f"{stf}x", "--first", "0", "--last", "1", "--output", f"{output}", "--run", "7", "--slice", "s"]
    assert main(wrong) == 1
    assert "swf.7.000001.stfx cannot be read: there is no such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_importing_it_is_cheap() -> None:
    code = "import sys, swf.epic.payloads.reference; sys.exit('numpy' in sys.modules or 'uproot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
