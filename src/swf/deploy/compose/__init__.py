"""PostgreSQL and ActiveMQ in containers: the compose file, its values and secrets, and the engine that runs it."""

from swf.deploy.compose.engine import Container, Project
from swf.deploy.compose.environment import ServiceEnvironment

__all__ = ["Container", "Project", "ServiceEnvironment"]
