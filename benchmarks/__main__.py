"""Measure, print, and say of each goal whether it is reached.

The exit code is 0 also where a goal is missed: that is a result. It is 1 where a run is wrong, so that its figures mean
nothing: its ledger not complete, something lost or left over.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from benchmarks import catalogue, latency, memory, service_backlog, service_rate, stf_files, throughput
from benchmarks.figures import Report, WrongRunError
from benchmarks.machine import describe
from benchmarks.options import Options
from benchmarks.printing import as_json, show

PARTS: dict[str, Callable[[Options], Report]] = {
    "throughput": throughput.run,
    "latency": latency.run,
    "stf_files": stf_files.run,
    "memory": memory.run,
    "catalogue": catalogue.run,
    "service_rate": service_rate.run,
    "service_backlog": service_backlog.run,
}


def main() -> int:
    """Run the parts that the command line asks for."""
    arguments = _arguments()
    console, aside = Console(width=110), Console(stderr=True)
    began = time.perf_counter()
    reports: list[Report] = []
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="swf-bench-", dir=arguments.folder) as folder:
        options = Options(
            folder=Path(folder), quick=arguments.quick, progress=lambda text: aside.print(text, style="dim")
        )
        machine = describe(options.folder)
        console.print(", ".join(f"{name} {_short(value)}" for name, value in machine.items()), highlight=False)
        for name in arguments.only or PARTS:
            try:
                report = PARTS[name](options)
            except WrongRunError as error:
                aside.print(f"{name}: WRONG RUN: {error}", style="bold red", markup=False)
                wrong = 1
                continue
            reports.append(report)
            show(console, report)
    if arguments.json:
        arguments.json.write_text(json.dumps(as_json(reports, machine), indent=1) + "\n", encoding="utf-8")
    goals = [each.reached for report in reports for each in report.figures if each.goal]
    quick = ", SMOKE VERSION: the goals are for the full one" if arguments.quick else ""
    console.print(f"{sum(map(bool, goals))} of {len(goals)} goals reached; {time.perf_counter() - began:.0f} s{quick}")
    return wrong


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a smoke version, in less than a minute")
    parser.add_argument("--only", action="append", choices=PARTS, metavar="NAME", help=f"one of {', '.join(PARTS)}")
    parser.add_argument("--folder", type=Path, help="measure on this disk (default: the folder for temporary files)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file as well")
    return parser.parse_args()


def _short(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
