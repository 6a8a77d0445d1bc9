"""Runs of older DAQs, whose executions nobody registered here: they are taken in, to be processed as it is configured.

Only what comes without schema is: a run of a DAQ of this system whose execution is not known here is an error.
"""

from __future__ import annotations

from typing import Final

from swf.config import Configuration, WorkflowSection
from swf.core.errors import DataError
from swf.core.messages import Message
from swf.core.times import Clock, Interval
from swf.epic.messages import EpicBody
from swf.epic.models import RunState, StfFile
from swf.epic.phases import RUN_TABLE, RunPhase, RunTrigger
from swf.messaging.legacy import LEGACY_SCHEMA
from swf.messaging.turn import Turn, TurnFactory
from swf.service.executions import adopt_execution, set_status
from swf.store.models import Event, Run, WorkflowExecution

_ADOPTED: Final = "execution_adopted"
_LOOK_S: Final = 1.0


class Adoption:
    """Makes the execution of a run that an older DAQ announces, with the parameters of this configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def look(self, turn: Turn, message: Message[EpicBody]) -> None:
        """See to it that the run of an older DAQ, whose row is there, has an execution.

        Raises:
            DataError: the run is another execution's.
        """
        if message.envelope.schema != LEGACY_SCHEMA:
            return
        run, said = Run.objects.get(pk=message.body.run_id), message.body.execution_id or ""
        if run.execution_id and said not in {"", run.execution_id}:
            raise DataError(
                f"{message.envelope.sender} announces run {run.run_number} of {said}, but that run is of "
                f"{run.execution_id}: two DAQs count their runs alike; give one of them another namespace and store"
            )
        name = run.execution_id or said or self._name(run.run_number)
        if run.execution_id != name:
            Run.objects.filter(pk=run.pk).update(execution_id=name)
        if WorkflowExecution.objects.filter(pk=name).exists():
            return
        if adopt_execution(name, self._configuration, message.envelope.sender, turn.now, run.run_number):
            turn.note(_ADOPTED, name, run.run_number, sender=message.envelope.sender)

    def ended(self, turn: Turn, message: Message[EpicBody]) -> None:
        """A run is over: if an older DAQ says so, what it did of the execution is over as well."""
        if message.envelope.schema == LEGACY_SCHEMA:
            running = WorkflowExecution.objects.filter(
                run_number=message.body.run_id,
                executed_by=message.envelope.sender,
                status=WorkflowExecution.Status.RUNNING,
            )
            running.update(status=WorkflowExecution.Status.COMPLETED, end_time=turn.now)

    def _name(self, run_number: int) -> str:
        """What an execution is called whose DAQ does not say it."""
        return f"{self._configuration.section(WorkflowSection).name}-older-{run_number}"


class AbandonedRuns:
    """A reconciler: a run of an older DAQ that went away without a word ends when somebody stops it. The STFs that were
    announced are all that it has; the run is closed by its ledger, like any other."""

    def __init__(self, namespace: str, clock: Clock) -> None:
        self._namespace = namespace
        self._clock = clock
        self._look = Interval(clock, _LOOK_S)

    def step(self, begin: TurnFactory) -> bool:
        if not self._look.is_over():
            return False
        stopped = WorkflowExecution.objects.filter(
            namespace=self._namespace, status=WorkflowExecution.Status.RUNNING, run_number__isnull=False
        ).exclude(stop_requested_by="")
        adopted = [execution for execution in stopped if self._is_adopted(execution)]
        for execution in adopted:
            assert execution.run_number is not None
            with begin() as turn:
                self._end(turn, execution, execution.run_number)
        return bool(adopted)

    @staticmethod
    def _is_adopted(execution: WorkflowExecution) -> bool:
        of_run = Event.objects.filter(run_number=execution.run_number, type=_ADOPTED)
        return of_run.filter(subject=execution.execution_id).exists()

    def _end(self, turn: Turn, execution: WorkflowExecution, run_number: int) -> None:
        run = Run.objects.select_for_update().get(pk=run_number)
        if run.end_time is None:
            run.end_time, run.ended_by = turn.now, execution.stop_requested_by
            run.total_stf_files = StfFile.objects.filter(run_id=run.pk).count()
            run.save(update_fields=["end_time", "ended_by", "total_stf_files"])
            state = RunState.objects.select_for_update().get(pk=run.pk)
            state.phase = RUN_TABLE.target(RunPhase(state.phase), RunTrigger.END)
            state.state_changed_at = state.updated_at = turn.now
            state.save(update_fields=["phase", "state_changed_at", "updated_at"])
            turn.note(RunTrigger.END, f"run {run.pk}", run.pk, by=execution.stop_requested_by, stfs=run.total_stf_files)
        set_status(execution, WorkflowExecution.Status.STOPPED, self._clock, execution.stop_reason)
