"""The messages of the particle-physics workflows. State and substate of the DAQ ride on every one."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from swf.core.errors import MalformedMessageError
from swf.core.messages import Body, Instant
from swf.core.names import checked_file_name
from swf.epic.names import MAX_SEQUENCE, stf_name

EPIC_TOPIC = "/topic/epictopic"
"""Broadcasts of the DAQ and of the agents."""
SLICE_QUEUE = "/queue/panda.transformer.slices"
LIVE_SLICE_QUEUE = "/queue/panda.transformer.slices.live"
"""Slices of a run that is being taken while runs before it have left a backlog: workers look here first."""
LIVE_RESULT_QUEUE = "/queue/panda.results.fastprocessing.live"
"""Results of such slices: the fast-processing agent looks here first."""
"""Slices for workers."""
RESULT_QUEUE = "/queue/panda.results.fastprocessing"
"""Results for the fast-processing agent."""


def _plain(name: str) -> str:
    try:
        return checked_file_name(name)
    except MalformedMessageError as error:
        # As a ValueError it is reported with the field that it is about.
        raise ValueError(str(error)) from None


FileName = Annotated[str, AfterValidator(_plain)]
Count = Annotated[int, Field(ge=0, le=2**53)]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
Sequence = Annotated[int, Field(ge=1, le=MAX_SEQUENCE)]
TfIndex = Annotated[int, Field(ge=0, lt=100_000)]
Adler32 = Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(max_length=4000)]
Word = Annotated[str, Field(max_length=100)]
ShortWord = Annotated[str, Field(max_length=20)]
Request = Annotated[UUID, Field(strict=False)]


class EpicBody(Body):
    """What all of them say."""

    state: ShortWord = ""
    substate: ShortWord = ""


class DaqBody(EpicBody):
    """What the DAQ's broadcasts say."""

    simulation_tick: Annotated[float, Field(ge=0)] = 0.0


class RunImminent(DaqBody):
    """Prepare for a run."""

    msg_type = "run_imminent"
    dataset: Annotated[str, Field(max_length=250)] = ""
    workflow_params: dict[str, Any] = Field(default_factory=dict)
    simulated: bool = False


class StartRun(DaqBody):
    """Data taking begins."""

    msg_type = "start_run"


class PauseRun(DaqBody):
    """Data taking pauses."""

    msg_type = "pause_run"
    reason: Text = ""


class ResumeRun(DaqBody):
    """Data taking goes on."""

    msg_type = "resume_run"


class EndRun(DaqBody):
    """The run is over."""

    msg_type = "end_run"
    total_stf_files: Annotated[int, Field(ge=0, le=MAX_SEQUENCE)]
    ended_by: Word = ""


class StfFacts(EpicBody):
    """An STF file, as the DAQ wrote it."""

    filename: FileName
    sequence: Sequence
    tf_count: Annotated[int, Field(ge=1, le=100_000)]
    tf_first: Count
    size_bytes: Count
    checksum: Adler32
    sha256: Sha256
    has_content: bool = True
    simulated: bool = False

    @model_validator(mode="after")
    def _name_is_its_own(self) -> StfFacts:
        name = stf_name(self.run_id, self.sequence)
        if self.filename != name:
            raise ValueError(f"the file {self.filename} is not STF {self.sequence} of run {self.run_id}, {name}")
        return self


class StfGen(StfFacts):
    """A new STF is in the exit buffer."""

    msg_type = "stf_gen"
    simulation_tick: Annotated[float, Field(ge=0)] = 0.0


class StfReady(StfFacts):
    """An STF is registered and verified."""

    msg_type = "stf_ready"


def _check_range(first: int, last: int, count: int) -> None:
    if last < first or count != last - first + 1:
        raise ValueError(f"the TF range {first} to {last}, both included, does not hold {count} TFs")


class TfFileRegistered(EpicBody):
    """A TF sample file of an STF is there."""

    msg_type = "tf_file_registered"
    tf_filename: FileName
    stf_filename: FileName
    tf_first: TfIndex
    tf_last: TfIndex
    tf_count: Number
    sample_index: Number
    sample_count: Number
    file_size_bytes: Count

    @model_validator(mode="after")
    def _is_one_of_its_sample(self) -> TfFileRegistered:
        _check_range(self.tf_first, self.tf_last, self.tf_count)
        if self.sample_index > self.sample_count:
            raise ValueError(f"sample_index {self.sample_index} is beyond sample_count {self.sample_count}")
        return self


class Slice(EpicBody):
    """A TF range for one worker."""

    msg_type = "slice"
    slice_id: TfIndex
    tf_filename: FileName
    filename: FileName
    start: TfIndex
    end: TfIndex
    tf_count: Number
    req_id: Request
    attempt: Number

    @model_validator(mode="after")
    def _range_is_whole(self) -> Slice:
        _check_range(self.start, self.end, self.tf_count)
        return self


class SliceResult(EpicBody):
    """What came of one attempt at a slice."""

    msg_type = "slice_result"
    tf_filename: FileName
    filename: FileName
    slice_id: TfIndex
    req_id: Request
    attempt: Number
    result: Literal["done", "failed"]
    outcome: ShortWord
    worker: Word
    hostname: Word = ""
    started_at: Instant | None = None
    finished_at: Instant | None = None
    seconds: Annotated[float, Field(ge=0)] = 0.0
    exit_code: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None
    detail: Text = ""
    stderr_tail: Text = ""
    output_name: FileName | None = None
    output_size: Count = 0
    output_adler32: Adler32 | None = None
    output_sha256: Sha256 | None = None
    summary: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _output_has_checksums(self) -> SliceResult:
        if self.output_name is not None and None in {self.output_adler32, self.output_sha256}:
            raise ValueError(f"the output {self.output_name} comes without its checksums")
        return self


EPIC_MESSAGES: tuple[type[Body], ...] = (
    RunImminent,
    StartRun,
    PauseRun,
    ResumeRun,
    EndRun,
    StfGen,
    StfReady,
    TfFileRegistered,
    Slice,
    SliceResult,
)
