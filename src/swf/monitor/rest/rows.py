"""Routes for rows that belong to no instrument: lists, details, and the decisions that an operator takes about them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from swf.core.modes import Mode
from swf.service.queries.agents import AGENTS, AgentDetail, show_agent
from swf.service.queries.alarms import ALARMS, AlarmLine, acknowledge_alarm, show_alarm
from swf.service.queries.datasets import DATASET_FILES, DATASETS, DatasetDetail, show_dataset
from swf.service.queries.dead_letters import LETTERS, Letter, discard_letter, redrive_letter, show_letter
from swf.service.queries.events import EVENTS, MESSAGES, EventLine, show_event
from swf.service.queries.execution_wishes import ExecutionWish, pause_execution, stop_execution
from swf.service.queries.executions import ExecutionDetail, show_execution
from swf.service.queries.logs import LOGS, LogLine, show_log
from swf.service.queries.products import PRODUCTS, ProductLine, show_product
from swf.service.queries.run_notes import RUN_NOTES, VERDICTS, NoteLine, comment_on_run
from swf.service.queries.runs_seen import namespace_of_run
from swf.web.rest.answers import answered
from swf.web.rest.details import add_detail
from swf.web.rest.lists import add_list
from swf.web.rest.repeats import once
from swf.web.rest.values import Body, Name, RowNumber, RunNumber, Text, Wish
from swf.web.rest.writes import Deed, done, who_asks
from swf.web.scene import scene_of
from swf.web.site import site

router = Router()

for _listing, _tag in (
    (AGENTS, "agents"),
    (ALARMS, "alarms"),
    (LETTERS, "dead letters"),
    (EVENTS, "events"),
    (MESSAGES, "events"),
    (LOGS, "logs"),
    (DATASETS, "datasets"),
    (DATASET_FILES, "datasets"),
    (PRODUCTS, "products"),
    (RUN_NOTES, "runs"),
):
    add_list(router, _listing, _tag)

for _path in ("/workflow-executions/{key}", "/workflow-executions/{key}/"):
    add_detail(
        router,
        _path,
        show_execution,
        ExecutionDetail,
        Name,
        tag="executions",
        operation="show_workflow_execution",
        in_schema=not _path.endswith("/"),
    )
add_detail(router, "/agents/{key}", show_agent, AgentDetail, Name, tag="agents", operation="show_agent")
add_detail(router, "/alarms/{key}", show_alarm, AlarmLine, RowNumber, tag="alarms", operation="show_alarm")
add_detail(
    router, "/dead-letters/{key}", show_letter, Letter, RowNumber, tag="dead letters", operation="show_dead_letter"
)
add_detail(router, "/events/{key}", show_event, EventLine, RowNumber, tag="events", operation="show_event")
add_detail(router, "/logs/{key}", show_log, LogLine, RowNumber, tag="logs", operation="show_log")
add_detail(router, "/datasets/{key}", show_dataset, DatasetDetail, Name, tag="datasets", operation="show_dataset")
add_detail(router, "/products/{key}", show_product, ProductLine, Name, tag="products", operation="show_product")


class Acknowledgement(Body):
    """Somebody looks after it."""

    reason: str = Field("", max_length=4000, pattern=r"^[^\x00]*$", description="What is done about it.")
    dry_run: bool = Field(False, description="Change nothing; the answer is what would be.")


class Comment(Body):
    """What somebody says of a run."""

    text: Text = Field(description="The comment.")
    dry_run: bool = Field(False, description="Keep nothing; the answer is what would be.")


class Judgement(Wish):
    """What somebody thinks of a run's data."""

    verdict: str = Field(pattern=f"^({'|'.join(VERDICTS)})$", description="good or bad.")


@router.post(
    "/alarms/{key}/acknowledge",
    response=AlarmLine,
    operation_id="acknowledge_alarm",
    summary="Say that somebody looks after an alarm",
    tags=["alarms"],
)
def acknowledge(request: HttpRequest, key: RowNumber, body: Acknowledgement) -> HttpResponse:
    """Needs an operator. Who and since when is kept."""
    scene, before = scene_of(request), show_alarm(key, scene_of(request))
    deed = Deed(
        action="alarm.acknowledge",
        subject=f"alarm {key}",
        namespace=before.namespace,
        reason=body.reason,
        dry_run=body.dry_run,
        before={"state": before.state},
    )
    who = who_asks(request)
    alarm = done(
        request,
        deed,
        lambda: acknowledge_alarm(key, who, scene, dry_run=body.dry_run),
        lambda now: {"state": now.state, "acknowledged_by": now.acknowledged_by},
    )
    return answered(request, alarm.as_json())


@router.post(
    "/dead-letters/{key}/redrive",
    response=Letter,
    operation_id="redrive_dead_letter",
    summary="Let a parked message be handled once more",
    tags=["dead letters"],
)
def redrive(request: HttpRequest, key: RowNumber, body: Wish) -> HttpResponse:
    """Needs an operator. The agents take it up; where none runs, the next one that is started does."""
    scene, before = scene_of(request), show_letter(key, scene_of(request))
    who = who_asks(request)
    letter = done(
        request,
        _about_letter("redrive", before, body),
        lambda: redrive_letter(key, who, scene, dry_run=body.dry_run),
        lambda now: {"state": now.state},
    )
    return answered(request, letter.as_json())


@router.post(
    "/dead-letters/{key}/discard",
    response=Letter,
    operation_id="discard_dead_letter",
    summary="Give a parked message up; it stays on record",
    tags=["dead letters"],
)
def discard(request: HttpRequest, key: RowNumber, body: Wish) -> HttpResponse:
    """Needs an operator."""
    scene, before = scene_of(request), show_letter(key, scene_of(request))
    who = who_asks(request)
    letter = done(
        request,
        _about_letter("discard", before, body),
        lambda: discard_letter(key, who, body.reason, scene, dry_run=body.dry_run),
        lambda now: {"state": now.state},
    )
    return answered(request, letter.as_json())


@router.post(
    "/workflow-executions/{key}/stop",
    response=ExecutionWish,
    operation_id="stop_workflow_execution",
    summary="Ask for the end of an execution; its run is ended in order and closed",
    tags=["executions"],
)
def stop(request: HttpRequest, key: Name, body: Wish) -> HttpResponse:
    """Needs an operator."""
    scene, before = scene_of(request), show_execution(key, scene_of(request))
    who = who_asks(request)
    wish = done(
        request,
        _about_execution("stop", before, body),
        lambda: stop_execution(key, who, body.reason, scene, dry_run=body.dry_run),
        lambda now: {"stop_requested_by": now.by},
    )
    return answered(request, wish.as_json())


@router.post(
    "/workflow-executions/{key}/pause",
    response=ExecutionWish,
    operation_id="pause_workflow_execution",
    summary="Ask for an execution to be held; what is queued is processed",
    tags=["executions"],
)
def pause(request: HttpRequest, key: Name, body: Wish) -> HttpResponse:
    """Needs an operator, and the service mode."""
    scene, before = scene_of(request), show_execution(key, scene_of(request))
    who, mode = who_asks(request), Mode(site().mode)
    wish = done(
        request,
        _about_execution("pause", before, body),
        lambda: pause_execution(key, who, body.reason, scene, mode, dry_run=body.dry_run),
        lambda now: {"pause_requested_by": now.by},
    )
    return answered(request, wish.as_json())


@router.post(
    "/runs/{key}/comments",
    response={201: NoteLine},
    operation_id="comment_on_run",
    summary="Say something of a run",
    tags=["runs"],
)
def comment(request: HttpRequest, key: RunNumber, body: Comment) -> HttpResponse:
    """Needs an operator. A comment is never changed. With the header Idempotency-Key, a repeat adds none."""
    return once(request, lambda: _noted(request, key, body.text, "", dry_run=body.dry_run))


@router.post(
    "/runs/{key}/verdict",
    response={201: NoteLine},
    operation_id="judge_run",
    summary="Say that the data of a run are good or bad, and why",
    tags=["runs"],
)
def judge(request: HttpRequest, key: RunNumber, body: Judgement) -> HttpResponse:
    """Needs an operator. The last verdict holds; those before it stay on record."""
    return once(request, lambda: _noted(request, key, body.reason, body.verdict, dry_run=body.dry_run))


def _noted(request: HttpRequest, run_number: int, text: str, verdict: str, *, dry_run: bool) -> HttpResponse:
    scene, who = scene_of(request), who_asks(request)
    # A dry run finds whether there is such a run, before anything is said of who may.
    comment_on_run(run_number, who, text, scene, verdict=verdict, dry_run=True)
    deed = Deed(
        action="run.judge" if verdict else "run.comment",
        subject=f"run {run_number}",
        namespace=namespace_of_run(run_number) or "",
        reason=text if verdict else "",
        dry_run=dry_run,
    )
    note = done(
        request,
        deed,
        lambda: comment_on_run(run_number, who, text, scene, verdict=verdict, dry_run=dry_run),
        lambda now: {"id": now.id, "verdict": now.verdict},
    )
    return answered(request, note.as_json(), status=201)


def _about_letter(verb: str, before: Letter, body: Wish) -> Deed:
    return Deed(
        action=f"dead_letter.{verb}",
        subject=f"dead letter {before.id}",
        namespace=before.namespace,
        reason=body.reason,
        dry_run=body.dry_run,
        before={"state": before.state},
    )


def _about_execution(verb: str, before: ExecutionDetail, body: Wish) -> Deed:
    return Deed(
        action=f"execution.{verb}",
        subject=before.execution,
        namespace=before.namespace,
        reason=body.reason,
        dry_run=body.dry_run,
        before={"status": before.status},
    )
