"""Runs of older DAQs, whose executions nobody registered here: they are taken in, to be processed as it is configured.

Only what comes without schema is: a run of a DAQ of this system whose execution is not known here is an error.
"""

from __future__ import annotations

from swf.config import Configuration, WorkflowSection
from swf.core.errors import DataError
from swf.core.messages import Message
from swf.epic.messages import EpicBody
from swf.messaging.legacy import LEGACY_SCHEMA
from swf.messaging.turn import Turn
from swf.service.executions import adopt_execution
from swf.store.models import Run, WorkflowExecution


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
            turn.note("execution_adopted", name, run.run_number, sender=message.envelope.sender)

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
