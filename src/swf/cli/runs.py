"""`testbed runs`: what was run, what became of it and why, and the operator's verbs."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from swf.cli.options import (
    DEFAULT_DATA_DIR,
    DataDir,
    JsonFlag,
    ModeOption,
    NamespaceOption,
    RunNumber,
    Verbose,
    located,
)
from swf.cli.output import emit, show, table
from swf.cli.retries import runs_retry
from swf.cli.session import open_store_of, scene_in, user_name
from swf.cli.stfs import runs_stfs
from swf.core.figures import number_of, size
from swf.core.scene import only
from swf.core.times import SystemClock

if TYPE_CHECKING:
    from swf.epic.usecases.runs import RunLine


def runs_list(
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="So many of the latest.")] = 50,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """The latest runs, the newest first, each with its execution, its state and its counts."""
    workspace = open_store_of(data_dir, mode)
    from swf.epic.usecases.lookup import NO_RUN_YET
    from swf.epic.usecases.runs import RUNS
    from swf.store.listing import Question

    found = list(islice(RUNS.every(Question(), scene_in(workspace, namespace)), limit))
    if as_json:
        emit({"runs": [line.as_json() for line in found]})
        return
    if not found:
        show(
            NO_RUN_YET if namespace is None else f"no run of namespace {namespace!r} is here; without --namespace: all"
        )
        return
    made = table("run", "execution", "namespace", "status", "state", "started (UTC)", "STFs", "slices", "ended by")
    for line in found:
        made.add_row(*_cells(line))
    show(made)


def runs_show(
    run: RunNumber,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """The figures of a run: STFs, samples, slices, hits, the ledger, products, messages and agents."""
    open_store_of(data_dir, mode)
    from swf.cli.trees import summary_tree
    from swf.epic.usecases.lookup import parse_run_number
    from swf.epic.usecases.summary import run_summary

    summary = run_summary(parse_run_number(run), only(namespace))
    if as_json:
        emit(summary.as_json())
    else:
        show(summary_tree(summary))


def runs_explain(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A run, STF, TF sample file, slice, execution, dataset, agent or product."),
    ],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Why a run, STF, TF sample file, slice, execution, dataset, agent or product is as it is: what it waits for or why
    it failed, its attempts, its events, and what to do next."""
    workspace = open_store_of(data_dir, mode)
    from swf.cli.trees import explanation_tree
    from swf.epic.usecases.explain import explain

    explanation = explain(name, scene_in(workspace, namespace))
    if as_json:
        emit({**explanation.as_json(), "next": located(explanation.next, data_dir)})
    else:
        show(explanation_tree(explanation, data_dir))


def runs_ledger(
    run: RunNumber,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """The account of a run: at each stage, how many STFs are in which state, and the name of each that is not done."""
    open_store_of(data_dir, mode)
    from swf.cli.trees import ledger_sum, ledger_table, undone_lines
    from swf.epic.usecases.lookup import parse_run_number
    from swf.epic.usecases.summary import ledger_as_json, run_ledger

    number = parse_run_number(run)
    ledger = ledger_as_json(run_ledger(number, only(namespace)))
    if as_json:
        emit({"run": number, **ledger})
    else:
        show(ledger_sum(number, ledger), ledger_table(ledger), *undone_lines(ledger))


def runs_replay(
    run: RunNumber,
    speed: Annotated[
        float, typer.Option("--speed", min=0, metavar="X", help="1: as it was; 10: ten times as fast; 0: at once.")
    ] = 0.0,
    first: Annotated[int, typer.Option("--from", min=0, metavar="SEQ", help="Begin with this event.")] = 0,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """The events of a run in their order, at the pace at which they came or faster. With `--json`, one object per event
    and line."""
    open_store_of(data_dir, mode)
    from swf.cli.trees import event_line
    from swf.epic.usecases.lookup import parse_run_number
    from swf.epic.usecases.replay import replay

    events = replay(
        parse_run_number(run),
        clock=SystemClock(),
        wait=time.sleep,
        speed=speed,
        first=first,
        namespaces=only(namespace),
    )
    for event in events:
        if as_json:
            emit(event.as_json())
        else:
            typer.echo(event_line(event.as_json()))


def runs_stop(
    run: RunNumber,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept with the run.")] = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Ask for the end of a run: the DAQ sends end_run, and the run is closed by its ledger."""
    workspace = open_store_of(data_dir, mode, read_only=False)
    from swf.epic.usecases.lookup import parse_run_number
    from swf.epic.usecases.runs import stop_run

    number = parse_run_number(run)
    request = stop_run(number, user_name(), reason, scene_in(workspace, namespace))
    if as_json:
        emit(request.as_json())
    else:
        show(request.text, *located([request.next] if request.next else [], data_dir))


def runs_prune(
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="AGE", help="72h, 30m, 3d ... Default: each run's retention.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Remove STFs from the exit buffer that were kept long enough and that nobody needs any more."""
    age = None if older_than is None else parse_age(older_than)
    workspace = open_store_of(data_dir, mode, read_only=dry_run)
    from swf.epic.usecases.prune import prune

    pruned = prune(workspace.exit_buffer, SystemClock(), older_than=age, dry_run=dry_run, namespace=namespace)
    if as_json:
        emit(pruned.as_json())
        return
    verb = "would be removed" if dry_run else "removed"
    show(
        *(f"{file.name}, {size(file.size_bytes)}, {verb} from {file.folder}" for file in pruned.files),
        f"{number_of(len(pruned.files), 'STF')}, {size(pruned.bytes)}, {verb}; {pruned.kept} stay",
    )


def parse_age(text: str) -> timedelta:
    """An age as a person writes it: `72h`, `30m`, `3d`, `0s`.

    Raises:
        BadParameter: it is none.
    """
    matched = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([smhd])", text.strip())
    if matched is None:
        raise typer.BadParameter(f"--older-than {text[:40]!r}: expected a number and s, m, h or d, for example 72h")
    return timedelta(seconds=float(matched[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[matched[2]])


def application() -> typer.Typer:
    """`testbed runs`."""
    app = typer.Typer(no_args_is_help=True, help="What was run, what became of it and why.")
    app.command("list")(runs_list)
    app.command("show")(runs_show)
    app.command("stfs")(runs_stfs)
    app.command("explain")(runs_explain)
    app.command("ledger")(runs_ledger)
    app.command("replay")(runs_replay)
    app.command("stop")(runs_stop)
    app.command("retry")(runs_retry)
    app.command("prune")(runs_prune)
    return app


def _cells(line: RunLine) -> list[str]:
    produced = "" if line.stfs_produced is None else f" of {line.stfs_produced}"
    failed = f", {line.slices_failed} failed" if line.slices_failed else ""
    ended_without_notice = line.status == "running" and not line.alive
    return [
        "" if line.run is None else f"{line.run}{' SIMULATED' if line.simulated else ''}",
        line.execution,
        line.namespace,
        f"{line.status} (no process)" if ended_without_notice else line.status,
        line.state,
        f"{line.started:%Y-%m-%d %H:%M:%S}",
        f"{line.stfs}{produced}",
        f"{line.slices_completed} of {line.slices}{failed}",
        line.ended_by,
    ]
