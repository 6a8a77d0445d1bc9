"""Where the broker's program is on this machine."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PACKAGES: Final = ("activemq", "libxstream-java", "libjettison-java")
"""Debian packages. The broker starts without the latter two, and then breaks connections that ask for statistics."""

_DEBIAN: Final = Path("/usr/share/activemq")
_DEBIAN_JARS: Final = Path("/usr/share/java")
_JARS: Final = ("activemq-run.jar", "xstream.jar", "jettison.jar")


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerProgram:
    """A broker that can be started."""

    java: Path
    home: Path
    classpath: tuple[str, ...]


def find_program() -> BrokerProgram | None:
    """Debian's broker and a Java runtime; None where something of it is not installed."""
    java = shutil.which("java")
    needed = [_DEBIAN / "lib" / "activemq-broker.jar", *(_DEBIAN_JARS / name for name in _JARS)]
    if java is None or not all(path.exists() for path in needed):
        return None
    jars = (f"{_DEBIAN}/lib/*", f"{_DEBIAN}/lib/optional/*", *(str(_DEBIAN_JARS / name) for name in _JARS))
    return BrokerProgram(java=Path(java), home=_DEBIAN, classpath=jars)
