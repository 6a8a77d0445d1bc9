"""What surrounds every page: navigation, the choice of a namespace, the alarms that are raised, the colours."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest

from swf.monitor.pages import NAVIGATION
from swf.monitor.parts import parts
from swf.service.instrument import NavigationEntry
from swf.store.models import Alarm, WorkflowExecution
from swf.web.access import access_of
from swf.web.choice import chosen_namespace, visible_namespaces

THEME_COOKIE: Final = "swf_theme"
THEMES: Final = ("light", "dark")

_FRONT: Final = (NavigationEntry(title="Now", path="/"),)


def frame(request: HttpRequest) -> dict[str, Any]:
    """What templates find beside what their page gives them. Looked up where it is shown only."""
    return {
        "access": lambda: access_of(request),
        "theme": theme_of(request),
        # A page that answers a form has no address that could be asked for again.
        "here": request.get_full_path() if request.method in {"GET", "HEAD"} else "/",
        "navigation": navigation(),
        "chosen_namespace": lambda: chosen_namespace(request) or "",
        "known_namespaces": lambda: known_namespaces(request),
        "alarms_raised": lambda: alarms_raised(request),
    }


def theme_of(request: HttpRequest) -> str:
    """The colours that were chosen; empty for those of the operating system."""
    found = request.COOKIES.get(THEME_COOKIE, "")
    return found if found in THEMES else ""


def navigation() -> tuple[NavigationEntry, ...]:
    """The links of the head: the front page, those of the instruments, and those of what belongs to none."""
    added = [each.web.navigation for each in parts().instruments if each.web is not None]
    return (*_FRONT, *(entry for entries in added for entry in entries), *NAVIGATION)


def known_namespaces(request: HttpRequest) -> list[str]:
    """The namespaces that may be chosen: those granted, or where all are, those in which something was run."""
    granted = access_of(request).namespaces()
    if granted is not None:
        return sorted(granted)
    return list(WorkflowExecution.objects.order_by("namespace").values_list("namespace", flat=True).distinct())


def alarms_raised(request: HttpRequest) -> int:
    """How many alarms are raised in what is looked at."""
    raised = Alarm.objects.filter(cleared_at=None)
    visible = visible_namespaces(request)
    return (raised if visible is None else raised.filter(namespace__in=visible)).count()
