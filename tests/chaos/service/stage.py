"""One testbed in service mode: a namespace with a database, a data directory and agents of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg
from agent_life import PATIENCE_S, ROLES, AgentLife
from checker import check
from findings import Finding, lost, unexpected
from psycopg.rows import dict_row
from records import Row, read_service_records
from servers import Servers
from testbed_process import Ended, TestbedProcess

from store_fixture import settings_of, using
from swf.config import Sources, WorkflowRegistry, parse_override
from swf.core.times import SystemClock
from swf.epic.messages import EPIC_TOPIC, LIVE_SLICE_QUEUE, RESULT_QUEUE, SLICE_QUEUE
from swf.epic.settings import KINDS, SHIPPED_WORKFLOWS
from swf.messaging.bus import Subscription
from swf.messaging.stomp.names import Names
from swf.service.executions import Status, start_execution

MESSAGES_ONLY: Final = ("stf.content=none", "payload.name=noop")
"""Settings of a run without files, whose payload does nothing: it is all messages and rows."""

FILES: Final = ("stf.tf_count=60", "stf.seed=7", "processing.workers=2")
"""Settings of a run with small SIMULATED files and the reference payload."""

LIMIT_S: Final = 240.0
"""How long a testbed may take to come to rest. No test waits for this to pass."""

_LOOK_S: Final = 0.1
_OVER: Final = ("completed", "stopped", "failed")
_SUBSCRIBED: Final = (
    *((role, EPIC_TOPIC) for role in ("data", "fastmon", "fast_processing")),
    ("worker", SLICE_QUEUE),
    ("worker", LIVE_SLICE_QUEUE),
    ("fast_processing", RESULT_QUEUE),
)


class Stage:
    """Starts agents, asks for runs, waits until everything has come to rest, and says what is not as it should be."""

    def __init__(self, servers: Servers, root: Path, namespace: str) -> None:
        self.servers = servers
        self.root = root / "data"
        self.namespace = namespace
        self.database = servers.new_database()
        self._output = root / "output"
        self.environment = servers.environment(self.database, namespace)
        self.agents = {
            role: AgentLife(role=role, root=self.root, folder=self._output / role, environment=self.environment)
            for role in ROLES
        }
        self._asked: list[TestbedProcess] = []

    def start(self, roles: Sequence[str] = ROLES, *, boundaries: Path | None = None) -> None:
        """Start agents, and wait until they are ready. In the folder `boundaries` each writes at its end which effect
        boundaries it reached."""
        for role in roles:
            self.agents[role].start(boundaries=boundaries / f"{role}.json" if boundaries else None)
        self.until_ready(roles)

    def ask(self, *, stfs: int, slices: int = 15, settings: Sequence[str] = MESSAGES_ONLY) -> TestbedProcess:
        """Ask for a run, as `testbed run` does; its process watches it."""
        given = [f"fast_processing.slices_per_sample={slices}", *settings]
        flags = [part for setting in given for part in ("--set", setting)]
        process = self.testbed(
            "run", "fast_processing", "--no-realtime", "--stf-count", str(stfs), *flags, "--json", name="run"
        )
        self._asked.append(process)
        return process

    def request(self, *, stfs: int, slices: int = 15, settings: Sequence[str] = MESSAGES_ONLY) -> None:
        """Ask for a run, whether or not agents are ready; nobody watches it."""
        given = (f"fast_processing.stf_count={stfs}", f"fast_processing.slices_per_sample={slices}", *settings)
        given = (*given, f"testbed.namespace={self.namespace}", "simulation.realtime=false")
        overrides = tuple(parse_override(text) for text in given)
        registry = WorkflowRegistry(kinds=KINDS, shipped=[SHIPPED_WORKFLOWS], sources=Sources(overrides=overrides))
        workflow = registry.find("fast_processing")
        with using(settings_of(self.servers.database, self.database)):
            start_execution(registry.load(workflow), workflow.path, "ann", SystemClock(), Status.REQUESTED)

    def under_way(self) -> int:
        """How many executions have not come to their end."""
        return self.count("store_workflowexecution", f"status NOT IN {_OVER}")

    def testbed(self, *arguments: str, name: str) -> TestbedProcess:
        """A command on the data directory; what it says goes to a folder of that name."""
        return TestbedProcess(
            [*arguments, "--data-dir", str(self.root)],
            self._output / name,
            environment=self.environment,
            patience_s=PATIENCE_S,
        )

    def until_ready(self, roles: Sequence[str] = ROLES) -> None:
        """Wait until agents are subscribed; those of a process that has gone do not count."""
        wanted = {_agent_type(role) for role in roles}
        self.until(lambda: wanted <= self._ready(), f"{', '.join(roles)} are ready")

    def ended(self, process: TestbedProcess) -> Ended:
        """Wait for the end of a run's process."""
        self._asked.remove(process)
        ended = process.wait()
        process.__exit__()
        return ended

    def executions(self) -> dict[str, str]:
        """The status of each execution."""
        return {row["execution_id"]: row["status"] for row in self.rows("SELECT * FROM store_workflowexecution")}

    def count(self, table: str, where: str = "true") -> int:
        """How many rows there are."""
        return int(self.rows(f"SELECT count(*) AS number FROM {table} WHERE {where}")[0]["number"])

    def rows(self, statement: str) -> list[Row]:
        """Ask the database; one that is away is waited for."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                with psycopg.connect(**self._parameters, autocommit=True, row_factory=dict_row) as connection:
                    return list(connection.execute(statement.encode()))
            except (psycopg.OperationalError, psycopg.InterfaceError):
                assert time.monotonic() < deadline, "the database does not answer"
                time.sleep(_LOOK_S)

    def until(self, holds: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
        """Ask again and again until it is so: who works in other processes tells nobody when it is done.

        Raises:
            AssertionError: it does not come to be; with what the agents said last.
        """
        deadline = time.monotonic() + limit_s
        while not holds():
            assert time.monotonic() < deadline, f"it did not come to be that {what}:\n{self._last_words()}"
            time.sleep(_LOOK_S)

    def settle(self, runs: int, limit_s: float = LIMIT_S) -> None:
        """Wait until so many executions have come to their end, and nothing is on its way any more."""
        self.until(lambda: self._at_rest(runs), f"{runs} runs have come to their end", limit_s)

    def leave(self) -> list[Finding]:
        """End all agents in good order. Returns what was wrong with how they ended."""
        findings = []
        for agent in self.agents.values():
            if agent.lives_now:
                agent.signal("TERM")
        for agent in self.agents.values():
            if agent.lives_now:
                findings += well_ended(agent.role, agent.wait())
        return findings

    def findings(self, runs: int) -> list[Finding]:
        """End the agents, and judge what is there: rows, files, and what the broker still holds."""
        # One that ends before it is at work leaves its row as the life before it has left it.
        self.until_ready([role for role, agent in self.agents.items() if agent.lives_now])
        ended = self.leave()
        records = read_service_records(self._parameters, self.root)
        return [*ended, *check(records, runs=runs), *self._left_on_the_broker()]

    def abandon(self) -> None:
        """End everything at once."""
        for agent in self.agents.values():
            agent.abandon()
        for process in self._asked:
            process.__exit__()

    def _at_rest(self, runs: int) -> bool:
        over = self.count("store_workflowexecution", f"status IN {_OVER}")
        return over >= runs and not self.count("store_outboxmessage") and not self._waiting()

    def _ready(self) -> set[str]:
        """Types of agents of which one is ready. The kernel is asked whether its process is there."""
        rows = self.rows("SELECT * FROM store_systemagent WHERE operational_state = 'READY' AND status = 'OK'")
        return {row["agent_type"] for row in rows if _is_there(row["pid"])}

    def _waiting(self) -> dict[str, int]:
        """How many messages wait in each queue of this namespace, and in its queue of dead letters."""
        names = Names()
        found = {}
        with self.servers.broker.client() as client:
            for role, destination in _SUBSCRIBED:
                wanted = Subscription(namespace=self.namespace, role=role, destination=destination, types=frozenset())
                queue = names.source(wanted).destination.removeprefix("/queue/")
                for name in (queue, f"DLQ.{queue}"):
                    found[name] = client.statistics(name).get("size", 0)
        return {name: number for name, number in found.items() if number}

    def _left_on_the_broker(self) -> list[Finding]:
        return [
            (unexpected if name.startswith("DLQ.") else lost)(f"{number} messages wait in {name} of the broker")
            for name, number in self._waiting().items()
        ]

    def _last_words(self) -> str:
        """What the logs of agents say last, for who looks into a failure."""
        logs = sorted((self.root / "logs").glob("*.log"))
        tails = [f"{log.name}: {line[:600]}" for log in logs for line in log.read_text().splitlines()[-4:]]
        return "\n".join([f"executions: {self.executions()}", f"agents ready: {sorted(self._ready())}", *tails])

    @property
    def _parameters(self) -> dict[str, Any]:
        return {**self.servers.database.parameters(self.database), "connect_timeout": 5}


def well_ended(what: str, ended: Ended) -> list[Finding]:
    """What is wrong with a process that was to end in good order: it left something, was not in time, or failed."""
    wrong = [unexpected(f"a process of {what} was left behind: {name}") for name in ended.left]
    if ended.overdue:
        wrong.append(unexpected(f"{what} did not end"))
    if ended.code != 0:
        wrong.append(unexpected(f"{what} ended with {ended.code}: {ended.stderr[-1500:]}"))
    return wrong


def _agent_type(role: str) -> str:
    return "daq_simulator" if role == "daq" else role


def _is_there(pid: int | None) -> bool:
    return pid is not None and Path(f"/proc/{pid}").exists()
