"""The particle-physics workflows in the configuration: kinds, roles, environment variables and flags."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from swf.config import Override, Role, Section, SharedKey, WorkflowKind
from swf.epic.settings_checks import (
    check_capacity,
    check_input,
    check_lease,
    check_payload,
    check_sampling,
    check_workers,
)
from swf.epic.settings_daq import DaqStateMachineSection, ExitBufferSection, SimulationSection, StfSection
from swf.epic.settings_panda import PandaWorkersSection
from swf.epic.settings_processing import (
    CatalogSection,
    FastProcessingSection,
    PayloadSection,
    ProcessingSection,
    PromptProcessingSection,
    RuntimeSection,
    StfProcessingSection,
    WatcherSection,
)
from swf.service.settings import PLATFORM_SECTIONS

SHIPPED_WORKFLOWS: Final = Path(__file__).parent / "workflows"
"""The folder of the shipped workflow files."""

ENVIRONMENT: Final[Mapping[str, str]] = {
    "SWF_NAMESPACE": "testbed.namespace",
    "SWF_WORKFLOWS_PATH": "workflows.path",
    "SWF_EXIT_BUFFER": "exit_buffer.path",
    "SWF_WORKERS": "processing.workers",
    "SWF_PROMPT_PROCESSING_CONTAINER": "prompt_processing.container",
    "SWF_PANDA_POLL_INTERVAL": "prompt_processing.panda_poll_interval_seconds",
    "SWF_PANDA_POLL_TIMEOUT": "prompt_processing.panda_poll_timeout_seconds",
}
"""Which variable sets which key."""

DAQ: Final = Role(name="daq", description="Takes the run: states, STFs, broadcasts.")
DATA: Final = Role(
    name="data",
    description="Registers STFs and the run's dataset; checks size and checksum.",
    aliases=("stf-data",),
    scripts=("agents/data_agent.py",),
)
FASTMON: Final = Role(name="fastmon", description="Samples STFs and TFs; fills the monitoring histograms.")
FAST_PROCESSING: Final = Role(name="fast_processing", description="Cuts samples into slices and follows them.")
PROMPT_PROCESSING: Final = Role(
    name="prompt_processing",
    description="Submits a run's STFs to the batch system and follows the task.",
    aliases=("stf-processing", "processing"),
    scripts=("agents/prompt_processing_agent.py",),
)
WORKER: Final = Role(name="worker", description="Runs the payload on slices.")
WATCHER: Final = Role(name="watcher", description="Reports stalls.")

_SHARED_BASE: Final = (
    SharedKey(
        name="the length of a physics period",
        ranks=(("simulation.physics_period_duration",), ("daq_state_machine.physics_period_duration",)),
    ),
    SharedKey(name="the time between STFs", ranks=(("simulation.stf_interval",), ("daq_state_machine.stf_interval",))),
    SharedKey(name="the choice of real time", ranks=(("simulation.realtime", "workflow.realtime"),)),
)
_PERIODS: Final = (("simulation.physics_period_count",), ("daq_state_machine.physics_period_count",))
_SHARED: Final = (SharedKey(name="the number of physics periods", ranks=_PERIODS), *_SHARED_BASE)
_SHARED_FAST: Final = (
    SharedKey(name="the number of STFs", ranks=(("fast_processing.stf_count",), ("simulation.stf_count",))),
    SharedKey(name="the number of physics periods", ranks=(("fast_processing.physics_period_count",), *_PERIODS)),
    *_SHARED_BASE,
)

_DATA_TAKING: Final[tuple[type[Section], ...]] = (
    *PLATFORM_SECTIONS,
    DaqStateMachineSection,
    SimulationSection,
    StfSection,
    ExitBufferSection,
    CatalogSection,
    RuntimeSection,
    WatcherSection,
)
_REQUIRED: Final = {
    "daq": "it starts and ends the run",
    "data": "it registers the STFs that the others wait for",
}

STF_DATATAKING: Final = WorkflowKind(
    name="stf_datataking",
    description="Takes a run and registers its STFs.",
    sections=(*_DATA_TAKING, StfProcessingSection),
    agents=(DAQ, DATA, WATCHER),
    required=_REQUIRED,
    shared=_SHARED,
    checks=(check_input, check_capacity),
)
FAST: Final = WorkflowKind(
    name="fast_processing",
    description="Takes a run; samples, slices and processes it at once.",
    sections=(*_DATA_TAKING, FastProcessingSection, PayloadSection, ProcessingSection, PandaWorkersSection),
    agents=(DAQ, DATA, FASTMON, FAST_PROCESSING, WORKER, WATCHER),
    required={
        **_REQUIRED,
        "fastmon": "it makes the samples that are sliced",
        "fast_processing": "it makes the slices and accounts for them",
    },
    shared=_SHARED_FAST,
    checks=(check_input, check_capacity, check_sampling, check_payload, check_lease, check_workers),
)
PROMPT: Final = WorkflowKind(
    name="prompt_processing",
    description="Takes a run and has its STFs processed by the batch system.",
    sections=(*_DATA_TAKING, PromptProcessingSection, PayloadSection, ProcessingSection),
    agents=(DAQ, DATA, PROMPT_PROCESSING, WATCHER),
    required={**_REQUIRED, "prompt_processing": "it submits the run to the batch system"},
    shared=_SHARED,
    checks=(check_input, check_capacity, check_payload, check_lease),
)

ROLES_WITH_AGENTS: Final = frozenset(role.name for role in (DAQ, DATA, FASTMON, FAST_PROCESSING, WORKER, WATCHER))
"""The roles that this program has an agent for."""

KINDS: Final = (STF_DATATAKING, FAST, PROMPT)
"""Every kind of particle-physics workflow."""


def flag_overrides(
    kind: WorkflowKind,
    *,
    stf_count: int | None = None,
    physics_period_count: int | None = None,
    input_file: Path | None = None,
    realtime: bool | None = None,
    namespace: str | None = None,
) -> tuple[Override, ...]:
    """What the short flags of `testbed run` set for a kind of workflow; None where a flag was not given.

    `--stf-count` and `--physics-period-count` set `[fast_processing]` where the kind reads it, else `[simulation]`.
    """
    counts = FastProcessingSection if FastProcessingSection in kind.sections else SimulationSection
    given = (
        (f"{counts.section}.stf_count", stf_count, "--stf-count"),
        (f"{counts.section}.physics_period_count", physics_period_count, "--physics-period-count"),
        ("stf.input", input_file, "--input"),
        ("simulation.realtime", realtime, "--realtime" if realtime else "--no-realtime"),
        ("testbed.namespace", namespace, "--namespace"),
    )
    return tuple(Override(key=key, value=value, flag=flag) for key, value, flag in given if value is not None)
