from __future__ import annotations

from pathlib import Path

import uproot
from stf_files import write

from swf.epic.stf.rootfile import opened


def test_what_a_file_teaches_uproot_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "a.stf"
    write(path)
    branch = uproot.classes["TBranch"]
    sound = dict(branch.known_versions)
    names = set(uproot.classes)
    with opened(path):
        # What uproot does where a corrupted version number makes it ask the file for the class.
        branch.known_versions[13] = type("Model_TBranch_v13", (), {})
        branch.known_versions[99] = type("Model_TBranch_v99", (), {})
        uproot.classes["Nonsense"] = type("Nonsense", (), {})
    assert branch.known_versions == sound
    assert set(uproot.classes) == names
