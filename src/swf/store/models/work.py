"""Work items and what came of them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from swf.core.work import MAX_RETRIES, WorkState


def queued_index(name: str) -> models.Index:
    """Where the items of a model that wait are found, the oldest first: as large as the queue, not as the table."""
    return models.Index(fields=["namespace", "id"], name=name, condition=models.Q(status=WorkState.QUEUED.value))


def held_index(name: str) -> models.Index:
    """Where the items of a model that somebody holds are found, by the end of their lease; as small."""
    return models.Index(
        fields=["namespace", "lease_until"], name=name, condition=models.Q(status=WorkState.PROCESSING.value)
    )


def handed_out_index(name: str) -> models.Index:
    """Where the queued items of a model that were handed out are found, by the end of their lease; as small."""
    waits = models.Q(status=WorkState.QUEUED.value, lease_until__isnull=False)
    return models.Index(fields=["namespace", "lease_until"], name=name, condition=waits)


class WorkItem(models.Model):
    """A unit of work with the lifecycle of `swf.core.work`; each instrument's items are a model of their own."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=250, unique=True)
    namespace = models.CharField(max_length=64)
    run_number = models.IntegerField(null=True)
    status = models.CharField(max_length=12, choices=[(s.value, s.value) for s in WorkState], default=WorkState.QUEUED)
    attempt = models.IntegerField(default=0, help_text="Claims so far: the fencing token.")
    retries = models.IntegerField(default=0)
    max_retries = models.IntegerField(default=MAX_RETRIES)
    req_id = models.UUIDField(unique=True, help_text="The request that stands: new for each time it is queued.")
    lease_holder = models.CharField(max_length=100, default="", blank=True)
    lease_until = models.DateTimeField(null=True)
    reason = models.TextField(default="", blank=True, help_text="Why its last attempt failed.")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class Attempt(models.Model):
    """One attempt at a work item, as it ended."""

    id = models.BigAutoField(primary_key=True)
    item = models.CharField(max_length=250, help_text="The work item's name.")
    attempt = models.IntegerField()
    run_number = models.IntegerField(null=True)
    holder = models.CharField(max_length=100)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField()
    outcome = models.CharField(max_length=20, help_text="A payload outcome, or `late`, `lease_expired`, `released`.")
    exit_code = models.IntegerField(null=True)
    detail = models.TextField(default="")
    stderr_tail = models.TextField(default="")
    seconds = models.FloatField(default=0.0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["item", "attempt"], name="attempt_item")]

    def __str__(self) -> str:
        return f"{self.item} attempt {self.attempt}: {self.outcome}"


class Product(models.Model):
    """A file made by processing, with its checksums and where it came from."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=250, unique=True)
    namespace = models.CharField(max_length=64)
    run_number = models.IntegerField(null=True)
    kind = models.CharField(max_length=50)
    location = models.CharField(max_length=1000)
    size_bytes = models.BigIntegerField()
    adler32 = models.CharField(max_length=8)
    sha256 = models.CharField(max_length=64)
    made_from = models.CharField(max_length=250, help_text="The file that it was made from.")
    item = models.CharField(max_length=250, help_text="The work item that made it.")
    attempt = models.IntegerField(default=1)
    parameters = models.JSONField(default=dict)
    code_version = models.CharField(max_length=100, default="")
    summary = models.JSONField(default=dict)
    simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["run_number", "id"], name="product_run")]

    def __str__(self) -> str:
        return self.name
