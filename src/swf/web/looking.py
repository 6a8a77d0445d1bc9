"""What a page asks its questions with."""

from __future__ import annotations

from django.http import HttpRequest

from swf.core.scene import Scene
from swf.web.choice import visible_namespaces
from swf.web.scene import scene_within


def looking(request: HttpRequest) -> Scene:
    """The scene of a page: within what who asks may see, the namespace that they have chosen."""
    return scene_within(visible_namespaces(request))
