"""The figures of a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Sum

from swf.core.ledger import Ledger, Stage
from swf.core.modes import Mode
from swf.core.scene import EVERYWHERE, Namespaces
from swf.core.times import rfc3339
from swf.core.work import WorkState
from swf.epic.accounting import ledger_of
from swf.epic.models import FastMonFile, RunState, TfSlice
from swf.epic.usecases.lookup import execution_of, find_run
from swf.store.models import Alarm, Dataset, DeadLetter, Event, Product, Run, WorkflowExecution

_OPEN_LETTERS = (DeadLetter.State.RETRYING, DeadLetter.State.PARKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run in figures, live or final.

    Instants are RFC 3339 in UTC. `duration_s` goes from the start of the run to its closing, or to its last event
    while it is open; `state` is its phase; `ended` is when its end was announced, `closed` when its ledger balanced.
    `hits.found` are the hits that payloads decoded in the TFs they were given, `hits.sampled` those written into the TF
    sample files. `dead_letters` counts messages of the run that are not handled yet.
    """

    execution: str
    run: int
    workflow: str
    namespace: str
    mode: str
    status: str
    status_reason: str
    simulated: bool
    started: str
    ended: str | None
    closed: str | None
    duration_s: float
    state: str
    stf: dict[str, int | None]
    tf_files: dict[str, int]
    slices: dict[str, int]
    hits: dict[str, int]
    ledger: dict[str, Any]
    products: dict[str, int]
    messages: dict[str, int]
    agents: list[str]
    dataset: dict[str, Any] | None
    alarms: list[dict[str, Any]]
    dead_letters: int
    ended_by: str

    @property
    def complete(self) -> bool:
        """Whether the run is closed, and every unit of it done."""
        return self.closed is not None and bool(self.ledger["complete"])

    def as_json(self) -> dict[str, Any]:
        """The summary as plain values."""
        return asdict(self)


def run_summary(run_number: int, namespaces: Namespaces = EVERYWHERE) -> RunSummary:
    """The figures of a run: STFs, samples, slices, hits, the ledger, products, messages and agents.

    Raises:
        UnknownNameError: there is no such run.
    """
    run = find_run(run_number, namespaces)
    execution = execution_of(run)
    ledger = ledger_of(run_number)
    return RunSummary(
        execution=run.execution_id,
        run=run_number,
        workflow=_workflow(execution),
        namespace=run.namespace,
        mode=Mode.SERVICE if execution and execution.taken_by else Mode.EMBEDDED,
        status=execution.status if execution else "unknown",
        status_reason=execution.status_reason if execution else "",
        simulated=run.simulated,
        started=rfc3339(run.start_time),
        ended=_instant(run.end_time),
        closed=_instant(run.closed_at),
        duration_s=_duration_s(run),
        state=RunState.objects.filter(pk=run_number).values_list("phase", flat=True).first() or "unknown",
        stf={
            "produced": run.total_stf_files,
            "registered": ledger.registered,
            "sampled": ledger.stages[Stage.SAMPLED].get(WorkState.COMPLETED, 0),
        },
        tf_files={"registered": FastMonFile.objects.filter(run_number=run_number, status=WorkState.COMPLETED).count()},
        slices=_slices(run_number),
        hits=_hits(run_number),
        ledger=ledger_as_json(ledger),
        products=_products(run_number),
        messages=_messages(run_number),
        agents=_agents(run_number),
        dataset=_dataset(run_number),
        alarms=_alarms(run_number),
        dead_letters=DeadLetter.objects.filter(run_number=run_number, state__in=_OPEN_LETTERS).count(),
        ended_by=run.ended_by,
    )


def run_ledger(run_number: int, namespaces: Namespaces = EVERYWHERE) -> Ledger:
    """The account of a run: at each stage, how many STFs are in which state, and the name of each that is not done.

    Raises:
        UnknownNameError: there is no such run.
    """
    find_run(run_number, namespaces)
    return ledger_of(run_number)


def ledger_as_json(ledger: Ledger) -> dict[str, Any]:
    """A ledger as plain values."""
    return {
        "produced": ledger.produced,
        "registered": ledger.registered,
        "missing": ledger.missing,
        "balanced": ledger.balanced,
        "complete": ledger.complete,
        "stages": {
            stage.value: {str(word): number for word, number in sorted(words.items()) if number}
            for stage, words in ledger.stages.items()
        },
        "undone": [
            {
                "name": unit.name,
                "stage": unit.stage.value,
                "word": str(unit.word),
                "reason": unit.reason,
                "part_of": unit.part_of,
            }
            for unit in ledger.undone
        ],
        "undone_total": ledger.undone_total,
    }


def _workflow(execution: WorkflowExecution | None) -> str:
    return execution.workflow_definition.workflow_name if execution else "unknown"


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else rfc3339(instant)


def _duration_s(run: Run) -> float:
    last = run.closed_at
    if last is None:
        # The newest row by its number, which an index finds; the greatest instant would be looked for in all of them.
        newest = Event.objects.filter(run_number=run.run_number).order_by("-seq")
        last = newest.values_list("created_at", flat=True).first()
    return round((last - run.start_time).total_seconds(), 3) if last else 0.0


def _slices(run_number: int) -> dict[str, int]:
    rows = TfSlice.objects.filter(run_number=run_number).order_by().values("status")
    counts = {row["status"]: row for row in rows.annotate(number=Count("id"), again=Sum("retries"))}
    return {
        "created": sum(row["number"] for row in counts.values()),
        **{state.value: counts[state]["number"] if state in counts else 0 for state in WorkState},
        "retries": sum(row["again"] for row in counts.values()),
    }


def _hits(run_number: int) -> dict[str, int]:
    sampled = FastMonFile.objects.filter(run_number=run_number).aggregate(n=Sum("hits"))["n"]
    found = TfSlice.objects.filter(run_number=run_number).aggregate(n=Sum("hits_found"))["n"]
    return {"sampled": int(sampled or 0), "found": int(found or 0)}


def _products(run_number: int) -> dict[str, int]:
    made = Product.objects.filter(run_number=run_number).aggregate(count=Count("id"), bytes=Sum("size_bytes"))
    return {"count": made["count"], "bytes": int(made["bytes"] or 0)}


def _messages(run_number: int) -> dict[str, int]:
    """Messages by type, in the order in which the types first came."""
    rows = Event.objects.filter(run_number=run_number, kind=Event.Kind.MESSAGE).order_by()
    rows_by_type = rows.values("type").annotate(number=Count("id"), first=Min("id"))
    return {row["type"]: row["number"] for row in sorted(rows_by_type, key=lambda row: row["first"])}


def _agents(run_number: int) -> list[str]:
    """Who sent a message or moved something, in the order in which they first did."""
    rows = Event.objects.filter(run_number=run_number).order_by().values("sender").annotate(first=Min("id"))
    return [row["sender"] for row in sorted(rows, key=lambda row: row["first"])]


def _dataset(run_number: int) -> dict[str, Any] | None:
    row = Dataset.objects.filter(run_number=run_number).annotate(number=Count("files")).order_by("id").first()
    if row is None:
        return None
    return {"name": str(row), "state": row.state, "files": row.number}


def _alarms(run_number: int) -> list[dict[str, Any]]:
    return [
        {
            "key": alarm.key,
            "severity": alarm.severity,
            "text": alarm.text,
            "what_to_do": alarm.what_to_do,
            "raised": rfc3339(alarm.raised_at),
            "cleared": _instant(alarm.cleared_at),
        }
        for alarm in Alarm.objects.filter(run_number=run_number).order_by("id")
    ]
