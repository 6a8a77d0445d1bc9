"""Explaining anything that has a name: why it is as it is, and what to do next."""

from __future__ import annotations

from collections.abc import Callable

from swf.core.errors import UnknownNameError
from swf.core.scene import Scene
from swf.epic.usecases.explain_others import explain_agent, explain_dataset, explain_execution, explain_product
from swf.epic.usecases.explain_parts import explain_sample, explain_slice
from swf.epic.usecases.explain_run import explain_run
from swf.epic.usecases.explain_stf import explain_stf
from swf.epic.usecases.explanation import Explanation
from swf.epic.usecases.lookup import near_names

_LOOKS = (
    explain_run,
    explain_stf,
    explain_sample,
    explain_slice,
    explain_execution,
    explain_dataset,
    explain_agent,
    explain_product,
)


def explain(name: str, scene: Scene) -> Explanation:
    """Why a run, STF, TF sample file, slice, execution, dataset, agent or product is as it is: what it waits for or why
    it failed, its attempts, its events, and what to do next.

    Raises:
        UnknownNameError: nothing of that name is known here; the message names what is near.
    """
    looks: tuple[Callable[[str, Scene], Explanation | None], ...] = _LOOKS
    for look in looks:
        explanation = look(name, scene)
        if explanation is not None:
            return explanation
    near = near_names(name, scene.namespaces)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    raise UnknownNameError(
        f"nothing here is named {name[:100]!r}; {meant}expected a run number, or the name of an STF, TF sample file, "
        "slice, execution, dataset, agent or product; list the runs with: testbed runs list"
    )
