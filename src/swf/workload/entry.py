"""Entry points: finding the function, and calling it for one job."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from swf.core.errors import ConfigError
from swf.core.payload import Outcome, PayloadJob
from swf.workload.channel import LONGEST_LINE

EntryPoint: TypeAlias = Callable[[PayloadJob], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """How a call ended: `ok` with the summary, otherwise with one line of detail. `exit_code` as in `PayloadResult`."""

    outcome: Outcome
    exit_code: int | None = None
    detail: str = ""
    summary: dict[str, object] = field(default_factory=dict)


def load(entry_point: str) -> EntryPoint:
    """The function that `module:function` names.

    Raises:
        ConfigError: the module cannot be imported, or has no such function.
    """
    module_name, _, function_name = entry_point.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever a payload's module does
        raise ConfigError(
            f"entry point {entry_point!r}: {module_name} cannot be imported: {_one_line(error)}; "
            "install it where this program is, or name its folder in PYTHONPATH"
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        raise ConfigError(f"entry point {entry_point!r}: {module_name} has no function {function_name!r}")
    found: EntryPoint = function
    return found


def call(function: EntryPoint, job: PayloadJob) -> Returned:
    """Call a payload. What it raises is printed to standard error with its trace, and told in one line."""
    try:
        summary = function(job)
    except MemoryError as error:
        _print_trace()
        return Returned(outcome=Outcome.OUT_OF_MEMORY, detail=f"it raised {_one_line(error)}")
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        return Returned(outcome=Outcome.CRASHED, exit_code=code, detail=f"it called sys.exit({error.code!r})")
    except Exception as error:  # noqa: BLE001 - the boundary: a payload may raise anything
        _print_trace()
        return Returned(outcome=Outcome.CRASHED, detail=f"it raised {_one_line(error)}")
    return _checked(summary)


def _checked(summary: Any) -> Returned:
    if summary is None:
        return Returned(outcome=Outcome.OK, exit_code=0)
    if not isinstance(summary, dict):
        return Returned(
            outcome=Outcome.CRASHED, detail=f"it returned {type(summary).__name__}; expected a dict or None"
        )
    try:
        size = len(json.dumps(summary, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        return Returned(outcome=Outcome.CRASHED, detail=f"what it returned is not JSON: {_one_line(error)}")
    if size > LONGEST_LINE // 2:
        return Returned(outcome=Outcome.CRASHED, detail=f"its summary has {size} bytes; at most {LONGEST_LINE // 2}")
    return Returned(outcome=Outcome.OK, exit_code=0, summary=summary)


def _print_trace() -> None:
    """Print to the descriptor, for a payload may have put anything in the place of `sys.stderr`."""
    with contextlib.suppress(OSError):
        os.write(2, traceback.format_exc().encode(errors="replace"))


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
