"""Playing the script of a run against a clock: when the next step is due, holding, and stopping."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from swf.core.errors import ConfigError, IllegalMoveError
from swf.core.times import Clock
from swf.epic.daq.machine import DaqTrigger
from swf.epic.daq.parameters import DaqParameters
from swf.epic.daq.schedule import Stop, steps
from swf.epic.daq.states import NO_BEAM, PHYSICS, STANDBY, DaqState
from swf.epic.daq.steps import PauseRun, ResumeRun, Step


class Pacer:
    """The DAQ's script in the hands of a caller that owns the loop, the clock and the record of what was done.

    The caller asks `next_due()`; when that instant has come it looks at `peek()`, calls `advance()`, does what the step
    says and keeps `done` with it. A step that is not done before a crash is made again after it: a restarted process
    gives what it kept as `done`, `held_at` and `stop`.

    In real time a step is due at `start + (at - at0)`, where start is the first call of `next_due()` and at0 the time
    of the last step done; a caller that is late catches up, so that the configured rate holds. Otherwise every step is
    due at once. While held, the DAQ's time stands still, and goes on from there.

    Args:
        parameters: the times and the size of the run.
        clock: only its monotonic time is read.
        done: how many steps of the script were done before.
        held_at: the `at` of the pause of a hold that was announced before, and not yet its end.
        stop: the request to stop that was made before.

    Raises:
        ConfigError: the script has fewer steps than were done, so its parameters are not those of the run.
    """

    def __init__(
        self,
        parameters: DaqParameters,
        clock: Clock,
        *,
        done: int = 0,
        held_at: float | None = None,
        stop: Stop | None = None,
    ) -> None:
        self._parameters = parameters
        self._clock = clock
        self._stop = stop
        self._last: Step | None = None
        self._script: Iterator[Step] = steps(parameters, stop=stop)
        if done:
            self._last = next(islice(self._script, done - 1, None), None)
            if self._last is None:
                raise ConfigError(
                    f"the script of this run has fewer than the {done} steps that were done: go on with the parameters "
                    f"that the run was started with"
                )
        self._next = next(self._script, None)
        self._zero: float | None = None
        # A stop ends a hold, but the standby that was announced lasts until the closing's first step.
        self._announced = held_at is not None and self._scripted_state == PHYSICS
        self._held_at = None if stop else held_at

    @property
    def done(self) -> int:
        """How many steps of the script were done; interludes do not count."""
        return self._last.index + 1 if self._last else 0

    @property
    def finished(self) -> bool:
        """Whether the script has come to its end."""
        return self._next is None

    @property
    def held(self) -> bool:
        """Whether the DAQ's time stands still."""
        return self._held_at is not None

    @property
    def stopping(self) -> Stop | None:
        """The request to stop, if one was made."""
        return self._stop

    @property
    def state(self) -> DaqState:
        """The state now; run/standby while the pause of a hold is announced."""
        return STANDBY if self._announced else self._scripted_state

    @property
    def at(self) -> float:
        """Simulated seconds since the script began; never beyond the step that comes next."""
        if self._held_at is not None:
            return self._held_at
        done = self._last.at if self._last else 0.0
        if self._zero is None or self._next is None or not self._parameters.realtime:
            return done
        return round(min(max(done, self._clock.monotonic() - self._zero), self._next.at), 6)

    def peek(self) -> Step | None:
        """The step that comes next, without taking it; None at the end."""
        return self._next

    def next_due(self) -> float | None:
        """When the next step is due, on the clock's monotonic time; None while held and at the end."""
        if self._next is None or self.held:
            return None
        now = self._clock.monotonic()
        if self._zero is None:
            self._zero = now - self.at
        return self._zero + self._next.at if self._parameters.realtime else now

    def advance(self) -> Step:
        """Take the next step, due or not.

        Raises:
            IllegalMoveError: the DAQ is held, or the script is at its end.
        """
        if self.held:
            raise IllegalMoveError("the DAQ is held: release it before its next step")
        if self._next is None:
            raise IllegalMoveError("the script of this run is at its end: it has no next step")
        self._last, self._next = self._next, next(self._script, None)
        self._announced = False
        return self._last

    def hold(self, reason: str) -> Step | None:
        """Let the DAQ's time stand still, e.g. because the exit buffer is full or somebody paused the run.

        Returns the pause to announce, where the run is taking data; None where it is not, is held already, or is being
        closed.
        """
        if self.held or self._next is None:
            return None
        self._held_at = self.at
        if self._stop is not None or self.state != PHYSICS:
            return None
        self._announced = True
        return self._interlude(DaqTrigger.PAUSE_RUN, PauseRun(reason=reason))

    def release(self) -> Step | None:
        """Let the DAQ's time go on from where it stood: no step is made up for in a burst.

        Returns the end of the pause, to be announced where the pause was; None otherwise.
        """
        if self._held_at is None:
            return None
        announced, self._announced = self._announced, False
        resumed = self._interlude(DaqTrigger.RESUME_RUN, ResumeRun()) if announced else None
        self._go_on_from(self._held_at)
        return resumed

    def stop(self, reason: str) -> Stop | None:
        """Leave the script for the steps that close the run; the first of them is due now. Ends a hold as well.

        Returns the request, to be kept with the run; None where the run was being closed already. A run that was not
        announced has nothing to close: the script ends without an `EndRun`.
        """
        if self._stop is not None or self._next is None:
            return None
        stop = Stop(after=self.done, at=self.at, reason=reason)
        closing = steps(self._parameters, skip=self.done, stop=stop)
        first = next(closing, None)
        self._go_on_from(stop.at)
        if first == self._next:
            return None
        self._script, self._next, self._stop = closing, first, stop
        return stop

    def _go_on_from(self, at: float) -> None:
        self._held_at = None
        self._zero = self._clock.monotonic() - at

    @property
    def _scripted_state(self) -> DaqState:
        return self._last.state if self._last else NO_BEAM

    def _interlude(self, move: DaqTrigger, notice: PauseRun | ResumeRun) -> Step:
        return Step(index=self.done - 1, at=self.at, state=self.state, move=move, notice=notice, interlude=True)
