"""Taking a run: the DAQ of one execution, made from its row and its configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from swf.config import Configuration
from swf.core.effects import prefixed
from swf.epic.agents.backlog import Backlog
from swf.epic.agents.daq_simulator import DaqSimulator, RunPlan
from swf.epic.buffer_keeper import BufferKeeper, policy_of, runs_by_buffer
from swf.epic.daq.schedule import planned_stfs
from swf.epic.names import MAX_SEQUENCE, stf_prefix
from swf.epic.run_settings import settings_from
from swf.epic.settings_daq import ExitBufferSection, StfSection, daq_parameters
from swf.epic.settings_processing import FastProcessingSection
from swf.epic.stf_writer import stf_writer
from swf.service.numbers import next_run_number
from swf.service.platform import Platform
from swf.storage.atomic import sweep_temporaries
from swf.storage.high_water import HighWater
from swf.store.counters import reserve
from swf.store.models import Run, WorkflowExecution

WINDOW, EMPTY_WINDOW = 8, 64
"""STFs that may be under way at one time where the DAQ does not keep real time: with files, and without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """The DAQ of one execution."""

    run_number: int
    buffer: BufferKeeper
    simulator: DaqSimulator


def take_run(platform: Platform, configuration: Configuration, execution: WorkflowExecution) -> Taking:
    """Make the DAQ of an execution, where it was left if it has begun. No other process does so meanwhile.

    Raises:
        StorageError: what a killed process left half-written cannot be removed.
    """
    run_number = _run_number(execution, configuration, HighWater(platform.workspace.highest_run))
    platform.boundary("execution.run_numbered")
    section = configuration.section(ExitBufferSection)
    folder = section.path or platform.workspace.exit_buffer
    sweep_temporaries(folder, stf_prefix(run_number))
    buffer = _buffer_keeper(section, folder, run_number, platform)
    writer = stf_writer(
        configuration.section(StfSection),
        folder=folder,
        run_number=run_number,
        tf_base=execution.tf_base,
        boundary=prefixed("daq_simulator", platform.boundary),
    )
    window = WINDOW if writer.has_content else EMPTY_WINDOW
    simulator = DaqSimulator(
        RunPlan(
            execution_id=execution.execution_id,
            run_number=run_number,
            parameters=daq_parameters(configuration),
            workflow_params=_workflow_params(configuration),
        ),
        writer=writer,
        buffer=buffer,
        backlog=Backlog(run_number, settings_from(configuration.kind.name, execution.parameter_values), window),
        io=platform.io,
        clock=platform.clock,
    )
    return Taking(run_number=run_number, buffer=buffer, simulator=simulator)


def _buffer_keeper(section: ExitBufferSection, folder: Path, run_number: int, platform: Platform) -> BufferKeeper:
    """The keeper of a run's exit buffer: of the run's own STFs, and those of earlier runs in the same folder."""
    earlier = runs_by_buffer(Run.objects.exclude(pk=run_number), platform.workspace.exit_buffer)
    runs = {run_number, *(run for (path, _), runs in earlier.items() if path == folder for run in runs)}
    return BufferKeeper(
        folder,
        policy_of(section),
        platform.namespace,
        platform.clock,
        runs=runs,
        boundary=prefixed("daq_simulator", platform.boundary),
    )


def _run_number(execution: WorkflowExecution, configuration: Configuration, highest: HighWater) -> int:
    """The run of an execution: a new number, and TF numbers of its own, when it has none yet.

    A data directory has two stores where it was used in both modes; its files are common to both, so that a number that
    either has used is not used again.
    """
    if execution.run_number is None:
        stfs = planned_stfs(daq_parameters(configuration)) or MAX_SEQUENCE
        with transaction.atomic():  # no number is taken without an execution that has it
            execution.run_number = next_run_number(highest)
            execution.tf_base = reserve("tf", stfs * configuration.section(StfSection).tf_count)
            execution.save(update_fields=["run_number", "tf_base"])
    return execution.run_number


def _workflow_params(configuration: Configuration) -> dict[str, object]:
    """What run_imminent tells the agents that cannot ask the store."""
    if not configuration.has("fast_processing.slices_per_sample"):
        return {}
    return configuration.section(FastProcessingSection).model_dump(mode="json")
