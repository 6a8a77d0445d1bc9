"""The data agent: registers runs and STFs, verifies every STF, keeps the run's dataset, closes runs by their ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from swf.core.errors import DataError
from swf.core.messages import Message
from swf.core.times import Clock
from swf.core.work import WorkState
from swf.epic.agents.adoption import AbandonedRuns, Adoption
from swf.epic.agents.run_registry import RunRegistry, ensure_run
from swf.epic.agents.verification import verifier
from swf.epic.closing import RunCloser
from swf.epic.datasets import DatasetKeeper
from swf.epic.messages import EPIC_TOPIC, StfGen
from swf.epic.models import StfFile
from swf.epic.ready import stf_ready
from swf.epic.run_counts import RunCounts
from swf.epic.run_files import RunFiles
from swf.epic.run_settings import RunBook
from swf.messaging.agent import Agent
from swf.messaging.turn import Turn
from swf.service.io_pool import IoPool
from swf.store import bulk
from swf.store.models import Run
from swf.store.work import new_item

ROLE = "data"


def data_agent(
    *,
    files: RunFiles,
    io: IoPool,
    clock: Clock,
    book: RunBook,
    closer: RunCloser,
    datasets: DatasetKeeper,
    lease_s: float,
    adoption: Adoption | None = None,
    abandoned: AbandonedRuns | None = None,
) -> Agent:
    """The agent; `files` says where STFs lie, `adoption` and `abandoned` are given where runs of older DAQs are taken
    in."""
    verification = verifier(files=files, io=io, clock=clock, lease_s=lease_s)
    registration = Registration(book, verification.look, adoption)
    return Agent(
        role=ROLE,
        subscriptions=(EPIC_TOPIC,),
        handlers={**RunRegistry(book, adoption).handlers(), StfGen: registration.stf_gen},
        reconcilers=(verification, datasets, closer, *([abandoned] if abandoned else [])),
    )


class Registration:
    """Registers announced STFs; calls `on_new` when some are to be verified."""

    def __init__(self, book: RunBook, on_new: Callable[[], None], adoption: Adoption | None = None) -> None:
        self._book = book
        self._on_new = on_new
        self._adoption = adoption
        self._registered: set[tuple[int, str | None]] = set()
        """Runs whose rows are committed, with the execution that was said to take them."""

    def stf_gen(self, turn: Turn, messages: Sequence[Message[StfGen]]) -> None:
        """STFs are announced: one row each, to be verified. One that is there already is compared.

        Raises:
            UnknownNameError: its run belongs to no execution that is known here.
            DataError: an STF of that name is registered with another content, or its run ended with fewer STFs.
        """
        for key, first in {(m.body.run_id, m.body.execution_id): m for m in reversed(messages)}.items():
            if key not in self._registered:
                ensure_run(turn, self._book, first, self._adoption)
                turn.on_commit(partial(self._registered.add, key))
        ended = _ended_with({message.body.run_id for message in messages})
        known = {stf.name: stf for stf in StfFile.objects.filter(name__in=[m.body.filename for m in messages])}
        counts = RunCounts()
        rows = []
        for message in messages:
            body = message.body
            before = known.get(body.filename)
            if before is not None:
                _compare(before, body)
                continue
            if body.sequence > ended.get(body.run_id, body.sequence):
                raise DataError(
                    f"{body.filename} is announced, but run {body.run_id} ended with {ended[body.run_id]} STFs"
                )
            rows.append(self._row(turn, body))
            known[body.filename] = StfFile(name=body.filename, sha256=body.sha256, size_bytes=body.size_bytes)
            counts.add(body.run_id, stf_registered=1)
            if not body.has_content:
                turn.send(EPIC_TOPIC, stf_ready(body))
        bulk.insert(StfFile, rows)
        counts.save(turn.now)
        if any(row["has_content"] for row in rows):
            turn.on_commit(self._on_new)

    def _row(self, turn: Turn, body: StfGen) -> dict[str, object]:
        settings = self._book.settings(body.run_id)
        undecided = None if settings.samples else 0
        return {
            **new_item(
                turn.ids,
                turn.now,
                name=body.filename,
                namespace=turn.identity.namespace,
                run_number=body.run_id,
                max_retries=settings.max_retries,
                # An STF without content has nothing to verify.
                status=WorkState.QUEUED if body.has_content else WorkState.COMPLETED,
            ),
            "run_id": body.run_id,
            "sequence": body.sequence,
            "tf_count": body.tf_count,
            "tf_first": body.tf_first,
            "size_bytes": body.size_bytes,
            "adler32": body.checksum,
            "sha256": body.sha256,
            "has_content": body.has_content,
            "simulated": body.simulated,
            "daq_state": body.state,
            "daq_substate": body.substate,
            "sample_count": undecided,
            "slice_count": undecided,
        }


def _ended_with(runs: set[int]) -> dict[int, int]:
    """How many STFs those of these runs have that have ended."""
    ended = Run.objects.filter(pk__in=runs).values_list("run_number", "total_stf_files")
    return {run_number: total for run_number, total in ended if total is not None}


def _compare(before: StfFile, body: StfGen) -> None:
    if (before.sha256, before.size_bytes) != (body.sha256, body.size_bytes):
        raise DataError(
            f"{body.filename} was registered with {before.size_bytes} bytes and sha256 {before.sha256[:12]}, and is "
            f"now announced with {body.size_bytes} bytes and {body.sha256[:12]}: an announced STF is never changed"
        )
