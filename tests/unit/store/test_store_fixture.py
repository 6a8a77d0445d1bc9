"""The store that the tests get."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import OperationalError, connection

from swf.store.models import Counter


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_store_of_its_own(store: Path, turn: int) -> None:
    assert Counter.objects.count() == 0
    Counter.objects.create(name="seen", value=turn)


def test_it_is_made_like_the_real_one(store: Path) -> None:
    if connection.vendor == "postgresql":
        assert not store.exists()
        return
    assert store.is_file()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_without_the_fixture_there_is_no_store() -> None:
    with pytest.raises(OperationalError, match="unable to open"):
        Counter.objects.count()
