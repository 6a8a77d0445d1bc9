"""Why an execution, a dataset, an agent or a product is as it is."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count

from swf.core.scene import Scene
from swf.core.work import UNFINISHED
from swf.epic.models import FastMonFile, StfFile, TfSlice
from swf.epic.usecases.explanation import Explanation, latest_events, listed
from swf.epic.usecases.lookup import execution_named, seen_by
from swf.epic.usecases.scene import ago, standing
from swf.store.listing import in_sight
from swf.store.models import AppLog, Dataset, DeadLetter, Product, Run, SystemAgent, WorkItem

_ITEMS: tuple[type[WorkItem], ...] = (StfFile, FastMonFile, TfSlice)


def explain_execution(name: str, scene: Scene) -> Explanation | None:
    """An execution by its name."""
    row = seen_by(execution_named(name), scene.namespaces)
    if row is None:
        return None
    status, resume = standing(name, scene)
    run = Run.objects.filter(pk=row.run_number).first() if row.run_number is not None else None
    definition = row.workflow_definition
    version = f" {definition.version}" if definition.version else ""
    ended = f", ended {row.end_time:%Y-%m-%d %H:%M:%S}" if row.end_time else ""
    return Explanation(
        name=name,
        kind="execution",
        state=row.status,
        what=(
            f"execution of workflow {definition.workflow_name}{version} (kind {definition.workflow_type}) in namespace "
            f"{row.namespace}, started by {row.executed_by} {row.start_time:%Y-%m-%d %H:%M:%S}{ended} (UTC)"
        ),
        why=(status, *_of_run(row.run_number, run), *_stop(row.stop_requested_by, row.stop_reason, run)),
        next=(*resume, *((f"testbed runs explain {row.run_number}",) if row.run_number is not None else ())),
        events=latest_events(execution_id=name, subject=""),
    )


def explain_dataset(name: str, scene: Scene) -> Explanation | None:
    """A dataset by `scope:name`, or by its name alone."""
    scope, _, plain = name.rpartition(":")
    rows = Dataset.objects.filter(name=plain, **({"scope": scope} if scope else {}))
    rows = in_sight(rows, scene.namespaces)
    row = rows.annotate(number=Count("files")).order_by("id").first()
    if row is None:
        return None
    why = [f"It has {row.number} files."]
    waiting = StfFile.objects.filter(run_number=row.run_number, attached_at=None, has_content=True).count()
    if row.state == Dataset.State.CLOSED and row.closed_at is not None:
        why.append(f"It was closed {row.closed_at:%Y-%m-%d %H:%M:%S} UTC, with its run, and takes no more files.")
    else:
        why.append("It is open: it is closed when all STFs of its run are accounted for.")
        why.append(f"{waiting} registered STFs of the run are not attached yet; only a verified one is.")
    return Explanation(
        name=str(row),
        kind="dataset",
        state=row.state,
        what=f"the dataset of run {row.run_number}, in the local catalogue",
        why=tuple(why),
        next=(f"testbed runs explain {row.run_number}",),
    )


def explain_agent(name: str, scene: Scene) -> Explanation | None:
    """An agent by its name."""
    row = seen_by(SystemAgent.objects.filter(pk=name).first(), scene.namespaces)
    if row is None:
        return None
    letters = DeadLetter.objects.filter(namespace=row.namespace, role=row.agent_type, state=DeadLetter.State.PARKED)
    return Explanation(
        name=name,
        kind="agent",
        state=row.status,
        what=f"the agent of role {row.agent_type} in namespace {row.namespace}, started {row.starts} times",
        why=tuple(_agent(row, scene)),
        next=tuple(f"testbed dead-letters show {pk}" for pk in letters.order_by("id").values_list("pk", flat=True)[:5]),
        events=latest_events(sender=name),
    )


def explain_product(name: str, scene: Scene) -> Explanation | None:
    """A product by its name."""
    row = seen_by(Product.objects.filter(name=name).first(), scene.namespaces)
    if row is None:
        return None
    code = f" with {row.code_version}" if row.code_version else ""
    return Explanation(
        name=name,
        kind="product",
        state="registered",
        what=f"{'SIMULATED ' if row.simulated else ''}product of run {row.run_number}: {row.size_bytes} bytes, "
        f"adler32 {row.adler32}, sha256 {row.sha256}",
        why=(
            f"Made from {row.made_from}{code}, by attempt {row.attempt} at {row.item}.",
            f"It lies in the products folder of the data directory as {row.location}.",
        ),
        next=(f"testbed runs explain {row.item}",),
    )


def _of_run(number: int | None, run: Run | None) -> Iterator[str]:
    if number is None:
        yield "It has no run yet: it ended before it was given a run number."
    elif run is None:
        yield f"Its run {number} is not announced yet."
    elif run.closed_at is not None:
        yield f"Its run {number} is closed."
    else:
        yield f"Its run {number} is open{'; its end is announced' if run.end_time else ''}."


def _stop(who: str, reason: str, run: Run | None) -> Iterator[str]:
    if who:
        ended = run is not None and run.end_time is not None
        yield f"{who} asked to stop it{f': {reason}' if reason else ''}; {'done' if ended else 'not carried out yet'}."


def _agent(row: SystemAgent, scene: Scene) -> Iterator[str]:
    beat = f"{ago(row.last_heartbeat, scene.now)}" if row.last_heartbeat else "never"
    if row.status == SystemAgent.Status.EXITED:
        yield f"It ended in good order, {beat}."
    elif scene.process is None:
        yield f"By its record it runs in process {row.pid}, but no process is at work here; last heartbeat {beat}."
    else:
        yield f"It runs in process {row.pid} on {row.hostname}; last heartbeat {beat}."
    for model in _ITEMS:
        held = model._default_manager.filter(lease_holder=row.instance_name, status__in=UNFINISHED).order_by("id")
        names = list(held.values_list("name", flat=True)[:50])
        if names:
            yield f"It holds {listed(names)}."
    letters = DeadLetter.objects.filter(namespace=row.namespace, role=row.agent_type, state=DeadLetter.State.PARKED)
    if letters.exists():
        yield f"{letters.count()} messages to its role wait for a decision."
    error = AppLog.objects.filter(instance_name=row.instance_name, levelname="ERROR").order_by("-id").first()
    if error is not None:
        yield f"Its last error: {error.event} at {error.timestamp:%Y-%m-%d %H:%M:%S} UTC: {error.extra_data}."
