from __future__ import annotations

import json
from pathlib import Path

import pytest
import uproot
from stf_files import MADE_BY_HAND, write

from swf.core.errors import DataError
from swf.epic.stf.provenance import UNKNOWN, Provenance
from swf.epic.stf.read import inspect


def test_it_comes_back() -> None:
    assert Provenance.from_json(MADE_BY_HAND.to_json()) == MADE_BY_HAND
    assert json.loads(MADE_BY_HAND.to_json())["label"] == "SIMULATED"


def test_fields_of_later_versions_are_passed_over() -> None:
    fields = json.loads(MADE_BY_HAND.to_json()) | {"version": 2, "weather": "fine"}
    assert Provenance.from_json(json.dumps(fields)) == MADE_BY_HAND


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '"SIMULATED"', "{", '{"simulated":true}', "[" * 100_000])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="the provenance is not what this program writes"):
        Provenance.from_json(text)


def test_a_file_that_does_not_say_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "a.stf"
    write(path, 3)
    path.write_bytes(path.read_bytes().replace(b"provenance", b"p_r_venanc"))
    assert inspect(path).provenance == UNKNOWN
    assert UNKNOWN.label == "events of unknown"


def test_it_is_an_object_string_that_root_reads(tmp_path: Path) -> None:
    write(tmp_path / "a.stf", 3)
    with uproot.open(tmp_path / "a.stf") as file:
        assert file.classname_of("provenance") == "TObjString"
        assert json.loads(str(file["provenance"]))["seed"] == MADE_BY_HAND.seed
