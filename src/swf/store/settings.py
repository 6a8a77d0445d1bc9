"""The section `[database]`: where the database of the service mode is, and when it is given up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

from pydantic import Field, SecretStr

from swf.config import LocalPath, Section


class DatabaseSection(Section):
    """The database of the service mode. The embedded mode does not read this section: it has SQLite in its data
    directory."""

    section: ClassVar[str] = "database"
    of_installation: ClassVar[bool] = True

    url: SecretStr | None = Field(
        None,
        max_length=4000,
        description="Address of the PostgreSQL database: `postgresql://user:password@host:port/name?sslmode=...`. "
        "What it does not say is taken from the other keys.",
    )
    host: str = Field("127.0.0.1", max_length=250, description="Host of the server, or the folder of its socket.")
    port: int = Field(5432, ge=1, le=65535, description="Port of the server.")
    name: str = Field("", max_length=63, description="Name of the database.")
    user: str = Field("", max_length=63, description="User of the database.")
    password: SecretStr | None = Field(
        None,
        max_length=1000,
        description="Password of the user. There is no default; without one, libpq looks into `~/.pgpass`.",
    )
    sslmode: Literal["", "disable", "verify-ca", "verify-full"] = Field(
        "",
        description="Encryption: `verify-full` checks the server's certificate and name, `verify-ca` the certificate. "
        "Default: `disable` on this machine, `verify-full` with any other host.",
    )
    ssl_root_cert: LocalPath | None = Field(
        None, description="File with the certificates that sign the server's. Default: those of the operating system."
    )
    pool_size: int = Field(
        8, ge=1, le=200, description="Most connections of a process with many threads. An agent has one, and no pool."
    )
    connect_timeout_s: int = Field(5, ge=1, le=300, description="Time to wait for a connection, in seconds.")
    statement_timeout_s: float = Field(
        60.0,
        ge=0,
        le=86400,
        description="Time that a statement may take, in seconds; 0 means any. Migrations may take longer.",
    )
    lock_timeout_s: float = Field(
        30.0, ge=0, le=86400, description="Time that a statement may wait for another's lock, in seconds; 0 means any."
    )
    idle_in_transaction_s: float = Field(
        60.0,
        ge=0,
        le=86400,
        description="Time after which the server ends a transaction whose process says nothing, in seconds, so that "
        "a process that hangs does not hold locks; 0 means never.",
    )
    dead_after_s: int = Field(
        15, ge=3, le=3600, description="Time without an answer after which the other side counts as gone, in seconds."
    )


ENVIRONMENT: Final[Mapping[str, str]] = {
    "PGHOST": "database.host",
    "PGPORT": "database.port",
    "PGDATABASE": "database.name",
    "PGUSER": "database.user",
    "PGPASSWORD": "database.password",
    "PGSSLROOTCERT": "database.ssl_root_cert",
    "SWF_DATABASE_HOST": "database.host",
    "SWF_DATABASE_PORT": "database.port",
    "SWF_DATABASE_NAME": "database.name",
    "SWF_DATABASE_USER": "database.user",
    "SWF_DATABASE_PASSWORD": "database.password",
    "SWF_DATABASE_SSLMODE": "database.sslmode",
    "SWF_DATABASE_URL": "database.url",
}
"""Which variable sets which key; of two for one key, the later one wins. PGSSLMODE is left out: most of its values mean
encryption without a look at whom one talks to."""
