"""Comments on runs, and verdicts: what people say of a run's data, with their names. Nothing of it is ever changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from swf.core.errors import QuestionError, UnknownNameError
from swf.core.plain import Shown
from swf.core.scene import Scene, here
from swf.service.queries.runs_seen import namespace_of_run, of_namespace, of_run
from swf.store.filters import Filter, instant, words
from swf.store.listing import Listing, both
from swf.store.models import RunNote

MAX_TEXT: Final = 4000
VERDICTS: Final = tuple(RunNote.Verdict.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteLine(Shown):
    """A comment on a run; with a `verdict`, good or bad, a judgement of its data, for which `text` is the reason."""

    id: int
    run: int
    namespace: str
    author: str
    verdict: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Shown):
    """The verdict on a run that holds: the last one."""

    verdict: str
    author: str
    text: str
    at: datetime


def comment_on_run(
    run_number: int, who: str, text: str, scene: Scene, *, verdict: str = "", dry_run: bool = False
) -> NoteLine:
    """Say something of a run, or judge it.

    Args:
        run_number: the run.
        who: the author.
        text: the comment, or the reason of the verdict.
        scene: the present.
        verdict: good or bad; empty for a comment.
        dry_run: nothing is kept; what is returned is what would be, with number 0.

    Raises:
        UnknownNameError: there is no such run.
        QuestionError: the text is empty, too long or has characters that no database takes, or there is no such
            verdict.
    """
    namespace = namespace_of_run(run_number)
    if namespace is None or (scene.namespaces is not None and namespace not in scene.namespaces):
        raise UnknownNameError(f"there is no run {run_number} {here(scene.namespaces)}")
    if verdict and verdict not in VERDICTS:
        raise QuestionError("verdict", f"expected {' or '.join(VERDICTS)}, got {verdict[:40]!r}")
    row = RunNote(
        namespace=namespace,
        run_number=run_number,
        author=who,
        text=_checked(text),
        verdict=verdict,
        created_at=scene.now,
    )
    if not dry_run:
        row.save()
    return _line(row)


def verdicts_of(run_numbers: Sequence[int]) -> Mapping[int, Verdict]:
    """The verdicts that hold on these runs; runs without one are left out."""
    rows = RunNote.objects.filter(run_number__in=list(run_numbers)).exclude(verdict="").order_by("id")
    return {
        row.run_number: Verdict(verdict=row.verdict, author=row.author, text=row.text, at=row.created_at)
        for row in rows
    }


def _checked(text: str) -> str:
    said = text.strip()
    if not 1 <= len(said) <= MAX_TEXT:
        raise QuestionError("text", f"expected 1 to {MAX_TEXT} characters, got {len(said)}")
    if "\0" in said or any("\ud800" <= character <= "\udfff" for character in said):
        raise QuestionError("text", "it has a null character or half of a surrogate pair, which no database takes")
    return said


def _line(row: RunNote) -> NoteLine:
    return NoteLine(
        id=row.pk or 0,
        run=row.run_number,
        namespace=row.namespace,
        author=row.author,
        verdict=row.verdict,
        text=row.text,
        at=row.created_at,
    )


def _lines(rows: Sequence[RunNote], scene: Scene) -> list[NoteLine]:
    return [_line(row) for row in rows]


RUN_NOTES = Listing(
    name="run-comments",
    text="Comments on runs and verdicts, the newest first.",
    rows=RunNote.objects.all,
    lines=_lines,
    line=NoteLine,
    filters={
        "namespace": of_namespace(),
        "run": of_run(),
        "author": Filter(text="By this author.", lookup="author"),
        "verdict": words("Verdicts of this kind.", "verdict", VERDICTS),
        "since": instant("Of this instant or later.", "created_at__gte"),
        "until": instant("Before this instant.", "created_at__lt"),
    },
    orders=both("id"),
)
