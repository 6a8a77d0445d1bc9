"""DAQ parameters for tests: the defaults of the testbed, and random ones."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    no_beam_not_ready_delay: float = 5.0
    beam_not_ready_delay: float = 5.0
    beam_ready_delay: float = 2.0
    beam_not_ready_end_delay: float = 5.0
    broadcast_delay: float = 1.0
    stf_interval: float = 2.0
    stf_generation_time: float = 0.1
    physics_period_duration: float = 10.0
    physics_period_count: int = 2
    standby_duration: float = 2.0
    stf_count: int | None = None
    realtime: bool = True


_delay = st.floats(0, 20).map(lambda seconds: round(seconds, 3))

times = st.builds(
    Times,
    no_beam_not_ready_delay=_delay,
    beam_not_ready_delay=_delay,
    beam_ready_delay=_delay,
    beam_not_ready_end_delay=_delay,
    broadcast_delay=_delay,
    stf_interval=_delay,
    stf_generation_time=_delay,
    physics_period_duration=_delay,
    physics_period_count=st.integers(1, 5),
    standby_duration=_delay,
    stf_count=st.none() | st.integers(0, 30),
    realtime=st.booleans(),
)
