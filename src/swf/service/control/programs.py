"""Programs that a supervisord runs, and its configuration as text.

Paths are relative to the data directory, in which supervisord runs; so that no character in the name of that folder can
have a meaning in the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from swf.core.errors import ConfigError

LOG_MB: Final = 10
LOG_BACKUPS: Final = 5

STOP_WAIT_S: Final = 15
"""How long an agent may take to end in good order."""

START_RETRIES: Final = 20
"""Attempts, a second more apart each time: three and a half minutes. Then somebody has to look."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_@+=:,./-]+\Z")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program: a server or an agent."""

    name: str
    command: Sequence[str]
    priority: int = 999
    """Lower ones are stopped later."""
    stop_signal: str = "TERM"
    stop_wait_s: int = STOP_WAIT_S
    user: str = ""
    """The user of the system that it runs as; empty: who runs supervisord."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Beside supervisord's own. No secrets."""


def log_of(program: str) -> Path:
    """What a program writes to its standard output and error, from the data directory on."""
    return Path("logs") / f"{program}.out.log"


def configuration(programs: Sequence[Program], *, socket: Path, user: str = "") -> str:
    """The text of `supervisord.conf`.

    Args:
        programs: what it runs; nothing is started before it is asked for.
        socket: where it listens, private to its user; it listens nowhere else.
        user: the user that supervisord stays, where it is started as root.

    Raises:
        ConfigError: a command or a variable cannot be written in this format.
    """
    parts = [
        "; Written by testbed at every start; changes are lost.",
        "[unix_http_server]",
        f"file={_value(str(socket))}",
        "chmod=0700",
        "",
        "[supervisord]",
        "logfile=logs/supervisord.log",
        f"logfile_maxbytes={LOG_MB}MB",
        f"logfile_backups={LOG_BACKUPS}",
        "pidfile=supervisor/supervisord.pid",
        *([f"user={user}"] if user else []),
        "",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        "",
    ]
    return "\n".join([*parts, *(_section(program) for program in programs)])


def _section(program: Program) -> str:
    if not _NAME.match(program.name):
        raise ConfigError(f"{program.name[:80]!r} is no name of a program: expected letters, digits, _ and -")
    lines = [
        f"[program:{program.name}]",
        f"command={command_line(program.command)}",
        f"priority={program.priority}",
        "autostart=false",
        "autorestart=true",
        f"startretries={START_RETRIES}",
        f"stopsignal={program.stop_signal}",
        f"stopwaitsecs={program.stop_wait_s}",
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={log_of(program.name)}",
        f"stdout_logfile_maxbytes={LOG_MB}MB",
        f"stdout_logfile_backups={LOG_BACKUPS}",
    ]
    if program.user:
        lines.append(f"user={program.user}")
    if program.environment:
        lines.append(f"environment={environment_text(program.environment)}")
    return "\n".join([*lines, ""])


def command_line(command: Sequence[str]) -> str:
    """A command as the file has it: words that are split as by a shell, `%` twice."""
    return " ".join(_word(part) for part in command)


def environment_text(variables: Mapping[str, str]) -> str:
    """Variables as the file has them.

    Raises:
        ConfigError: a value has both kinds of quotation marks, or more than one line.
    """
    return ",".join(f"{name}={_quoted(name, value)}" for name, value in sorted(variables.items()))


def _word(part: str) -> str:
    if not part.isprintable():
        raise ConfigError(f"the command cannot have {part[:200]!r} in it: it has characters that cannot be printed")
    if _PLAIN.match(part):
        return part
    # In double quotes, with each blank closed off: " #" and " ;" begin a comment even within quotes.
    inner = re.sub(r'(["\\])', r"\\\1", part).replace(" ", ' ""').replace("%", "%%")
    return f'"{inner}"'


def _quoted(name: str, value: str) -> str:
    if not value.isprintable() or ('"' in value and "'" in value):
        raise ConfigError(
            f"the variable {name} cannot be given to agents: its value has both kinds of quotation marks, or "
            "characters that cannot be printed; set it in the configuration file instead"
        )
    mark = "'" if '"' in value else '"'
    return f"{mark}{_value(value)}{mark}"


def _value(text: str) -> str:
    if re.search(r"\s[;#]", text):
        raise ConfigError(f"{text[:200]!r} cannot be used here: a blank before ; or # begins a comment; rename it")
    return text.replace("%", "%%")
