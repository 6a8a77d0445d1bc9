"""The fast-processing agent where slices go to PanDA workers: asks for workers, hands slices out, takes their results.

Those workers do not claim. A slice stays queued while it is with them, under a lease from the moment that it was handed
out; a result counts for the request that it answers. When the run is closed, nothing can come back to the queue any
more, and the workers are let go.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from swf.core.errors import ServiceError
from swf.core.messages import Message
from swf.core.times import Clock, Interval
from swf.core.work import WithoutResult
from swf.epic.agents.fast_processing import ROLE, Slicer
from swf.epic.agents.leases import LeaseKeeper
from swf.epic.agents.redriver import Redriver
from swf.epic.agents.slice_results import SliceResults
from swf.epic.messages import EPIC_TOPIC, EndRun, RunImminent, TfFileRegistered
from swf.epic.models import PandaRun, StfFile, TfSlice
from swf.epic.panda_workers.matching import Matches, slice_result
from swf.epic.panda_workers.messages import (
    RESULTS_QUEUE,
    SLICES_TOPIC,
    TRANSFORMER_TOPIC,
    WORKERS_TOPIC,
    PandaResult,
    StopTransformer,
)
from swf.epic.panda_workers.outgoing import END_RUN, STOP_TRANSFORMER, WORKERS_WANTED, slice_form, workers_wanted
from swf.epic.run_settings import RunBook, execution_ids
from swf.epic.settings_panda import PandaWorkersSection
from swf.epic.settings_processing import FastProcessingSection
from swf.epic.slice_queue import slice_request
from swf.messaging.agent import Agent
from swf.messaging.turn import Turn, TurnFactory
from swf.store import bulk
from swf.store.models import Attempt
from swf.store.work import hand_out, unanswered

HOLDER: Final = "panda"
"""Who has a slice that was handed out; which worker it was, its result says."""

_INTERVAL_S: Final = 1.0


def panda_processing_agent(
    *,
    book: RunBook,
    clock: Clock,
    namespace: str,
    panda: PandaWorkersSection,
    plan: FastProcessingSection,
) -> Agent:
    """The agent; `plan` is what workers are asked for where a run's notice does not say it.

    Raises:
        ConfigError: a setting of `panda` cannot be meant so.
    """
    outlet = SliceOutlet(panda)
    return Agent(
        role=ROLE,
        subscriptions=(EPIC_TOPIC, RESULTS_QUEUE),
        handlers={
            RunImminent: WorkerRequests(book, plan).run_imminent,
            TfFileRegistered: Slicer(book, outlet.send).tf_file_registered,
            PandaResult: PandaResults(SliceResults(outlet.send)).slice_result,
        },
        reconcilers=(
            LeaseKeeper(namespace, clock, outlet.send),
            LeaseKeeper(namespace, clock, outlet.send, find=unanswered),
            Redriver(namespace, clock, outlet.send),
            WorkersReleaser(namespace, clock),
        ),
    )


class SliceOutlet:
    """Hands slices out, to whichever worker of their run takes them."""

    def __init__(self, section: PandaWorkersSection) -> None:
        self._form = slice_form(section)
        self._lease = timedelta(seconds=section.lease_s)

    def send(self, turn: Turn, item: TfSlice, stf: StfFile, execution_id: str | None) -> None:
        """Send the request that stands for a queued slice, and begin its lease."""
        hand_out(item, HOLDER, turn.now + self._lease)
        turn.send(SLICES_TOPIC, slice_request(item, stf, execution_id), self._form)


class WorkerRequests:
    """Asks for workers when a run is announced, once."""

    def __init__(self, book: RunBook, plan: FastProcessingSection) -> None:
        self._book = book
        self._plan = plan

    def run_imminent(self, turn: Turn, messages: Sequence[Message[RunImminent]]) -> None:
        """Runs are announced.

        Raises:
            ServiceError: a run is not registered yet, which the data agent does; the message is tried again.
        """
        registered = execution_ids({message.body.run_id for message in messages})
        for message in messages:
            body = message.body
            if body.run_id not in registered:
                raise ServiceError(f"run {body.run_id} is announced but is not registered (yet)")
            asked = {"run_id": body.run_id, "requested_at": turn.now}
            if self._book.settings(body.run_id).samples and bulk.insert(PandaRun, [asked], or_ignore=True):
                turn.send(WORKERS_TOPIC, workers_wanted(body, self._plan), WORKERS_WANTED)


class PandaResults:
    """Handles results of PanDA workers. What answers no request that stands changes nothing and is kept as late."""

    def __init__(self, results: SliceResults) -> None:
        self._results = results

    def slice_result(self, turn: Turn, messages: Sequence[Message[PandaResult]]) -> None:
        """Workers say what came of slices."""
        bodies = [message.body for message in messages]
        matches = Matches(bodies)
        executions = execution_ids({body.run_id for body in bodies})
        answers, unknown = [], []
        for body in bodies:
            request = matches.request(body)
            if request is None:
                unknown.append(_unknown_row(turn, body))
            else:
                answer = slice_result(body, request)
                answers.append(answer.model_copy(update={"execution_id": executions.get(body.run_id) or None}))
        self._results.settle(turn, answers)
        bulk.insert(Attempt, unknown)


class WorkersReleaser:
    """A reconciler: of each run that is closed, says that it needs no workers any more, once."""

    def __init__(self, namespace: str, clock: Clock) -> None:
        self._namespace = namespace
        self._interval = Interval(clock, _INTERVAL_S)

    def step(self, begin: TurnFactory) -> bool:
        if not self._interval.is_over():
            return False
        closed = PandaRun.objects.filter(released_at=None, run__namespace=self._namespace, run__closed_at__isnull=False)
        runs = list(closed.select_related("run", "run__run_state").order_by("run_id"))
        for each in runs:
            with begin() as turn:
                # Another process may have said it meanwhile.
                if PandaRun.objects.filter(pk=each.pk, released_at=None).update(released_at=turn.now):
                    _release(turn, each)
        return bool(runs)


def _release(turn: Turn, told: PandaRun) -> None:
    run = told.run
    execution_id = run.execution_id or None
    end = EndRun(
        run_id=run.run_number,
        execution_id=execution_id,
        state=run.run_state.state,
        substate=run.run_state.substate,
        total_stf_files=run.total_stf_files or 0,
        ended_by=run.ended_by,
    )
    turn.send(WORKERS_TOPIC, end, END_RUN)
    # Their manager says so as well, with the run's number as a text, which workers that were given a number ignore.
    turn.send(TRANSFORMER_TOPIC, StopTransformer(run_id=run.run_number, execution_id=execution_id), STOP_TRANSFORMER)


def _unknown_row(turn: Turn, body: PandaResult) -> dict[str, Any]:
    """A result that nobody waits for, under the name that it says."""
    said = f"{body.outcome}: {body.detail}" if body.detail else body.outcome
    return {
        "item": body.tf_filename or body.filename or "",
        "attempt": body.attempt or 0,
        "run_number": body.run_id,
        "holder": body.worker,
        "started_at": body.started_at,
        "finished_at": body.finished_at or turn.now,
        "outcome": WithoutResult.LATE,
        "detail": f"answers no request that stands; {said}"[:4000],
        "seconds": body.seconds,
    }
