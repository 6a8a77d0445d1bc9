"""The error boundary of the command line: no error leaves it as a traceback."""

from __future__ import annotations

import contextlib
import os
import tempfile
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import typer

from swf.cli.exit_codes import ExitCode, code_of
from swf.cli.options import DEFAULT_DATA_DIR, located
from swf.cli.output import emit, say
from swf.core.errors import SwfError
from swf.core.times import SystemClock

_STORE_ERRORS: Final = "django.db.utils"
_SERVER_DRIVER: Final = "psycopg"


def guarded(command: Callable[[], object], arguments: Sequence[str]) -> int:
    """Run a command and return its exit code; an error becomes one line on standard error, and with `--json` an object
    on standard output as well."""
    try:
        code = command()
    except (KeyboardInterrupt, typer.Abort):
        return _report(arguments, "Interrupted", "interrupted", ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the boundary: whatever it was, a person gets a line and not a traceback
        return _refused(arguments, error)
    return code if isinstance(code, int) else ExitCode.DONE


def _refused(arguments: Sequence[str], error: Exception) -> int:
    if isinstance(error, SwfError):
        return _report(arguments, type(error).__name__, str(error), code_of(error))
    if type(error).__module__ == _STORE_ERRORS:
        if type(error.__cause__).__module__.partition(".")[0] == _SERVER_DRIVER:
            return _report(arguments, "ServiceError", _server(error), ExitCode.FAILED)
        return _report(arguments, "StorageError", _store(error, _data_dir(arguments)), ExitCode.FAILED)
    if isinstance(error, PermissionError) and error.filename is not None:
        message = f"{error.filename}: permission denied: give this user access, or choose another place"
        return _report(arguments, "StorageError", message, ExitCode.FAILED)
    # What the option parser raises is part of typer in new versions and of click in older ones.
    if hasattr(error, "format_message"):
        return _report(arguments, "UsageError", _usage(error), ExitCode.USAGE)
    return _unexpected(arguments, error)


def _report(arguments: Sequence[str], kind: str, message: str, code: ExitCode) -> int:
    if message:
        say(f"testbed: {message}")
    if "--json" in arguments:
        emit({"error": {"type": kind, "message": message, "exit_code": code.value}})
    return code


def _usage(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    message = str(getattr(error, "format_message")())  # noqa: B009 - see above
    if not message:  # no arguments: the help was shown
        return ""
    where = f"; see: {context.command_path} --help" if context is not None else ""
    return f"{message.rstrip('.')}{where}"


def _server(error: Exception) -> str:
    """A server that fails in the midst of a command, with the first line of what it says: the others are guesses."""
    said = str(error).strip().partition("\n")[0]
    return (
        f"the database failed: {said}. What was being written is there or not: look, for example with testbed runs "
        "list; then try again. See how its server is with: testbed doctor"
    )


def _store(error: Exception, data_dir: Path) -> str:
    text = str(error)
    what = "the store of this data directory cannot be used"
    if "no such" in text:
        (upgrade,) = located(["testbed db upgrade"], data_dir)
        return (
            f"{what}: {text}. It was made by another version of this program, or is not its store; one of an older "
            f"version is brought up to date by: {upgrade}"
        )
    if "not a database" in text or "malformed" in text:
        return f"{what}: {text}. Keep a copy of it, and choose another --data-dir"
    return f"{what}: {text}. Look at the free space and the permissions of its folder"


def _unexpected(arguments: Sequence[str], error: Exception) -> int:
    text = "".join(traceback.format_exception(error))
    kept = _keep(_data_dir(arguments) / "logs", text, SystemClock().now())
    message = f"unexpected {type(error).__name__}: {error}; the details are in {kept}"
    if {"-v", "--verbose"} & set(arguments):
        say(text.rstrip())
    return _report(arguments, type(error).__name__, message, ExitCode.FAILED)


def _data_dir(arguments: Sequence[str]) -> Path:
    """The data directory that the command was about."""
    root = DEFAULT_DATA_DIR
    for index, argument in enumerate(arguments):
        if argument == "--data-dir" and index + 1 < len(arguments):
            root = Path(arguments[index + 1])
        elif argument.startswith("--data-dir="):
            root = Path(argument.partition("=")[2])
    return root


def _keep(folder: Path, text: str, now: datetime) -> str:
    name = f"testbed-error-{now:%Y%m%dT%H%M%S}-{os.getpid()}.log"
    for place in (folder, Path(tempfile.gettempdir())):
        with contextlib.suppress(OSError):
            (place / name).write_text(text, encoding="utf-8")
            return str(place / name)
    return "no file, as none could be written; -v shows them"
