"""What tests of every kind share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from store_fixture import configure_once, store, store_template

__all__ = ["store", "store_template"]

_BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_configure() -> None:
    """Models can be imported only where Django is configured."""
    configure_once()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real input files: SWF_TEST_DATA, or `../shared/data` beside the checkout; without it, a skip."""
    folder = Path(os.environ.get("SWF_TEST_DATA") or _BESIDE_THE_CHECKOUT)
    if not folder.is_dir():
        pytest.skip(
            f"no test data: {folder} is not a folder; set SWF_TEST_DATA to the folder that has particle_physics/"
        )
    return folder
