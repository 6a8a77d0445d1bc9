"""Routes of details: one thing, by its name or number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from swf.core.plain import Shown
from swf.core.scene import Scene
from swf.web.rest.answers import answered
from swf.web.rest.lists import refuse_unknown
from swf.web.scene import scene_of


def add_detail(
    router: Router,
    path: str,
    show: Callable[[Any, Scene], Shown],
    shown: type[Shown],
    key: Any,
    *,
    tag: str,
    operation: str,
    in_schema: bool = True,
) -> None:
    """Add the route of a detail.

    Args:
        path: with `{key}` where its name or number is.
        show: the use case.
        shown: what it gives.
        key: the type of the name or number, of `swf.web.rest.values`.
        tag: the group of routes that it belongs to.
        operation: its name in the interface's description.
        in_schema: whether that has it: False for a second address.
    """

    def view(request: HttpRequest, key: Any) -> HttpResponse:
        refuse_unknown(request, {})
        return answered(request, show(key, scene_of(request)).as_json())

    view.__annotations__["key"] = key
    view.__doc__ = summary = (show.__doc__ or "").partition("\n\n")[0]
    said = " ".join(summary.split()).rstrip(".")
    add = router.get(
        path, response=shown, operation_id=operation, summary=said, tags=[tag], include_in_schema=in_schema
    )
    add(view)
