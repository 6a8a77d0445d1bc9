"""All problems of one load, said in one error."""

from __future__ import annotations

from collections.abc import Sequence

from swf.core.errors import ConfigError

MOST = 50
"""A message names this many problems; the rest is counted."""


def config_error(what: str, problems: Sequence[str]) -> ConfigError:
    """One error for all problems; `what` says what was being read."""
    unique = list(dict.fromkeys(problems))
    if len(unique) == 1:
        return ConfigError(unique[0])
    lines = [
        f"{what} cannot be used as it is configured; {len(unique)} problems:",
        *(f"  - {problem}" for problem in unique[:MOST]),
    ]
    if len(unique) > MOST:
        lines.append(f"  - and {len(unique) - MOST} more")
    return ConfigError("\n".join(lines))
