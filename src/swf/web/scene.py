"""The scene of a request: when it comes, what who asks may see, and what is at work meanwhile."""

from __future__ import annotations

from django.http import HttpRequest

from swf.core.scene import Namespaces, Scene
from swf.web.access import access_of
from swf.web.site import site


def scene_of(request: HttpRequest) -> Scene:
    """The scene of a request to REST."""
    return scene_within(access_of(request).namespaces())


def scene_within(namespaces: Namespaces) -> Scene:
    """The scene of somebody who may see these namespaces."""
    here = site()
    asked = [None] if namespaces is None else sorted(namespaces)
    found = (here.process_in(namespace) for namespace in asked)
    process = next((process for process in found if process is not None), None)
    return Scene(now=here.clock.now(), process=process, namespaces=namespaces)
