"""What the particle-physics instrument brings to the platform."""

from swf.epic.messages import EPIC_MESSAGES
from swf.epic.settings import ENVIRONMENT, KINDS, SHIPPED_WORKFLOWS
from swf.service.instrument import Instrument

instrument = Instrument(
    name="epic",
    django_app="swf.epic",
    messages=EPIC_MESSAGES,
    kinds=KINDS,
    environment=ENVIRONMENT,
    workflows=SHIPPED_WORKFLOWS,
)
