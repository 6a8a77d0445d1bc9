"""How often a password may be wrong."""

from __future__ import annotations

from typing import Final

from swf.core.times import Clock
from swf.monitor.limits import Buckets

WINDOW_S: Final = 900.0
TRIES: Final = 5
"""Wrong passwords for one user from one address within the window."""
TRIES_OF_ADDRESS: Final = 30
TRIES_OF_USER: Final = 100
"""From all addresses together: many, so that nobody can easily lock another person out."""


class LoginThrottle:
    """Counts wrong passwords by user and address, by address, and by user."""

    def __init__(self, clock: Clock) -> None:
        self._limits = {
            tries: Buckets(tries / WINDOW_S, tries, clock) for tries in (TRIES, TRIES_OF_ADDRESS, TRIES_OF_USER)
        }

    def wait_s(self, user: str, address: str) -> float:
        """Seconds until another password is looked at; 0 where it is now."""
        return max(self._limits[tries].lacking_s(key) for tries, key in _keys(user, address))

    def refused(self, user: str, address: str) -> None:
        """A password was wrong."""
        for tries, key in _keys(user, address):
            self._limits[tries].charge(key, 1.0)


def _keys(user: str, address: str) -> tuple[tuple[int, str], ...]:
    return (TRIES, f"{user.lower()} {address}"), (TRIES_OF_ADDRESS, address), (TRIES_OF_USER, user.lower())
