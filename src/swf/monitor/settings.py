"""What Django is told in the process that serves the monitor. Agents keep their small settings."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from swf.monitor.figures import Figures
from swf.monitor.parts import Parts
from swf.monitor.throttle import LoginThrottle
from swf.service.instrument import Instrument
from swf.web.site import Site

WEB_APPS: Final = (
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "swf.web",
    "swf.monitor",
)
"""The Django apps of this process, beside the store and the instruments."""

REQUEST_LIMIT_BYTES: Final = 4 * 2**20
"""The longest body of a request."""

_MIDDLEWARE: Final = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "swf.monitor.middleware.RouteMiddleware",
    "swf.monitor.middleware.ErrorMiddleware",
    "swf.monitor.middleware.SignedInMiddleware",
)

_VALIDATORS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("UserAttributeSimilarityValidator", {}),
    ("MinimumLengthValidator", {"min_length": 10}),
    ("CommonPasswordValidator", {}),
    ("NumericPasswordValidator", {}),
)


def django_apps(instruments: Sequence[Instrument]) -> list[str]:
    """Every Django app of this process but the store."""
    return [*(each.django_app for each in instruments), *WEB_APPS]


def web_settings(
    site: Site, *, secret: str, hosts: Sequence[str], instruments: Sequence[Instrument], session_hours: float = 12.0
) -> dict[str, Any]:
    """What Django is told beside the database and the apps.

    Args:
        site: what this process is.
        secret: signs cookies and forms; the same at every start, known to nobody else.
        hosts: names by which the monitor may be called (the Host header), without ports.
        instruments: those whose pages and routes are served.
        session_hours: how long a login lasts.
    """
    # Cookies belong to a host name, whatever the port: two monitors on one machine must not take each other's.
    mark = sha256(secret.encode()).hexdigest()[:8]
    return {
        "SWF_SITE": site,
        "SWF_MONITOR": Parts(instruments=tuple(instruments), figures=Figures(), throttle=LoginThrottle(site.clock)),
        "DEBUG": False,
        "SECRET_KEY": secret,
        "ALLOWED_HOSTS": list(hosts),
        "ROOT_URLCONF": "swf.monitor.urls",
        "MIDDLEWARE": list(_MIDDLEWARE),
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "swf.monitor.frame.frame",
                    ],
                    "builtins": ["django.templatetags.static"],
                },
            }
        ],
        "LOGIN_URL": "/login",
        "LOGIN_REDIRECT_URL": "/",
        "AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"],
        "PASSWORD_HASHERS": [
            "django.contrib.auth.hashers.ScryptPasswordHasher",
            "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        ],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
            for name, options in _VALIDATORS
        ],
        "SESSION_COOKIE_NAME": f"swf_session_{mark}",
        "SESSION_COOKIE_AGE": round(session_hours * 3600),
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": site.behind_tls,
        "CSRF_COOKIE_NAME": f"swf_csrf_{mark}",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_SECURE": site.behind_tls,
        "CSRF_FAILURE_VIEW": "swf.monitor.errors.csrf_failed",
        "CSRF_TRUSTED_ORIGINS": [_origin(site.url)] if site.url else [],
        "DATA_UPLOAD_MAX_MEMORY_SIZE": REQUEST_LIMIT_BYTES,
        "APPEND_SLASH": False,
        "STATIC_URL": "/static/",
        "LANGUAGE_CODE": "en-gb",
        "USE_I18N": False,
        # Logs are the process's own (swf.monitor.logging_bridge).
        "LOGGING_CONFIG": None,
    }


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
