"""What the DAQ tells the rest of the system: its notices as messages."""

from __future__ import annotations

from typing import Any

from swf.core.names import dataset_name
from swf.epic.daq import steps as daq
from swf.epic.messages import DaqBody, EndRun, PauseRun, ResumeRun, RunImminent, StartRun, StfFacts, StfGen
from swf.epic.names import stf_name
from swf.epic.stf_writer import StfWriter
from swf.storage.checksums import FileFacts
from swf.store.models import WorkflowExecution

_EMPTY = FileFacts(size_bytes=0, adler32="0" * 8, sha256="0" * 64)


class Notices:
    """Makes the messages of one run."""

    def __init__(self, execution_id: str, run_number: int, workflow_params: dict[str, Any], writer: StfWriter) -> None:
        self._execution_id = execution_id
        self._run_number = run_number
        self._workflow_params = workflow_params
        self._writer = writer

    def body(self, step: daq.Step, notice: daq.Notice, written: FileFacts | None) -> DaqBody | StfFacts:
        """The message for a notice; `written` is the STF that it announces, where that has content."""
        common: dict[str, Any] = {
            "run_id": self._run_number,
            "execution_id": self._execution_id,
            "state": step.state.state,
            "substate": step.state.substate,
            "simulation_tick": step.at,
        }
        match notice:
            case daq.RunImminent():
                return RunImminent(
                    **common,
                    dataset=dataset_name(self._run_number),
                    workflow_params=self._workflow_params,
                    simulated=self._writer.simulated,
                )
            case daq.StartRun():
                return StartRun(**common)
            case daq.PauseRun(reason=reason):
                return PauseRun(**common, reason=reason[:4000])
            case daq.ResumeRun():
                return ResumeRun(**common)
            case daq.EndRun(total_stfs=total):
                return EndRun(**common, total_stf_files=total, ended_by=self._stopped_by())
            case daq.StfGen(sequence=sequence):
                return self._stf_gen(common, sequence, written or _EMPTY)

    def _stf_gen(self, common: dict[str, Any], sequence: int, written: FileFacts) -> StfGen:
        return StfGen(
            **common,
            filename=stf_name(self._run_number, sequence),
            sequence=sequence,
            tf_count=self._writer.tf_count,
            tf_first=self._writer.tf_first(sequence),
            size_bytes=written.size_bytes,
            checksum=written.adler32,
            sha256=written.sha256,
            has_content=self._writer.has_content,
            simulated=self._writer.simulated,
        )

    def _stopped_by(self) -> str:
        execution = WorkflowExecution.objects.get(pk=self._execution_id)
        return execution.stop_requested_by
