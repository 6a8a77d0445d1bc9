"""The folder of one broker: configuration, credentials, data; and the command that starts it there."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from swf.core.errors import ConfigError
from swf.deploy.activemq.program import BrokerProgram

USERS: Final = ("agent", "worker", "monitor", "admin")
"""Who may log in: agents; workers, who take slices and send results; the monitor, who listens; the operator."""

_SHIPPED: Final = Path(__file__).parent
_PART = r"[ \t]*<!-- begin {name} -->\n.*?<!-- end {name} -->\n"
_SIZE = re.compile(r"[1-9]\d{0,6} (mb|gb)\Z")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keystore:
    """The broker's certificate and key, as a PKCS #12 file, and its password."""

    path: Path
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPlan:
    """One broker. A port of None: it does not listen for that; at least one of the STOMP ports is given."""

    folder: Path
    passwords: Mapping[str, str]
    """One for each of USERS."""
    stomp_port: int | None
    stomp_tls_port: int | None = None
    keystore: Keystore | None = None
    openwire_port: int | None = None
    host: str = "127.0.0.1"
    """Where it listens."""
    name: str = "swf"
    panda_fan_out: bool = False
    """Whether the queues between the fast-processing agent and PanDA workers are fed. Without such workers nothing is
    published for them."""
    panda_managers: bool = False
    """Whether those that iDDS and the workers' transceiver read are fed as well: only where these run."""
    heap_mb: int = 512
    memory_limit: str = "256 mb"
    queue_memory_limit: str = "8 mb"
    """What one queue keeps in memory; the rest of a backlog is read from the disk when its turn comes."""
    store_limit: str = "10 gb"
    temp_limit: str = "1 gb"


def new_passwords() -> dict[str, str]:
    """A password for each user, from the system's randomness."""
    return {user: secrets.token_urlsafe(24) for user in USERS}


def lay_out(plan: BrokerPlan) -> None:
    """Write the broker's folder: `conf` and `data`. Data that is there stays; the configuration is written anew.

    Raises:
        ConfigError: a password is missing or cannot be written, there is no STOMP port, TLS has no certificate, or a
            limit is no size.
    """
    _check(plan)
    conf = plan.folder / "conf"
    for folder in (plan.folder, conf, plan.folder / "data"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    conf.joinpath("broker.xml").write_text(_configuration(plan), encoding="utf-8")
    conf.joinpath("log4j.properties").write_text(
        _SHIPPED.joinpath("log4j.properties").read_text(encoding="utf-8"), encoding="utf-8"
    )
    conf.joinpath("broker.properties").write_text(_properties(_values(plan)), encoding="ascii")
    credentials = conf / "credentials.properties"
    credentials.touch(mode=0o600)
    credentials.chmod(0o600)
    credentials.write_text(_properties(_secrets(plan)), encoding="ascii")


def start_command(plan: BrokerPlan, program: BrokerProgram) -> list[str]:
    """The command that runs the broker in the foreground until it gets SIGTERM. It contains no secret."""
    conf = plan.folder / "conf"
    return [
        str(program.java),
        "-Xms64m",
        f"-Xmx{plan.heap_mb}m",
        # For a heap of this size the plainest collector takes half the memory of the default one (180 and 390 MB after
        # 80,000 messages), and no more CPU per message.
        "-XX:+UseSerialGC",
        "-Djava.awt.headless=true",
        f"-Dactivemq.home={program.home}",
        f"-Dactivemq.base={plan.folder}",
        f"-Dactivemq.conf={conf}",
        f"-Dactivemq.data={plan.folder / 'data'}",
        "-cp",
        ":".join((str(conf), *program.classpath)),
        "org.apache.activemq.console.Main",
        "start",
        # Found on the class path: an address of the file would have to be free of spaces and much else.
        "xbean:broker.xml",
    ]


def _configuration(plan: BrokerPlan) -> str:
    text = _SHIPPED.joinpath("broker.xml").read_text(encoding="utf-8")
    wanted = {
        "plain": plan.stomp_port is not None,
        "tls": plan.stomp_tls_port is not None,
        "openwire": plan.openwire_port is not None,
        "panda-managers": plan.panda_managers,
        "panda": plan.panda_fan_out,
    }
    for name, keep in wanted.items():
        if not keep:
            text = re.sub(_PART.format(name=name), "", text, flags=re.DOTALL)
    return text


def _values(plan: BrokerPlan) -> dict[str, str]:
    values = {
        "swf.broker.name": plan.name,
        "swf.host": f"[{plan.host}]" if ":" in plan.host else plan.host,
        "swf.limit.memory": plan.memory_limit,
        "swf.limit.queue_memory": plan.queue_memory_limit,
        "swf.limit.store": plan.store_limit,
        "swf.limit.temp": plan.temp_limit,
    }
    ports = {"stomp": plan.stomp_port, "stomp_tls": plan.stomp_tls_port, "openwire": plan.openwire_port}
    values |= {f"swf.port.{name}": str(port) for name, port in ports.items() if port is not None}
    return values | ({"swf.tls.keystore": str(plan.keystore.path)} if plan.keystore else {})


def _secrets(plan: BrokerPlan) -> dict[str, str]:
    passwords = {f"swf.password.{user}": plan.passwords[user] for user in USERS}
    return passwords | ({"swf.password.keystore": plan.keystore.password} if plan.keystore else {})


def _check(plan: BrokerPlan) -> None:
    missing = [user for user in USERS if not plan.passwords.get(user)]
    if missing:
        raise ConfigError(f"the broker's users {', '.join(missing)} have no password, and there is no default")
    if not all(map(_can_be_used, plan.passwords.values())):
        raise ConfigError(
            "a password of the broker contains a backslash, ${ or what cannot be printed, or begins or ends with a "
            "space; choose another one"
        )
    if plan.stomp_port is None and plan.stomp_tls_port is None:
        raise ConfigError("the broker needs a STOMP port, with or without TLS")
    if plan.stomp_tls_port is not None and plan.keystore is None:
        raise ConfigError("a STOMP port with TLS needs the broker's certificate and key: a PKCS #12 file")
    for limit in (plan.memory_limit, plan.queue_memory_limit, plan.store_limit, plan.temp_limit):
        if not _SIZE.match(limit):
            raise ConfigError(f"the limit {limit[:40]!r} is no size: expected a number and mb or gb, such as 512 mb")
    if ":" in str(plan.folder) or "$" in str(plan.folder):
        raise ConfigError(
            f"the broker cannot be in {plan.folder}: the folder's path has : or $ in it, which Java cannot read there; "
            "choose another folder"
        )
    if not _NAME.match(plan.name):
        raise ConfigError(f"the broker's name {plan.name[:80]!r} is none: expected up to 64 of A-Z a-z 0-9 _ -")


def _can_be_used(password: str) -> bool:
    """Whether the configuration and STOMP both carry it unchanged."""
    return password.isprintable() and password == password.strip() and not ("\\" in password or "${" in password)


def _properties(values: Mapping[str, str]) -> str:
    """Values in the format of java.util.Properties."""
    return "".join(f"{key}={_escaped(value)}\n" for key, value in values.items())


def _escaped(value: str) -> str:
    units = _utf16(value.replace("\\", "\\\\"))
    return "".join(f"\\u{unit:04x}" if unit > 126 else chr(unit) for unit in units)


def _utf16(text: str) -> list[int]:
    data = text.encode("utf-16-be")
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]
