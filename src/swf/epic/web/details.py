"""The pages about one STF or slice, and about why anything is as it is."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from swf.core.work import LOST
from swf.epic.usecases.explain import explain
from swf.epic.usecases.explanation import Explanation
from swf.epic.usecases.slices import SLICES, show_slice
from swf.epic.usecases.stfs import show_stf
from swf.epic.web import columns
from swf.store.listing import Question
from swf.web import marks
from swf.web.access import Role, access_of
from swf.web.columns import Show
from swf.web.detail import Action, Detail, detail_response, fact, table_section
from swf.web.looking import looking


@require_safe
def stf(request: HttpRequest, name: str) -> HttpResponse:
    """An STF, with its word at each stage and its slices."""
    scene = looking(request)
    found = show_stf(name, scene)
    slices = SLICES.page(Question(filters={"stf": name}, limit=100), scene).items
    detail = Detail(
        kind="STF",
        name=name,
        state=found.status,
        simulated=found.simulated,
        list_title="STFs",
        list_path=f"/stfs?run={found.run}",
        why=True,
        facts=[
            fact("Run", marks.link(f"/runs/{found.run}", str(found.run))),
            fact("Stages", _stages(found.stages)),
            fact("Reason", found.reason),
            fact("Size", found.size_bytes, Show.BYTES),
            fact("TFs", found.tfs, Show.NUMBER),
            fact("First TF", found.tf_first, Show.NUMBER),
            fact("DAQ", f"{found.daq_state} / {found.daq_substate}"),
            fact("Registered (UTC)", found.registered, Show.INSTANT),
            fact("In the dataset since (UTC)", found.attached_at, Show.INSTANT),
            fact("In the exit buffer", found.in_buffer, Show.YES_NO),
            fact("Removed from it (UTC)", found.removed_at, Show.INSTANT),
            fact("adler32", found.adler32, Show.NAME),
            fact("sha256", found.sha256, Show.NAME),
            fact("Namespace", found.namespace),
        ],
        sections=[
            table_section(
                "Slices",
                columns.SLICE_COLUMNS,
                slices,
                empty="No slice of it, or none yet.",
                more=f"/slices?stf={marks.part(name)}",
            ),
            table_section(
                "Attempts at its verification", columns.ATTEMPT_COLUMNS, found.attempts, empty="None has ended."
            ),
        ],
    )
    return detail_response(request, detail)


@require_safe
def slice_(request: HttpRequest, name: str) -> HttpResponse:
    """A slice, with the attempts at it."""
    found = show_slice(name, looking(request))
    actions = []
    if found.status in LOST and found.run is not None and access_of(request).may(Role.OPERATOR, found.namespace):
        actions = [
            Action(
                title="Try again",
                address=f"/slices/{marks.part(name)}/retry",
                text="It goes back to the queue, where its run is still open.",
            )
        ]
    made = format_html_join(
        ", ", '<a href="/products/{}">{}</a>', ((marks.part(each), each) for each in found.products)
    )
    detail = Detail(
        kind="Slice",
        name=name,
        state=found.status,
        simulated=found.simulated,
        list_title="Slices",
        list_path=f"/slices?run={found.run}" if found.run else "/slices",
        why=True,
        actions=actions,
        facts=[
            fact("Run", marks.link(f"/runs/{found.run}", str(found.run)) if found.run else None),
            fact("STF", marks.link(f"/stfs/{marks.part(found.stf)}", found.stf)),
            fact("TF sample file", found.sample, Show.NAME),
            fact("Number in its STF", found.slice, Show.NUMBER),
            fact("TFs", f"{found.tf_first} to {found.tf_last} ({found.tfs})"),
            fact("Reason", found.reason),
            fact("Attempts", found.attempt, Show.NUMBER),
            fact("Retries", f"{found.retries} of {found.max_retries}"),
            fact("Worker", marks.link(f"/agents/{marks.part(found.holder)}", found.holder) if found.holder else ""),
            fact("Lease until (UTC)", found.lease_until, Show.INSTANT),
            fact("Hits found", found.hits_found, Show.NUMBER),
            fact("Products", made),
            fact("Queued (UTC)", found.created, Show.INSTANT),
            fact("Updated (UTC)", found.updated, Show.INSTANT),
            fact("Completed (UTC)", found.completed, Show.INSTANT),
            fact("Namespace", found.namespace),
        ],
        sections=[
            table_section(
                "Attempts that have ended", columns.ATTEMPT_COLUMNS, found.attempts, empty="None has ended yet."
            )
        ],
    )
    return detail_response(request, detail)


@require_safe
def why(request: HttpRequest, name: str) -> HttpResponse:
    """Why anything that has a name is as it is, and what to do."""
    found = explain(name, looking(request))
    context = {
        "found": found,
        "address": address_of(found),
        "attempt_columns": columns.ATTEMPT_COLUMNS,
        "attempts": list(found.attempts),
    }
    return render(request, "epic/why.html", context)


def address_of(found: Explanation) -> str:
    """The page of what an explanation is about; empty where it has none."""
    folders = {
        "run": "runs",
        "stf": "stfs",
        "slice": "slices",
        "execution": "executions",
        "dataset": "datasets",
        "agent": "agents",
        "product": "products",
    }
    folder = folders.get(found.kind)
    return f"/{folder}/{marks.part(found.name)}" if folder else ""


def _stages(stages: dict[str, str]) -> SafeString:
    return format_html_join(" ", "{} {}", ((stage, marks.badge(word)) for stage, word in stages.items()))
