"""What this web process is: its clock, its data directory, its address. Put into Django's settings by its root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from swf.config import WorkflowRegistry
from swf.core.modes import Mode
from swf.core.times import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What pages and routes may know of the process that serves them."""

    clock: Clock
    mode: Mode
    data_dir: Path
    """The data directory, absolute."""
    url: str = ""
    """The address that people use, without a slash at its end; empty where none is configured."""
    process_in: Callable[[str | None], int | None] = lambda namespace: None
    """The process that runs agents of a namespace, None: of any; None where none does."""
    workflows: WorkflowRegistry | None = None
    """The workflows that can be started here, with where their values come from; None: none can."""

    @property
    def behind_tls(self) -> bool:
        """Whether people reach it over TLS only."""
        return self.url.startswith("https://")


def site() -> Site:
    """The site of this process."""
    found = settings.SWF_SITE
    assert isinstance(found, Site)
    return found
