"""`python -m swf.cli`: the same as `testbed`."""

from swf.cli.main import main

main()
