"""What operators decide about runs and slices on these pages, by the functions of REST, with a row in the audit."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from swf.core.errors import UnknownNameError
from swf.epic.usecases.retries import retry_slices
from swf.epic.usecases.runs import show_run, stop_run
from swf.epic.usecases.slices import show_slice
from swf.service.queries.run_notes import comment_on_run
from swf.web.forms import done as back
from swf.web.forms import reason_of
from swf.web.looking import looking
from swf.web.rest.writes import Deed, done, who_asks


@require_POST
def stop(request: HttpRequest, number: int) -> HttpResponse:
    """Ask for the end of a run."""
    scene, who, reason = looking(request), who_asks(request), reason_of(request)
    before = show_run(number, scene)
    deed = Deed(
        action="run.stop",
        subject=f"run {number}",
        namespace=before.namespace,
        reason=reason,
        before={"state": before.state},
    )
    done(request, deed, lambda: stop_run(number, who, reason, scene), lambda now: {"stop_requested_by": now.by})
    return back(request, f"/runs/{number}")


@require_POST
def comment(request: HttpRequest, number: int) -> HttpResponse:
    """Say something of a run, or judge its data."""
    scene, who = looking(request), who_asks(request)
    namespace = show_run(number, scene).namespace
    text, verdict = request.POST.get("text", ""), request.POST.get("verdict", "")
    action = "run.judge" if verdict else "run.comment"
    deed = Deed(action=action, subject=f"run {number}", namespace=namespace, reason=text if verdict else "")
    done(
        request,
        deed,
        lambda: comment_on_run(number, who, text, scene, verdict=verdict),
        lambda now: {"id": now.id, "verdict": now.verdict},
    )
    return back(request, f"/runs/{number}#comments")


@require_POST
def retry_slice(request: HttpRequest, name: str) -> HttpResponse:
    """Have a slice that failed tried once more."""
    found = show_slice(name, looking(request))
    if found.run is None:
        raise UnknownNameError(f"slice {name} belongs to no run")
    _retry(request, found.run, found.namespace, [name], found.status)
    return back(request, f"/slices/{name}")


@require_POST
def retry_all(request: HttpRequest, number: int) -> HttpResponse:
    """Have all slices of a run that failed or expired tried once more."""
    found = show_run(number, looking(request))
    _retry(request, number, found.namespace, [], found.state)
    return back(request, f"/runs/{number}")


def _retry(request: HttpRequest, number: int, namespace: str, names: list[str], state: str) -> None:
    scene, who, reason = looking(request), who_asks(request), reason_of(request)
    deed = Deed(
        action="slice.retry",
        subject=names[0] if names else f"run {number}",
        namespace=namespace,
        reason=reason,
        before={"state": state},
    )
    done(
        request,
        deed,
        lambda: retry_slices(number, names, who, reason, scene),
        lambda now: {"slices": len(now.slices), "already": now.already},
    )
