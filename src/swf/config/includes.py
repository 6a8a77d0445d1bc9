"""A file and all that it includes, in the order in which they apply: later files are stronger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from swf.config.tomlfile import TomlFile, is_file, read_toml
from swf.core.errors import ConfigError

MOST_FILES = 100
"""A tree of includes with more files than this is refused."""


def read_tree(path: Path, shipped: Sequence[Path], *, named_by: str = "", follow_config: bool = True) -> list[TomlFile]:
    """Read a file and its includes; the file itself comes last.

    `[workflow] includes` names files relative to the including one, else in a `shipped` folder. `[workflow] config`
    names a workflow that the file changes (`prompt_processing_default`): it is included first, so is the weakest.
    A file that is reached in two ways is read once, where it is the strongest.

    Raises:
        ConfigError: a file cannot be read, is missing, or includes itself; the message shows the chain.
    """
    files: list[TomlFile] = []
    _read(path.absolute(), shipped, named_by, (), files, follow_config)
    last = {file.path: index for index, file in enumerate(files)}
    return [file for index, file in enumerate(files) if last[file.path] == index]


def _read(
    path: Path, shipped: Sequence[Path], by: str, chain: tuple[Path, ...], files: list[TomlFile], follow_config: bool
) -> None:
    here = path.resolve()
    steps = " -> ".join(str(step) for step in (*chain, here))
    if here in chain:
        raise ConfigError(f"{path}: includes itself: {steps}; remove one of these includes")
    if len(files) + len(chain) > MOST_FILES:
        raise ConfigError(f"{path}: more than {MOST_FILES} files are included: {steps}")
    file = read_toml(path, named_by=by)
    for name in _included(file, follow_config=follow_config):
        found = _find(name, path.parent, shipped)
        if found is None:
            folders = ", ".join(str(folder) for folder in (path.parent, *shipped))
            raise ConfigError(
                f"{path}: [workflow] includes: there is no {name!r}: looked in {folders}; included by {steps}"
            )
        _read(found, shipped, f"includes of {path}", (*chain, here), files, True)
    files.append(file)


def _included(file: TomlFile, *, follow_config: bool) -> list[str]:
    workflow = file.table.get("workflow", {})
    if not isinstance(workflow, dict):
        return []  # said when the section is read
    names: list[str] = []
    base = workflow.get("config", "")
    if follow_config and isinstance(base, str) and base:
        names.append(base)
    includes = workflow.get("includes", [])
    if not isinstance(includes, list) or not all(isinstance(name, str) and name for name in includes):
        raise ConfigError(f"{file.path}: [workflow] includes: expected a list of file names, got {includes!r:.80}")
    return [*names, *includes]


def _find(name: str, folder: Path, shipped: Sequence[Path]) -> Path | None:
    endings = ("",) if name.endswith(".toml") else (".toml", "_default.toml", "")
    candidates = (place / f"{name}{ending}" for place in (folder, *shipped) for ending in endings)
    return next((path.absolute() for path in candidates if is_file(path)), None)
