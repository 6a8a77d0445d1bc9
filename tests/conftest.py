"""What tests of every kind share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from store_fixture import (
    configure_once,
    database_kind,
    databases_of,
    postgres,
    postgres_database,
    store,
    store_template,
)

__all__ = ["database_kind", "postgres", "postgres_database", "store", "store_template"]

_BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which database the tests use that use the store."""
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        help="run the tests that use the store on this database only; default: SQLite, and some suites on both",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Models can be imported only where Django is configured."""
    config.addinivalue_line("markers", "services: starts a real server; skipped where it is not installed")
    config.addinivalue_line("markers", "database(kind): uses the store on this database only")
    configure_once()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give tests that use the store their databases."""
    if "database_kind" in metafunc.fixturenames:
        metafunc.parametrize("database_kind", databases_of(metafunc, Path(__file__).parent), indirect=True)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real input files: SWF_TEST_DATA, or `../shared/data` beside the checkout; without it, a skip."""
    folder = Path(os.environ.get("SWF_TEST_DATA") or _BESIDE_THE_CHECKOUT)
    if not folder.is_dir():
        pytest.skip(
            f"no test data: {folder} is not a folder; set SWF_TEST_DATA to the folder that has particle_physics/"
        )
    return folder
