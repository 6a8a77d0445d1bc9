"""The real servers that the tests of this folder share."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from services.activemq import ActiveMq
from services.postgres import PostgresServer
from store_fixture import TEMPLATE

_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """PostgreSQL and ActiveMQ. A test may end them; the next one finds them at work."""

    database: PostgresServer
    broker: ActiveMq

    def up(self) -> None:
        """Start what does not run."""
        for server in (self.database, self.broker):
            if not server.is_running:
                server.start()

    def new_database(self) -> str:
        """The name of a new database with empty tables of this version."""
        name = f"chaos_{next(_numbers)}"
        self.database.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return name

    def environment(self, database: str, namespace: str) -> dict[str, str]:
        """The variables by which a process finds them."""
        where = self.database.parameters(database)
        return {
            "SWF_MODE": "service",
            "SWF_NAMESPACE": namespace,
            "ACTIVEMQ_HOST": "127.0.0.1",
            "ACTIVEMQ_PORT": str(self.broker.port),
            "ACTIVEMQ_USER": "agent",
            "ACTIVEMQ_PASSWORD": self.broker.plan.passwords["agent"],
            "SWF_DATABASE_HOST": "127.0.0.1",
            "SWF_DATABASE_PORT": str(where["port"]),
            "SWF_DATABASE_NAME": database,
            "SWF_DATABASE_USER": where["user"],
            "SWF_DATABASE_PASSWORD": where["password"],
        }
