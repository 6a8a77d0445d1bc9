"""Locations of files: local paths, and `root://` addresses of files on an XRootD server."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from swf.core.errors import ConfigError
from swf.core.names import checked_file_name

_REMOTE: Final = ("root://", "roots://")


def is_remote(location: str | Path) -> bool:
    """Whether it is the address of a file on a server."""
    return isinstance(location, str) and location.lower().startswith(_REMOTE)


def join(location: str | Path, name: str) -> str:
    """The location of the file `name` in a folder or below an address; an address keeps its `?opaque` part.

    Paths on a server are absolute, which its addresses write with two slashes: `root://host:1094//data/name`.

    Raises:
        MalformedMessageError: `name` is not a plain file name.
    """
    checked_file_name(name)
    if not is_remote(location):
        return str(Path(location) / name)
    address, mark, opaque = str(location).partition("?")
    scheme, _, rest = address.partition("://")
    host, _, path = rest.partition("/")
    folders = [part for part in path.split("/") if part]
    return f"{scheme}://{host}//{'/'.join([*folders, name])}{mark}{opaque}"


def require_remote_access(location: str) -> None:
    """Check that what reads `root://` addresses is installed.

    Raises:
        ConfigError: it is not; the message says what to install.
    """
    if find_spec("fsspec_xrootd") is None:
        raise ConfigError(
            f"{location} is on an XRootD server, and reading from one needs fsspec-xrootd, which is not installed: "
            "install swf-testbed[services]"
        )
