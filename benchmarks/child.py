"""What runs in a fresh process: one function, its result as JSON in a file."""

from __future__ import annotations

import json
import signal
import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Do the call that the first argument describes; see `benchmarks.processes`."""
    # Whoever ends this process ends what it has started: servers, agents.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    call = json.loads(sys.argv[1])
    module, _, name = call["function"].partition(":")
    function = getattr(import_module(f"benchmarks.{module}"), name)
    measured = function(folder=Path(call["folder"]), **call["arguments"])
    Path(call["result"]).write_text(json.dumps(measured), encoding="utf-8")


if __name__ == "__main__":
    main()
