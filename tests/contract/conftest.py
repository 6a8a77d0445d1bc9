"""The suites of the ports, shown with their values where they fail."""

import pytest

pytest.register_assert_rewrite("bus_contract", "catalog_contract")
