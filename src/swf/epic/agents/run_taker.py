"""Taking runs where agents are processes: executions that are asked for are taken by the DAQ's agent, one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from swf.core.errors import SwfError
from swf.core.times import Clock, Interval
from swf.epic.messages import RunImminent
from swf.epic.taking import Taking
from swf.messaging.turn import TurnFactory
from swf.service.executions import Status, set_status
from swf.service.identity import is_alive
from swf.service.logs import Log
from swf.store.models import Event, Run, SystemAgent, WorkflowExecution

_LOOK_S: Final = 0.25

Take = Callable[[WorkflowExecution], Taking]
"""Makes the DAQ of an execution, where it was left if it has begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    execution_id: str
    taking: Taking


class RunTaker:
    """A reconciler: of the executions of a namespace that are asked for, the oldest is taken; one whose DAQ has played
    its script is followed until its run is closed, and has its end recorded.

    There is one DAQ, so that the next execution waits until the script of the one before has been played. What an agent
    was playing that is gone goes on here, behind the last step that was done.

    Args:
        name: of the agent.
        take: makes the DAQ of an execution.
        sweep: removes what was left half-written of a run that is closed.
    """

    def __init__(
        self, name: str, namespace: str, clock: Clock, log: Log, *, take: Take, sweep: Callable[[int], None]
    ) -> None:
        self._name = name
        self._namespace = namespace
        self._clock = clock
        self._log = log
        self._take = take
        self._sweep = sweep
        self._look = Interval(clock, _LOOK_S)
        self._current: _Taken | None = None
        self._played: dict[str, int] = {}
        """Executions whose script is played and whose run is not closed yet, with the run."""

    def seconds_to_next(self) -> float | None:
        """Seconds until the next step of the script is due; None where none is."""
        return self._current.taking.simulator.seconds_to_next() if self._current else None

    def step(self, begin: TurnFactory) -> bool:
        worked = False
        if self._look.is_over():
            worked |= self._look_at_current(begin)
            worked |= self._conclude()
            if self._current is None:
                worked |= self._take_next(begin)
        if self._current is not None:
            worked |= self._current.taking.simulator.step(begin)
        return worked

    def _look_at_current(self, begin: TurnFactory) -> bool:
        """Whether the script that is being played has come to its end, or is to be held."""
        if self._current is None:
            return False
        execution = WorkflowExecution.objects.get(pk=self._current.execution_id)
        taking = self._current.taking
        if taking.simulator.finished:
            self._played[execution.execution_id] = taking.run_number
        elif execution.pause_requested_by:
            reason = f"paused by {execution.pause_requested_by}"
            taking.simulator.pause(begin, reason)
            set_status(execution, Status.PAUSED, self._clock, reason)
            self._log.info("execution_paused", execution_id=execution.execution_id, run_number=taking.run_number)
        else:
            return False
        self._current = None
        return True

    def _conclude(self) -> bool:
        """Record the end of executions whose run is closed. One that was stopped before it was announced has nothing to
        close."""
        concluded = []
        for execution_id, run_number in self._played.items():
            announced = Event.objects.filter(run_number=run_number, type=RunImminent.msg_type).exists()
            run = Run.objects.filter(pk=run_number).first()
            if announced and (run is None or run.closed_at is None):
                continue
            self._sweep(run_number)
            stopped = run is None or bool(run.ended_by)
            execution = WorkflowExecution.objects.get(pk=execution_id)
            set_status(execution, Status.STOPPED if stopped else Status.COMPLETED, self._clock)
            self._log.info("execution_ended", execution_id=execution_id, run_number=run_number, status=execution.status)
            concluded.append(execution_id)
        for execution_id in concluded:
            del self._played[execution_id]
        return bool(concluded)

    def _take_next(self, begin: TurnFactory) -> bool:
        execution = self._next()
        if execution is None or not self._claim(execution):
            return False
        try:
            taking = self._take(execution)
        except SwfError as error:
            set_status(execution, Status.FAILED, self._clock, str(error))
            self._log.error("execution_failed", execution_id=execution.execution_id, reason=str(error))
            return True
        self._current = _Taken(execution_id=execution.execution_id, taking=taking)
        self._log.info("execution_taken", execution_id=execution.execution_id, run_number=taking.run_number)
        # A script that was held goes on: whoever wants it held has said so in the row, or the exit buffer says it anew.
        if taking.simulator.pacer.held and not execution.pause_requested_by:
            taking.simulator.resume(begin)
        return True

    def _next(self) -> WorkflowExecution | None:
        """What was left by this agent or by one that is gone; otherwise what is asked for, the oldest first."""
        of_namespace = WorkflowExecution.objects.filter(namespace=self._namespace).order_by("start_time")
        for execution in of_namespace.filter(status=Status.RUNNING).exclude(pk__in=list(self._played)):
            if execution.taken_by == self._name or self._is_gone(execution.taken_by):
                return execution
        held_and_to_be_ended = Q(status=Status.PAUSED) & ~Q(stop_requested_by="")
        return of_namespace.filter(Q(status=Status.REQUESTED) | held_and_to_be_ended).first()

    def _is_gone(self, name: str) -> bool:
        agent = SystemAgent.objects.filter(pk=name).first()
        return agent is not None and not is_alive(agent, self._clock.now())

    def _claim(self, execution: WorkflowExecution) -> bool:
        """Become the one who plays it; False where another agent was first."""
        before = {"status": execution.status, "taken_by": execution.taken_by}
        now = {"status": Status.RUNNING, "status_reason": "", "taken_by": self._name}
        if execution.stop_requested_by:
            now["pause_requested_by"] = ""
        if not WorkflowExecution.objects.filter(pk=execution.pk, **before).update(**now):
            return False
        execution.refresh_from_db()
        return True
