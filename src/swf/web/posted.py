"""Values that a form sends: each is checked here, and the error names the field."""

from __future__ import annotations

from django.http import HttpRequest

from swf.core.errors import ConfigError
from swf.web.roles import Role


def text_in(request: HttpRequest, name: str, most: int, *, required: bool = True) -> str:
    """A text of one line.

    Raises:
        ConfigError: it is missing, too long, or has characters that cannot be printed.
    """
    text = request.POST.get(name, "").strip()
    if required and not text:
        raise ConfigError(f"{name}: expected a text of up to {most} characters, got none")
    if len(text) > most or not text.isprintable():
        raise ConfigError(f"{name}: expected up to {most} printable characters on one line, got {len(text)}")
    return text


def number_in(request: HttpRequest, name: str, least: int, most: int) -> int:
    """A whole number.

    Raises:
        ConfigError: it is none, or out of range.
    """
    text = request.POST.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise ConfigError(f"{name}: expected a whole number from {least} to {most}, got {text[:20]!r}")
    return int(text)


def role_in(request: HttpRequest, name: str) -> Role:
    """A role.

    Raises:
        ConfigError: it is none.
    """
    text = request.POST.get(name, "")
    if text not in set(Role):
        raise ConfigError(f"{name}: expected one of {', '.join(Role)}, got {text[:20]!r}")
    return Role(text)
