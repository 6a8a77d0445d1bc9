"""Random walks of the DAQ, against what must hold of a run whatever happens."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from swf.core.errors import IllegalMoveError
from swf.epic.daq.boundary import RunBoundary, RunEffect
from swf.epic.daq.machine import DAQ_TABLE, EFFECTS, Daq, DaqTrigger, moved, triggers
from swf.epic.daq.states import BEAM_READY, LEGAL, STANDBY, State
from swf.epic.phases import RUN_TABLE, RunPhase, RunTrigger

ANNOUNCED_AS = {
    RunEffect.STARTS: RunTrigger.START,
    RunEffect.PAUSES: RunTrigger.PAUSE,
    RunEffect.RESUMES: RunTrigger.RESUME,
    RunEffect.ENDS: RunTrigger.END,
    RunEffect.ENDS_ANY: RunTrigger.END,
}


class RunMachine(RuleBasedStateMachine):
    """The DAQ beside the run as the agents follow it from the DAQ's messages."""

    def __init__(self) -> None:
        super().__init__()
        self.daq = Daq()
        self.phase: RunPhase | None = None
        self.opened = 0
        self.ended = 0

    @rule(data=st.data())
    def legal_move(self, data: st.DataObject) -> None:
        self._move(data.draw(st.sampled_from(triggers(self.daq))))

    @rule(data=st.data())
    def run_move(self, data: st.DataObject) -> None:
        """Prefer what leads to and through a run, which a fair walk seldom does."""
        legal = triggers(self.daq)
        towards = [
            t
            for t in legal
            if t
            in {"power_on", "beam_available", "run_imminent", "detector_ready", "start_run", "pause_run", "resume_run"}
        ]
        self._move(data.draw(st.sampled_from(towards or legal)))

    @rule(trigger=st.sampled_from(DaqTrigger))
    def any_move(self, trigger: DaqTrigger) -> None:
        if trigger in triggers(self.daq):
            self._move(trigger)
        else:
            with pytest.raises(IllegalMoveError):
                moved(self.daq, trigger)

    def _move(self, trigger: DaqTrigger) -> None:
        before, effect = self.daq, EFFECTS[self.daq.state, trigger]
        self.daq = moved(before, trigger)
        assert self.daq.state == DAQ_TABLE.target(before.state, trigger)
        if effect is RunEffect.OPENS:
            assert self.phase is None
            self.phase = RunPhase.IMMINENT
            self.opened += 1
        elif effect in ANNOUNCED_AS and not (effect is RunEffect.ENDS_ANY and self.phase is None):
            assert self.phase is not None
            self.phase = RUN_TABLE.target(self.phase, ANNOUNCED_AS[effect])
        if self.phase is RunPhase.COMPLETED:
            self.phase = None
            self.ended += 1
        if self.daq.state.state is State.RUN and before.state.state is not State.RUN:
            assert before.state == BEAM_READY
            assert before.run is RunBoundary.IMMINENT

    @invariant()
    def pair_is_legal(self) -> None:
        assert self.daq.state in LEGAL

    @invariant()
    def there_is_always_a_way_on(self) -> None:
        assert triggers(self.daq)

    @invariant()
    def run_and_state_agree(self) -> None:
        taking = self.daq.state.state is State.RUN and self.daq.state != STANDBY
        assert (self.daq.run is RunBoundary.TAKING) == taking
        assert (self.daq.run is RunBoundary.PAUSED) == (self.daq.state == STANDBY)
        if self.daq.run is RunBoundary.IMMINENT:
            assert self.daq.state.state is State.BEAM

    @invariant()
    def agents_see_the_same_run(self) -> None:
        expected = {
            RunBoundary.NO_RUN: None,
            RunBoundary.IMMINENT: RunPhase.IMMINENT,
            RunBoundary.TAKING: RunPhase.PHYSICS,
            RunBoundary.PAUSED: RunPhase.STANDBY,
        }
        assert self.phase == expected[self.daq.run]

    @invariant()
    def every_run_ends_once(self) -> None:
        assert self.opened == self.ended + (self.daq.run is not RunBoundary.NO_RUN)


TestRunMachine = RunMachine.TestCase
TestRunMachine.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
