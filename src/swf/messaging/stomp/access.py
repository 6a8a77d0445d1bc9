"""Where the brokers are and how one gets in: the settings, checked."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from swf.core.errors import ConfigError
from swf.messaging.settings import BusSection


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Host and port of a broker."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What is needed to open a connection."""

    endpoints: tuple[Endpoint, ...]
    user: str
    password: str = field(repr=False)
    virtual_host: str
    tls: ssl.SSLContext | None
    heartbeat_s: float
    connect_timeout_s: float


def access(section: BusSection) -> Access:
    """What the settings say.

    Raises:
        ConfigError: user or password is missing, a fallback host is no host:port, or the file of certificates cannot
            be read.
    """
    password = section.password.get_secret_value()
    for key, variable, value in (("user", "ACTIVEMQ_USER", section.user), ("password", "ACTIVEMQ_PASSWORD", password)):
        if not value:
            raise ConfigError(f"[bus] {key} is not set, and there is no default: set it, or the variable {variable}")
        if not value.isprintable() or "\\" in value or value != value.strip():
            raise ConfigError(
                f"[bus] {key} contains a control character or a backslash, or begins or ends with a space: brokers do "
                "not read those alike; choose another one"
            )
    first = Endpoint(host=section.host, port=section.port)
    return Access(
        endpoints=(first, *(_endpoint(text) for text in section.fallback_hosts)),
        user=section.user,
        password=password,
        virtual_host=section.virtual_host,
        tls=_tls(section.ssl_ca_certs) if section.use_ssl and section.ssl_ca_certs else None,
        heartbeat_s=section.heartbeat_s,
        connect_timeout_s=section.connect_timeout_s,
    )


def _endpoint(text: str) -> Endpoint:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ConfigError(f"[bus] fallback_hosts: {text[:80]!r} is not host:port, such as mq2.example.org:61613")
    return Endpoint(host=host, port=int(port))


def _tls(authorities: Path) -> ssl.SSLContext:
    """A context that trusts these authorities and no others, and checks the host's name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"[bus] ssl_ca_certs: {authorities} holds no certificates that can be read: {error}; expected a PEM file"
        ) from None
    return context
