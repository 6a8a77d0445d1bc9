"""PostgreSQL: a cluster laid out in a folder of its own, and the command that serves it there."""

from swf.deploy.postgresql.layout import (
    ADMIN,
    ClusterPlan,
    children_of,
    create_database,
    lay_out,
    start_command,
    unreachable,
)
from swf.deploy.postgresql.program import (
    ACCOUNT,
    PACKAGES,
    PostgresProgram,
    find_program,
    find_programs,
    lacks_account,
    user_arguments,
)

__all__ = [
    "ACCOUNT",
    "ADMIN",
    "PACKAGES",
    "ClusterPlan",
    "PostgresProgram",
    "children_of",
    "create_database",
    "find_program",
    "find_programs",
    "lacks_account",
    "lay_out",
    "start_command",
    "unreachable",
    "user_arguments",
]
