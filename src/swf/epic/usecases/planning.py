"""What a workflow asks of its workers, before it is run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from swf.config import Configuration, WorkflowSection
from swf.core.errors import ConfigError
from swf.epic.daq.parameters import DaqParameters
from swf.epic.daq.schedule import planned_stfs, stf_period
from swf.epic.plan import Demand, Plan, plan
from swf.epic.settings_daq import daq_parameters
from swf.epic.settings_panda import WorkersBy
from swf.epic.settings_processing import FastProcessingSection, ProcessingSection


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowPlan:
    """What a workflow asks for and what there is against it. `plan` is None for one that processes nothing."""

    workflow: str
    kind: str
    realtime: bool
    stf_rate: float
    """STFs per second within physics periods."""
    stf_count: int | None
    """None: the run goes on until it is stopped."""
    plan: Plan | None
    advice: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The plan as plain values."""
        return {
            "workflow": self.workflow,
            "kind": self.kind,
            "realtime": self.realtime,
            "stf_rate": self.stf_rate,
            "stf_count": self.stf_count,
            "plan": None if self.plan is None else self.plan.as_json(),
            "advice": list(self.advice),
        }


def plan_workflow(
    configuration: Configuration,
    *,
    cores: int,
    rate: float | None = None,
    workers: int | None = None,
    slice_time_s: float | None = None,
    sampling_rate: float | None = None,
) -> WorkflowPlan:
    """The capacity that a workflow needs: what is sampled, the workers for real time, and the backlog that fewer leave,
    with the time that it takes to drain.

    Args:
        configuration: the workflow's.
        cores: cores of this machine.
        rate: STFs per second in place of the configured period.
        workers: in place of `[fast_processing] target_worker_count`.
        slice_time_s: seconds per slice in place of `[fast_processing] slice_processing_time`.
        sampling_rate: in place of `[fast_processing] stf_sampling_rate`.

    Raises:
        ConfigError: a rate, time or number is out of range.
    """
    parameters = daq_parameters(configuration)
    stf_rate = 1 / stf_period(parameters) if rate is None else rate
    made = None
    if configuration.has("fast_processing.slices_per_sample"):
        fast = configuration.section(FastProcessingSection)
        target_workers = fast.target_worker_count if workers is None else workers
        demand = Demand(
            stf_rate=stf_rate,
            stf_count=planned_stfs(parameters),
            sampling_rate=fast.stf_sampling_rate if sampling_rate is None else sampling_rate,
            slices_per_sample=fast.slices_per_sample,
            slice_time_s=fast.slice_processing_time if slice_time_s is None else slice_time_s,
            target_workers=target_workers,
            # Workers outside do not share the cores of this machine.
            cores=cores if _works_here(configuration) else max(cores, target_workers),
        )
        try:
            made = plan(demand)
        except ValueError as error:
            raise ConfigError(f"this cannot be planned: {error}") from error
    return WorkflowPlan(
        workflow=configuration.section(WorkflowSection).name,
        kind=configuration.kind.name,
        realtime=parameters.realtime,
        stf_rate=stf_rate,
        stf_count=planned_stfs(parameters),
        plan=made,
        advice=tuple(_advice(configuration, parameters, made)),
    )


def _works_here(configuration: Configuration) -> bool:
    return configuration.section(ProcessingSection).workers_by is WorkersBy.WORKER_AGENTS


def _advice(configuration: Configuration, parameters: DaqParameters, made: Plan | None) -> Iterator[str]:
    if made is None:
        yield f"a workflow of kind {configuration.kind.name} gives no work to workers of this testbed"
        return
    yield from made.advice
    here = configuration.section(ProcessingSection).workers
    if _works_here(configuration) and here and here < made.available.workers:
        yield f"{configuration.quote('processing.workers')}: so many run here, fewer than the {made.available.workers}"
    if not parameters.realtime:
        yield "without real time the DAQ waits for the workers, so that nothing falls behind"
