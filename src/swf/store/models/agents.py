"""Agents, their log lines, and the alarms that a person should see."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class SystemAgent(models.Model):
    """An agent: one row for its whole life, over all its starts."""

    class Status(models.TextChoices):
        """What its last sign of life said."""

        OK = "OK"
        WARNING = "WARNING"
        ERROR = "ERROR"
        EXITED = "EXITED"

    class State(models.TextChoices):
        """What it is doing."""

        STARTING = "STARTING"
        READY = "READY"
        EXITED = "EXITED"

    instance_name = models.CharField(max_length=100, primary_key=True)
    agent_type = models.CharField(max_length=50, help_text="Its role.")
    namespace = models.CharField(max_length=64, db_index=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.OK)
    operational_state = models.CharField(max_length=10, choices=State, default=State.STARTING)
    last_heartbeat = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    starts = models.IntegerField(default=0)
    pid = models.IntegerField(null=True)
    hostname = models.CharField(max_length=100, default="")
    description = models.CharField(max_length=250, default="", help_text="Why it is not ready, where it is not.")
    sender_seq = models.BigIntegerField(default=0, help_text="The number of its last message.")
    last_turn = models.UUIDField(null=True, help_text="Its last transaction, where a server keeps the store.")
    metadata = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["namespace", "agent_type"], name="agent_role")]

    def __str__(self) -> str:
        return self.instance_name


class AppLog(models.Model):
    """A log line."""

    id = models.BigAutoField(primary_key=True)
    app_name = models.CharField(max_length=50)
    instance_name = models.CharField(max_length=100)
    timestamp = models.DateTimeField()
    levelname = models.CharField(max_length=10)
    event = models.CharField(max_length=200)
    namespace = models.CharField(max_length=64, default="")
    execution_id = models.CharField(max_length=100, default="")
    run_number = models.IntegerField(null=True)
    extra_data = models.TextField(default="{}", help_text="The other fields, as JSON.")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["timestamp", "id"], name="log_time"),
            models.Index(fields=["run_number", "timestamp", "id"], name="log_run"),
            models.Index(fields=["execution_id", "timestamp", "id"], name="log_execution"),
            models.Index(fields=["instance_name", "timestamp", "id"], name="log_agent"),
        ]

    def __str__(self) -> str:
        return f"{self.levelname} {self.event}"


class Alarm(models.Model):
    """Something that a person should look at: raised once, acknowledged, cleared."""

    id = models.BigAutoField(primary_key=True)
    namespace = models.CharField(max_length=64, db_index=True)
    key = models.CharField(max_length=200, help_text="What it is about; at most one uncleared alarm per key.")
    severity = models.CharField(max_length=10, default="warning")
    text = models.TextField()
    what_to_do = models.TextField(default="")
    run_number = models.IntegerField(null=True)
    raised_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=100, default="", blank=True)
    cleared_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["namespace", "key"], condition=models.Q(cleared_at=None), name="alarm_raised_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.text}"
