"""What a store and the data directory beside it hold, read with the database's own driver and the file system alone:
nothing of the program that wrote it."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

TEMPORARY = re.compile(r"\..+\.part\Z")

_TABLES = {
    "runs": "store_run",
    "executions": "store_workflowexecution",
    "agents": "store_systemagent",
    "events": "store_event",
    "outbox": "store_outboxmessage",
    "cursors": "store_rolecursor",
    "inbox": "store_inboxentry",
    "letters": "store_deadletter",
    "alarms": "store_alarm",
    "attempts": "store_attempt",
    "products": "store_product",
    "datasets": "store_dataset",
    "dataset_files": "store_datasetfile",
    "stfs": "epic_stffile",
    "samples": "epic_fastmonfile",
    "slices": "epic_tfslice",
    "run_states": "epic_runstate",
    "daq_states": "epic_daqstateevent",
    "histograms": "epic_monitoringhistogram",
}


_RUN_COLUMNS = {
    **dict.fromkeys(("stfs", "run_states", "histograms"), "run_id"),
    **dict.fromkeys(
        ("runs", "executions", "events", "inbox", "attempts", "products", "datasets", "samples", "slices"), "run_number"
    ),
    "daq_states": "run_number",
}
"""Which column of a table says of which run a row is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What a file is."""

    size_bytes: int
    adler32: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Records:
    """The rows of a store, and the files beside it by their path below `root`."""

    root: Path
    tables: Mapping[str, list[Row]]
    files: Mapping[str, FileFacts]
    damage: tuple[str, ...] = ()
    """What the database says of its own integrity; nothing where it is sound."""

    def of(self, table: str) -> list[Row]:
        """The rows of a table, in the order of their making."""
        return self.tables[table]

    @cached_property
    def messages(self) -> list[Row]:
        """The events that are messages, each with its `content`."""
        rows = [event for event in self.of("events") if event["kind"] == "message"]
        return [{**row, "content": json.loads(row["body"])} for row in rows]

    @cached_property
    def moves(self) -> list[Row]:
        """The events that are moves of work items, each with its `content`."""
        rows = [event for event in self.of("events") if event["kind"] == "transition"]
        return [
            row for row in ({**row, "content": json.loads(row["body"])} for row in rows) if "item" in row["content"]
        ]

    def of_run(self, number: int) -> Records:
        """The same with the rows of one run only, where rows belong to a run."""
        tables = {
            name: [row for row in rows if name not in _RUN_COLUMNS or row[_RUN_COLUMNS[name]] == number]
            for name, rows in self.tables.items()
        }
        datasets = {row["id"] for row in tables["datasets"]}
        tables["dataset_files"] = [row for row in tables["dataset_files"] if row["dataset_id"] in datasets]
        return replace(self, tables=tables)

    def with_content(self) -> Records:
        """The same with those STFs only that have content, and what was made of them."""
        stfs = [stf for stf in self.of("stfs") if stf["has_content"]]
        known = {stf["id"] for stf in stfs}
        made = {table: [row for row in self.of(table) if row["stf_id"] in known] for table in ("samples", "slices")}
        return replace(self, tables={**self.tables, "stfs": stfs, **made})

    def sent(self, msg_type: str) -> list[Row]:
        """The messages of a type."""
        return [message for message in self.messages if message["type"] == msg_type]

    def within(self, folder: str) -> dict[str, FileFacts]:
        """The files below a folder, by path below that."""
        return {
            path.removeprefix(f"{folder}/"): facts
            for path, facts in self.files.items()
            if path.startswith(f"{folder}/")
        }


def read_records(root: Path, *, exit_buffer: Path | None = None) -> Records:
    """Read a data directory that no process uses; `exit_buffer`, where it is elsewhere."""
    with closing(sqlite3.connect(root / "swf.sqlite3")) as connection:
        connection.row_factory = sqlite3.Row
        tables: dict[str, list[Row]] = {
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY rowid")]
            for name, table in _TABLES.items()
        }
        damage = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        damage += [f"{row[0]} row {row[1]} refers to nothing" for row in connection.execute("PRAGMA foreign_key_check")]
    files = dict(_files(root))
    if exit_buffer is not None:
        files |= {f"exit-buffer/{name}": facts for name, facts in _files(exit_buffer)}
    return Records(root=root, tables=tables, files=files, damage=tuple(damage))


def read_service_records(parameters: Mapping[str, Any], root: Path) -> Records:
    """Read a PostgreSQL database, given in psycopg's words, and the data directory beside it.

    Events come in the order of their numbers, as readers see them: rows commit in any order.
    """
    import psycopg
    from psycopg.rows import dict_row
    from psycopg.types.string import TextLoader

    with psycopg.connect(**parameters, row_factory=dict_row) as connection:
        # All tables at one moment.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        # As text, as SQLite has it.
        connection.adapters.register_loader("jsonb", TextLoader)
        tables: dict[str, list[Row]] = {
            name: list(
                connection.execute(f"SELECT * FROM {table} ORDER BY {'seq' if name == 'events' else 1}".encode())
            )
            for name, table in _TABLES.items()
        }
    return Records(root=root, tables=tables, files=dict(_files(root)))


def latest_execution(root: Path) -> tuple[str, str] | None:
    """Identity and status of the latest execution in a data directory; None where there is none yet."""
    path = root / "swf.sqlite3"
    if not path.is_file():
        return None
    with closing(sqlite3.connect(path)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'store_workflowexecution'").fetchone()
        if known is None:
            return None
        sql = "SELECT execution_id, status FROM store_workflowexecution ORDER BY start_time DESC LIMIT 1"
        row = connection.execute(sql).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def _files(root: Path) -> Iterator[tuple[str, FileFacts]]:
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_file() and not name.startswith(("swf.sqlite3", "lock")):
            data = path.read_bytes()
            yield (
                name,
                FileFacts(
                    size_bytes=len(data), adler32=f"{zlib.adler32(data):08x}", sha256=hashlib.sha256(data).hexdigest()
                ),
            )
