"""What people say of runs."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class RunNote(models.Model):
    """A comment on a run, or a verdict on it: rows are added and never changed. The last verdict holds."""

    class Verdict(models.TextChoices):
        """What a person thinks of a run's data."""

        GOOD = "good"
        BAD = "bad"

    id = models.BigAutoField(primary_key=True)
    namespace = models.CharField(max_length=64)
    run_number = models.IntegerField()
    author = models.CharField(max_length=100)
    text = models.TextField(default="", blank=True)
    verdict = models.CharField(max_length=4, choices=Verdict, default="", blank=True, help_text="Empty: a comment.")
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["run_number", "id"], name="note_run"),
            models.Index(fields=["run_number", "-id"], name="note_verdict", condition=~models.Q(verdict="")),
        ]

    def __str__(self) -> str:
        return f"{self.author} on run {self.run_number}"
