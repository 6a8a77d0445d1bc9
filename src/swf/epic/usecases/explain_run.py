"""Why a run is as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count

from swf.core.figures import number_of
from swf.core.ledger import Ledger, Stage
from swf.core.scene import Scene, sees
from swf.core.work import LOST, UNFINISHED, WorkState
from swf.epic.accounting import ledger_of
from swf.epic.models import FastMonFile, RunState, StfFile, TfSlice
from swf.epic.phases import RunPhase
from swf.epic.usecases.explanation import NOT_ANNOUNCED, Explanation, counted, latest_events, listed
from swf.epic.usecases.item_words import agent_words
from swf.epic.usecases.letters import open_letters, said_of
from swf.epic.usecases.lookup import find_run
from swf.epic.usecases.scene import goes_on, standing
from swf.store.models import Alarm, DeadLetter, Event, Run, WorkflowExecution

CLOSED = "closed"

_ITEMS: tuple[tuple[str, type[StfFile] | type[FastMonFile] | type[TfSlice]], ...] = (
    ("STFs", StfFile),
    ("TF sample files", FastMonFile),
    ("slices", TfSlice),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Troubles:
    """What a person has to decide about a run."""

    letters: Sequence[DeadLetter]
    alarms: Sequence[Alarm]


def explain_run(name: str, scene: Scene) -> Explanation | None:
    """A run by its number; None where the name is no number."""
    number = name.removeprefix("run ").strip()
    if not (number.isascii() and number.isdigit() and len(number) <= 10):
        return None
    execution = WorkflowExecution.objects.filter(run_number=int(number)).first()
    announced = Run.objects.filter(pk=int(number)).exists()
    if execution is not None and not announced and sees(scene.namespaces, execution.namespace):
        return _not_announced(execution, scene)
    run = find_run(int(number), scene.namespaces)
    ledger = ledger_of(run.run_number)
    status, resume = standing(run.execution_id, scene)
    troubles = _troubles(run.run_number)
    return Explanation(
        name=str(run.run_number),
        kind="run",
        state=CLOSED if run.closed_at else phase_of(run.run_number),
        what=_what(run),
        why=(status, *_why(run, ledger, troubles, scene)),
        next=tuple(dict.fromkeys([*(resume if run.closed_at is None else ()), *_next(run, ledger, troubles)])),
        parts=tuple((title, states_of(model, run_number=run.run_number)) for title, model in _ITEMS),
        events=latest_events(run_number=run.run_number, subject__in=["", f"run {run.run_number}"]),
    )


def _troubles(run_number: int) -> _Troubles:
    raised = Alarm.objects.filter(run_number=run_number, cleared_at=None).order_by("id")
    return _Troubles(letters=open_letters(run_number), alarms=list(raised))


def phase_of(run_number: int) -> str:
    """The phase of a run, as its messages tell it."""
    return RunState.objects.filter(pk=run_number).values_list("phase", flat=True).first() or RunPhase.IMMINENT


def states_of(model: type[StfFile] | type[FastMonFile] | type[TfSlice], **of: object) -> dict[str, int]:
    """How many items are in each state, in the order of the lifecycle: those of a run, or of an STF.

    Not of both: a database that is told the run as well may look at all that the run has.
    """
    rows = model._default_manager.filter(**of).order_by()
    counts = dict(rows.values_list("status").annotate(number=Count("id")))
    return {state.value: counts[state] for state in WorkState if state in counts}


def _not_announced(execution: WorkflowExecution, scene: Scene) -> Explanation:
    status, resume = standing(execution.execution_id, scene)
    return Explanation(
        name=str(execution.run_number),
        kind="run",
        state=NOT_ANNOUNCED,
        what=f"a run that execution {execution.execution_id} is to take",
        why=(status, "The DAQ has not announced it yet, or its run_imminent was not handled yet."),
        next=resume,
        events=latest_events(run_number=execution.run_number),
    )


def _what(run: Run) -> str:
    simulated = "SIMULATED run" if run.simulated else "run"
    ended = f", ended {run.end_time:%Y-%m-%d %H:%M:%S}" if run.end_time else ""
    closed = f", closed {run.closed_at:%H:%M:%S}" if run.closed_at else ""
    return (
        f"{simulated} of execution {run.execution_id or 'unknown'} in namespace {run.namespace}, "
        f"started {run.start_time:%Y-%m-%d %H:%M:%S}{ended}{closed} (UTC)"
    )


def _why(run: Run, ledger: Ledger, troubles: _Troubles, scene: Scene) -> Iterator[str]:
    yield _phase_in_words(run, held=not goes_on(run.execution_id, scene))
    if run.closed_at is not None:
        by = f"; it was ended by {run.ended_by}" if run.ended_by else ""
        produced = number_of(ledger.produced or 0, "STF")
        yield f"It is closed: the DAQ produced {produced}, and each is accounted for{by}."
    else:
        yield from _waits_for(run, ledger, scene)
    lost = [unit for unit in ledger.undone if unit.word in LOST]
    if lost:
        yield f"Not done, and not going to be: {listed(f'{unit.name} ({unit.word} at {unit.stage})' for unit in lost)}."
    for letter in troubles.letters:
        yield said_of(letter)
    for alarm in troubles.alarms:
        yield f"Alarm: {alarm.text}."


def _phase_in_words(run: Run, *, held: bool) -> str:
    phase = phase_of(run.run_number)
    match phase:
        case RunPhase.IMMINENT:
            return "It is announced; data taking has not begun."
        case RunPhase.PHYSICS:
            return "The DAQ was taking data; it is held." if held else "The DAQ takes data."
        case RunPhase.STANDBY:
            reason = _pause_reason(run.run_number)
            return f"The DAQ is paused{f': {reason}' if reason else ''}."
        case _:
            return f"Data taking has ended{f', stopped by {run.ended_by}' if run.ended_by else ''}."


def _pause_reason(run_number: int) -> str:
    last = Event.objects.filter(run_number=run_number, kind=Event.Kind.MESSAGE, type="pause_run").order_by("-seq")
    body = last.values_list("body", flat=True).first()
    return str(json.loads(body).get("reason", "")) if body else ""


def _waits_for(run: Run, ledger: Ledger, scene: Scene) -> Iterator[str]:
    """What an open run waits for, stage by stage."""
    if run.end_time is None:
        yield f"It is open: its end is not announced; {ledger.registered} STFs are registered so far."
    if ledger.missing:
        gone = [unit.name for unit in ledger.undone if unit.word == "missing"]
        of = f" of {ledger.produced}" if ledger.produced is not None else ""
        yield f"{ledger.missing}{of} STFs are missing: {listed(gone)}. A run is not closed while one is missing."
    waits, roles = [], []
    for stage, words in ledger.stages.items():
        left = {word.value: words.get(word, 0) for word in WorkState if word in UNFINISHED}
        if any(left.values()):
            work, role = _WORK[stage]
            waits.append(f"{work} of STFs ({counted(left)})")
            roles += [role] if left[WorkState.QUEUED] and stage is not Stage.PROCESSED else []
    slices = states_of(TfSlice, run_number=run.run_number)
    left = {word.value: slices[word] for word in WorkState if word in UNFINISHED and word in slices}
    if left:
        waits.append(f"slices ({counted(left)})")
        # What was handed out waits for workers outside, not for an agent of this testbed.
        waiting = TfSlice.objects.filter(run_number=run.run_number, status=WorkState.QUEUED, lease_until=None)
        roles += ["worker"] if waiting.exists() else []
    if waits:
        still = "It waits for" if goes_on(run.execution_id, scene) else "Left to do when it goes on:"
        yield f"{still} {'; '.join(waits)}."
    yield from (agent_words(role, run.namespace, scene, run.execution_id) for role in roles)


_WORK = {
    Stage.REGISTERED: ("verification", "data"),
    Stage.ARCHIVED: ("archiving", "archive"),
    Stage.SAMPLED: ("sampling", "fastmon"),
    Stage.SLICED: ("slicing", "fast_processing"),
    Stage.PROCESSED: ("processing", "worker"),
}


def _next(run: Run, ledger: Ledger, troubles: _Troubles) -> Iterator[str]:
    for letter in troubles.letters:
        if letter.state == letter.State.PARKED:
            yield f"testbed dead-letters show {letter.pk}"
    for unit in ledger.undone[:3]:
        yield f"testbed runs explain {unit.name}"
    for alarm in troubles.alarms:
        if alarm.what_to_do and alarm.what_to_do != f"testbed runs explain {run.run_number}":
            yield alarm.what_to_do
    if ledger.undone_total > 3:
        yield f"testbed runs ledger {run.run_number}"
