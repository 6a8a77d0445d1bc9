"""Messages under way: what is to be sent, what was taken, and what could not be handled."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class OutboxMessage(models.Model):
    """A message that a committed transaction wants sent.

    With a broker the relay publishes it and takes the row away on the broker's receipt. With the embedded bus the row
    is itself the delivery: topics are read by the cursors of the roles, a queue's row is taken away when it is
    acknowledged.
    """

    id = models.BigAutoField(primary_key=True)
    message_id = models.UUIDField(unique=True)
    namespace = models.CharField(max_length=64)
    sender = models.CharField(max_length=100, default="", help_text="The agent; with a broker, its process publishes.")
    destination = models.CharField(max_length=200)
    msg_type = models.CharField(max_length=50)
    run_number = models.IntegerField(null=True)
    body = models.TextField()
    expires_at = models.DateTimeField(null=True, help_text="After this nobody wants it any more.")
    headers = models.JSONField(null=True, help_text="What listeners outside choose by, beside the bus's own headers.")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["namespace", "destination", "id"], name="outbox_destination"),
            models.Index(fields=["sender", "id"], name="outbox_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.msg_type} {self.message_id}"


class RoleCursor(models.Model):
    """How far a role has read a topic of the embedded bus."""

    namespace = models.CharField(max_length=64)
    role = models.CharField(max_length=50)
    destination = models.CharField(max_length=200)
    position = models.BigIntegerField(default=0, help_text="The last outbox row that it has handled.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["namespace", "role", "destination"], name="cursor_once"),
        ]

    def __str__(self) -> str:
        return f"{self.role} at {self.position} of {self.destination}"


class InboxEntry(models.Model):
    """A message that a role has taken, in the transaction of its effects: a repeat ends here."""

    namespace = models.CharField(max_length=64)
    role = models.CharField(max_length=50)
    message_id = models.UUIDField()
    run_number = models.IntegerField(null=True, db_index=True, help_text="For pruning with the run.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["role", "message_id", "namespace"], name="inbox_once"),
        ]

    def __str__(self) -> str:
        return f"{self.role} took {self.message_id}"


class DeadLetter(models.Model):
    """A message that could not be handled: kept with its reason, for another try or for an operator's decision."""

    class State(models.TextChoices):
        """What is to become of it."""

        RETRYING = "retrying", "will be tried again at redrive_at"
        PARKED = "parked", "waits for an operator"
        REDRIVEN = "redriven", "was handled after all"
        DISCARDED = "discarded", "was given up by an operator, with a reason"

    id = models.BigAutoField(primary_key=True)
    namespace = models.CharField(max_length=64)
    role = models.CharField(max_length=50)
    destination = models.CharField(max_length=200)
    message_id = models.UUIDField(null=True)
    msg_type = models.CharField(max_length=50, default="")
    run_number = models.IntegerField(null=True)
    body = models.TextField(help_text="As received; undecodable bytes escaped.")
    error = models.CharField(max_length=100, help_text="The name of the error.")
    reason = models.TextField(help_text="What happened, in words.")
    attempts = models.IntegerField(default=1)
    state = models.CharField(max_length=10, choices=State, default=State.PARKED)
    created_at = models.DateTimeField()
    redrive_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=100, default="", blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["namespace", "role", "state", "redrive_at"], name="dead_letter_due")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["role", "message_id", "namespace"], name="dead_letter_once")
        ]

    def __str__(self) -> str:
        return f"dead letter {self.pk}: {self.error}"
