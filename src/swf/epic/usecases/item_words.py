"""The state of a work item in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from swf.core.scene import Scene
from swf.core.work import WorkState
from swf.epic.usecases.lookup import execution_named
from swf.epic.usecases.scene import ago, goes_on
from swf.store.models import SystemAgent, WorkItem


def why_item(item: WorkItem, role: str, work: str, scene: Scene, execution_id: str) -> Iterator[str]:
    """Why a work item is in its state.

    Args:
        item: the item.
        role: the role whose agent does this work.
        work: the work, as a noun: `verification`, `sampling`, `processing`.
        scene: the instant.
        execution_id: the execution of its run.
    """
    match WorkState(item.status):
        case WorkState.QUEUED:
            yield from _queued(item, role, work, scene, execution_id)
        case WorkState.PROCESSING:
            since = f"since {item.updated_at:%H:%M:%S} UTC ({ago(item.updated_at, scene.now)})"
            yield f"Its {work} is under way: attempt {item.attempt}, held by {item.lease_holder} {since}."
            if item.lease_until is not None:
                yield _lease(item, scene, execution_id)
        case WorkState.COMPLETED:
            by = f" by {item.lease_holder}" if item.lease_holder else ""
            attempt = f", in attempt {item.attempt}" if item.attempt else ""
            yield f"Its {work} is done{by}{attempt}, {item.updated_at:%Y-%m-%d %H:%M:%S} UTC."
        case WorkState.FAILED:
            yield f"Its {work} failed in attempt {item.attempt}: {item.reason.rstrip('.') or 'no reason was given'}."
            if item.retries >= item.max_retries:
                yield f"No retry is left: {item.retries} of {item.max_retries} were used."
            else:
                yield "Trying again cannot help: somebody has to change something."
        case WorkState.EXPIRED:
            yield f"Its {work} expired: its deadline passed before it was done. {item.reason}".rstrip()
        case WorkState.CANCELLED:
            yield f"Its {work} was cancelled: {item.reason or 'no longer wanted'}."


def agent_words(role: str, namespace: str, scene: Scene, execution_id: str) -> str:
    """Whether the agent of a role is there, as a sentence."""
    execution = execution_named(execution_id)
    if execution is not None and execution.parameter_values.get("agents", {}).get(role, {}).get("enabled") is False:
        key = f"agents.{role}.enabled"
        origin = execution.parameter_origins.get(key, "unknown origin")
        return f"Its execution was started without an agent of role {role}: {key} = false ({origin})."
    agent = SystemAgent.objects.filter(namespace=namespace, agent_type=role).order_by("-last_heartbeat").first()
    if agent is None:
        return f"No agent of role {role} has ever run in namespace {namespace}."
    if agent.status == SystemAgent.Status.EXITED or scene.process is None:
        return f"Its agent {agent.instance_name} does not run now."
    beat = f", last heartbeat {ago(agent.last_heartbeat, scene.now)}" if agent.last_heartbeat else ""
    return f"Its agent is {agent.instance_name}{beat}."


def _queued(item: WorkItem, role: str, work: str, scene: Scene, execution_id: str) -> Iterator[str]:
    if item.attempt == 0:
        yield f"Its {work} has not begun: it waits for {role}, queued {ago(item.created_at, scene.now)}."
    elif item.retries:
        yield f"Attempt {item.attempt} at its {work} did not succeed: {item.reason.rstrip('.')}."
        yield f"It waits for {role} for another attempt; {item.retries} of {item.max_retries} retries are used."
    else:
        yield f"It was handed back after attempt {item.attempt}: {item.reason.rstrip('.')}; it waits for {role} again."
    if item.lease_until is not None:
        yield from _handed_out(item, scene)
        return
    ahead = _ahead(item)
    if ahead:
        yield f"{ahead} {'is' if ahead == 1 else 'are'} before it in the queue."
    yield agent_words(role, item.namespace, scene, execution_id)
    if not goes_on(execution_id, scene):
        yield "Nobody takes it until its execution goes on."


def _handed_out(item: WorkItem, scene: Scene) -> Iterator[str]:
    """What can be said of an item that is with somebody outside, who tells nobody when work on it begins."""
    assert item.lease_until is not None
    when = ago(item.updated_at, scene.now)
    yield f"It was handed out to {item.lease_holder}, {when}; how far it is there is not known."
    if item.lease_until < scene.now:
        yield f"No answer came in time, {ago(item.lease_until, scene.now)}: it is about to be handed out again."
    else:
        yield f"If no answer comes before {item.lease_until:%H:%M:%S} UTC, it is handed out again."


def _ahead(item: WorkItem) -> int:
    before = type(item)._default_manager.filter(namespace=item.namespace, status=WorkState.QUEUED, pk__lt=item.pk)
    return before.count()


def _lease(item: WorkItem, scene: Scene, execution_id: str) -> str:
    assert item.lease_until is not None
    if not goes_on(execution_id, scene):
        return (
            "Its holder does not run: when the execution goes on, it goes back to the queue, and no retry is used up."
        )
    if item.lease_until < scene.now:
        return f"Its lease ran out {ago(item.lease_until, scene.now)}: it is about to be queued again."
    return f"If nothing is heard of it before {item.lease_until:%H:%M:%S} UTC, it is queued again."
