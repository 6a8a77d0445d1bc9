"""How to run a payload: checks of its specification, and what is made from it for one job."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from swf.core.errors import ConfigError
from swf.core.payload import PayloadJob, PayloadSpec

PLACEHOLDERS: Final = ("input", "first", "last", "output", "run", "slice")
"""What an argument of a command may hold in braces."""

PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "PYTHONPATH")
"""Variables that every payload gets as they are set here."""

ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""A pool has one payload per core, so numerical libraries get one thread each, unless the specification says else."""

_BRACES = re.compile(r"\{([^{}]*)\}")
_ENTRY_POINT = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*\Z")
_SUFFIX = re.compile(r"\.[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")
_VARIABLE = re.compile(r"[A-Za-z_]\w*(=[^\0]*)?\Z", re.ASCII)


def validate_spec(spec: PayloadSpec) -> None:
    """Check a specification when the configuration is read, so that no job finds out.

    Raises:
        ConfigError: it cannot be run as written; the message names the key and what was expected.
    """
    here = f"payload {spec.name!r}"
    if not spec.name:
        raise ConfigError("a payload has no name: give it one")
    if bool(spec.command) == bool(spec.entry_point):
        raise ConfigError(f"{here}: set exactly one of command and entry_point")
    if spec.command:
        _check_command(here, spec)
    elif not _ENTRY_POINT.match(spec.entry_point):
        raise ConfigError(f"{here}: entry_point: expected 'module:function', got {spec.entry_point!r}")
    if not (math.isfinite(spec.timeout_s) and spec.timeout_s > 0):
        raise ConfigError(f"{here}: timeout_s: expected seconds above 0, got {spec.timeout_s}")
    if spec.memory_mb < 1:
        raise ConfigError(f"{here}: memory_mb: expected at least 1, got {spec.memory_mb}")
    if not _SUFFIX.match(spec.output_suffix):
        raise ConfigError(f"{here}: output_suffix: expected one like '.root', got {spec.output_suffix!r}")
    for variable in spec.environment:
        if not _VARIABLE.match(variable):
            raise ConfigError(f"{here}: environment: expected NAME or NAME=value, got {variable!r}")


def command_line(spec: PayloadSpec, job: PayloadJob) -> list[str]:
    """The argument list of one job. What is put in is not looked at again: a brace in a file name stays one.

    Local paths are made absolute, since a payload runs in a folder of its own; so is the program, where it is a path.
    """
    values = {
        "input": absolute_input(job.input),
        "first": str(job.first),
        "last": str(job.last),
        "output": str(job.output.absolute()),
        "run": str(job.run),
        "slice": job.slice,
    }
    arguments = [_BRACES.sub(lambda found: values[found[1]], argument) for argument in spec.command]
    if "/" in arguments[0]:
        arguments[0] = str(Path(arguments[0]).absolute())
    return arguments


def absolute_input(address: str) -> str:
    """A local path made absolute; an address with a scheme as it is."""
    return address if "://" in address else str(Path(address).absolute())


def payload_environment(spec: PayloadSpec, parent: Mapping[str, str], work: Path) -> dict[str, str]:
    """All the variables of a payload: nothing else of `parent` reaches it. `work` is its folder for temporary files."""
    variables = {name: parent[name] for name in PASSED_ON if name in parent}
    variables |= ONE_THREAD
    variables["TMPDIR"] = str(work)
    for entry in spec.environment:
        name, given, value = entry.partition("=")
        if given:
            variables[name] = value
        elif name in parent:
            variables[name] = parent[name]
    return variables


def _check_command(here: str, spec: PayloadSpec) -> None:
    allowed = " ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    for argument in spec.command:
        for name in _BRACES.findall(argument):
            if name not in PLACEHOLDERS:
                raise ConfigError(f"{here}: command: unknown {{{name}}} in {argument!r}; allowed: {allowed}")
        if re.search(r"[{}]", _BRACES.sub("", argument)):
            raise ConfigError(f"{here}: command: a brace in {argument!r} belongs to nothing; allowed: {allowed}")
        if "\0" in argument:
            raise ConfigError(f"{here}: command: an argument holds a NUL character: {argument!r}")
    if not spec.command[0]:
        raise ConfigError(f"{here}: command: the program is empty: expected its name or path first")
    if _BRACES.search(spec.command[0]):
        raise ConfigError(f"{here}: command: the program {spec.command[0]!r} may not come from a job: write its name")
    if spec.expects_output and not any("{output}" in argument for argument in spec.command):
        raise ConfigError(
            f"{here}: command: no argument holds {{output}}, so its output cannot be found; "
            "add it, or set expects_output = false"
        )
