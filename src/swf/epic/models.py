"""What is kept of particle-physics runs."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from swf.core.work import WorkState
from swf.epic.phases import RunPhase
from swf.store.models import Run, WorkItem
from swf.store.models.work import handed_out_index, held_index, queued_index


class StfFile(WorkItem):
    """A super time frame that the DAQ announced; as a work item, its verification.

    `sample_count` and `slice_count` are what it owes: None until decided, 0 where the stage does not apply to it.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="stf_files")
    sequence = models.IntegerField()
    tf_count = models.IntegerField()
    tf_first = models.BigIntegerField(help_text="The detector's number of its first TF.")
    size_bytes = models.BigIntegerField()
    adler32 = models.CharField(max_length=8)
    sha256 = models.CharField(max_length=64)
    has_content = models.BooleanField(
        default=True, help_text="False where the DAQ announces STFs without writing them."
    )
    simulated = models.BooleanField(default=False)
    daq_state = models.CharField(max_length=20)
    daq_substate = models.CharField(max_length=20)
    sample_count = models.IntegerField(null=True)
    slice_count = models.IntegerField(null=True)
    attached_at = models.DateTimeField(null=True, help_text="When it was attached to its run's dataset.")
    removed_at = models.DateTimeField(null=True, help_text="When it left the exit buffer.")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "sequence"], name="stf_sequence_once")]
        indexes: ClassVar = [
            models.Index(fields=["run", "status", "sequence"], name="stf_run_status"),
            queued_index("stf_queued"),
            held_index("stf_held"),
            # What is in exit buffers, the oldest first, and what it takes; with every column that is asked about, so
            # that no row is looked at.
            models.Index(
                fields=["created_at", "run", "size_bytes", "removed_at", "has_content"],
                name="stf_buffered",
                condition=models.Q(removed_at=None, has_content=True),
            ),
            models.Index(
                fields=["namespace", "run", "id"],
                name="stf_to_attach",
                condition=models.Q(status=WorkState.COMPLETED.value, attached_at=None, has_content=True),
            ),
        ]


class FastMonFile(WorkItem):
    """A TF sample file of an STF; as a work item, the sampling of it."""

    stf = models.ForeignKey(StfFile, on_delete=models.CASCADE, related_name="tf_files")
    sample_index = models.IntegerField()
    sample_count = models.IntegerField()
    tf_first = models.IntegerField(help_text="The first entry of the STF that it holds.")
    tf_last = models.IntegerField()
    tf_count = models.IntegerField()
    size_bytes = models.BigIntegerField(default=0)
    adler32 = models.CharField(max_length=8, default="")
    sha256 = models.CharField(max_length=64, default="")
    hits = models.BigIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["run_number", "status", "id"], name="fastmon_run_status"),
            models.Index(fields=["run_number", "id"], name="fastmon_run"),
            queued_index("fastmon_queued"),
            held_index("fastmon_held"),
        ]


class TfSlice(WorkItem):
    """A TF range of an STF that is given to one worker."""

    # Found by the index of `slice_once`: each index more costs every change of a row.
    stf = models.ForeignKey(StfFile, on_delete=models.CASCADE, related_name="slices", db_index=False)
    fastmon_file = models.ForeignKey(FastMonFile, on_delete=models.CASCADE, related_name="slices")
    slice_id = models.IntegerField(help_text="Its number within the STF, from 0.")
    tf_first = models.IntegerField()
    tf_last = models.IntegerField()
    tf_count = models.IntegerField()
    hits_found = models.BigIntegerField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["stf", "slice_id"], name="slice_once")]
        indexes: ClassVar = [
            models.Index(fields=["run_number", "status", "id"], name="slice_run_status"),
            models.Index(fields=["run_number", "id"], name="slice_run"),
            held_index("slice_held"),
            handed_out_index("slice_handed_out"),
        ]


class SliceRetry(models.Model):
    """An operator's wish that a slice which failed or expired is tried once more; its row goes when it is dealt with.

    The fast-processing agent deals with it. The event log keeps who wished it, and why.
    """

    slice = models.ForeignKey(TfSlice, on_delete=models.CASCADE, related_name="wished_retries")
    attempt = models.IntegerField(help_text="The attempt that failed; where another one has ended since, it is void.")
    wished_by = models.CharField(max_length=100)
    reason = models.TextField(default="", blank=True)
    wished_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["slice", "attempt"], name="slice_retry_once")]

    def __str__(self) -> str:
        return f"{self.slice_id} after attempt {self.attempt}"


class RunState(models.Model):
    """A run in figures, changed only by increments; `phase`, `state` and `substate` have one writer, the data agent."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="run_state")
    phase = models.CharField(max_length=12, choices=[(p.value, p.value) for p in RunPhase], default=RunPhase.IMMINENT)
    state = models.CharField(max_length=20, default="")
    substate = models.CharField(max_length=20, default="")
    state_seq = models.BigIntegerField(default=-1, help_text="The DAQ's number of the message that set the state.")
    target_worker_count = models.IntegerField(default=0)
    active_worker_count = models.IntegerField(default=0)
    stf_registered = models.IntegerField(default=0)
    tf_files_received = models.IntegerField(default=0)
    stf_samples_received = models.IntegerField(default=0)
    slices_created = models.IntegerField(default=0)
    slices_queued = models.IntegerField(default=0)
    slices_processing = models.IntegerField(default=0)
    slices_completed = models.IntegerField(default=0)
    slices_failed = models.IntegerField(default=0)
    state_changed_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"run {self.run_id}: {self.phase}"


class PandaRun(models.Model):
    """A run whose slices go to PanDA workers: what those who manage them were told."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="panda_run")
    requested_at = models.DateTimeField(help_text="When workers were asked for.")
    released_at = models.DateTimeField(null=True, help_text="When it was said that none are needed any more.")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["run"], name="panda_run_open", condition=models.Q(released_at=None)),
        ]

    def __str__(self) -> str:
        return f"run {self.run_id}"


class DaqStateEvent(models.Model):
    """A change of the DAQ's state: append-only, so that "what was it when" has an answer."""

    namespace = models.CharField(max_length=64)
    revision = models.BigIntegerField(help_text="Grows by one with each change in a namespace.")
    run_number = models.IntegerField(null=True, db_index=True)
    trigger = models.CharField(max_length=50)
    state = models.CharField(max_length=20)
    substate = models.CharField(max_length=20)
    simulation_tick = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["namespace", "revision"], name="daq_revision_once")]

    def __str__(self) -> str:
        return f"{self.revision}: {self.state}/{self.substate}"


class MonitoringHistogram(models.Model):
    """The monitoring histograms of one subsystem over a run, as far as it was sampled."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="histograms")
    subsystem = models.CharField(max_length=100)
    content = models.JSONField(default=dict)
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "subsystem"], name="histogram_once")]

    def __str__(self) -> str:
        return f"{self.subsystem} of run {self.run_id}"
