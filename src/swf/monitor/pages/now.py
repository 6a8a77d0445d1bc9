"""The first page: alarms, the machine, runs in progress, agents. It renews itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from swf.core.scene import Scene
from swf.monitor.parts import parts
from swf.service.instrument import imported
from swf.service.queries.agents import AGENTS, AgentLine
from swf.service.queries.alarms import ACKNOWLEDGED, ALARMS, CLEARED, RAISED, AlarmLine, acknowledge_alarm, show_alarm
from swf.store.listing import Question
from swf.web.access import Role, access_of
from swf.web.audit import actor_of, record
from swf.web.forms import done
from swf.web.looking import looking

_CLEARED_SHOWN: Final = 3
_CLEARED_FOR: Final = timedelta(hours=12)
_AGENTS_LOOKED_AT: Final = 500
_SILENT_SHOWN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleHealth:
    """The agents of one role in a namespace: how many are at work, and those that are not as they should be."""

    role: str
    namespace: str
    alive: int
    ready: int
    troubles: tuple[AgentLine, ...]

    @property
    def word(self) -> str:
        """How the role is."""
        return "ready" if self.ready else "starting" if self.alive else "gone" if self.troubles else "exited"


@require_safe
def now(request: HttpRequest) -> HttpResponse:
    """The whole page; its content alone where a script asks for that, to renew it."""
    template = "swf/now_live.html" if request.headers.get("HX-Request") else "swf/now.html"
    return render(request, template, now_context(request))


def now_context(request: HttpRequest) -> dict[str, object]:
    """What the first page shows."""
    scene = looking(request)
    web = [each.web for each in parts().instruments if each.web is not None and each.web.now]
    access = access_of(request)
    alarms = alarms_shown(scene)
    return {
        "alarms": [(alarm, access.may(Role.OPERATOR, alarm.namespace)) for alarm in alarms],
        "raised": sum(alarm.state == RAISED for alarm in alarms),
        "panels": [imported(each.now)(request) for each in web],
        "roles": roles(list(islice(AGENTS.every(Question(), scene), _AGENTS_LOOKED_AT)), scene),
        "process": scene.process,
    }


def alarms_shown(scene: Scene) -> list[AlarmLine]:
    """The alarms that are raised, those that somebody looks after, and the latest that have cleared."""
    found = [
        *ALARMS.page(Question(filters={"state": f"{RAISED},{ACKNOWLEDGED}"}, limit=100), scene).items,
        *ALARMS.page(
            Question(filters={"state": CLEARED, "since": scene.now - _CLEARED_FOR}, limit=_CLEARED_SHOWN), scene
        ).items,
    ]
    order = (RAISED, ACKNOWLEDGED, CLEARED)
    return sorted(found, key=lambda alarm: (order.index(alarm.state), alarm.severity != "error", -alarm.id))


def roles(agents: Sequence[AgentLine], scene: Scene) -> list[RoleHealth]:
    """The agents by namespace and role. Those that ended in good order, or long ago, are no trouble."""
    by_role: dict[tuple[str, str], list[AgentLine]] = {}
    for agent in agents:
        by_role.setdefault((agent.namespace, agent.role), []).append(agent)
    return [
        RoleHealth(
            role=role,
            namespace=namespace,
            alive=sum(agent.alive for agent in found),
            ready=sum(agent.alive and agent.state == "READY" for agent in found),
            troubles=tuple(agent for agent in found if _is_trouble(agent, scene)),
        )
        for (namespace, role), found in sorted(by_role.items())
    ]


def _is_trouble(agent: AgentLine, scene: Scene) -> bool:
    if agent.status == "EXITED":
        return False
    recent = agent.last_heartbeat is not None and scene.now - agent.last_heartbeat < _SILENT_SHOWN
    return (agent.alive and agent.status != "OK") or (not agent.alive and recent)


@require_POST
def acknowledge(request: HttpRequest, alarm_id: int) -> HttpResponse:
    """Somebody says that they look after an alarm."""
    scene = looking(request)
    before = show_alarm(alarm_id, scene)
    access_of(request).require(Role.OPERATOR, before.namespace)
    with transaction.atomic():
        after = acknowledge_alarm(alarm_id, access_of(request).who, scene)
        states = {"state": before.state}, {"state": after.state}
        record(
            actor_of(request),
            "alarm.acknowledge",
            str(alarm_id),
            namespace=before.namespace,
            before=states[0],
            after=states[1],
        )
    return done(request, "/")
