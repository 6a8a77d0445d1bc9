"""Settings of the installation, common to all instruments: the mode, the broker, the database, the monitor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import Field, field_validator

from swf.config import LocalPath, Section, TextList
from swf.core.modes import Mode
from swf.messaging.settings import BUS_ENVIRONMENT, BusSection, LegacySection
from swf.store.settings import ENVIRONMENT as DATABASE_ENVIRONMENT
from swf.store.settings import DatabaseSection


class ServiceSection(Section):
    """Whether commands use services, and how those of a data directory were started."""

    section: ClassVar[str] = "service"
    of_installation: ClassVar[bool] = True

    mode: Annotated[Mode, Field(strict=False)] = Field(
        Mode.EMBEDDED, description="`embedded`: all agents in one process, nothing else needed. `service`: one process "
        "per agent, with the broker of `[bus]` and the database of `[database]`."
    )  # fmt: skip
    by: str = Field(
        "",
        max_length=40,
        description="Which command started the services of the data directory; written by that command.",
    )
    workflow: str = Field(
        "", max_length=4000, description="Workflow that the agents were started for; written by that command."
    )
    config: LocalPath | None = Field(
        None, description="The user's file that the agents were started with; written by that command."
    )


class MonitorSection(Section):
    """The web monitor."""

    section: ClassVar[str] = "monitor"
    of_installation: ClassVar[bool] = True

    url: str = Field(
        "",
        max_length=500,
        description="Address of the web monitor, to point people to: `https://...` where a proxy with TLS stands "
        'before it; cookies are then sent over TLS only. Empty (""): none.',
    )
    hosts: TextList = Field(
        (), description="Further names by which the monitor may be called; the one of `url` and those of this machine "
        "where it listens are known."
    )  # fmt: skip
    proxies: TextList = Field(
        (),
        description="Addresses of the proxies before the monitor: what they say of who asks (X-Forwarded-For, "
        "X-Forwarded-Proto) is believed, and nobody else.",
    )
    session_hours: float = Field(12.0, gt=0, le=720, description="How long a login lasts, in hours.")
    requests_per_s: float = Field(
        50.0,
        gt=0,
        le=100000,
        description="Requests that one login or token may make in a second, for long; four times as many at once, and "
        "from one address eight times as many.",
    )

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        if url and not re.match(r"https?://[A-Za-z0-9.\[\]:-]+(/|\Z)", url):
            raise ValueError("expected http://host or https://host, with a port where it has one")
        return url.rstrip("/")


class MetricsSection(Section):
    """Figures for Prometheus, from each agent's process. Read in service mode."""

    section: ClassVar[str] = "metrics"
    of_installation: ClassVar[bool] = True

    enabled: bool = Field(True, description="Whether each agent answers scrapes at /metrics.")
    host: str = Field("127.0.0.1", max_length=255, description="Where it listens.")
    port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port where it listens. 0: any that is free; files in `metrics` of the data directory tell "
        "Prometheus (`file_sd_configs`) which.",
    )


PLATFORM_SECTIONS: Final[tuple[type[Section], ...]] = (
    ServiceSection,
    BusSection,
    DatabaseSection,
    LegacySection,
    MonitorSection,
    MetricsSection,
)
"""The sections that every kind of workflow reads for the platform."""

PLATFORM_ENVIRONMENT: Final[Mapping[str, str]] = {
    "SWF_MODE": "service.mode",
    "SWF_MONITOR_URL": "monitor.url",
    **BUS_ENVIRONMENT,
    **DATABASE_ENVIRONMENT,
}
"""Which variable sets which key."""
