"""What the particle-physics instrument brings to the platform."""

from swf.epic.messages import EPIC_MESSAGES
from swf.epic.settings import ENVIRONMENT, KINDS, SHIPPED_WORKFLOWS
from swf.service.instrument import Instrument, NavigationEntry, WebParts

instrument = Instrument(
    name="epic",
    django_app="swf.epic",
    messages=EPIC_MESSAGES,
    kinds=KINDS,
    environment=ENVIRONMENT,
    workflows=SHIPPED_WORKFLOWS,
    web=WebParts(
        router="swf.epic.web.rest:router",
        pages="swf.epic.web.pages:urlpatterns",
        tools="swf.epic.web.tools:add_tools",
        now="swf.epic.web.front:now_panels",
        navigation=(
            NavigationEntry(title="Runs", path="/runs"),
            NavigationEntry(title="STFs", path="/stfs"),
            NavigationEntry(title="Slices", path="/slices"),
            NavigationEntry(title="Workflows", path="/workflows"),
        ),
    ),
)
