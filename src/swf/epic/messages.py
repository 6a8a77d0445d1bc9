"""The messages of the particle-physics workflows. State and substate of the DAQ ride on every one."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from swf.core.messages import Body
from swf.core.names import checked_file_name

EPIC_TOPIC = "/topic/epictopic"
"""Broadcasts of the DAQ and of the agents."""
SLICE_QUEUE = "/queue/panda.transformer.slices"
"""Slices for workers."""
RESULT_QUEUE = "/queue/panda.results.fastprocessing"
"""Results for the fast-processing agent."""

FileName = Annotated[str, AfterValidator(checked_file_name)]
Count = Annotated[int, Field(ge=0, le=2**53)]
Sequence = Annotated[int, Field(ge=1, le=999_999)]
TfIndex = Annotated[int, Field(ge=0, lt=100_000)]
Adler32 = Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(max_length=4000)]
Word = Annotated[str, Field(max_length=100)]


class EpicBody(Body):
    """What all of them say."""

    state: Word = ""
    substate: Word = ""


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
    total_stf_files: Count
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


class StfGen(StfFacts):
    """A new STF is in the exit buffer."""

    msg_type = "stf_gen"
    simulation_tick: Annotated[float, Field(ge=0)] = 0.0


class StfReady(StfFacts):
    """An STF is registered and verified."""

    msg_type = "stf_ready"


class _TfRange(EpicBody):
    @model_validator(mode="after")
    def _range_is_whole(self) -> _TfRange:
        first, last, count = self._bounds()
        if last < first or count != last - first + 1:
            raise ValueError(f"the TF range {first} to {last}, both included, does not hold {count} TFs")
        return self

    def _bounds(self) -> tuple[int, int, int]:
        raise AssertionError("every range says its bounds")


class TfFileRegistered(_TfRange):
    """A TF sample file of an STF is there."""

    msg_type = "tf_file_registered"
    tf_filename: FileName
    stf_filename: FileName
    tf_first: TfIndex
    tf_last: TfIndex
    tf_count: Annotated[int, Field(ge=1)]
    sample_index: Annotated[int, Field(ge=1)]
    sample_count: Annotated[int, Field(ge=1)]
    file_size_bytes: Count

    def _bounds(self) -> tuple[int, int, int]:
        return self.tf_first, self.tf_last, self.tf_count


class Slice(_TfRange):
    """A TF range for one worker."""

    msg_type = "slice"
    slice_id: Annotated[int, Field(ge=0)]
    tf_filename: FileName
    filename: FileName
    start: TfIndex
    end: TfIndex
    tf_count: Annotated[int, Field(ge=1)]
    req_id: UUID
    attempt: Annotated[int, Field(ge=1)]

    def _bounds(self) -> tuple[int, int, int]:
        return self.start, self.end, self.tf_count


class SliceResult(EpicBody):
    """What came of one attempt at a slice."""

    msg_type = "slice_result"
    tf_filename: FileName
    filename: FileName
    slice_id: Annotated[int, Field(ge=0)]
    req_id: UUID
    attempt: Annotated[int, Field(ge=1)]
    result: Literal["done", "failed"]
    outcome: Word
    worker: Word
    hostname: Word = ""
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    seconds: Annotated[float, Field(ge=0)] = 0.0
    exit_code: int | None = None
    detail: Text = ""
    stderr_tail: Text = ""
    output_name: FileName | None = None
    output_size: Count = 0
    output_adler32: Adler32 | None = None
    output_sha256: Sha256 | None = None
    summary: dict[str, Any] = Field(default_factory=dict)


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
