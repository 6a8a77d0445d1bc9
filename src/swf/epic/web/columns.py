"""The columns of the tables of runs, STFs, TF sample files and slices."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

from swf.epic.usecases.runs import RunLine
from swf.web import marks
from swf.web.columns import Column, Show


def _run(line: RunLine) -> SafeString:
    number = "not announced" if line.run is None else str(line.run)
    if line.run is None:
        return format_html('<span class="quiet">{}</span>', number)
    return format_html('<a href="/runs/{}"><strong>{}</strong></a> {}', number, number, marks.simulated(line.simulated))


def _state(line: RunLine) -> SafeString:
    gone = line.status == "running" and not line.alive
    word = "no process" if gone else line.status
    return format_html("{} {}", marks.badge(line.state), "" if word == line.state else marks.badge(word))


def _of(done: int, of: int | None) -> str:
    return marks.grouped(done) if of is None or of == done else f"{marks.grouped(done)} of {marks.grouped(of)}"


RUN_COLUMNS = (
    Column(title="Run", value=_run),
    Column(title="State", value=_state),
    Column(title="Started (UTC)", field="started", show=Show.INSTANT, order="started"),
    Column(
        title="STFs",
        value=lambda line: format_html('<span class="number">{}</span>', _of(line.stfs, line.stfs_produced)),
    ),
    Column(
        title="Slices done",
        value=lambda line: format_html('<span class="number">{}</span>', _of(line.slices_completed, line.slices)),
    ),
    Column(
        title="Failed",
        field="slices_failed",
        show=Show.NUMBER,
        link=lambda line: f"/slices?run={line.run}&status=failed" if line.slices_failed else "",
    ),
    Column(title="Verdict", field="verdict", show=Show.STATE),
    Column(
        title="Execution",
        field="execution",
        show=Show.NAME,
        link=lambda line: f"/executions/{marks.part(line.execution)}",
    ),
    Column(title="Namespace", field="namespace"),
)

STF_COLUMNS = (
    Column(title="STF", field="name", show=Show.NAME, link=lambda line: f"/stfs/{marks.part(line.name)}"),
    Column(title="Number", field="sequence", show=Show.NUMBER, order="sequence"),
    Column(
        title="State",
        field="status",
        show=Show.STATE,
        link=lambda line: f"/why/{marks.part(line.name)}" if line.status != "completed" else "",
    ),
    Column(title="Size", field="size_bytes", show=Show.BYTES),
    Column(title="TFs", field="tfs", show=Show.NUMBER),
    Column(title="Samples", field="samples", show=Show.NUMBER),
    Column(title="Slices", field="slices", show=Show.NUMBER, link=lambda line: f"/slices?stf={marks.part(line.name)}"),
    Column(title="Done", field="slices_completed", show=Show.NUMBER),
    Column(title="Lost", field="slices_lost", show=Show.NUMBER),
    Column(title="In buffer", field="in_buffer", show=Show.YES_NO),
    Column(title="In dataset", field="attached", show=Show.YES_NO),
    Column(title="Registered (UTC)", field="registered", show=Show.INSTANT),
)

SAMPLE_COLUMNS = (
    Column(title="TF sample file", field="name", show=Show.NAME),
    Column(title="STF", field="stf", show=Show.NAME, link=lambda line: f"/stfs/{marks.part(line.stf)}"),
    Column(
        title="State",
        field="status",
        show=Show.STATE,
        link=lambda line: f"/why/{marks.part(line.name)}" if line.status != "completed" else "",
    ),
    Column(title="TFs", value=lambda line: f"{line.tf_first} to {line.tf_last}"),
    Column(title="Number", field="tfs", show=Show.NUMBER),
    Column(title="Size", field="size_bytes", show=Show.BYTES),
    Column(title="Hits", field="hits", show=Show.NUMBER),
)

SLICE_COLUMNS = (
    Column(title="Slice", field="name", show=Show.NAME, link=lambda line: f"/slices/{marks.part(line.name)}"),
    Column(
        title="State",
        field="status",
        show=Show.STATE,
        link=lambda line: f"/why/{marks.part(line.name)}" if line.status != "completed" else "",
    ),
    Column(title="Attempts", field="attempt", show=Show.NUMBER),
    Column(title="TFs", value=lambda line: f"{line.tf_first} to {line.tf_last}"),
    Column(title="Hits found", field="hits_found", show=Show.NUMBER),
    Column(title="Worker", field="holder", show=Show.NAME, link=lambda line: f"/agents/{marks.part(line.holder)}"),
    Column(title="Updated (UTC)", field="updated", show=Show.INSTANT),
    Column(title="Reason", field="reason", show=Show.WORDS),
)

ATTEMPT_COLUMNS = (
    Column(title="Attempt", field="attempt", show=Show.NUMBER),
    Column(title="Outcome", field="outcome", show=Show.STATE),
    Column(title="Worker", field="holder", show=Show.NAME, link=lambda line: f"/agents/{marks.part(line.holder)}"),
    Column(title="Ended (UTC)", field="finished", show=Show.INSTANT),
    Column(title="Took", field="seconds", show=Show.SECONDS),
    Column(title="Exit code", field="exit_code", show=Show.NUMBER),
    Column(title="What happened", field="detail", show=Show.WORDS),
    Column(
        title="Standard error",
        value=lambda line: (
            format_html("<details><summary>its end</summary><pre>{}</pre></details>", line.stderr_tail)
            if line.stderr_tail
            else ""
        ),
        show=Show.WORDS,
    ),
)
