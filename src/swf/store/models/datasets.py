"""The local catalogue: datasets and the files attached to them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Dataset(models.Model):
    """A dataset, as the system wants it and as the catalogue has it."""

    class State(models.TextChoices):
        """What the catalogue has."""

        OPEN = "open"
        CLOSED = "closed"

    scope = models.CharField(max_length=25)
    name = models.CharField(max_length=250)
    namespace = models.CharField(max_length=64)
    run_number = models.IntegerField(null=True, db_index=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["scope", "name"], name="dataset_once")]

    def __str__(self) -> str:
        return f"{self.scope}:{self.name}"


class DatasetFile(models.Model):
    """A file attached to a dataset."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=250)
    size_bytes = models.BigIntegerField()
    adler32 = models.CharField(max_length=8)
    attached_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["dataset", "name"], name="dataset_file_once")]

    def __str__(self) -> str:
        return self.name
