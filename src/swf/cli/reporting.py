"""What `testbed run` says at its end: the summary, why something is not done, and what to type next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from swf.cli.exit_codes import ExitCode
from swf.cli.options import located
from swf.cli.output import emit, error_console, say, show
from swf.cli.trees import explanation_tree, summary_tree
from swf.core.errors import UnknownNameError
from swf.core.scene import Scene
from swf.core.times import SystemClock
from swf.epic.usecases.explain import explain
from swf.epic.usecases.explanation import Explanation
from swf.epic.usecases.scene import resume_command
from swf.epic.usecases.summary import RunSummary, run_summary
from swf.epic.usecases.watch import Ending
from swf.store.models import WorkflowExecution


def report(
    execution: WorkflowExecution, run_number: int | None, ending: Ending, data_dir: Path, *, as_json: bool
) -> ExitCode:
    """Show what came of an execution, and return the exit code that says it. `run_number` is None where it has no run
    yet.

    Everything is asked before anything is said, so that a caller may call again where the database fails.
    """
    summary = _summary(run_number)
    code = _code(ending, summary)
    why = None
    if ending is not Ending.INTERRUPTED and code is not ExitCode.DONE and run_number is not None:
        why = explain(str(run_number), Scene(now=SystemClock().now(), process=None))
    if as_json:
        emit({**_as_json(execution, run_number, summary), "ending": ending.value, "exit_code": code.value})
    elif summary is not None:
        show(summary_tree(summary))
    _say_next(execution, run_number, ending, why, data_dir)
    return code


def _as_json(execution: WorkflowExecution, run_number: int | None, summary: RunSummary | None) -> dict[str, Any]:
    if summary is not None:
        return summary.as_json()
    return {"execution": execution.execution_id, "run": run_number, "status": str(execution.status)}


def _say_next(
    execution: WorkflowExecution, run_number: int | None, ending: Ending, why: Explanation | None, data_dir: Path
) -> None:
    name = execution.execution_id
    (resume,) = located([resume_command(name)], data_dir)
    if ending is Ending.INTERRUPTED:
        say(f"{name} is paused; nothing is lost. To go on: {resume}")
    elif why is not None:
        if ending is Ending.STUCK:
            say(f"run {run_number} could go no further by itself; once that is mended: {resume}")
        error_console().print(explanation_tree(why, data_dir))


def _summary(run_number: int | None) -> RunSummary | None:
    if run_number is None:
        return None
    try:
        return run_summary(run_number)
    except UnknownNameError:  # interrupted before the run was announced
        return None


def _code(ending: Ending, summary: RunSummary | None) -> ExitCode:
    match ending:
        case Ending.INTERRUPTED:
            return ExitCode.INTERRUPTED
        case Ending.STUCK:
            return ExitCode.FAILED
        case Ending.CLOSED:
            return ExitCode.DONE if summary is not None and summary.complete else ExitCode.INCOMPLETE
