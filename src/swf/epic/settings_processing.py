"""Settings of what is done with the data: sampling, slicing, payloads, prompt processing, watching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Final

from pydantic import Field

from swf.config import LocalPath, Section, TextList
from swf.core.payload import PayloadSpec
from swf.core.work import MAX_RETRIES
from swf.epic.settings_daq import DAY_S, PHYSICS_PERIOD_COUNT, STF_COUNT, PeriodCount, StfCount
from swf.epic.settings_panda import WorkersBy

SHIPPED_PAYLOADS: Final = ("reference", "noop")
"""Payloads that need neither a command nor an entry point."""


class FastProcessingSection(Section):
    """The fast path: sampling of STFs and TFs, slicing, and the workers that it is planned for."""

    section: ClassVar[str] = "fast_processing"

    stf_count: StfCount = Field(STF_COUNT, description="As `[simulation] stf_count`, and stronger.")
    physics_period_count: PeriodCount = Field(
        PHYSICS_PERIOD_COUNT, description="As `[simulation] physics_period_count`, and stronger."
    )
    target_worker_count: int = Field(
        30, ge=1, le=100_000, description="Workers that the run is planned for. Here at most one per core runs."
    )
    stf_sampling_rate: float = Field(1.0, ge=0, le=1, description="Fraction of the STFs that is sampled.")
    tf_sampling_fraction: float = Field(0.1, gt=0, le=1, description="Fraction of the TFs of a sampled STF.")
    tf_files_per_sample: int = Field(
        1, ge=1, le=1000, description="TF sample files per sampled STF, each of one contiguous range of TFs."
    )
    slices_per_sample: int = Field(
        15, ge=1, le=1000, description="Slices per sampled STF; fewer only where it has fewer sampled TFs."
    )
    slice_processing_time: float = Field(
        30.0, gt=0, le=DAY_S, description="Time that a worker takes for a slice, in seconds; for planning."
    )
    worker_rampup_time: float = Field(
        300.0, ge=0, le=DAY_S, description="Time until all workers run, in seconds; for planning."
    )
    worker_rampdown_time: float = Field(
        60.0, ge=0, le=DAY_S, description="Time until all workers have ended, in seconds; for planning."
    )


class PromptProcessingSection(Section):
    """Prompt processing of whole STFs by a batch system."""

    section: ClassVar[str] = "prompt_processing"

    container: LocalPath | None = Field(
        None, description='Folder that holds the runs\' STFs, one folder per dataset. Empty (""): the exit buffer.'
    )
    panda_poll_interval_seconds: float = Field(
        60.0, ge=1, le=DAY_S, description="Time between two looks at the state of a batch task, in seconds."
    )
    panda_poll_timeout_seconds: float = Field(
        0.0, ge=0, le=31 * DAY_S, description="Time after which a task is given up, in seconds. 0: never."
    )


class StfProcessingSection(Section):
    """Accepted from older files, where it is empty."""

    section: ClassVar[str] = "stf_processing"


class PayloadSection(Section):
    """What is run on the data."""

    section: ClassVar[str] = "payload"

    name: str = Field(
        "reference",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        description="Name of the payload, kept with its products. `reference` and `noop` are shipped; any other needs "
        "`command` or `entry_point`.",
        json_schema_extra={"expected": "up to 64 of A-Z a-z 0-9 _ . -, starting with a letter or digit"},
    )
    command: TextList = Field(
        (),
        description="Argument list, run without a shell; `{input} {first} {last} {output} {run} {slice}` are put in.",
    )
    entry_point: str = Field("", max_length=300, description="`module:function`, called with a PayloadJob.")
    version: str = Field("", max_length=100, description="Version of the payload's code, kept with its products.")
    timeout_s: float = Field(600.0, gt=0, le=7 * DAY_S, description="Time limit of one attempt, in seconds.")
    memory_mb: int = Field(
        2048, ge=1, le=16_777_216, description="Memory limit of one attempt, all its processes, in MiB of 2^20 bytes."
    )
    output_suffix: str = Field(
        ".root",
        pattern=r"^\.[A-Za-z0-9][A-Za-z0-9._-]{0,31}$",
        description="Ending of the output's name.",
        json_schema_extra={"expected": 'an ending like ".root"'},
    )
    expects_output: bool = Field(True, description="Whether an attempt without output has failed.")
    environment: TextList = Field(
        (), description="Variables that the payload gets: `NAME` passes on the one set here, `NAME=value` sets one."
    )


class ProcessingSection(Section):
    """How work items are given out."""

    section: ClassVar[str] = "processing"

    lease_s: float = Field(
        900.0,
        gt=0,
        le=31 * DAY_S,
        description="Time after which an attempt without a result is taken for lost and tried again, in seconds; "
        "longer than `[payload] timeout_s`.",
    )
    max_retries: int = Field(MAX_RETRIES, ge=0, le=100, description="How often a failed item is tried again.")
    workers: int = Field(0, ge=0, le=1024, description="Payloads that run at one time here. 0: one per core.")
    workers_by: Annotated[WorkersBy, Field(strict=False)] = Field(
        WorkersBy.WORKER_AGENTS,
        description="Who processes slices: `worker_agents` of this testbed, or workers that `panda` runs.",
    )


class WatcherSection(Section):
    """When the watcher reports a stall."""

    section: ClassVar[str] = "watcher"

    interval_s: float = Field(5.0, gt=0, le=3600, description="Time between two looks, in seconds.")
    stall_s: float = Field(
        60.0, gt=0, le=DAY_S, description="A run without any progress for this long is stalled, in seconds."
    )
    stuck_s: float = Field(
        300.0, gt=0, le=31 * DAY_S, description="A unit at one stage for this long is stuck, in seconds."
    )
    heartbeat_s: float = Field(
        60.0, gt=0, le=DAY_S, description="An agent without a heartbeat for this long is missing, in seconds."
    )


class CatalogSection(Section):
    """Where datasets and files are registered."""

    section: ClassVar[str] = "catalog"

    scope: str = Field(
        "group.daq",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,24}$",
        description="Scope of the runs' datasets.",
        json_schema_extra={"expected": "up to 25 of A-Z a-z 0-9 . _ -, starting with a letter or digit"},
    )


class RuntimeSection(Section):
    """How agents take messages."""

    section: ClassVar[str] = "runtime"

    batch_size: int = Field(500, ge=1, le=1000, description="Most messages that an agent takes in one transaction.")


def payload_spec(section: PayloadSection, shipped: Mapping[str, PayloadSpec]) -> PayloadSpec:
    """How to run the payload of a configuration; `shipped` has the specifications of `SHIPPED_PAYLOADS`.

    Of a shipped payload, the section can change version, limits, suffix and environment.
    """
    if section.name not in shipped:
        return PayloadSpec(**section.model_dump())
    base = shipped[section.name]
    fixed = {"name", "command", "entry_point"}
    # What has its default is not a wish: in the parameters of an execution every key has a value.
    changes = section.model_dump(exclude=fixed, exclude_defaults=True)
    return replace(base, **changes)
