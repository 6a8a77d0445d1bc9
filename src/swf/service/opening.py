"""Opening the store. Imports no model: Django's models can only be imported after this."""

from __future__ import annotations

from collections.abc import Sequence

from swf.core.errors import UnknownNameError
from swf.service.workspace import Workspace
from swf.store import database, schema
from swf.store.postgresql import postgresql
from swf.store.settings import DatabaseSection


def open_store(workspace: Workspace, instrument_apps: Sequence[str]) -> None:
    """Make the data directory where there is none, open its store, and bring the tables up to date.

    A process does this once, before it imports a model.

    Raises:
        StorageError: the data directory cannot be written.
    """
    workspace.create()
    database.configure(database.sqlite(workspace.database), instrument_apps)
    database.migrate()


def open_existing_store(workspace: Workspace, instrument_apps: Sequence[str], *, read_only: bool) -> None:
    """Open the store of a data directory that is there already; its tables are left as they are.

    A process does this once, before it imports a model.

    Raises:
        UnknownNameError: there is no data directory, or no store in it.
    """
    require_store(workspace)
    path = workspace.database
    database.configure(database.sqlite_to_read(path) if read_only else database.sqlite(path), instrument_apps)


def open_service_store(
    section: DatabaseSection, instrument_apps: Sequence[str], *, application: str, any_version: bool = False
) -> None:
    """Open the database of the service mode, and see to it that its tables are what this program expects.

    A process does this once, before it imports a model; after a ServiceError it may try again. `application` is what
    the server shows for its connections;
    `any_version` is for who brings the tables up to date.

    Raises:
        ConfigError: no database is named, or it is not there, refuses this user, or is too old.
        ServiceError: the server does not answer.
        DataError: the tables are of another version of this program.
    """
    database.configure(postgresql(section, application=application), instrument_apps)
    if not any_version:
        schema.check()


def require_store(workspace: Workspace) -> None:
    """See to it that a data directory is there, with a store in it.

    Raises:
        UnknownNameError: it is not; the message names the command that makes one.
    """
    if not workspace.database.is_file():
        what = "no store in the data directory" if workspace.root.is_dir() else "no data directory"
        raise UnknownNameError(
            f"there is {what} {workspace.root.absolute()}: choose another with --data-dir, or make one with: "
            "testbed run fast_processing"
        )
