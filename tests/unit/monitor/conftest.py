"""What tests of the monitor's pages share: wrong passwords of one test do not count in the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.test import override_settings

from swf.core.times import ManualClock
from swf.monitor.parts import parts
from swf.monitor.throttle import LoginThrottle


@pytest.fixture(autouse=True)
def clock_of_throttle() -> Iterator[ManualClock]:
    """The clock by which wrong passwords are forgotten."""
    clock = ManualClock()
    with override_settings(SWF_MONITOR=replace(parts(), throttle=LoginThrottle(clock))):
        yield clock
