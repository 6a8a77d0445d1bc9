"""DAQ parameters for tests: the defaults of the testbed, and random ones."""

from __future__ import annotations

from hypothesis import strategies as st

from swf.epic.daq.parameters import DaqParameters

DEFAULTS = DaqParameters(
    no_beam_not_ready_delay=5.0,
    beam_not_ready_delay=5.0,
    beam_ready_delay=2.0,
    beam_not_ready_end_delay=5.0,
    broadcast_delay=1.0,
    sending_time=0.1,
    stf_interval=2.0,
    stf_generation_time=0.1,
    physics_period_duration=10.0,
    physics_period_count=2,
    standby_duration=2.0,
    stf_count=0,
    realtime=True,
)

_delay = st.floats(0, 20).map(lambda seconds: round(seconds, 3))

times = st.builds(
    DaqParameters,
    no_beam_not_ready_delay=_delay,
    beam_not_ready_delay=_delay,
    beam_ready_delay=_delay,
    beam_not_ready_end_delay=_delay,
    broadcast_delay=_delay,
    sending_time=st.sampled_from([0.001, 0.1, 2.5]),
    stf_interval=_delay,
    stf_generation_time=_delay,
    physics_period_duration=_delay,
    physics_period_count=st.integers(1, 5),
    standby_duration=_delay,
    stf_count=st.integers(0, 30),
    realtime=st.booleans(),
)
