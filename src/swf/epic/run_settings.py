"""What the agents need to know of a run: the parameters that its execution was started with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from swf.core.errors import UnknownNameError
from swf.core.payload import PayloadSpec
from swf.epic.payloads.shipped import SHIPPED
from swf.epic.settings_daq import ExitBufferSection
from swf.epic.settings_processing import (
    CatalogSection,
    FastProcessingSection,
    PayloadSection,
    ProcessingSection,
    payload_spec,
)
from swf.store.models import Run, WorkflowExecution

LEASE_S: Final = ProcessingSection().lease_s
"""The lease of work in workflows that have no `[processing]`, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """The parameters of one run, fixed at its start."""

    kind: str
    samples: bool
    """Whether STFs are sampled, sliced and processed."""
    stf_sampling_rate: float
    tf_sampling_fraction: float
    tf_files_per_sample: int
    slices_per_sample: int
    max_retries: int
    scope: str
    exit_buffer: Path | None
    """Where its STFs are written; None: in the data directory."""
    read_from: str
    """Where they are read; empty: where they are written."""
    lease_s: float
    payload: PayloadSpec | None
    """What is run on its data; None where nothing is."""


def settings_from(kind: str, parameters: Mapping[str, Mapping[str, Any]]) -> RunSettings:
    """The settings of a run of a workflow of this kind, from its execution's parameters, section by section."""
    fast = FastProcessingSection.model_validate(parameters.get("fast_processing", {}))
    work = ProcessingSection.model_validate(parameters.get("processing", {}))
    catalog = CatalogSection.model_validate(parameters.get("catalog", {}))
    buffer = ExitBufferSection.model_validate(parameters.get("exit_buffer", {}))
    payload = parameters.get("payload")
    return RunSettings(
        kind=kind,
        samples=kind == "fast_processing",
        stf_sampling_rate=fast.stf_sampling_rate,
        tf_sampling_fraction=fast.tf_sampling_fraction,
        tf_files_per_sample=fast.tf_files_per_sample,
        slices_per_sample=fast.slices_per_sample,
        max_retries=work.max_retries,
        scope=catalog.scope,
        exit_buffer=buffer.path,
        read_from=buffer.read_from,
        lease_s=work.lease_s,
        payload=payload_spec(PayloadSection.model_validate(payload), SHIPPED) if payload is not None else None,
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
