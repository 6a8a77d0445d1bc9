"""The root of the monitor's process: it puts together what the rest is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from swf.config import WorkflowRegistry
from swf.core.ids import Uuid7Source
from swf.core.modes import Mode
from swf.core.times import Clock
from swf.monitor.opening import open_monitor_store
from swf.monitor.secret import secret_of
from swf.monitor.settings import REQUEST_LIMIT_BYTES, web_settings
from swf.service.instrument import Instrument
from swf.service.mode import Installation
from swf.service.opening import require_store
from swf.service.workspace import Workspace
from swf.web.site import Site

if TYPE_CHECKING:
    from swf.monitor.asgi import Application
    from swf.service.logs import Log

APP: Final = "monitor"
_HERE: Final = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorOrder:
    """What a monitor is to serve, and where."""

    workspace: Workspace
    installation: Installation
    instruments: tuple[Instrument, ...]
    clock: Clock
    workflows: WorkflowRegistry | None = None
    """The workflows that can be started from here; None: none can."""

    @property
    def site(self) -> Site:
        """What pages may know of the process."""
        return Site(
            clock=self.clock,
            mode=self.installation.mode,
            data_dir=self.workspace.root,
            url=self.installation.monitor.url,
            process_in=self._process_in,
            workflows=self.workflows,
        )

    def _process_in(self, namespace: str | None) -> int | None:
        # It needs models, which can be imported only once Django is set up.
        from swf.service.at_work import process_at_work

        return process_at_work(self.workspace, self.clock, namespace)


def open_monitor(order: MonitorOrder, listens_on: str = "127.0.0.1") -> None:
    """Set Django up with the store, the accounts and the pages. A process does this once.

    Args:
        order: what is served.
        listens_on: the address where requests will come in.

    Raises:
        UnknownNameError, ConfigError, ServiceError, DataError, StorageError: as `open_monitor_store` says; or the
            monitor's secret cannot be kept.
    """
    section = order.installation.monitor
    # The store is looked for first: nothing is made in a folder that is no data directory.
    if order.installation.mode is Mode.EMBEDDED:
        require_store(order.workspace)
    else:
        order.workspace.create()
    more = web_settings(
        order.site,
        secret=secret_of(order.workspace.monitor_secret),
        hosts=hosts_of(order, listens_on),
        instruments=order.instruments,
        session_hours=section.session_hours,
    )
    open_monitor_store(order.workspace, order.installation, order.instruments, more)


def hosts_of(order: MonitorOrder, listens_on: str) -> list[str]:
    """The names by which the monitor may be called."""
    section = order.installation.monitor
    named = urlsplit(section.url).hostname if section.url else None
    own = f"[{listens_on}]" if ":" in listens_on else listens_on
    found = dict.fromkeys((*_HERE, own, *([named] if named else []), *section.hosts))
    return [name for name in found if not _is_unspecified(name)]


@contextmanager
def application(order: MonitorOrder) -> Iterator[tuple[Application, Log]]:
    """Everything that is served, guarded, with its log open. Django is set up already."""
    # These need Django: models can be imported only now.
    from django.conf import settings

    from swf.monitor.asgi import inner_application
    from swf.monitor.guard import Guard, Policy
    from swf.monitor.parts import parts
    from swf.service.logs import LogSink

    section = order.installation.monitor
    order.workspace.logs.mkdir(parents=True, exist_ok=True)
    sink = LogSink(order.workspace.logs / f"{APP}.log", APP, order.clock, to_store=False)
    try:
        log = sink.logger(APP)
        policy = Policy(
            hosts=tuple(settings.ALLOWED_HOSTS),
            cookie=settings.SESSION_COOKIE_NAME,
            tls=order.site.behind_tls,
            request_limit=REQUEST_LIMIT_BYTES,
            requests_per_s=section.requests_per_s,
        )
        guard = Guard(
            inner_application(),
            policy,
            figures=parts().figures,
            log=log,
            clock=order.clock,
            ids=Uuid7Source(order.clock),
        )
        yield guard, log
    finally:
        sink.close()


def _is_unspecified(name: str) -> bool:
    try:
        return ip_address(name.strip("[]")).is_unspecified
    except ValueError:
        return False
