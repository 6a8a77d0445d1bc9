"""What the agents need to know of a run: the parameters that its execution was started with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swf.core.errors import UnknownNameError
from swf.core.payload import PayloadSpec
from swf.core.work import MAX_RETRIES
from swf.epic.payloads.shipped import SHIPPED
from swf.epic.settings_daq import ExitBufferSection
from swf.epic.settings_processing import PayloadSection, payload_spec
from swf.store.models import Run, WorkflowExecution

LEASE_S = 900.0
"""The lease of work in workflows that have no `[processing]`, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """The parameters of one run, fixed at its start."""

    kind: str
    samples: bool
    """Whether STFs are sampled, sliced and processed."""
    stf_sampling_rate: float = 1.0
    tf_sampling_fraction: float = 0.1
    tf_files_per_sample: int = 1
    slices_per_sample: int = 15
    target_worker_count: int = 0
    max_retries: int = MAX_RETRIES
    scope: str = "group.daq"
    exit_buffer: Path | None = None
    """Where its STFs are written; None: in the data directory."""
    read_from: str = ""
    """Where they are read; empty: where they are written."""
    lease_s: float = LEASE_S
    payload: PayloadSpec | None = None
    """What is run on its data; None where nothing is."""


def settings_from(kind: str, parameters: Mapping[str, Mapping[str, Any]]) -> RunSettings:
    """The settings of a run of a workflow of this kind, from its execution's parameters, section by section."""
    fast = parameters.get("fast_processing", {})
    buffer = ExitBufferSection.model_validate(parameters.get("exit_buffer", {}))
    payload = parameters.get("payload")
    names = (
        "stf_sampling_rate",
        "tf_sampling_fraction",
        "tf_files_per_sample",
        "slices_per_sample",
        "target_worker_count",
    )
    return RunSettings(
        kind=kind,
        samples=kind == "fast_processing",
        max_retries=parameters.get("processing", {}).get("max_retries", MAX_RETRIES),
        scope=parameters.get("catalog", {}).get("scope", "group.daq"),
        exit_buffer=buffer.path,
        read_from=buffer.read_from,
        lease_s=parameters.get("processing", {}).get("lease_s", LEASE_S),
        payload=payload_spec(PayloadSection.model_validate(payload), SHIPPED) if payload is not None else None,
        **{name: fast[name] for name in names if name in fast},
    )


def execution_ids(run_numbers: Collection[int]) -> dict[int, str]:
    """The executions that these runs belong to, by run; one that is not registered is left out."""
    return dict(Run.objects.filter(pk__in=run_numbers).values_list("run_number", "execution_id"))


class RunBook:
    """Looks the settings of runs up, once each: they do not change while a run is there."""

    def __init__(self) -> None:
        self._known: dict[int, RunSettings] = {}

    def settings(self, run_number: int) -> RunSettings:
        """The settings of a run.

        Raises:
            UnknownNameError: the run or its execution is not known here.
        """
        if run_number not in self._known:
            self._known[run_number] = self._load(run_number)
        return self._known[run_number]

    @staticmethod
    def _load(run_number: int) -> RunSettings:
        run = Run.objects.filter(pk=run_number).first()
        execution_id = run.execution_id if run else ""
        execution = (
            WorkflowExecution.objects.select_related("workflow_definition").filter(pk=execution_id).first()
            if execution_id
            else None
        )
        if execution is None:
            raise UnknownNameError(f"run {run_number} belongs to no execution that is known here")
        return settings_from(execution.workflow_definition.workflow_type, execution.parameter_values)
