"""The workflows that there are: shipped ones and those of the user's folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from swf.config.configuration import Configuration
from swf.config.describe import shown, suggestion
from swf.config.entries import Reading
from swf.config.includes import read_tree
from swf.config.layout import Layout
from swf.config.load import load
from swf.config.origin import Layer
from swf.config.overrides import Sources
from swf.config.paths import absolute
from swf.config.tomlfile import TomlFile, is_file
from swf.config.workflow import WorkflowKind
from swf.core.errors import ConfigError, UnknownNameError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowFile:
    """A workflow that can be run, or a file that was meant as one and cannot."""

    name: str
    """What it is found by: the file's name without `_default` and ending."""
    path: Path
    kind: WorkflowKind | None
    """None where there is a problem."""
    version: str = ""
    description: str = ""
    problem: str = ""


class WorkflowRegistry:
    """Finds workflows by name; loads and validates them.

    Args:
        kinds: the kinds that the program knows.
        shipped: folders with the shipped workflows.
        sources: where the values come from; `[workflows] path` of the user's file, a variable or a flag names folders
            that come before the shipped ones.

    Raises:
        ConfigError: the user's file cannot be read, or a folder of the path is not there.
    """

    def __init__(
        self, *, kinds: Sequence[WorkflowKind], shipped: Sequence[Path], sources: Sources | None = None
    ) -> None:
        self.kinds = tuple(kinds)
        self.shipped = tuple(shipped)
        self.sources = sources or Sources()
        chosen = _chosen(self.sources, self.kinds, self.shipped)
        self.default = str(chosen.get("config") or chosen.get("name") or "")
        """The workflow that the user's file names, for a command that names none; empty where it names none."""
        self.folders = (*_folders(chosen.get("path")), *self.shipped)

    def list(self) -> list[WorkflowFile]:
        """Every workflow, by name; of two with one name, the one that is found first. One that cannot be read is there
        with its problem."""
        found: dict[str, WorkflowFile] = {}
        for folder in self.folders:
            for path in sorted(folder.glob("*.toml")):
                workflow = self._look(path)
                if workflow is not None:
                    found.setdefault(workflow.name, workflow)
        return [found[name] for name in sorted(found)]

    def named(self, name: str) -> WorkflowFile:
        """A workflow by its name alone, as it may come from afar: `fast_processing`, `fast_processing_default` or
        `fast_processing.toml`. Never a path.

        Raises:
            UnknownNameError: there is none; the message lists those that there are.
            ConfigError: its file cannot be read, or is only a part that workflows include.
        """
        stem = name.removesuffix(".toml")
        if _NAME.match(stem):
            candidates = (folder / f"{stem}{end}" for folder in self.folders for end in (".toml", "_default.toml"))
            for path in candidates:
                if is_file(path):
                    return self._read(path)
        known = [workflow.name for workflow in self.list()]
        hint = suggestion(stem, known)
        raise UnknownNameError(
            f"there is no workflow {shown(name)}; {hint + ' ' if hint else ''}known: {', '.join(known) or 'none'}"
        )

    def find(self, name: str) -> WorkflowFile:
        """A workflow by its name, or by the path of its file, as a person at the command line gives it.

        Raises:
            UnknownNameError: there is none of that name.
            ConfigError: the file cannot be read, or is no workflow.
        """
        path = self.sources.folder / name
        if "/" in name or (name.endswith(".toml") and is_file(path)):
            return self._read(path)
        return self.named(name)

    def load(self, workflow: WorkflowFile, sources: Sources | None = None) -> Configuration:
        """The configuration of a workflow with all its sources.

        Raises:
            ConfigError: with every problem that was found.
        """
        if workflow.kind is None:
            raise ConfigError(workflow.problem)
        return load(
            kind=workflow.kind,
            kinds=self.kinds,
            sources=sources or self.sources,
            workflow=workflow.path,
            shipped=self.shipped,
        )

    def validate(self, path: Path) -> Configuration:
        """Check a workflow file alone, without user's file, environment and flags.

        Raises:
            ConfigError: with every problem that was found.
        """
        return self.load(self._read(path), Sources())

    def _look(self, path: Path) -> WorkflowFile | None:
        try:
            files = read_tree(path, self.shipped)
            return self._workflow(path, files) if self._is_workflow(files[-1]) else None
        except ConfigError as error:
            return WorkflowFile(name=_name(path), path=path.absolute(), kind=None, problem=str(error))

    def _read(self, path: Path) -> WorkflowFile:
        files = read_tree(path, self.shipped)
        if not self._is_workflow(files[-1]):
            raise ConfigError(
                f"{path}: is no workflow but a part that workflows include: it has no [workflow]; "
                f"add [workflow] kind = one of {self._kind_names()}"
            )
        return self._workflow(path, files)

    def _is_workflow(self, file: TomlFile) -> bool:
        return "workflow" in file.table or any(kind.name == _name(file.path) for kind in self.kinds)

    def _workflow(self, path: Path, files: Sequence[TomlFile]) -> WorkflowFile:
        version, description = (_said(files, key) for key in ("version", "description"))
        kind = self._kind(path, files)
        return WorkflowFile(name=_name(path), path=path.absolute(), kind=kind, version=version, description=description)

    def _kind(self, path: Path, files: Sequence[TomlFile]) -> WorkflowKind:
        by_name = {kind.name: kind for kind in self.kinds}
        explicit = _said(files, "kind")
        if explicit:
            if explicit in by_name:
                return by_name[explicit]
            hint = suggestion(explicit, by_name)
            raise ConfigError(
                f"{path}: [workflow] kind = {shown(explicit)}: expected one of {self._kind_names()}; {hint}".rstrip(
                    "; "
                )
            )
        names = (_said(files, "name").removesuffix("_default"), _name(path))
        for name in names:
            if name in by_name:
                return by_name[name]
        raise ConfigError(
            f"{path}: of which kind is this workflow? Neither [workflow] name nor the file's name is one: "
            f"add [workflow] kind = one of {self._kind_names()}"
        )

    def _kind_names(self) -> str:
        return ", ".join(shown(kind.name) for kind in self.kinds)


def _name(path: Path) -> str:
    return path.stem.removesuffix("_default")


def _said(files: Sequence[TomlFile], key: str) -> str:
    """What the strongest file says under `[workflow]`; a value that is no text is left to the check of the section."""
    for file in reversed(files):
        workflow = file.table.get("workflow")
        if isinstance(workflow, dict) and isinstance(workflow.get(key), str):
            return str(workflow[key])
    return ""


def _chosen(sources: Sources, kinds: Sequence[WorkflowKind], shipped: Sequence[Path]) -> dict[str, object]:
    """What the user's side says before a workflow is chosen. Other problems are said when the workflow is loaded."""
    reading = Reading(Layout(WorkflowKind(name="any", description="", sections=()), kinds))
    if sources.user_file is not None:
        for file in read_tree(sources.user_file, shipped, follow_config=False):
            reading.file(file, Layer.USER)
    reading.environment(sources)
    reading.overrides(sources.overrides)
    chosen: dict[str, object] = {}
    for entry in sorted(reading.entries, key=lambda entry: entry.origin.layer):
        if entry.section == "workflows":
            chosen[entry.key] = absolute(entry.value, entry.origin.folder or sources.folder)
        elif entry.section == "workflow" and entry.origin.layer is Layer.USER:
            chosen[entry.key] = entry.value
    return chosen


def _folders(value: object) -> tuple[Path, ...]:
    """The folders of the search path; what is no path at all is said when the workflow is loaded."""
    folders = [item for item in value if isinstance(item, Path)] if isinstance(value, list) else []
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"[workflows] path: there is no folder {folder}: make it, or remove it from the path")
    return tuple(folders)
