"""The event log: every message and every state transition, one row each, never changed."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models


class Event(models.Model):
    """One row of the log.

    `seq` numbers rows in the order of their commit, without gaps that fill later, so that a reader may hold a cursor
    over it. On SQLite, whose writers take turns, a trigger copies `id`; on PostgreSQL the sequencer numbers rows after
    their commit.
    """

    class Kind(models.TextChoices):
        """What a row tells of."""

        MESSAGE = "message"
        TRANSITION = "transition"

    id = models.BigAutoField(primary_key=True)
    seq = models.BigIntegerField(null=True, unique=True)
    kind = models.CharField(max_length=12, choices=Kind)
    type = models.CharField(max_length=50, help_text="The message's type, or the trigger of the transition.")
    namespace = models.CharField(max_length=64)
    run_number = models.IntegerField(null=True)
    execution_id = models.CharField(max_length=100, default="")
    subject = models.CharField(max_length=250, default="", help_text="The name of the thing that it tells of.")
    sender = models.CharField(max_length=100, help_text="The agent that sent the message or made the transition.")
    sender_seq = models.BigIntegerField(default=0)
    destination = models.CharField(max_length=200, default="")
    message_id = models.UUIDField(null=True, unique=True)
    created_at = models.DateTimeField()
    body = models.TextField(help_text="The message as sent, or the transition, as JSON.")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["run_number", "seq"], name="event_run_seq"),
            models.Index(fields=["subject", "seq"], name="event_subject_seq"),
            models.Index(fields=["execution_id", "seq"], name="event_execution_seq"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.type} {self.subject}"


class MessageManager(models.Manager["WorkflowMessage"]):
    """Only the rows that are messages."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(kind=Event.Kind.MESSAGE)


class WorkflowMessage(Event):
    """A message that was sent: a view of the event log."""

    objects: ClassVar[MessageManager] = MessageManager()

    class Meta:
        proxy = True
