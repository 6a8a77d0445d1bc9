"""The command line: `testbed`. Thin: it reads flags, calls a use case, and shows what came of it."""
