"""`testbed db`: what an operator does to the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swf.cli.options import DEFAULT_DATA_DIR, DataDir, JsonFlag, ModeOption, NamespaceOption, Verbose
from swf.cli.output import emit, show
from swf.cli.runs import parse_age
from swf.cli.session import open_store_of
from swf.core.figures import number_of
from swf.core.times import SystemClock


def db_upgrade(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Bring the tables of the store up to date. It does nothing where they are; one process does it, others wait."""
    workspace = open_store_of(data_dir, mode, read_only=False, any_version=True)
    from swf.service.upkeep import upgrade

    made = upgrade(workspace)
    if as_json:
        emit({"changes": list(made)})
    elif made:
        show(*(f"made {change}" for change in made), f"the tables are up to date: {number_of(len(made), 'change')}")
    else:
        show("the tables are up to date: there was nothing to do")


def db_backup(
    target: Annotated[Path, typer.Argument(metavar="DEST", help="The new file; it must not be there yet.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Copy the whole store to a new file, as it is at one instant; agents may be at work. SQLite becomes an SQLite
    file, PostgreSQL an archive for pg_restore. Only its owner may read it."""
    open_store_of(data_dir, mode)
    from swf.store.maintenance import backup

    made = backup(target)
    if as_json:
        emit({"path": str(made.path), "bytes": made.bytes})
    else:
        show(f"the store is copied to {made.path}, {made.bytes} bytes")


def db_prune(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="30d, 72h ...: since a run was closed, or of a log line.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much would go.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Remove event logs, taken messages' ids and log lines of what was closed long ago. Runs, files, slices, attempts,
    products and dead letters stay. AGE must be longer than a broker can hold a message back."""
    age = parse_age(older_than)
    open_store_of(data_dir, mode, read_only=dry_run)
    from swf.store.maintenance import prune

    pruned = prune(SystemClock().now(), age, namespace=namespace, dry_run=dry_run)
    if as_json:
        emit(pruned.as_json())
        return
    counts = (
        number_of(pruned.events, "event"),
        number_of(pruned.inbox_entries, "inbox entry", "inbox entries"),
        number_of(pruned.app_logs, "log line"),
    )
    verb = "would go" if dry_run else "are gone"
    show(f"{', '.join(counts)} {verb}; of {number_of(pruned.runs, 'run')} that closed more than {older_than} ago")


def application() -> typer.Typer:
    """`testbed db`."""
    app = typer.Typer(no_args_is_help=True, help="The store: upgrade, copy, prune.")
    app.command("upgrade")(db_upgrade)
    app.command("backup")(db_backup)
    app.command("prune")(db_prune)
    return app
