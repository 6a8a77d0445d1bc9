"""The addresses of these pages."""

from __future__ import annotations

from typing import Any

from django.urls import path

from swf.monitor.pages import decisions, details, messages, now, tasks
from swf.monitor.pages.lists import LIST_PAGES
from swf.web.lists import list_view

urlpatterns: list[Any] = [
    path("alarms/<int:alarm_id>/acknowledge", now.acknowledge, name="alarm-acknowledge"),
    *(path(page.path.lstrip("/"), list_view(page), name=page.path.lstrip("/")) for page in LIST_PAGES),
    path("executions/<str:name>", details.execution, name="execution"),
    path("executions/<str:name>/stop", decisions.stop, name="execution-stop"),
    path("executions/<str:name>/pause", decisions.pause, name="execution-pause"),
    path("messages/newer", messages.newer, name="messages-newer"),
    path("messages/<int:seq>", details.message, name="message"),
    path("agents/<str:name>", details.agent, name="agent"),
    path("datasets/<str:name>", details.dataset, name="dataset"),
    path("products/<str:name>", details.product, name="product"),
    path("dead-letters/<int:letter_id>", details.letter, name="dead-letter"),
    path("dead-letters/<int:letter_id>/redrive", decisions.redrive, name="dead-letter-redrive"),
    path("dead-letters/<int:letter_id>/discard", decisions.discard, name="dead-letter-discard"),
    path("tasks", tasks.tasks, name="tasks"),
]
