"""Whether this program can run what is configured. Imports no model."""

from __future__ import annotations

from swf.config import Configuration
from swf.core.errors import ConfigError
from swf.epic.settings import ROLES_WITH_AGENTS
from swf.epic.settings_daq import StfSection
from swf.epic.stf.rootfile import check_head


def check_runnable(configuration: Configuration) -> None:
    """Whether this program can run what is configured, as far as can be told before anything is made.

    Raises:
        ConfigError: a role has no agent yet, or the input file is not there.
        DataError: the input file is not a ROOT file.
    """
    lacking = [role for role in configuration.roles() if role not in ROLES_WITH_AGENTS]
    if lacking:
        raise ConfigError(
            f"a workflow of kind {configuration.kind.name} cannot be run yet: this program has no agent for its role "
            f"{' and '.join(lacking)}; stf_datataking and fast_processing can be run"
        )
    path = configuration.section(StfSection).input
    if path is not None and not path.is_file():
        raise ConfigError(f"{configuration.quote('stf.input')}: there is no such file: check the path")
    if path is not None:
        check_head(path)
