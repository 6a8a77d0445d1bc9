"""What every catalogue adapter does, as tests. How to run them on one of your own: docs/how-to/adapters.md."""

from __future__ import annotations

import pytest

from swf.catalog.port import Catalog, CatalogFile, DatasetName
from swf.core.errors import IllegalMoveError, UnknownNameError

DATASET = DatasetName(scope="group.daq", name="swf.100010.run")


def files(*sequences: int) -> list[CatalogFile]:
    """STFs of these numbers."""
    return [CatalogFile(name=f"swf.100010.{n:06d}.stf", size_bytes=n, adler32=f"{n:08x}") for n in sequences]


class CatalogContract:
    """The suite. A subclass has a fixture `catalog` that gives an empty catalogue for each test."""

    @pytest.fixture
    def made(self, catalog: Catalog) -> Catalog:
        catalog.create(DATASET, namespace="testbed", run_number=100010)
        return catalog

    def test_there_is_nothing_at_first(self, catalog: Catalog) -> None:
        assert catalog.look(DATASET) is None

    def test_a_dataset_that_was_made_is_open_and_empty(self, made: Catalog) -> None:
        view = made.look(DATASET)
        assert view is not None
        assert (view.dataset, view.is_open, view.files) == (DATASET, True, 0)

    def test_to_make_one_again_changes_nothing(self, made: Catalog) -> None:
        made.attach(DATASET, files(1))
        made.create(DATASET, namespace="testbed", run_number=100010)
        view = made.look(DATASET)
        assert view is not None
        assert view.files == 1
        made.close(DATASET)
        made.create(DATASET, namespace="testbed", run_number=100010)
        view = made.look(DATASET)
        assert view is not None
        assert not view.is_open

    def test_files_are_attached_once_however_often_it_is_said(self, made: Catalog) -> None:
        made.attach(DATASET, files(1, 2))
        made.attach(DATASET, files(2, 3))
        made.attach(DATASET, files(1, 2, 3))
        made.attach(DATASET, [])
        view = made.look(DATASET)
        assert view is not None
        assert view.files == 3

    def test_a_thousand_files_are_attached_at_once(self, made: Catalog) -> None:
        made.attach(DATASET, files(*range(1, 1001)))
        view = made.look(DATASET)
        assert view is not None
        assert view.files == 1000

    def test_a_closed_dataset_takes_no_more_files(self, made: Catalog) -> None:
        made.attach(DATASET, files(1, 2))
        made.close(DATASET)
        made.close(DATASET)
        with pytest.raises(IllegalMoveError, match=r"group\.daq:swf\.100010\.run is closed.*000003"):
            made.attach(DATASET, files(2, 3))
        view = made.look(DATASET)
        assert view is not None
        assert (view.is_open, view.files) == (False, 2)

    def test_what_a_closed_dataset_has_can_be_said_again(self, made: Catalog) -> None:
        made.attach(DATASET, files(1, 2))
        made.close(DATASET)
        made.attach(DATASET, files(1, 2))
        made.attach(DATASET, [])

    def test_nothing_is_done_with_a_dataset_that_is_not_there(self, catalog: Catalog) -> None:
        with pytest.raises(UnknownNameError, match=r"no dataset group\.daq:swf\.100010\.run"):
            catalog.attach(DATASET, files(1))
        with pytest.raises(UnknownNameError, match=r"no dataset group\.daq:swf\.100010\.run"):
            catalog.close(DATASET)

    def test_datasets_are_told_apart_by_scope_and_name(self, made: Catalog) -> None:
        for other in (DatasetName(scope="user.ann", name=DATASET.name), DatasetName(scope=DATASET.scope, name="other")):
            assert made.look(other) is None
            made.create(other, namespace="testbed", run_number=None)
            made.attach(other, files(1))
            made.close(other)
        view = made.look(DATASET)
        assert view is not None
        assert (view.is_open, view.files) == (True, 0)
