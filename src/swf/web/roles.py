"""What a person may do, in three steps."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Each role may do what those before it may."""

    VIEWER = "viewer"
    """Sees what is in a namespace."""
    OPERATOR = "operator"
    """Starts and stops workflows, re-drives and discards messages, acknowledges alarms."""
    ADMIN = "admin"
    """Decides who may do what."""

    @property
    def level(self) -> int:
        """Its place among the roles: a higher one may do more."""
        return list(Role).index(self)

    def covers(self, other: Role) -> bool:
        """Whether who has this role may do what `other` may."""
        return self.level >= other.level
