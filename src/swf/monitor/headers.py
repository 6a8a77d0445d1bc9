"""What every answer says to browsers: load nothing from elsewhere, run nothing that is written into a page."""

from __future__ import annotations

from typing import Final

CONTENT_SECURITY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

_A_YEAR_S: Final = 365 * 86400

_ALWAYS: Final = {
    "content-security-policy": CONTENT_SECURITY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

Headers = list[tuple[bytes, bytes]]


def secured(headers: Headers, *, tls: bool) -> Headers:
    """An answer's headers with those of security; what the answer says of its caching stays.

    Args:
        headers: lower-case names and values.
        tls: whether the monitor is reached over TLS only.
    """
    said = {name.decode("latin-1").lower() for name, _ in headers}
    wanted = dict(_ALWAYS)
    if tls:
        wanted["strict-transport-security"] = f"max-age={_A_YEAR_S}"
    if "cache-control" not in said:
        page = any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers)
        wanted["cache-control"] = "no-store" if page else "private, no-cache"
    more = [(name.encode(), value.encode()) for name, value in wanted.items() if name not in said]
    return [*headers, *more]
