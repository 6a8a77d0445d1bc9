"""What the script of a run depends on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DaqParameters:
    """Everything that the script of a run depends on. Times are in seconds of the simulation."""

    no_beam_not_ready_delay: float
    beam_not_ready_delay: float
    beam_ready_delay: float
    beam_not_ready_end_delay: float
    broadcast_delay: float
    sending_time: float
    """What sending a message takes, before any other delay, as in the existing testbed's simulator. It is why the
    default STF period is 2.2 s where `stf_interval` is 2.0 and `stf_generation_time` is 0.1."""
    stf_interval: float
    stf_generation_time: float
    physics_period_duration: float
    physics_period_count: int
    """0: endless."""
    standby_duration: float
    stf_count: int
    """STFs of the whole run. 0: as many as fit into the physics periods."""
    realtime: bool
