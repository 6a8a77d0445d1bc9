"""The sections that every kind of workflow has."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, Field

from swf.config.section import PathList, Section, TextList
from swf.core.names import is_namespace


def _namespace(name: str) -> str:
    if not is_namespace(name):
        raise ValueError("not a namespace")
    return name


Namespace = Annotated[
    str,
    AfterValidator(_namespace),
    Field(json_schema_extra={"expected": "up to 64 of A-Z a-z 0-9 _ -, starting with a letter or digit"}),
]
"""The name of a namespace."""

WorkflowName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        json_schema_extra={"expected": "up to 64 of A-Z a-z 0-9 _ . -, starting with a letter or digit"},
    ),
]
"""The name of a workflow."""


class TestbedSection(Section):
    """The testbed as a whole."""

    __test__: ClassVar[bool] = False  # for pytest: its name starts with Test
    section: ClassVar[str] = "testbed"

    namespace: Namespace = Field("testbed", description="Keeps testbeds apart that share a broker or a database.")


class WorkflowSection(Section):
    """What a workflow file says of itself. In the user's file, `name` and `config` choose the workflow to run where the
    command names none."""

    section: ClassVar[str] = "workflow"

    name: WorkflowName = Field(
        "workflow", description="Name of the workflow, first part of its executions' names. Default: the file's name."
    )
    version: str = Field("", max_length=40, description="Version of the definition, kept with each execution.")
    description: str = Field("", max_length=1000, description="What the workflow does, in a sentence.")
    includes: TextList = Field(
        (),
        description="Files whose values this file starts from: looked up beside it, then among the shipped workflows. "
        "A later one wins over an earlier one, this file over all of them, key by key.",
    )
    kind: str = Field(
        "", max_length=64, description="Kind of workflow. Default: the name, or the file's name, without `_default`."
    )
    config: str = Field(
        "", max_length=4000, description="Workflow that this file changes: an include that is weaker than `includes`."
    )
    realtime: bool = Field(True, description="As `[simulation] realtime`.")


class WorkflowsSection(Section):
    """Where workflow files are looked up."""

    section: ClassVar[str] = "workflows"

    path: PathList = Field((), description="Folders with workflow files; they come before the shipped ones.")


class AgentSection(Section):
    """One agent of the workflow."""

    section: ClassVar[str] = "agents"

    enabled: bool = Field(True, description="Whether the agent of this role runs.")
    script: str | None = Field(
        None,
        max_length=200,
        description="Accepted from older files where it names the role's own script; changes nothing.",
    )


COMMON: Final[tuple[type[Section], ...]] = (TestbedSection, WorkflowSection, WorkflowsSection)
"""Read by every kind."""
