"""In which mode a command works, and where its broker and its database are."""

from __future__ import annotations

from dataclasses import dataclass

from swf.config import Configuration
from swf.core.errors import ConfigError
from swf.core.modes import Mode
from swf.messaging.settings import BusSection, LegacySection
from swf.service.settings import MonitorSection, ServiceSection
from swf.store.postgresql import named
from swf.store.settings import DatabaseSection


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The settings of the platform, as they are for one command."""

    mode: Mode
    service: ServiceSection
    bus: BusSection
    database: DatabaseSection
    legacy: LegacySection
    monitor: MonitorSection
    origin: str
    """Where the mode was said."""

    @property
    def in_words(self) -> str:
        """The mode with its servers, without secrets; what a command in service mode says first."""
        if self.mode is Mode.EMBEDDED:
            return "embedded mode"
        return f"service mode ({self.origin}): database {named(self.database)}, broker {self.bus.host}:{self.bus.port}"


def installation(configuration: Configuration) -> Installation:
    """The platform's part of a configuration."""
    return Installation(
        mode=configuration.section(ServiceSection).mode,
        service=configuration.section(ServiceSection),
        bus=configuration.section(BusSection),
        database=configuration.section(DatabaseSection),
        legacy=configuration.section(LegacySection),
        monitor=configuration.section(MonitorSection),
        origin=str(configuration.value("service.mode").origin),
    )


def require_service(found: Installation) -> None:
    """See to it that the mode is `service`.

    Raises:
        ConfigError: it is not; the message says how to get there.
    """
    if found.mode is not Mode.SERVICE:
        raise ConfigError(
            f"this needs the service mode, and here it is {found.mode} ({found.origin}): start services with "
            "`testbed up` (servers of this machine) or `testbed start-local` (servers that are there), or say --mode "
            "service"
        )
