"""The columns of the tables of executions, messages, agents, logs, datasets, products and dead letters."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

from swf.service.queries.events import EventLine
from swf.service.queries.logs import LogLine
from swf.web import marks
from swf.web.columns import Column, Show


def run_address(line: object) -> str:
    """The page of a line's run."""
    return f"/runs/{getattr(line, 'run', '')}"


RUN = Column(title="Run", value=lambda line: "" if line.run is None else str(line.run), link=run_address)
NAMESPACE = Column(title="Namespace", field="namespace")

EXECUTION_COLUMNS = (
    Column(
        title="Execution",
        field="execution",
        show=Show.NAME,
        link=lambda line: f"/executions/{marks.part(line.execution)}",
        order="execution",
    ),
    Column(
        title="State",
        value=lambda line: "no process" if line.status == "running" and not line.alive else line.status,
        show=Show.STATE,
    ),
    RUN,
    Column(
        title="Workflow",
        value=lambda line: f"{line.workflow} {line.version}",
        link=lambda line: f"/workflows/{marks.part(line.workflow)}",
    ),
    Column(title="Started (UTC)", field="started", show=Show.INSTANT, order="started"),
    Column(title="Ended (UTC)", field="ended", show=Show.INSTANT),
    Column(title="By", field="executed_by"),
    NAMESPACE,
    Column(title="Reason", field="status_reason", show=Show.WORDS),
)

AGENT_COLUMNS = (
    Column(
        title="Agent", field="name", show=Show.NAME, link=lambda line: f"/agents/{marks.part(line.name)}", order="name"
    ),
    Column(title="Role", field="role"),
    Column(
        title="At work",
        value=lambda line: "alive" if line.alive else "exited" if line.status == "EXITED" else "gone",
        show=Show.STATE,
    ),
    Column(title="State", field="state", show=Show.STATE),
    Column(title="Status", field="status", show=Show.STATE),
    Column(title="Last heartbeat (UTC)", field="last_heartbeat", show=Show.INSTANT),
    Column(title="Starts", field="starts", show=Show.NUMBER),
    Column(title="Host", field="host"),
    Column(title="Process", value=lambda line: "" if line.pid is None else str(line.pid)),
    NAMESPACE,
    Column(title="Why not ready", field="why", show=Show.WORDS),
)


_ENVELOPE = frozenset(
    {
        *("msg_type", "namespace", "sender", "message_id", "schema", "sender_seq", "created_at"),
        *("execution_id", "run_id", "state", "substate"),
    }
)
"""What each message has, and other columns show."""


def in_short(line: EventLine) -> SafeString:
    """What an event says, with all of it behind a click."""
    plain = {key: value for key, value in line.body.items() if not isinstance(value, dict | list)}
    named = {line.subject, str(line.run)}
    shown = [f"{key} {value}" for key, value in plain.items() if key not in _ENVELOPE and str(value) not in named]
    text = ", ".join(shown) or line.destination or marks.DASH
    return format_html(
        "<details><summary>{}</summary><pre>{}</pre></details>",
        text if len(text) <= 90 else f"{text[:88]}…",
        marks.indented(line.body),
    )


MESSAGE_COLUMNS = (
    Column(
        title="Number",
        value=lambda line: str(line.seq),
        link=lambda line: f"/messages/{line.seq}",
        order="seq",
        show=Show.TEXT,
    ),
    Column(title="At (UTC)", field="at", show=Show.INSTANT),
    Column(title="Type", field="type", show=Show.NAME),
    Column(title="Sender", field="sender", show=Show.NAME, link=lambda line: f"/agents/{marks.part(line.sender)}"),
    RUN,
    Column(title="About", field="subject", show=Show.NAME, link=lambda line: f"/why/{marks.part(line.subject)}"),
    Column(title="What it says", value=in_short, show=Show.WORDS),
    NAMESPACE,
)


def fields_of(line: LogLine) -> SafeString:
    """The fields of a log line, with all of them behind a click."""
    text = ", ".join(f"{key} {value}" for key, value in line.fields.items())
    if not text:
        return SafeString("")
    if len(text) <= 120:
        return format_html("{}", text)
    return format_html(
        "<details><summary>{}…</summary><pre>{}</pre></details>", text[:118], marks.indented(line.fields)
    )


LOG_COLUMNS = (
    Column(title="At (UTC)", field="at", show=Show.INSTANT, order="at"),
    Column(title="Level", field="level", show=Show.STATE),
    Column(title="Agent", field="agent", show=Show.NAME, link=lambda line: f"/agents/{marks.part(line.agent)}"),
    Column(title="Event", field="event", show=Show.WORDS),
    RUN,
    Column(title="Fields", value=fields_of, show=Show.WORDS),
    NAMESPACE,
)

DATASET_COLUMNS = (
    Column(title="Dataset", field="dataset", show=Show.NAME, link=lambda line: f"/datasets/{marks.part(line.dataset)}"),
    Column(title="State", field="state", show=Show.STATE),
    RUN,
    Column(title="Made (UTC)", field="created", show=Show.INSTANT, order="id"),
    Column(title="Closed (UTC)", field="closed", show=Show.INSTANT),
    NAMESPACE,
)

FILE_COLUMNS = (
    Column(
        title="File",
        field="name",
        show=Show.NAME,
        link=lambda line: f"/stfs/{marks.part(line.name)}" if line.name.endswith(".stf") else "",
        order="name",
    ),
    Column(title="Size", field="size_bytes", show=Show.BYTES),
    Column(title="adler32", field="adler32", show=Show.NAME),
    Column(title="Attached (UTC)", field="attached", show=Show.INSTANT),
)

PRODUCT_COLUMNS = (
    Column(title="Product", field="name", show=Show.NAME, link=lambda line: f"/products/{marks.part(line.name)}"),
    Column(title="Kind", field="kind"),
    RUN,
    Column(title="Size", field="size_bytes", show=Show.BYTES),
    Column(title="Made by", field="item", show=Show.NAME, link=lambda line: f"/why/{marks.part(line.item)}"),
    Column(title="Attempt", field="attempt", show=Show.NUMBER),
    Column(title="Made (UTC)", field="created", show=Show.INSTANT, order="id"),
    Column(title="", value=lambda line: marks.simulated(line.simulated)),
)

LETTER_COLUMNS = (
    Column(
        title="Dead letter", value=lambda line: str(line.id), link=lambda line: f"/dead-letters/{line.id}", order="id"
    ),
    Column(title="State", field="state", show=Show.STATE),
    Column(title="Type", field="msg_type", show=Show.NAME),
    Column(title="Role", field="role"),
    RUN,
    Column(title="Error", field="error", show=Show.NAME),
    Column(title="Why", field="reason", show=Show.WORDS),
    Column(title="Attempts", field="attempts", show=Show.NUMBER),
    Column(title="Since (UTC)", field="created", show=Show.INSTANT),
)
