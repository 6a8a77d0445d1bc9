"""Runs and the executions of workflows that take or process them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class WorkflowDefinition(models.Model):
    """A workflow that can be executed, as it was defined when it was first executed; a change is a new version."""

    workflow_name = models.CharField(max_length=200)
    version = models.CharField(max_length=50)
    workflow_type = models.CharField(max_length=100, help_text="The kind: which agents and sections it uses.")
    definition = models.TextField(help_text="The text of the definition.")
    digest = models.CharField(max_length=64, help_text="sha256 of the definition.")
    parameter_values = models.JSONField(default=dict)
    created_by = models.CharField(max_length=100)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workflow_name", "version", "digest"], name="workflow_definition_once")
        ]

    def __str__(self) -> str:
        return f"{self.workflow_name} {self.version}"


class WorkflowExecution(models.Model):
    """One instance of a workflow with its parameters."""

    class Status(models.TextChoices):
        """Where an execution is."""

        REQUESTED = "requested"
        RUNNING = "running"
        PAUSED = "paused"
        COMPLETED = "completed"
        FAILED = "failed"
        STOPPED = "stopped"

    execution_id = models.CharField(max_length=100, primary_key=True)
    workflow_definition = models.ForeignKey(WorkflowDefinition, on_delete=models.PROTECT, related_name="executions")
    namespace = models.CharField(max_length=64, db_index=True)
    parameter_values = models.JSONField(default=dict, help_text="Every effective value, section by section.")
    parameter_origins = models.JSONField(default=dict, help_text="Where each value came from.")
    code_version = models.CharField(max_length=100, default="")
    status = models.CharField(max_length=20, choices=Status, default=Status.RUNNING, db_index=True)
    status_reason = models.TextField(default="", blank=True)
    start_time = models.DateTimeField(db_index=True)
    end_time = models.DateTimeField(null=True)
    executed_by = models.CharField(max_length=100)
    run_number = models.IntegerField(null=True, db_index=True)
    daq_position = models.IntegerField(default=0, help_text="Steps of the DAQ's script that are done.")
    daq_held_at = models.FloatField(null=True, help_text="Simulated seconds at which the DAQ's time was held.")
    daq_stop = models.JSONField(
        null=True, help_text="The request to leave the DAQ's script, where one was carried out."
    )
    tf_base = models.BigIntegerField(default=0, help_text="The detector's number of the run's first TF.")
    taken_by = models.CharField(
        max_length=100, default="", blank=True, help_text="The agent that plays its DAQ, where agents are processes."
    )
    pause_requested_by = models.CharField(max_length=100, default="", blank=True)
    stop_requested_by = models.CharField(max_length=100, default="", blank=True)
    stop_reason = models.TextField(default="", blank=True)

    def __str__(self) -> str:
        return self.execution_id


class Run(models.Model):
    """A bounded period of data taking with a run number."""

    run_number = models.IntegerField(primary_key=True)
    namespace = models.CharField(max_length=64, db_index=True)
    execution_id = models.CharField(max_length=100, default="", db_index=True)
    start_time = models.DateTimeField(db_index=True)
    end_time = models.DateTimeField(null=True, help_text="When its end was announced.")
    closed_at = models.DateTimeField(null=True, help_text="When its ledger balanced.")
    total_stf_files = models.IntegerField(null=True, help_text="What the DAQ says it produced; known at the end.")
    ended_by = models.CharField(
        max_length=100, default="", blank=True, help_text="Who stopped it, where it was stopped."
    )
    run_conditions = models.JSONField(default=dict)
    simulated = models.BooleanField(default=False)

    def __str__(self) -> str:
        return str(self.run_number)


class Counter(models.Model):
    """Numbers that are given out once: runs, agents, executions."""

    name = models.CharField(max_length=100, primary_key=True)
    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"
