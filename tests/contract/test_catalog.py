"""The catalogue adapters keep the contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from catalog_contract import CatalogContract

from swf.catalog.local import LocalCatalog
from swf.core.times import ManualClock


class TestLocalCatalog(CatalogContract):
    @pytest.fixture
    def catalog(self, store: Path) -> LocalCatalog:
        return LocalCatalog(ManualClock())
