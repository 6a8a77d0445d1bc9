"""The commands: a page with every command, its options and the exit codes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer.main

from swf.cli.exit_codes import MEANINGS
from swf.cli.main import application


def page() -> str:
    """The page of all commands."""
    root = typer.main.get_command(application())
    lines = [
        "# Commands",
        "",
        "Generated from the code by `make docs`. `testbed` and `swf-testbed` are the same program.",
        "",
    ]
    lines += ["## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code.value} | {meaning} |" for code, meaning in MEANINGS.items()]
    for name, command in _commands("testbed", root):
        lines += ["", f"## `{name}`", "", *_about(command), *_parameters(command)]
    return "\n".join(lines) + "\n"


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """The commands below one, depth first; groups themselves only lead to others."""
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
        return
    for key in sorted(below):
        if not below[key].hidden:
            yield from _commands(f"{name} {key}", below[key])


def _about(command: Any) -> Iterator[str]:
    yield inspect.cleandoc(command.help or "").split("\f")[0].strip()
    yield ""


def _parameters(command: Any) -> Iterator[str]:
    shown = [each for each in command.params if not getattr(each, "hidden", False) and each.name != "help"]
    if not shown:
        return
    yield "| argument or option | meaning | default |"
    yield "|---|---|---|"
    for each in shown:
        is_option = each.param_type_name == "option"
        flags = (
            ", ".join(f"`{flag}`" for flag in [*each.opts, *each.secondary_opts])
            if is_option
            else f"`{each.name.upper()}`"
        )
        default = "" if each.default in {None, False, ()} or callable(each.default) else f"`{each.default}`"
        words = " ".join((getattr(each, "help", "") or "").split())
        yield f"| {flags} | {words} | {default} |"
