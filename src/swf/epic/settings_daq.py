"""Settings of data taking: the DAQ's timing, what its STFs hold, and the exit buffer."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swf.config import Configuration, LocalPath, Section
from swf.epic.daq.parameters import DaqParameters
from swf.epic.names import MAX_SEQUENCE

DAY_S = 86_400.0

Delay = Annotated[float, Field(ge=0, le=DAY_S)]
"""A time in the simulation, in seconds."""

StfCount = Annotated[int, Field(ge=0, le=MAX_SEQUENCE)]
PeriodCount = Annotated[int, Field(ge=0, le=100_000)]
PeriodDuration = Annotated[float, Field(gt=0, le=31 * DAY_S)]

STF_COUNT = 10
PHYSICS_PERIOD_COUNT = 2
PHYSICS_PERIOD_DURATION = 10.0
STF_INTERVAL = 2.0
REALTIME = True

_ABOUT_STF_COUNT = "Number of STFs of the run, shared out over its physics periods. 0: as many as fit into the periods."
_ABOUT_PERIOD_COUNT = (
    "Number of physics periods of the run, with a standby between them. 0: endless, until `stf_count` is reached or "
    "the run is stopped."
)
_ABOUT_PERIOD_DURATION = (
    "Length of a physics period, in seconds. It bounds a period only where `stf_count` or `physics_period_count` is 0."
)
_ABOUT_STF_INTERVAL = "Time from the end of one STF to the start of the next, in seconds."


class DaqStateMachineSection(Section):
    """Timing of the DAQ's state machine."""

    section: ClassVar[str] = "daq_state_machine"

    no_beam_not_ready_delay: Delay = Field(5.0, description="Time in no_beam/not_ready, in seconds.")
    beam_not_ready_delay: Delay = Field(
        5.0, description="Time in beam/not_ready, from run_imminent to ready, in seconds."
    )
    beam_ready_delay: Delay = Field(2.0, description="Time in beam/ready before the run starts, in seconds.")
    beam_not_ready_end_delay: Delay = Field(5.0, description="Time in beam/not_ready after the run, in seconds.")
    broadcast_delay: Delay = Field(
        1.0, description="Time left to the agents after each broadcast of a change of state, in seconds."
    )
    sending_time: float = Field(
        0.1,
        ge=0.001,
        le=DAY_S,
        description="Time that the DAQ takes to send a message, before any other delay, in seconds.",
    )
    stf_interval: Delay = Field(STF_INTERVAL, description=_ABOUT_STF_INTERVAL)
    stf_generation_time: Delay = Field(0.1, description="Time that the DAQ takes to make one STF, in seconds.")
    physics_period_duration: PeriodDuration = Field(PHYSICS_PERIOD_DURATION, description=_ABOUT_PERIOD_DURATION)
    physics_period_count: PeriodCount = Field(PHYSICS_PERIOD_COUNT, description=_ABOUT_PERIOD_COUNT)
    standby_duration: Delay = Field(2.0, description="Time in run/standby between physics periods, in seconds.")


class SimulationSection(Section):
    """How much data is taken, and how fast."""

    section: ClassVar[str] = "simulation"

    stf_count: StfCount = Field(STF_COUNT, description=_ABOUT_STF_COUNT)
    physics_period_count: PeriodCount = Field(PHYSICS_PERIOD_COUNT, description=_ABOUT_PERIOD_COUNT)
    physics_period_duration: PeriodDuration = Field(PHYSICS_PERIOD_DURATION, description=_ABOUT_PERIOD_DURATION)
    stf_interval: Delay = Field(STF_INTERVAL, description=_ABOUT_STF_INTERVAL)
    realtime: bool = Field(
        REALTIME,
        description="Whether a second of the simulation takes a second. Otherwise the DAQ goes as fast as the rest "
        "keeps up.",
    )


class StfSection(Section):
    """What an STF holds."""

    section: ClassVar[str] = "stf"

    content: Literal["simulated", "none"] = Field(
        "simulated",
        description="`simulated`: SIMULATED signal and noise, or the events of `input`. `none`: no hits, to measure "
        "what is around the data.",
    )
    tf_count: int = Field(1000, ge=1, le=1000, description="Time frames per STF.")
    target_mb: float = Field(
        0.0,
        ge=0,
        le=4000,
        description="Size of an STF, about, in MB of 10^6 bytes: the occupancies of the subsystems are scaled to it. "
        "0: the occupancies as they are.",
    )
    seed: int = Field(1, ge=0, le=2**32 - 1, description="Seed of the simulation; the same seed gives the same STFs.")
    input: LocalPath | None = Field(
        None, description="An .edm4eic.root or .edm4hep.root file whose events are placed into the time frames."
    )
    compression: Literal["none", "zlib", "lz4", "zstd"] = Field("none", description="Compression of the STF's baskets.")


class ExitBufferSection(Section):
    """The buffer that the DAQ writes to and that the other systems read from."""

    section: ClassVar[str] = "exit_buffer"

    path: LocalPath | None = Field(None, description="Folder of the STFs. Default: `exit-buffer` in the data folder.")
    read_from: str = Field(
        "",
        max_length=1000,
        description="Where samplers and payloads read STFs, if not at `path`: another folder, or the `root://` address "
        "of a server that exports it.",
    )
    capacity_gb: float = Field(
        20.0,
        gt=0,
        le=100_000_000,
        description="Space for STFs, in GB of 10^9 bytes. A full buffer pauses the run; no STF is lost.",
    )
    retention_hours: float = Field(
        72.0, ge=0, le=87_600, description="Hours after which an STF that nobody needs any more leaves the buffer."
    )


def daq_parameters(configuration: Configuration) -> DaqParameters:
    """What the DAQ needs of a configuration. Keys that several sections hold are already settled there."""
    timing = configuration.section(DaqStateMachineSection)
    simulation = configuration.section(SimulationSection)
    return DaqParameters(**timing.model_dump(), stf_count=simulation.stf_count, realtime=simulation.realtime)
