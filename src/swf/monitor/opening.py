"""Opening the store in a process that knows of accounts as well as of agents. Imports no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from swf.core.errors import DataError
from swf.core.modes import Mode
from swf.monitor.settings import WEB_APPS, django_apps
from swf.service.instrument import Instrument
from swf.service.mode import Installation
from swf.service.workspace import Workspace
from swf.store import database, schema
from swf.store.postgresql import postgresql

APPLICATION: Final = "testbed monitor"


def open_monitor_store(
    workspace: Workspace, found: Installation, instruments: Sequence[Instrument], more: Mapping[str, Any]
) -> None:
    """Open the store of a data directory, and make the tables of the web where they are not there yet. Tables of
    agents are left as they are.

    A process does this once, before it imports a model.

    Args:
        more: `swf.monitor.settings.web_settings`.

    Raises:
        ConfigError, ServiceError: the database of the service mode cannot be used.
        DataError: tables are of another version of this program.
    """
    if found.mode is Mode.SERVICE:
        # Pages are served by many threads: they share connections.
        settings = postgresql(found.database, pooled=True, application=APPLICATION)
    else:
        settings = database.sqlite(workspace.database)
    database.configure(settings, django_apps(instruments), more)
    _bring_up_to_date()


def _bring_up_to_date() -> None:
    labels = {name.rpartition(".")[2] for name in WEB_APPS}
    lacking = [change for change in schema.state().missing if change.partition(".")[0] not in labels]
    if lacking:
        raise DataError(
            f"the tables of agents are of an older version: they have not {', '.join(lacking[:3])}; upgrade them with: "
            "testbed db upgrade"
        )
    schema.upgrade()
