"""The REST interface as OpenAPI says it, made from the routes as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from swf.core.modes import Mode
from swf.core.times import SystemClock
from swf.service.instrument import instruments
from swf.store import database


def document() -> dict[str, Any]:
    """The document that the monitor serves as /api/v1/openapi.json. Django is set up for it where it is not, without a
    database."""
    from django.conf import settings

    found = instruments()
    if not settings.configured:
        from swf.monitor.settings import django_apps, web_settings
        from swf.web.site import Site

        nowhere = Path("no-store/swf.sqlite3")
        site = Site(clock=SystemClock(), mode=Mode.EMBEDDED, data_dir=nowhere.parent)
        more = web_settings(site, secret="of no use", hosts=["127.0.0.1"], instruments=found)
        database.configure(database.sqlite(nowhere), django_apps(found), more)

    from swf.monitor.rest.root import rest_api

    return dict(rest_api(found).get_openapi_schema(path_prefix="/api/v1/"))
