"""Settings of the message broker, and the environment variables that set them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from swf.config import LocalPath, Section, TextList

STOMP_PORT: Final = 61613
OPENWIRE_PORT: Final = 61616
"""Where a broker speaks its own protocol; older instructions name it, and STOMP is never there."""


WORKER_ROLE: Final = "worker"
"""The role whose agents take slices and send results, and nothing else."""


class BrokerKind(StrEnum):
    """Brokers that the names of queues are made for."""

    ACTIVEMQ = "activemq"
    """ActiveMQ Classic 5.17 or later."""
    ARTEMIS = "artemis"
    """ActiveMQ Artemis. NOT TESTED."""


def _switch(value: object) -> object:
    """Variables of older set-ups say True and False as Python does, or 1 and 0."""
    spellings = {"true": True, "1": True, "false": False, "0": False}
    return spellings.get(str(value).lower(), value)


Switch = Annotated[bool, BeforeValidator(_switch)]


class BusSection(Section):
    """The message broker. Read in service mode; the embedded mode has none."""

    section: ClassVar[str] = "bus"
    of_installation: ClassVar[bool] = True

    broker: Annotated[BrokerKind, Field(strict=False)] = Field(
        BrokerKind.ACTIVEMQ, description="Kind of the broker. Artemis is not tested."
    )
    host: str = Field("127.0.0.1", min_length=1, max_length=255, description="Host of the broker.")
    port: int = Field(
        STOMP_PORT, ge=1, le=65535, description="Port where the broker speaks STOMP; not that of OpenWire, 61616."
    )
    fallback_hosts: TextList = Field((), description="Further brokers of the same group, as host:port, tried in turn.")
    virtual_host: str = Field("", max_length=255, description='Name of the virtual host. Empty (""): the host.')
    user: str = Field("", max_length=100, description="User name at the broker. There is no default.")
    password: SecretStr = Field(
        SecretStr(""), max_length=1000, description="Password at the broker. There is no default."
    )
    worker_user: str = Field(
        "", max_length=100, description='User name of worker agents, who need less than others. Empty (""): as `user`.'
    )
    worker_password: SecretStr = Field(
        SecretStr(""), max_length=1000, description="Password of `worker_user`. There is no default."
    )
    use_ssl: Switch = Field(False, description="Whether to speak TLS; then the broker's certificate is always checked.")
    ssl_ca_certs: LocalPath | None = Field(
        None, description="File with the certificates (PEM) that the broker's must be signed by. Required for TLS."
    )
    connect_timeout_s: float = Field(5.0, ge=0.1, le=300, description="Time to open a connection, in seconds.")
    receipt_timeout_s: float = Field(
        15.0, ge=0.1, le=3600, description="Time for the broker to confirm that it has messages, in seconds."
    )
    heartbeat_s: float = Field(
        5.0, ge=0.1, le=600, description="Time between heartbeats in both directions, in seconds. Silence of 2.5: lost."
    )
    window: int = Field(
        64, ge=1, le=10_000, description="Messages that are sent as one transaction, with one receipt for all of them."
    )
    prefetch: int = Field(
        200, ge=1, le=100_000, description="Messages of a topic that a role holds and has not acknowledged, at most."
    )
    queue_prefetch: int = Field(
        32, ge=1, le=100_000, description="Messages of a work queue that one consumer holds, at most."
    )
    heartbeat_topic: str = Field(
        "/topic/heartbeat",
        max_length=250,
        description="Where agents say that they live, for listeners of older systems.",
    )

    def of_role(self, role: str) -> BusSection:
        """The settings for an agent of a role, with its own user where it has one."""
        if role != WORKER_ROLE or not self.worker_user:
            return self
        return self.model_copy(update={"user": self.worker_user, "password": self.worker_password})

    @model_validator(mode="after")
    def _verifies_whom_it_talks_to(self) -> BusSection:
        if self.use_ssl and self.ssl_ca_certs is None:
            raise ValueError(
                "use_ssl = true without ssl_ca_certs: name the file with the certificate of the authority that signed "
                "the broker's (variable ACTIVEMQ_SSL_CA_CERTS); there is no TLS without verification here"
            )
        return self


class LegacySection(Section):
    """Messages of older agents, which have no `schema`."""

    section: ClassVar[str] = "legacy"
    of_installation: ClassVar[bool] = True

    enabled: Switch = Field(False, description="Whether messages without `schema` are accepted.")
    time_zone: str = Field(
        "America/New_York", max_length=64, description="Zone of the times in them, which they do not say (IANA name)."
    )


BUS_ENVIRONMENT: Final[Mapping[str, str]] = {
    "ACTIVEMQ_HOST": "bus.host",
    "ACTIVEMQ_PORT": "bus.port",
    "ACTIVEMQ_USER": "bus.user",
    "ACTIVEMQ_PASSWORD": "bus.password",
    "ACTIVEMQ_WORKER_USER": "bus.worker_user",
    "ACTIVEMQ_WORKER_PASSWORD": "bus.worker_password",
    "ACTIVEMQ_USE_SSL": "bus.use_ssl",
    "ACTIVEMQ_SSL_CA_CERTS": "bus.ssl_ca_certs",
    "ACTIVEMQ_HEARTBEAT_TOPIC": "bus.heartbeat_topic",
    "SWF_LEGACY_TIME_ZONE": "legacy.time_zone",
}
"""Which variable sets which key."""
