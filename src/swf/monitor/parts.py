"""What the monitor's pages and routes share in their process, put into Django's settings by its root."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from swf.monitor.figures import Figures
from swf.monitor.throttle import LoginThrottle
from swf.service.instrument import Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One of each per process."""

    instruments: tuple[Instrument, ...]
    """Those whose pages and routes are served."""
    figures: Figures
    throttle: LoginThrottle


def parts() -> Parts:
    """The parts of this process."""
    found = settings.SWF_MONITOR
    assert isinstance(found, Parts)
    return found
