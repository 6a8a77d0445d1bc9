"""Settings of PanDA workers, where a run's slices go to them."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, ClassVar, Final

from pydantic import Field

from swf.config import Section, TextList
from swf.core.errors import ConfigError
from swf.epic.messages import Slice
from swf.epic.settings_daq import DAY_S

_OWN_FIELDS: Final = frozenset({*Slice.model_fields, "substate"})


class WorkersBy(StrEnum):
    """Who processes slices."""

    WORKER_AGENTS = "worker_agents"
    """The worker agents of this testbed."""
    PANDA = "panda"
    """Workers that PanDA runs, which are there already."""


class PandaWorkersSection(Section):
    """PanDA workers that are there already. Read where `[processing] workers_by = "panda"`."""

    section: ClassVar[str] = "panda_workers"

    lease_s: float = Field(
        3600.0,
        gt=0,
        le=31 * DAY_S,
        description="Time from handing a slice out until it is taken for lost and handed out again, in seconds. It "
        "covers the wait for a worker; workers do not begin what is older.",
    )
    slice_options: TextList = Field(
        (),
        description="Further fields of each slice for the workers, as name=value: `file_type=fake`, "
        "`slice_processing_time=30`.",
    )

    def options(self) -> dict[str, Any]:
        """The further fields; a value that is JSON is meant as such, any other is a text.

        Raises:
            ConfigError: one of them is no such pair, or has the name of a field that every slice has.
        """
        options: dict[str, Any] = {}
        for each in self.slice_options:
            name, equals, value = each.partition("=")
            if not equals or not name.isidentifier() or name in _OWN_FIELDS:
                raise ConfigError(
                    f"{each[:80]!r} is no further field of a slice: expected name=value, such as file_type=fake, with "
                    f"none of the names {', '.join(sorted(_OWN_FIELDS))}"
                )
            options[name] = _value(value)
        return options


def _value(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_number)
    except ValueError:
        return text


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
