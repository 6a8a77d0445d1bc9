"""The options that commands share."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from swf.core.modes import Mode
from swf.core.names import is_namespace

DEFAULT_DATA_DIR = Path("swf-data")


def _namespace(name: str | None) -> str | None:
    if name is not None and not is_namespace(name):
        raise typer.BadParameter(
            f"{name[:80]!r} is not a namespace: expected up to 64 of A-Z a-z 0-9 _ -, starting with a letter or digit"
        )
    return name


def located(commands: Iterable[str], data_dir: Path) -> tuple[str, ...]:
    """Commands as they are to be typed for this data directory; other advice stays as it is."""
    where = "" if data_dir == DEFAULT_DATA_DIR else f" --data-dir {shlex.quote(str(data_dir))}"
    return tuple(f"{text}{where}" if re.fullmatch(r"testbed [\w .:/-]+", text) else text for text in commands)


DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        envvar="SWF_DATA_DIR",
        help="The data directory: the store, STFs, samples, products, logs.",
    ),
]
ModeOption = Annotated[
    Mode | None,
    typer.Option("--mode", help="Whether to use services. Default: as `testbed up` or the configuration left it."),
]
NamespaceOption = Annotated[
    str | None,
    typer.Option("--namespace", metavar="NS", callback=_namespace, help="Only this namespace. Default: any."),
]
RunNamespace = Annotated[
    str | None, typer.Option("--namespace", metavar="NS", callback=_namespace, help="As --set testbed.namespace=NS.")
]
RunNumber = Annotated[str, typer.Argument(metavar="RUN", help="The run's number.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Write one JSON object to standard output.")]
KillAt = Annotated[str, typer.Option("--kill-at", metavar="NAME:N", hidden=True)]
Boundaries = Annotated[Path | None, typer.Option("--boundaries", metavar="FILE", hidden=True)]
"""For fault tests: end the process at the n-th passage of an effect boundary; write which ones were passed."""
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show the traceback of an unexpected error.")]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The user's configuration file. Default: SWF_TESTBED_CONFIG, or testbed.toml here.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Set one value of the configuration; may be repeated."),
]
StfCount = Annotated[int | None, typer.Option("--stf-count", metavar="N", help="STFs of the run.")]
PeriodCount = Annotated[int | None, typer.Option("--physics-period-count", metavar="N", help="Physics periods.")]
InputFile = Annotated[
    Path | None,
    typer.Option(
        "--input", metavar="FILE", help="An .edm4eic.root or .edm4hep.root file, the events of which are used."
    ),
]
Realtime = Annotated[
    bool | None,
    typer.Option(
        "--realtime/--no-realtime", help="Whether a second of the DAQ takes a second. Default: as configured."
    ),
]
