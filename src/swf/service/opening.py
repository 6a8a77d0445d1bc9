"""Opening the store of a data directory. Imports no model: Django's models can only be imported after this."""

from __future__ import annotations

from collections.abc import Sequence

from swf.service.workspace import Workspace
from swf.store import database


def open_store(workspace: Workspace, instrument_apps: Sequence[str]) -> None:
    """Make the data directory where there is none, open its store, and bring the tables up to date.

    A process does this once, before it imports a model.

    Raises:
        StorageError: the data directory cannot be written.
    """
    workspace.create()
    database.configure(database.sqlite(workspace.database), instrument_apps)
    database.migrate()
