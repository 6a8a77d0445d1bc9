"""What must fit together among the settings of the particle-physics workflows."""

from __future__ import annotations

from collections.abc import Iterator

from swf.config import Configuration
from swf.core.errors import ConfigError
from swf.core.payload import PayloadSpec
from swf.epic.settings_daq import ExitBufferSection, StfSection
from swf.epic.settings_panda import PandaWorkersSection, WorkersBy
from swf.epic.settings_processing import SHIPPED_PAYLOADS, FastProcessingSection, PayloadSection, ProcessingSection
from swf.workload.spec import validate_spec

_ROUNDING = 1e-9


def check_input(configuration: Configuration) -> Iterator[str]:
    """An input file is not left unread."""
    stf = configuration.section(StfSection)
    if stf.input is not None and stf.content == "none":
        yield (
            f"{configuration.quote('stf.input')} contradicts {configuration.quote('stf.content')}: "
            'remove the input, or set content = "simulated"'
        )


def check_capacity(configuration: Configuration) -> Iterator[str]:
    """The exit buffer holds at least one STF."""
    target, capacity = configuration.section(StfSection).target_mb, configuration.section(ExitBufferSection).capacity_gb
    if target > capacity * 1000:
        yield (
            f"{configuration.quote('exit_buffer.capacity_gb')} is less than one STF, "
            f"{configuration.quote('stf.target_mb')}: expected at least {target / 1000:g} GB"
        )


def check_sampling(configuration: Configuration) -> Iterator[str]:
    """Every TF sample file gets a TF, and every slice lies in one file."""
    fast, tf_count = configuration.section(FastProcessingSection), configuration.section(StfSection).tf_count
    files = fast.tf_files_per_sample
    here = configuration.quote("fast_processing.tf_files_per_sample")
    if files > fast.slices_per_sample:
        yield (
            f"{here} is more than {configuration.quote('fast_processing.slices_per_sample')}: a slice lies in one "
            f"file, so expected at most {fast.slices_per_sample} files"
        )
    if fast.tf_sampling_fraction * tf_count < files - _ROUNDING:
        yield (
            f"{configuration.quote('fast_processing.tf_sampling_fraction')} of {configuration.quote('stf.tf_count')} "
            f"is fewer TFs than {here}: expected a fraction of at least {files / tf_count:g}"
        )


def check_payload(configuration: Configuration) -> Iterator[str]:
    """The payload can be run as it is written."""
    payload = configuration.section(PayloadSection)
    name, command, entry_point = (configuration.quote(f"payload.{key}") for key in ("name", "command", "entry_point"))
    if payload.command and payload.entry_point:
        yield f"{command} contradicts {entry_point}: keep one"
    elif payload.name in SHIPPED_PAYLOADS:
        if payload.command or payload.entry_point:
            yield (
                f"{command if payload.command else entry_point}: {name} is a shipped payload, and its products would "
                "carry its name: expected a name of your own"
            )
    elif not (payload.command or payload.entry_point):
        shipped = " and ".join(SHIPPED_PAYLOADS)
        yield f"{name}: expected command or entry_point as well; only {shipped} are shipped"
    else:
        try:
            validate_spec(PayloadSpec(**payload.model_dump()))
        except ConfigError as error:
            yield f"{command if payload.command else entry_point}: {error}"


def check_workers(configuration: Configuration) -> Iterator[str]:
    """PanDA workers have no rivals, and are told what can be told."""
    if configuration.section(ProcessingSection).workers_by is not WorkersBy.PANDA:
        return
    if "worker" in configuration.roles():
        yield (
            f"{configuration.quote('processing.workers_by')} contradicts "
            f"{configuration.quote('agents.worker.enabled')}: slices go to PanDA workers, and a worker agent would get "
            "none; set [agents.worker] enabled = false"
        )
    try:
        configuration.section(PandaWorkersSection).options()
    except ConfigError as error:
        yield f"{configuration.quote('panda_workers.slice_options')}: {error}"


def check_lease(configuration: Configuration) -> Iterator[str]:
    """An attempt is not taken for lost while it may still run."""
    lease, timeout = configuration.section(ProcessingSection).lease_s, configuration.section(PayloadSection).timeout_s
    if lease <= timeout:
        yield (
            f"{configuration.quote('processing.lease_s')} is not longer than "
            f"{configuration.quote('payload.timeout_s')}: expected more than {timeout:g} s"
        )
