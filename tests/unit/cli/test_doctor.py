"""`testbed doctor` in embedded mode."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from shell import Testbed

from swf.service.workspace import Workspace


def subjects(found: dict[str, object]) -> dict[str, str]:
    findings = found["findings"]
    assert isinstance(findings, list)
    return {finding["subject"]: finding["verdict"] for finding in findings}


def test_a_sound_store_is_in_order(testbed: Testbed, data_dir: Path) -> None:
    (data_dir / "exit-buffer").mkdir()
    ended = testbed("doctor", "--data-dir", data_dir, "--set", "exit_buffer.capacity_gb=0.001", "--json")
    assert ended.code == 0
    assert (ended.json["mode"], ended.json["healthy"]) == ("embedded", True)
    found = subjects(ended.json)
    assert set(found.values()) == {"ok"}
    looked_at = "python, packages, data directory, free space, store, tables, writing, process, agents, clock"
    assert list(found) == looked_at.split(", ")


def test_it_prints_a_line_for_each_and_what_to_do(testbed: Testbed, data_dir: Path) -> None:
    call_command("migrate", "store", "0003", verbosity=0)
    connections.close_all()
    with Workspace(root=data_dir).locked():
        ended = testbed("doctor", "--data-dir", data_dir)
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert any(line.startswith("ok       store            ") and "sound" in line for line in lines)
    (at,) = (number for number, line in enumerate(lines) if line.startswith("failed   tables"))
    assert lines[at + 1].strip() == "do: bring them up to date: testbed db upgrade"
    assert any(line.startswith("ok       process") and "runs agents here" in line for line in lines)
    assert ", 1 failed" in ended.err


def test_a_damaged_store_is_said(testbed: Testbed, data_dir: Path) -> None:
    connections.close_all()
    store = data_dir / "swf.sqlite3"
    content = bytearray(store.read_bytes())
    content[8192:16384] = b"\xff" * 8192
    store.write_bytes(content)
    ended = testbed("doctor", "--data-dir", data_dir, "--json")
    assert ended.code == 1
    assert subjects(ended.json)["store"] == "failed"


def test_without_a_data_directory_it_looks_at_the_rest(testbed: Testbed, tmp_path: Path) -> None:
    ended = testbed("doctor", "--data-dir", tmp_path / "none", "--json")
    assert ended.code == 0
    assert {"python", "packages", "store", "clock"} <= set(subjects(ended.json))
    assert not (tmp_path / "none").exists()


def test_a_short_loss_test_touches_no_store_of_the_user(testbed: Testbed, data_dir: Path) -> None:
    before = (data_dir / "swf.sqlite3").read_bytes()
    ended = testbed("doctor", "--chaos", "--messages", "200", "--seed", "5", "--data-dir", data_dir, "--json")
    assert ended.code == 0
    assert (ended.json["sent"], ended.json["lost"], ended.json["duplicated"], ended.json["drops"]) == (200, 0, 0, 4)
    assert (ended.json["seed"], ended.json["passed"]) == (5, True)
    assert "DOCTOR: 200 SIMULATED messages" in ended.err
    assert (data_dir / "swf.sqlite3").read_bytes() == before


@pytest.mark.parametrize("arguments", [("--messages", "0"), ("--seed", "-1"), ("--mode", "cloud")])
def test_wrong_values_are_refused(testbed: Testbed, arguments: tuple[str, str]) -> None:
    assert testbed("doctor", "--chaos", *arguments).code == 2


def test_a_wrong_configuration_is_said(testbed: Testbed, tmp_path: Path) -> None:
    (tmp_path / "testbed.toml").write_text("[bus]\nprot = 1\n")
    ended = testbed("doctor")
    assert (ended.code, "did you mean port?" in ended.err) == (2, True)
