"""The lifecycles as diagrams and tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from swf.core.transitions import Move, TransitionTable, label
from swf.core.work import WORK_TABLE
from swf.epic.daq.boundary import BOUNDARY_TABLE
from swf.epic.daq.machine import DAQ_TABLE, EFFECTS
from swf.epic.phases import RUN_TABLE


def page() -> str:
    """The page of all lifecycles."""
    lines = [
        "# Lifecycles",
        "",
        "Generated from the transition tables by `make docs`. A move that is not here is illegal.",
    ]
    for table, words in (
        (WORK_TABLE, "A work item: the verification of an STF, a TF sample file, a slice."),
        (RUN_TABLE, "A run as the agents see it (`RunState.phase`)."),
        (BOUNDARY_TABLE, "The boundary of a run as the DAQ sees it."),
    ):
        lines += ["", f"## {table.name.capitalize()}", "", words, "", "```mermaid", table.mermaid(), "```", ""]
        lines += _table(table)
    lines += ["", "## DAQ", "", "The DAQ's states; its moves by state. `effect` is what a move does to the run.", ""]
    lines += _daq()
    return "\n".join(lines) + "\n"


def _table(table: TransitionTable[Any, Any]) -> Iterator[str]:
    yield "| in | trigger | to | why |"
    yield "|---|---|---|---|"
    for move in table.moves:
        yield f"| {label(move.source)} | `{move.trigger}` | {label(move.target)} | {move.why} |"


def _daq() -> Iterator[str]:
    by_source: dict[Any, list[Move[Any, Any]]] = {}
    for move in DAQ_TABLE.moves:
        by_source.setdefault(move.source, []).append(move)
    for source, moves in by_source.items():
        yield f"### {label(source)}"
        yield ""
        yield "| trigger | to | effect | why |"
        yield "|---|---|---|---|"
        for move in moves:
            effect = EFFECTS[move.source, move.trigger]
            yield f"| `{move.trigger}` | {label(move.target)} | {effect} | {move.why} |"
        yield ""
