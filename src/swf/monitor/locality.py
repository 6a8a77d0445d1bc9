"""Whether a request comes from this machine itself, and not through a proxy on it."""

from __future__ import annotations

from ipaddress import ip_address

from django.http import HttpRequest
from django.http.request import split_domain_port

_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


def is_local(request: HttpRequest) -> bool:
    """Whether who asks sits at this machine: a connection from its loopback address, to a name of it, that nobody has
    passed on."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    domain, _ = split_domain_port(request.headers.get("Host", ""))
    return is_loopback(str(request.META.get("REMOTE_ADDR", ""))) and is_loopback(domain.strip("[]"))


def is_loopback(text: str) -> bool:
    """Whether an address is one that only this machine reaches."""
    if text == "localhost":
        return True
    try:
        return ip_address(text).is_loopback
    except ValueError:
        return False
