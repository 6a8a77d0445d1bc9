"""What operators decide on these pages. Each of it is done by the same functions as in REST, and is in the audit."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from swf.service.queries.dead_letters import discard_letter, redrive_letter, show_letter
from swf.service.queries.execution_wishes import pause_execution, stop_execution
from swf.service.queries.executions import show_execution
from swf.web.forms import done as back
from swf.web.forms import reason_of
from swf.web.looking import looking
from swf.web.rest.writes import Deed, done, who_asks
from swf.web.site import site


@require_POST
def stop(request: HttpRequest, name: str) -> HttpResponse:
    """Ask for the end of an execution."""
    scene, who, reason = looking(request), who_asks(request), reason_of(request)
    done(
        request,
        _of_execution(request, "stop", name, reason),
        lambda: stop_execution(name, who, reason, scene),
        lambda now: {"stop_requested_by": now.by},
    )
    return back(request, f"/executions/{name}")


@require_POST
def pause(request: HttpRequest, name: str) -> HttpResponse:
    """Ask for an execution to be held."""
    scene, who, reason = looking(request), who_asks(request), reason_of(request)
    done(
        request,
        _of_execution(request, "pause", name, reason),
        lambda: pause_execution(name, who, reason, scene, site().mode),
        lambda now: {"pause_requested_by": now.by},
    )
    return back(request, f"/executions/{name}")


@require_POST
def redrive(request: HttpRequest, letter_id: int) -> HttpResponse:
    """Let a parked message be handled once more."""
    scene, who, reason = looking(request), who_asks(request), reason_of(request)
    done(
        request,
        _of_letter(request, "redrive", letter_id, reason),
        lambda: redrive_letter(letter_id, who, scene),
        lambda now: {"state": now.state},
    )
    return back(request, f"/dead-letters/{letter_id}")


@require_POST
def discard(request: HttpRequest, letter_id: int) -> HttpResponse:
    """Give a parked message up."""
    scene, who, reason = looking(request), who_asks(request), reason_of(request)
    done(
        request,
        _of_letter(request, "discard", letter_id, reason),
        lambda: discard_letter(letter_id, who, reason, scene),
        lambda now: {"state": now.state},
    )
    return back(request, f"/dead-letters/{letter_id}")


def _of_execution(request: HttpRequest, verb: str, name: str, reason: str) -> Deed:
    before = show_execution(name, looking(request))
    states = {"status": before.status}
    return Deed(action=f"execution.{verb}", subject=name, namespace=before.namespace, reason=reason, before=states)


def _of_letter(request: HttpRequest, verb: str, letter_id: int, reason: str) -> Deed:
    before = show_letter(letter_id, looking(request))
    subject, states = f"dead letter {letter_id}", {"state": before.state}
    return Deed(action=f"dead_letter.{verb}", subject=subject, namespace=before.namespace, reason=reason, before=states)
