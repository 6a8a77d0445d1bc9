"""A number in a file that only grows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from swf.core.errors import StorageError
from swf.storage.high_water import HighWater


def test_it_only_grows(tmp_path: Path) -> None:
    mark = HighWater(tmp_path / "mark")
    assert mark.read() == 0
    seen = []
    for number in (5, 3, 100_010, 100_009):
        mark.note(number)
        seen.append(HighWater(tmp_path / "mark").read())
    assert seen == [5, 5, 100_010, 100_010]


def test_of_several_at_one_time_the_highest_stays(tmp_path: Path) -> None:
    path = tmp_path / "mark"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: HighWater(path).note(number), [7, 99, 3, 50] * 50))
    assert HighWater(path).read() == 99


def test_what_is_no_number_is_named(tmp_path: Path) -> None:
    (tmp_path / "mark").write_text("many\n")
    with pytest.raises(StorageError, match="'many' is no number"):
        HighWater(tmp_path / "mark").read()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        HighWater(tmp_path / "gone" / "mark").note(1)
