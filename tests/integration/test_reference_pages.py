"""The generated pages of the documentation are those of the code."""

from __future__ import annotations

from pathlib import Path

from swf.cli.reference import schema_lock
from swf.cli.reference.__main__ import pages

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


def test_every_page_is_up_to_date() -> None:
    stale = [name for name, text in pages() if (FOLDER / name).read_text(encoding="utf-8") != text]
    assert not stale, f"out of date: {stale}; run: make docs"


def test_no_page_is_left_over() -> None:
    made = {name for name, _ in pages()} | {schema_lock.LOCK}
    kept = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    assert kept == made


def test_a_changed_message_has_a_new_version() -> None:
    assert not schema_lock.problem(FOLDER)
