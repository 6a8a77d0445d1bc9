"""The pages of what belongs to no instrument: the present, messages, agents, logs, executions, data, dead letters."""

from __future__ import annotations

from typing import Final

from swf.service.instrument import NavigationEntry

NAVIGATION: Final = tuple(
    NavigationEntry(title=title, path=path)
    for title, path in (
        ("Executions", "/executions"),
        ("Messages", "/messages"),
        ("Agents", "/agents"),
        ("Logs", "/logs"),
        ("Datasets", "/datasets"),
        ("Products", "/products"),
        ("Tasks", "/tasks"),
        ("Dead letters", "/dead-letters"),
    )
)
"""The links of the head to them, behind those of the instruments."""
