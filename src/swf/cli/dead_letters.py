"""`testbed dead-letters`: messages that could not be handled."""

from __future__ import annotations

from typing import Annotated

import typer

from swf.cli.options import DEFAULT_DATA_DIR, DataDir, JsonFlag, ModeOption, NamespaceOption, Verbose
from swf.cli.output import emit, show, table
from swf.cli.session import open_store_of, process_in, scene_in, user_name

LetterId = Annotated[int, typer.Argument(metavar="ID", help="The number of the dead letter.")]


def letters_list(
    every: Annotated[bool, typer.Option("--all", help="Those that were decided as well.")] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """The messages that could not be handled and wait, oldest first; with `--all`, those that were decided as well."""
    workspace = open_store_of(data_dir, mode)
    from swf.service.queries.dead_letters import LETTERS, OPEN
    from swf.store.listing import Question

    wanted = Question(filters={} if every else {"state": ",".join(OPEN)}, sort="id")
    letters = list(LETTERS.every(wanted, scene_in(workspace, namespace)))
    if as_json:
        emit({"dead_letters": [letter.as_json() for letter in letters]})
        return
    if not letters:
        show("no message waits: all were handled")
        return
    made = table("id", "state", "message", "run", "role", "attempts", "reason")
    for letter in letters:
        run = "" if letter.run is None else str(letter.run)
        made.add_row(
            str(letter.id),
            letter.state,
            letter.msg_type or "?",
            run,
            letter.role,
            str(letter.attempts),
            f"{letter.error}: {letter.reason}",
        )
    show(made)


def letters_show(
    letter_id: LetterId,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """One message that could not be handled, as it was received, and why."""
    workspace = open_store_of(data_dir, mode)
    from swf.service.queries.dead_letters import show_letter

    letter = show_letter(letter_id, scene_in(workspace, namespace))
    if as_json:
        emit(letter.as_json())
    else:
        fields = letter.as_json()
        show(*(f"{name}: {value}" for name, value in fields.items() if value not in {None, ""}))


def letters_redrive(
    letter_id: LetterId,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Let a parked message be handled once more; the running process takes it up, or the next one that is started."""
    workspace = open_store_of(data_dir, mode, read_only=False)
    from swf.service.queries.dead_letters import redrive_letter

    letter = redrive_letter(letter_id, user_name(), scene_in(workspace, namespace))
    process = process_in(workspace)
    if as_json:
        emit({**letter.as_json(), "process": process})
    elif process is None:
        show(f"dead letter {letter_id} will be tried again when a process runs here: testbed run --resume EXECUTION")
    else:
        show(f"dead letter {letter_id} will be tried again by process {process}")


def letters_discard(
    letter_id: LetterId,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is given up; it is kept.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Give a parked message up, with a reason; it stays on record."""
    workspace = open_store_of(data_dir, mode, read_only=False)
    from swf.service.queries.dead_letters import discard_letter

    letter = discard_letter(letter_id, user_name(), reason, scene_in(workspace, namespace))
    if as_json:
        emit(letter.as_json())
    else:
        show(f"dead letter {letter_id} is discarded by {letter.decided_by}; it stays on record")


def application() -> typer.Typer:
    """`testbed dead-letters`."""
    app = typer.Typer(no_args_is_help=True, help="Messages that could not be handled.")
    app.command("list")(letters_list)
    app.command("show")(letters_show)
    app.command("redrive")(letters_redrive)
    app.command("discard")(letters_discard)
    return app
