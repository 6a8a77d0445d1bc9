"""What the program runs on: Python, packages, the clock."""

from __future__ import annotations

import platform
import re
from datetime import datetime
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Final

from swf.core.modes import Mode
from swf.core.times import EARLIEST, Clock, rfc3339
from swf.service.doctor.finding import Finding, failed, ok, warning

_US: Final = "swf-testbed"
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)")
_EXTRA: Final = re.compile(r"extra\s*==\s*['\"]([a-z]+)['\"]")
_SERVICES: Final = "services"
_STEP_S: Final = 1.0


def python() -> Finding:
    """The interpreter and the system."""
    return ok("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def packages(mode: Mode) -> Finding:
    """This program and what it needs, the packages of the service mode included where that is used."""
    subject = "packages"
    try:
        needed = requires(_US) or []
        own = version(_US)
    except PackageNotFoundError:
        return warning(subject, f"{_US} runs, and is not installed", "pip install it: extras cannot be checked")
    present: dict[str, list[str]] = {}
    missing: dict[str, list[str]] = {}
    for requirement in needed:
        name = _REQUIREMENT.match(requirement)
        extra = _EXTRA.search(requirement)
        group = extra[1] if extra else ""
        if name is None or group not in {"", _SERVICES}:
            continue
        try:
            present.setdefault(group, []).append(f"{name[1]} {version(name[1])}")
        except PackageNotFoundError:
            missing.setdefault(group, []).append(name[1])
    if missing.get(""):
        return failed(subject, f"missing: {', '.join(missing[''])}", f"pip install {_US}")
    found = f"{_US} {own}; {', '.join(present.get('', []))}"
    lacking = missing.get(_SERVICES, [])
    if lacking and mode is Mode.SERVICE:
        return failed(subject, f"missing: {', '.join(lacking)}", f"pip install '{_US}[{_SERVICES}]'")
    if lacking:
        return ok(subject, f"{found}; without {', '.join(lacking)}, which the service mode needs")
    return ok(subject, f"{found}; {', '.join(present.get(_SERVICES, []))}")


class ClockWatch:
    """Compares the two clocks of this host from its making on: the wall clock must not step meanwhile."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.now()
        self._monotonic = clock.monotonic()

    def finding(self) -> Finding:
        """What is said of the clock."""
        subject = "clock"
        now, passed = self._clock.now(), self._clock.monotonic() - self._monotonic
        if now < EARLIEST:
            return failed(subject, f"it is set to {rfc3339(now)}", "set the clock, and keep it right with NTP")
        if passed < 0:
            return failed(subject, "the clock that never steps went back", "see what is wrong with this machine")
        step = (now - self._began).total_seconds() - passed
        if abs(step) > _STEP_S:
            return warning(
                subject, f"it stepped by {step:+.1f} s while the doctor looked", "keep it right with NTP, without steps"
            )
        return ok(subject, f"{rfc3339(now)}, steady")


def compared(ours: datetime, theirs: datetime) -> Finding:
    """This host's clock beside the database server's."""
    subject = "database clock"
    offset = (ours - theirs).total_seconds()
    found = f"this machine is {abs(offset):.3f} s {'ahead of' if offset > 0 else 'behind'} the database server"
    if abs(offset) > 60:
        return failed(subject, found, "set both clocks right with NTP: leases and times in rows would be wrong")
    if abs(offset) > 2:
        return warning(subject, found, "keep both clocks right with NTP")
    return ok(subject, found)
