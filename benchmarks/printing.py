"""Reports as text for a person, and as JSON."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from benchmarks.figures import Figure, Report, Table


def show(console: Console, report: Report) -> None:
    """One report: its figures, its tables, its notes."""
    grid = Grid(title=report.title, title_justify="left")
    for column in ("figure", "min", "median", "max", "unit", "goal", ""):
        grid.add_column(column, justify="right" if column in {"min", "median", "max"} else "left")
    for each in report.figures:
        grid.add_row(each.text, *_spread(each), each.unit, each.goal.text if each.goal else "", _verdict(each))
    console.print(grid)
    for table in report.tables:
        console.print(_grid(table))
    for note in report.notes:
        console.print(f"  {note}", highlight=False, markup=False)
    console.print()


def as_json(reports: list[Report], machine: dict[str, Any]) -> dict[str, Any]:
    """All reports as one JSON object."""
    return {
        "machine": machine,
        "reports": [
            {
                "name": report.name,
                "title": report.title,
                "figures": [each.as_json() for each in report.figures],
                "tables": [
                    {"title": table.title, "columns": table.columns, "rows": table.rows} for table in report.tables
                ],
                "notes": report.notes,
            }
            for report in reports
        ],
    }


def _grid(table: Table) -> Grid:
    grid = Grid(title=table.title, title_justify="left")
    for number, column in enumerate(table.columns):
        grid.add_column(column, justify="right" if number else "left")
    for row in table.rows:
        grid.add_row(*row)
    return grid


def _spread(each: Figure) -> tuple[str, str, str]:
    spread = each.spread
    if spread.repeats == 1:
        return "", _number(spread.median), ""
    return _number(spread.minimum), _number(spread.median), _number(spread.maximum)


def _verdict(each: Figure) -> str:
    return {None: "", True: "reached", False: "NOT REACHED"}[each.reached]


def _number(value: float) -> str:
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 20 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"
