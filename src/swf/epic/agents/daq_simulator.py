"""The DAQ simulator: plays the script of a run, writes STFs into the exit buffer, and broadcasts the DAQ's notices."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db.models import Max

from swf.core.errors import StorageError
from swf.core.times import Clock
from swf.epic.agents.backlog import Backlog
from swf.epic.buffer_keeper import BufferKeeper
from swf.epic.daq import steps as daq
from swf.epic.daq.pacer import Pacer
from swf.epic.daq.parameters import DaqParameters
from swf.epic.daq.schedule import Stop
from swf.epic.daq_notices import Notices
from swf.epic.messages import EPIC_TOPIC
from swf.epic.models import DaqStateEvent, StfFile
from swf.epic.stf_writer import StfWriter
from swf.messaging.agent import Agent
from swf.messaging.turn import Turn, TurnFactory
from swf.service.io_pool import IoPool
from swf.storage.checksums import FileFacts
from swf.store.counters import reserve
from swf.store.models import WorkflowExecution

ROLE = "daq_simulator"

BURST = 32
"""Steps without a file to write that are announced in one transaction at most."""

_LOOK_FOR_STOP_S = 0.25
_RETRY_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """The run to take."""

    execution_id: str
    run_number: int
    parameters: DaqParameters
    workflow_params: dict[str, Any]


def daq_agent(simulator: DaqSimulator) -> Agent:
    """The agent: it only speaks."""
    return Agent(role=ROLE, reconcilers=(simulator,))


class DaqSimulator:
    """A reconciler: brings the record of the run's script up to where the clock says it should be.

    Where it is in the script is kept with the execution, in the transaction of each step, so that a new process goes
    on behind the last step that was done. An STF is written before it is announced: one that was written and not
    announced is written again, byte by byte the same.
    """

    def __init__(
        self, plan: RunPlan, *, writer: StfWriter, buffer: BufferKeeper, backlog: Backlog, io: IoPool, clock: Clock
    ) -> None:
        self._plan = plan
        self._notices = Notices(plan.execution_id, plan.run_number, plan.workflow_params, writer)
        self._writer = writer
        self._buffer = buffer
        self._backlog = backlog
        self._io = io
        self._clock = clock
        self._known: Pacer | None = self._load()
        self._writing: int | None = None
        self._written: tuple[int, FileFacts] | None = None
        """The STF that is to be announced next, by its number: it is kept until it is committed that it was."""
        self._waits = False
        """Whether the next step is due, and what was announced before has to get through first."""
        self._trouble = ""
        self._retry_at = 0.0
        self._look_for_stop_at = 0.0

    @property
    def finished(self) -> bool:
        """Whether the script has come to its end."""
        return self.pacer.finished

    @property
    def pacer(self) -> Pacer:
        """The script, for those who show it, as the record says. After a step that failed the record is read anew."""
        if self._known is None:
            self._known = self._load()
        return self._known

    def seconds_to_next(self) -> float | None:
        """Seconds until the next step is due; None where none is, or where something else has to happen before it."""
        due = self._known.next_due() if self._known is not None else None
        if due is None or self._writing is not None or self._waits:
            return None
        return max(0.0, due - self._clock.monotonic())

    def step(self, begin: TurnFactory) -> bool:
        with self._as_recorded():
            return self._step(begin)

    def pause(self, begin: TurnFactory, reason: str) -> None:
        """Hold the DAQ, e.g. because the operator interrupts; a later process, or `resume`, goes on from here."""
        with self._as_recorded(), begin() as turn:
            self._hold(turn, reason)

    def resume(self, begin: TurnFactory) -> None:
        """Let a held DAQ go on. An exit buffer that is full still raises its alarm again."""
        with self._as_recorded(), begin() as turn:
            self._go_on(turn)
            self._save()
        self._trouble = ""

    @contextmanager
    def _as_recorded(self) -> Iterator[None]:
        """What failed did not commit, or we cannot know. The record says where we are: it is read when it is needed
        next, as the database may be away now."""
        try:
            yield
        except BaseException:
            self._known = None
            raise

    def _step(self, begin: TurnFactory) -> bool:
        self._waits = False
        worked = self._take_written(begin)
        worked |= self._announce_written(begin)
        # Between two STFs, before the next one is begun.
        worked |= self._look_for_stop(begin)
        if self._writing is not None:
            return worked
        if self.pacer.held:
            return self._try_again() or worked
        due = self.pacer.next_due()
        if due is None or self._clock.monotonic() < due:
            return worked
        return self._advance(begin) or worked

    def _advance(self, begin: TurnFactory) -> bool:
        """Make the steps that are due: at most one with a file, and up to a burst of others in one transaction."""
        announced = 0
        with begin() as turn:
            while announced < BURST and (step := self._due_step()) is not None:
                if isinstance(step.notice, daq.StfGen):
                    if not self._may_go_on(turn, step.notice):
                        break
                    if self._writer.has_content:
                        self._start_writing(step.notice.sequence)
                        break
                self._announce(turn, self.pacer.advance())
                announced += 1
            if announced:
                self._save()
        return announced > 0 or self._writing is not None

    def _due_step(self) -> daq.Step | None:
        due = self.pacer.next_due()
        return self.pacer.peek() if due is not None and self._clock.monotonic() >= due else None

    def _may_go_on(self, turn: Turn, notice: daq.StfGen) -> bool:
        if not self._plan.parameters.realtime and not self._backlog.allows(notice.sequence):
            self._waits = True
            return False
        if not self._writer.has_content:
            return True
        refusal = self._refusal()
        if refusal:
            self._in_trouble(turn, refusal)
        return not refusal

    def _refusal(self) -> str:
        """Why the next STF cannot be put into the exit buffer; empty where it can."""
        step = self.pacer.peek()
        if step is None or not isinstance(step.notice, daq.StfGen):
            return ""
        registered = StfFile.objects.filter(run_id=self._plan.run_number).count()
        unregistered = max(0, step.notice.sequence - 1 - registered)
        size = self._writer.expected_bytes
        try:
            return self._buffer.refusal(size, unregistered * size)
        except StorageError as error:
            return str(error)

    def _start_writing(self, sequence: int) -> None:
        self._writing = sequence
        self._io.submit(ROLE, sequence, self._writer.write, sequence)

    def _take_written(self, begin: TurnFactory) -> bool:
        taken: list[tuple[int, Future[FileFacts]]] = self._io.take(ROLE)
        for sequence, future in taken:
            self._writing = None
            error = future.exception()
            if isinstance(error, StorageError):
                with begin() as turn:
                    self._in_trouble(turn, str(error))
            elif error is not None:
                raise error
            else:
                self._written = sequence, future.result()
        return bool(taken)

    def _announce_written(self, begin: TurnFactory) -> bool:
        """Announce the STF that was written; a DAQ that was held because none could be goes on with it."""
        if self._written is None or (self.pacer.held and not self._trouble):
            return False
        sequence, facts = self._written
        step = self.pacer.peek()
        if step is not None and step.notice == daq.StfGen(sequence=sequence):
            with begin() as turn:
                if self._trouble:
                    self._go_on(turn)
                self._announce(turn, self.pacer.advance(), facts)
                self._save()
            self._trouble = ""
        self._written = None
        return True

    def _in_trouble(self, turn: Turn, why: str) -> None:
        """The exit buffer takes no STF: an alarm, and the run pauses rather than losing one."""
        self._trouble = why
        self._retry_at = self._clock.monotonic() + _RETRY_S
        self._buffer.raise_alarm(self._plan.run_number, why, turn.now)
        self._hold(turn, why)

    def _try_again(self) -> bool:
        """While the DAQ is held because no STF could be written: write the next one. It goes on once that is there."""
        if not self._trouble or self._clock.monotonic() < self._retry_at:
            return False
        self._retry_at = self._clock.monotonic() + _RETRY_S
        step = self.pacer.peek()
        if step is None or not isinstance(step.notice, daq.StfGen) or self._refusal():
            return False
        self._start_writing(step.notice.sequence)
        return True

    def _go_on(self, turn: Turn) -> None:
        self._buffer.clear_alarm(turn.now)
        step = self.pacer.release()
        if step is not None:
            self._announce(turn, step)

    def _hold(self, turn: Turn, reason: str) -> None:
        step = self.pacer.hold(reason)
        if step is not None:
            self._announce(turn, step)
        self._save()

    def _look_for_stop(self, begin: TurnFactory) -> bool:
        # An STF that is being written belongs to the run: it is announced before the end.
        busy = self._writing is not None or self._written is not None
        if self.pacer.stopping or busy or self._clock.monotonic() < self._look_for_stop_at:
            return False
        self._look_for_stop_at = self._clock.monotonic() + _LOOK_FOR_STOP_S
        row = (
            WorkflowExecution.objects.filter(pk=self._plan.execution_id)
            .values("stop_requested_by", "stop_reason")
            .get()
        )
        if not row["stop_requested_by"] or self.pacer.stop(row["stop_reason"] or "stopped") is None:
            return False
        with begin() as turn:
            if self._trouble:
                self._buffer.clear_alarm(turn.now)
            self._save()
        self._trouble = ""
        return True

    def _announce(self, turn: Turn, step: daq.Step, written: FileFacts | None = None) -> None:
        if step.move is not None:
            namespace = turn.identity.namespace
            last = DaqStateEvent.objects.filter(namespace=namespace).aggregate(last=Max("revision"))["last"]
            DaqStateEvent.objects.create(
                namespace=namespace,
                # Of two DAQs in a namespace the second one waits here until the first one has committed.
                revision=reserve(f"daq_revision:{namespace}", 1, above=last or 0),
                run_number=self._plan.run_number,
                trigger=step.move,
                state=step.state.state,
                substate=step.state.substate,
                simulation_tick=step.at,
                at=turn.now,
            )
        if step.notice is not None:
            turn.send(EPIC_TOPIC, self._notices.body(step, step.notice, written))

    def _save(self) -> None:
        stop = self.pacer.stopping
        WorkflowExecution.objects.filter(pk=self._plan.execution_id).update(
            daq_position=self.pacer.done,
            daq_held_at=self.pacer.at if self.pacer.held else None,
            daq_stop={"after": stop.after, "at": stop.at, "reason": stop.reason} if stop else None,
        )

    def _load(self) -> Pacer:
        row = WorkflowExecution.objects.get(pk=self._plan.execution_id)
        return Pacer(
            self._plan.parameters,
            self._clock,
            done=row.daq_position,
            held_at=row.daq_held_at,
            stop=Stop(**row.daq_stop) if row.daq_stop else None,
        )
