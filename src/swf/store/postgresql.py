"""A PostgreSQL database: Django's settings of it, and a look at it that says what is wrong in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from swf.core.errors import ConfigError, ServiceError, SwfError

if TYPE_CHECKING:
    from swf.store.settings import DatabaseSection

OLDEST: Final = 15
"""The oldest version of the server that is served."""

_SSL_MODES: Final = ("disable", "verify-ca", "verify-full")
_NOT_SERVED: Final = "PostgreSQL needs a package that is not installed: pip install 'swf-testbed[services]'"


def postgresql(
    section: DatabaseSection, *, pooled: bool = False, application: str = "swf-testbed", probe: bool = True
) -> dict[str, Any]:
    """Django's settings of a PostgreSQL database.

    Args:
        section: where it is.
        pooled: share up to `pool_size` connections among the threads of this process. Without, each thread has its own,
            which suits an agent: it has one database thread.
        application: the name that the server shows for these connections.
        probe: connect once, to say what is wrong before anything depends on it.

    Raises:
        ConfigError: no database is named, or it is not there, refuses this user, or is too old.
        ServiceError: the server does not answer.
    """
    where = _parameters(section)
    options: dict[str, Any] = {
        **where,
        **_liveness(section, str(where.get("options", ""))),
        "application_name": application[:63],
        # Statements that come again and again are prepared by the server, from the fifth time on.
        "prepare_threshold": 5,
    }
    if probe:
        look(options)
    if pooled:
        # A server that restarts is back soon: give up quickly and try anew, instead of pausing longer and longer.
        options["pool"] = {
            "min_size": 1,
            "max_size": section.pool_size,
            "timeout": float(section.connect_timeout_s),
            "reconnect_timeout": 1.0,
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": options.pop("dbname"),
        "USER": options.pop("user"),
        "PASSWORD": options.pop("password", ""),
        "HOST": options.pop("host"),
        "PORT": options.pop("port"),
        "OPTIONS": options,
        # A connection of the pool may have died with the server: each is tried before it is used.
        "CONN_HEALTH_CHECKS": pooled,
        "CONN_MAX_AGE": 0,
    }


def look(parameters: dict[str, Any]) -> int:
    """Connect once, in psycopg's words. Returns the server's version, 150004 for 15.4.

    Raises:
        ConfigError: the database is not there, refuses this user, or is too old.
        ServiceError: the server does not answer.
    """
    psycopg = _driver()
    known = {name: value for name, value in parameters.items() if name not in {"pool", "prepare_threshold"}}
    try:
        with psycopg.connect(**known) as connection:
            version = int(connection.info.server_version)
    except psycopg.OperationalError as error:
        raise explained(error, parameters) from error
    except psycopg.ProgrammingError as error:
        raise ConfigError(f"[database] {described(parameters)}: {_first_line(error)}; correct [database]") from error
    if version < OLDEST * 10_000:
        raise ConfigError(
            f"[database] {described(parameters)}: the server is PostgreSQL {version // 10_000}; "
            f"expected {OLDEST} or newer: upgrade it, or name another in [database]"
        )
    return version


def explained(error: Exception, parameters: dict[str, Any]) -> SwfError:
    """Why a connection could not be made, and what to do."""
    text, where = _first_line(error), described(parameters)
    if "password authentication failed" in text or "no password supplied" in text:
        return ConfigError(
            f"[database] {where}: the server refuses the user or the password; set SWF_DATABASE_USER and "
            "SWF_DATABASE_PASSWORD, or user and password in [database]"
        )
    if "does not exist" in text and "database" in text:
        return ConfigError(
            f"[database] {where}: there is no such database; make it: createdb {parameters.get('dbname')}"
        )
    if "does not exist" in text or "no pg_hba.conf entry" in text or "not permitted to log in" in text:
        return ConfigError(f"[database] {where}: {text}; ask who keeps the server to let this user in")
    if "SSL" in text or "certificate" in text:
        return ConfigError(
            f"[database] {where}: no trusted encryption: {text}; set ssl_root_cert to the file that signs the server's "
            "certificate, or sslmode in [database]"
        )
    return ServiceError(f"the database {where} does not answer: {text}; start it, or correct [database]")


def described(parameters: dict[str, Any]) -> str:
    """A database in words, without secrets: `name at host:port as user`."""
    name, host, port, user = (parameters.get(key) for key in ("dbname", "host", "port", "user"))
    return f"{name} at {host}:{port} as {user}"


def named(section: DatabaseSection) -> str:
    """The database of a section in words, without secrets.

    Raises:
        ConfigError: no database is named.
    """
    return described(_parameters(section))


def _driver() -> Any:
    try:
        import psycopg
    except ImportError as error:
        raise ConfigError(_NOT_SERVED) from error
    return psycopg


def _parameters(section: DatabaseSection) -> dict[str, Any]:
    """Where the database is, in libpq's words: what the URL says, and the other keys for what it does not."""
    given: dict[str, Any] = {"host": section.host, "port": section.port, "dbname": section.name, "user": section.user}
    if section.password is not None:
        given["password"] = section.password.get_secret_value()
    if section.sslmode:
        given["sslmode"] = section.sslmode
    if section.ssl_root_cert is not None:
        given["sslrootcert"] = str(section.ssl_root_cert)
    if section.url is not None:
        given |= _from_url(section.url.get_secret_value())
    for key in ("dbname", "user"):
        if not given[key]:
            name = "name" if key == "dbname" else key
            raise ConfigError(
                f"[database] {name} is not set: no database is named; set SWF_DATABASE_URL, or {name} in [database]"
            )
    given.setdefault("sslmode", "disable" if _is_here(str(given["host"])) else "verify-full")
    if given["sslmode"] not in _SSL_MODES:
        raise ConfigError(
            f"[database] url: sslmode = {given['sslmode']}: expected one of {', '.join(_SSL_MODES)}: the others do not "
            "check whom they talk to"
        )
    if given["sslmode"] == "verify-full":
        given.setdefault("sslrootcert", "system")
    elif given["sslmode"] == "verify-ca" and "sslrootcert" not in given:
        raise ConfigError("[database] ssl_root_cert is not set: sslmode = verify-ca needs a file to verify with")
    return given


def _from_url(url: str) -> dict[str, Any]:
    psycopg = _driver()
    try:
        said: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # Its text repeats the address, and with it the password.
        raise ConfigError(
            "[database] url: not an address of a database; expected postgresql://user:password@host:port/name"
        ) from None
    return said


def _is_here(host: str) -> bool:
    return host in {"", "localhost", "::1"} or host.startswith(("127.", "/"))


def _liveness(section: DatabaseSection, options: str) -> dict[str, Any]:
    """Time limits of statements, and how both sides notice that the other one is gone."""
    third = max(section.dead_after_s // 3, 1)
    server = {
        "statement_timeout": round(section.statement_timeout_s * 1000),
        "lock_timeout": round(section.lock_timeout_s * 1000),
        "idle_in_transaction_session_timeout": round(section.idle_in_transaction_s * 1000),
        # The server's side: a client whose host has gone frees its locks.
        "tcp_keepalives_idle": third,
        "tcp_keepalives_interval": third,
        "tcp_keepalives_count": 2,
        "client_connection_check_interval": section.dead_after_s * 1000,
    }
    return {
        "connect_timeout": section.connect_timeout_s,
        "keepalives": 1,
        "keepalives_idle": third,
        "keepalives_interval": third,
        "keepalives_count": 2,
        "tcp_user_timeout": section.dead_after_s * 1000,
        "options": " ".join([*(f"-c {name}={value}" for name, value in server.items()), options]).rstrip(),
    }


def _first_line(error: Exception) -> str:
    """What libpq says, without its introduction and its guesses."""
    text = str(error).strip().partition("\n")[0]
    return text.rpartition("FATAL:")[2].strip() or text
