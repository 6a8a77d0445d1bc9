"""A module whose import does what the environment says."""

import os
import signal
import sys

print("importing", file=sys.stderr)
match os.environ["WHEN_IMPORTED"]:
    case "raise":
        raise RuntimeError("not today")
    case "exit":
        sys.exit(0)
    case "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    case "hang":
        signal.pause()
