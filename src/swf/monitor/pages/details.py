"""The pages about one execution, message, agent, log line, dataset, product or dead letter."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from swf.monitor.pages import columns
from swf.service.queries.agents import show_agent
from swf.service.queries.datasets import DATASET_FILES, show_dataset
from swf.service.queries.dead_letters import show_letter
from swf.service.queries.events import EVENTS, show_event
from swf.service.queries.executions import show_execution
from swf.service.queries.logs import LOGS
from swf.service.queries.products import show_product
from swf.store.listing import Question
from swf.web import marks
from swf.web.access import Role, access_of
from swf.web.columns import Column, Show
from swf.web.detail import Action, Detail, Section, detail_response, fact, table_section
from swf.web.looking import looking

_STOP = "Its run is ended in order: the DAQ sends end_run, and the run is closed when all its STFs are accounted for."
_PAUSE = "Its DAQ is held; what is queued is processed. It goes on with testbed run --resume."
_ENDED = frozenset({"completed", "stopped", "failed"})
_PARAMETER_COLUMNS = (
    Column(title="Parameter", value=lambda line: line[0], show=Show.NAME),
    Column(title="Value", value=lambda line: line[1], show=Show.WORDS),
    Column(title="From", value=lambda line: line[2], show=Show.WORDS),
)


@require_safe
def execution(request: HttpRequest, name: str) -> HttpResponse:
    """An execution, with its parameters and where each came from."""
    found = show_execution(name, looking(request))
    gone = found.status == "running" and not found.alive
    actions = []
    if found.status not in _ENDED and access_of(request).may(Role.OPERATOR, found.namespace):
        part = marks.part(name)
        actions = [
            Action(title="Stop", address=f"/executions/{part}/stop", danger=True, text=_STOP),
            Action(title="Pause", address=f"/executions/{part}/pause", text=_PAUSE),
        ]
    detail = Detail(
        kind="Execution",
        name=name,
        state="no process" if gone else found.status,
        list_title="Executions",
        list_path="/executions",
        why=True,
        actions=actions,
        facts=[
            fact("Run", marks.link(f"/runs/{found.run}", str(found.run)) if found.run else None),
            fact(
                "Workflow",
                marks.link(
                    f"/workflows/{marks.part(found.workflow)}", f"{found.workflow} {found.version} ({found.kind})"
                ),
            ),
            fact("State", found.status_reason or found.status),
            fact("Namespace", found.namespace),
            fact("Started (UTC)", found.started, Show.INSTANT),
            fact("Ended (UTC)", found.ended, Show.INSTANT),
            fact("By", found.executed_by),
            fact("Taken by", found.taken_by),
            fact("Stop asked by", f"{found.stop_requested_by}: {found.stop_reason}" if found.stop_requested_by else ""),
            fact("Pause asked by", found.pause_requested_by),
            fact("Program", found.code_version),
            fact("Definition (sha256)", found.digest[:16]),
        ],
        sections=[
            table_section("Parameters", _PARAMETER_COLUMNS, parameters(found.parameter_values, found.parameter_origins))
        ],
    )
    return detail_response(request, detail)


def parameters(values: dict[str, object], origins: dict[str, object]) -> list[tuple[str, str, str]]:
    """The values of an execution, flat, with where each came from."""
    found = []
    for section, content in values.items():
        pairs = content.items() if isinstance(content, dict) else [("", content)]
        for key, value in pairs:
            name = f"{section}.{key}" if key else section
            found.append(
                (
                    name,
                    marks.indented(value) if isinstance(value, dict | list) else str(value),
                    str(origins.get(name, "")),
                )
            )
    return found


@require_safe
def message(request: HttpRequest, seq: int) -> HttpResponse:
    """An event: a message as it was sent, or a transition."""
    found = show_event(seq, looking(request))
    detail = Detail(
        kind="Message" if found.kind == "message" else "Transition",
        name=str(seq),
        list_title="Messages",
        list_path="/messages",
        facts=[
            fact("Type", found.type, Show.NAME),
            fact("At (UTC)", found.at, Show.INSTANT),
            fact("Sender", marks.link(f"/agents/{marks.part(found.sender)}", found.sender)),
            fact("Its number", found.sender_seq, Show.NUMBER),
            fact("To", found.destination),
            fact("About", marks.link(f"/why/{marks.part(found.subject)}", found.subject) if found.subject else ""),
            fact("Run", marks.link(f"/runs/{found.run}", str(found.run)) if found.run else None),
            fact(
                "Execution",
                marks.link(f"/executions/{marks.part(found.execution)}", found.execution) if found.execution else "",
            ),
            fact("Namespace", found.namespace),
            fact("Message id", found.message_id),
        ],
        sections=[Section(title="As it was sent", text=marks.indented(found.body))],
    )
    return detail_response(request, detail)


@require_safe
def agent(request: HttpRequest, name: str) -> HttpResponse:
    """An agent, with its latest messages and log lines."""
    scene = looking(request)
    found = show_agent(name, scene)
    sent = EVENTS.page(Question(filters={"sender": name}, limit=15), scene).items
    lines = LOGS.page(Question(filters={"agent": name}, limit=15), scene).items
    part = marks.part(name)
    detail = Detail(
        kind="Agent",
        name=name,
        state="alive" if found.alive else "exited" if found.status == "EXITED" else "gone",
        list_title="Agents",
        list_path="/agents",
        why=True,
        facts=[
            fact("Role", found.role),
            fact("State", found.state, Show.STATE),
            fact("Status", found.status, Show.STATE),
            fact("Why not ready", found.why),
            fact("Last heartbeat (UTC)", found.last_heartbeat, Show.INSTANT),
            fact("Started (UTC)", found.started, Show.INSTANT),
            fact("Starts", found.starts, Show.NUMBER),
            fact("Messages sent", found.messages_sent, Show.NUMBER),
            fact("Host", found.host),
            fact("Process", str(found.pid) if found.pid else ""),
            fact("Namespace", found.namespace),
        ],
        sections=[
            table_section(
                "Latest messages and transitions",
                columns.MESSAGE_COLUMNS,
                sent,
                empty="It has sent nothing lately.",
                more=f"/messages?sender={part}",
            ),
            table_section(
                "Latest log lines",
                columns.LOG_COLUMNS,
                lines,
                empty="It has logged nothing lately.",
                more=f"/logs?agent={part}",
            ),
        ],
    )
    return detail_response(request, detail)


@require_safe
def dataset(request: HttpRequest, name: str) -> HttpResponse:
    """A dataset with its files."""
    scene = looking(request)
    found = show_dataset(name, scene)
    files = DATASET_FILES.page(Question(filters={"dataset": name}, limit=200), scene)
    detail = Detail(
        kind="Dataset",
        name=name,
        state=found.state,
        list_title="Datasets",
        list_path="/datasets",
        why=False,
        facts=[
            fact("Run", marks.link(f"/runs/{found.run}", str(found.run)) if found.run else None),
            fact("Files", found.files, Show.NUMBER),
            fact("Size", found.bytes, Show.BYTES),
            fact("Made (UTC)", found.created, Show.INSTANT),
            fact("Closed (UTC)", found.closed, Show.INSTANT),
            fact("Namespace", found.namespace),
            fact("Metadata", marks.indented(found.metadata) if found.metadata else ""),
        ],
        sections=[
            table_section(
                "Files" if files.next is None else "Files: the first 200",
                columns.FILE_COLUMNS,
                files.items,
                empty="No file is attached yet.",
            )
        ],
    )
    return detail_response(request, detail)


@require_safe
def product(request: HttpRequest, name: str) -> HttpResponse:
    """A product, with where it came from."""
    found = show_product(name, looking(request))
    detail = Detail(
        kind="Product",
        name=name,
        list_title="Products",
        list_path="/products",
        simulated=found.simulated,
        why=True,
        facts=[
            fact("Kind", found.kind),
            fact("Run", marks.link(f"/runs/{found.run}", str(found.run)) if found.run else None),
            fact("Size", found.size_bytes, Show.BYTES),
            fact("Location", found.location, Show.NAME),
            fact("Made from", marks.link(f"/why/{marks.part(found.made_from)}", found.made_from)),
            fact("Made by", marks.link(f"/why/{marks.part(found.item)}", found.item)),
            fact("Attempt", found.attempt, Show.NUMBER),
            fact("Made (UTC)", found.created, Show.INSTANT),
            fact("Program", found.code_version),
            fact("adler32", found.adler32, Show.NAME),
            fact("sha256", found.sha256, Show.NAME),
            fact("Namespace", found.namespace),
        ],
        sections=[
            Section(title="What is in it", text=marks.indented(found.summary)),
            Section(title="Parameters", text=marks.indented(found.parameters)),
        ],
    )
    return detail_response(request, detail)


@require_safe
def letter(request: HttpRequest, letter_id: int) -> HttpResponse:
    """A message that could not be handled, why, and the decision about it."""
    found = show_letter(letter_id, looking(request))
    actions = []
    if found.state == "parked" and access_of(request).may(Role.OPERATOR, found.namespace):
        actions = [
            Action(title="Re-drive", address=f"/dead-letters/{letter_id}/redrive", text="It is handled once more."),
            Action(
                title="Discard",
                address=f"/dead-letters/{letter_id}/discard",
                danger=True,
                text="It is given up; it stays on record.",
            ),
        ]
    detail = Detail(
        kind="Dead letter",
        name=str(letter_id),
        state=found.state,
        list_title="Dead letters",
        list_path="/dead-letters",
        actions=actions,
        facts=[
            fact("Why", found.reason),
            fact("Error", found.error, Show.NAME),
            fact("Type", found.msg_type, Show.NAME),
            fact("Role", found.role),
            fact("Attempts", found.attempts, Show.NUMBER),
            fact("Since (UTC)", found.created, Show.INSTANT),
            fact("Tried again (UTC)", found.redrive_at, Show.INSTANT),
            fact("Decided by", found.decided_by),
            fact("Run", marks.link(f"/runs/{found.run}", str(found.run)) if found.run else None),
            fact("Sent to", found.destination),
            fact("Namespace", found.namespace),
        ],
        sections=[Section(title="As it was received", html=format_html("<pre tabindex=0>{}</pre>", found.body))],
    )
    return detail_response(request, detail)
