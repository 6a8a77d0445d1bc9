"""The reference of the configuration as Markdown, made from the models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic_core import PydanticUndefined

from swf.config.common import AgentSection
from swf.config.describe import expected, field_schema, is_optional, is_secret, shown
from swf.config.layout import AGENTS, Layout
from swf.config.section import Section
from swf.config.workflow import Role, SharedKey, WorkflowKind

_ANY_AGENT = f"{AGENTS}.<role>"

_ABOUT_LAYERS = """\
Every value comes from the strongest source that has it: the command line (`--set section.key=value` with the value in
TOML's syntax, where a bare word is a text), the environment, the user's file (`--config FILE`, `SWF_TESTBED_CONFIG` or
`testbed.toml` in the working folder), the workflow file, the files that it includes, the default.
`testbed config show` says for each value where it came from. An unknown key is an error, and so is one that the kind of
workflow does not read; only a variable for a section that it does not read is left alone. Relative paths are taken from
the folder of the file that names them."""

_ABOUT_SHARED = """\
The stronger source wins first. Within one source the section that stands first here wins; two that stand together must
agree."""


def reference(kinds: Sequence[WorkflowKind], bindings: Mapping[str, str]) -> str:
    """The reference of every section of these kinds of workflows.

    Args:
        kinds: the kinds; the text says which sections each one reads.
        bindings: which environment variable sets which `section.key`.
    """
    sections: dict[str, type[Section]] = {}
    readers: dict[str, list[str]] = {}
    for kind in kinds:
        layout = Layout(kind, kinds)
        for name, model in layout.used.items():
            known_as = _ANY_AGENT if layout.role(name) else name
            sections[known_as] = model
            if kind.name not in readers.setdefault(known_as, []):
                readers[known_as].append(kind.name)
    variables = {key: variable for variable, key in bindings.items()}
    lines = ["# Configuration reference", "", _ABOUT_LAYERS, "", *_kinds(kinds)]
    for name, model in sections.items():
        users = "every kind" if len(readers[name]) == len(kinds) else ", ".join(readers[name])
        lines += [f"## `[{name}]`", "", _sentence(model), "", f"Read by: {users}.", ""]
        if model is AgentSection:
            lines += [*_roles(kinds), ""]
        if model.model_fields:
            lines += [*_keys(name, model, variables), ""]
    return "\n".join([*lines, *_shared(kinds)]).rstrip() + "\n"


def _kinds(kinds: Sequence[WorkflowKind]) -> Iterator[str]:
    yield from ("| kind of workflow | what it does | agents |", "|---|---|---|")
    for kind in kinds:
        agents = ", ".join(
            f"{role.name} (required: {kind.required[role.name]})" if role.name in kind.required else role.name
            for role in kind.agents
        )
        yield f"| `{kind.name}` | {kind.description} | {agents} |"
    yield ""


def _roles(kinds: Sequence[WorkflowKind]) -> Iterator[str]:
    roles: dict[str, Role] = {role.name: role for kind in kinds for role in kind.agents}
    yield from ("| role | what it does | also accepted as | `script`, for older files |", "|---|---|---|---|")
    for role in roles.values():
        aliases = ", ".join(f"`[{AGENTS}.{alias}]`" for alias in role.aliases)
        scripts = ", ".join(f"`{script}`" for script in role.scripts)
        yield f"| `{role.name}` | {role.description} | {aliases} | {scripts} |"


def _keys(name: str, model: type[Section], variables: Mapping[str, str]) -> Iterator[str]:
    yield from ("| key | accepts | default | meaning | variable |", "|---|---|---|---|---|")
    for key, field in model.model_fields.items():
        schema = field_schema(model, key)
        default = field.get_default(call_default_factory=True, validated_data={})
        accepts = f"{expected(schema)}{', a secret' if is_secret(schema) else ''}"
        accepts += ", or not set" if is_optional(model, key) else ""
        shown_default = "required" if default is PydanticUndefined else f"`{shown(default)}`"
        variable = variables.get(f"{name}.{key}")
        cells = (f"`{key}`", accepts, shown_default, field.description or "", f"`{variable}`" if variable else "")
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _shared(kinds: Sequence[WorkflowKind]) -> Iterator[str]:
    users: dict[SharedKey, list[str]] = {}
    for kind in kinds:
        for key in kind.shared:
            users.setdefault(key, []).append(kind.name)
    if users:
        yield from ("## Keys that several sections hold", "", _ABOUT_SHARED, "")
        yield from ("| what | sections, strongest first | kind of workflow |", "|---|---|---|")
    for key, names in users.items():
        ranks = ", then ".join(" and ".join(f"`{dotted}`" for dotted in rank) for rank in key.ranks)
        yield f"| {key.name} | {ranks} | {', '.join(names)} |"


def _sentence(model: type[Section]) -> str:
    return " ".join((model.__doc__ or "").split())
