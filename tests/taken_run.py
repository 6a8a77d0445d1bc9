"""Rows of a run as it may lie in a store, made by hand: no agent runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F

from swf.core.work import WorkState
from swf.epic.models import FastMonFile, RunState, StfFile, TfSlice
from swf.epic.names import slice_name, stf_name, tf_sample_name
from swf.store.models import (
    Attempt,
    DeadLetter,
    Event,
    Run,
    SystemAgent,
    WorkflowDefinition,
    WorkflowExecution,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUN = 100010
EXECUTION = "fast_processing-me-0001"
_FIGURES = {field.name for field in RunState._meta.fields}


class TakenRun:
    """Adds rows to the store; each method returns what it added."""

    def __init__(self, number: int = RUN, *, execution: str = EXECUTION, namespace: str = "testbed") -> None:
        self.number = number
        self.execution = execution
        self.namespace = namespace
        self._ids = number * 1_000_000

    def started(self, *, status: str = "running", announced: bool = True, **fields: Any) -> WorkflowExecution:
        """The execution, its run and the run's state."""
        definition, _ = WorkflowDefinition.objects.get_or_create(
            workflow_name="fast_processing",
            version="1.0",
            digest="0" * 64,
            defaults={
                "workflow_type": "fast_processing",
                "definition": "",
                "created_by": "me",
                "created_at": NOW,
            },
        )
        execution = WorkflowExecution.objects.create(
            execution_id=self.execution,
            workflow_definition=definition,
            namespace=self.namespace,
            status=status,
            start_time=NOW + timedelta(seconds=self.number - RUN),
            executed_by="me",
            run_number=self.number,
            **fields,
        )
        if announced:
            Run.objects.create(
                run_number=self.number,
                namespace=self.namespace,
                execution_id=self.execution,
                start_time=NOW,
                simulated=True,
            )
            RunState.objects.create(run_id=self.number, phase="physics", state_changed_at=NOW, updated_at=NOW)
        return execution

    def ended(self, produced: int, *, closed: bool = False, by: str = "") -> None:
        """The end of the run is announced."""
        end = NOW + timedelta(seconds=20)
        Run.objects.filter(pk=self.number).update(
            end_time=end,
            total_stf_files=produced,
            closed_at=end + timedelta(seconds=2) if closed else None,
            ended_by=by,
        )
        RunState.objects.filter(pk=self.number).update(phase="completed")

    def stf(self, sequence: int, status: str = WorkState.COMPLETED, **fields: Any) -> StfFile:
        """A registered STF."""
        self._counts(stf_registered=1)
        return StfFile.objects.create(
            **{
                **self._item(stf_name(self.number, sequence), status),
                "run_id": self.number,
                "sequence": sequence,
                "tf_count": 100,
                "tf_first": 1,
                "size_bytes": 1000,
                "adler32": "0" * 8,
                "sha256": "0" * 64,
                "simulated": True,
                "sample_count": 1,
                **fields,
            }
        )

    def sample(self, stf: StfFile, status: str = WorkState.COMPLETED, **fields: Any) -> FastMonFile:
        """The one TF sample file of an STF."""
        return FastMonFile.objects.create(
            **{
                **self._item(tf_sample_name(stf.name, 1), status),
                "stf": stf,
                "sample_index": 1,
                "sample_count": 1,
                "tf_first": 0,
                "tf_last": 9,
                "tf_count": 10,
                "hits": 50,
                **fields,
            }
        )

    def slice(self, sample: FastMonFile, index: int, status: str = WorkState.COMPLETED, **fields: Any) -> TfSlice:
        """A slice of an STF."""
        done = status == WorkState.COMPLETED
        self._counts(slices_created=1, **{f"slices_{status}": 1})
        return TfSlice.objects.create(
            **{
                **self._item(slice_name(sample.stf.name, index), status),
                "stf": sample.stf,
                "fastmon_file": sample,
                "slice_id": index,
                "tf_first": 5 * index,
                "tf_last": 5 * index + 4,
                "tf_count": 5,
                "hits_found": 25 if done else None,
                **fields,
            }
        )

    def processed_stf(self, sequence: int) -> StfFile:
        """An STF with a sample and two slices, all done."""
        stf = self.stf(sequence, slice_count=2)
        sample = self.sample(stf)
        for index in range(2):
            self.slice(sample, index)
        return stf

    def event(self, kind: str, subject: str = "", *, message: bool = True, after_s: float = 0.0, **body: Any) -> Event:
        """A row of the event log."""
        self._ids += 1
        event = Event.objects.create(
            kind=Event.Kind.MESSAGE if message else Event.Kind.TRANSITION,
            type=kind,
            namespace=self.namespace,
            run_number=self.number,
            execution_id=self.execution,
            subject=subject,
            sender="data-agent-me-1",
            destination="/topic/epictopic" if message else "",
            message_id=UUID(int=self._ids) if message else None,
            created_at=NOW + timedelta(seconds=after_s),
            body=json.dumps(body),
        )
        Event.objects.filter(pk=event.pk, seq=None).update(seq=event.pk)  # where the database does not number rows
        return event

    def letter(self, state: str = "parked", *, body: str = "{}", **fields: Any) -> DeadLetter:
        """A message that could not be handled."""
        self._ids += 1
        return DeadLetter.objects.create(
            **{
                "namespace": self.namespace,
                "role": "data",
                "destination": "/topic/epictopic",
                "message_id": UUID(int=self._ids),
                "msg_type": "stf_gen",
                "run_number": self.number,
                "body": body,
                "error": "DataError",
                "reason": "it was registered with another content",
                "state": state,
                "created_at": NOW,
                **fields,
            }
        )

    def attempt(self, item: str, number: int, outcome: str = "crashed", **fields: Any) -> Attempt:
        """An attempt that has ended."""
        return Attempt.objects.create(
            **{
                "item": item,
                "attempt": number,
                "run_number": self.number,
                "holder": "worker-agent-me-5",
                "finished_at": NOW,
                "outcome": outcome,
                **fields,
            }
        )

    def agent(self, role: str, number: int = 1, status: str = "OK") -> SystemAgent:
        """An agent that gave a heartbeat 4 s ago."""
        return SystemAgent.objects.create(
            instance_name=f"{role}-agent-me-{number}",
            agent_type=role,
            namespace=self.namespace,
            status=status,
            last_heartbeat=NOW - timedelta(seconds=4),
            starts=1,
            pid=4321,
            hostname="here",
        )

    def _counts(self, **more: int) -> None:
        """The run's figures, as the agents keep them."""
        kept = {name: F(name) + number for name, number in more.items() if name in _FIGURES}
        RunState.objects.filter(pk=self.number).update(**kept)

    def _item(self, name: str, status: str) -> dict[str, Any]:
        self._ids += 1
        return {
            "name": name,
            "namespace": self.namespace,
            "run_number": self.number,
            "status": status,
            "attempt": 0 if status == WorkState.QUEUED else 1,
            "req_id": UUID(int=self._ids),
            "lease_holder": "" if status == WorkState.QUEUED else "worker-agent-me-5",
            "created_at": NOW - timedelta(seconds=30),
            "updated_at": NOW - timedelta(seconds=10),
        }
