"""What older agents send, as they send it: no identity, no schema, no header, times of their zone without saying so."""

from __future__ import annotations

from typing import Any

RUN = 102001
EXECUTION = "stf_datataking-ann-0007"
SENDER = "daq_simulator-agent-ann-3"


class OlderDaq:
    """A DAQ simulator of older times; each method gives a message, a second later each time."""

    def __init__(self, namespace: str, *, run: int = RUN, execution: str | None = EXECUTION, day: str = "2026-01-01"):
        self._common: dict[str, Any] = {"run_id": str(run), "sender": SENDER, "namespace": namespace}
        if execution is not None:
            self._common["execution_id"] = execution
        self._run = run
        self._day = day
        self._seconds = 0

    def imminent(self) -> dict[str, Any]:
        return self._message("run_imminent", state="beam", substate="not_ready", dataset=f"swf.{self._run}.run")

    def start(self) -> dict[str, Any]:
        return self._message("start_run", state="run", substate="physics")

    def pause(self) -> dict[str, Any]:
        return self._message("pause_run", state="run", substate="standby", reason="Brief standby period")

    def resume(self) -> dict[str, Any]:
        return self._message("resume_run", state="run", substate="physics")

    def stf(self, sequence: int) -> dict[str, Any]:
        name = f"swf.{self._run}.{sequence:06d}.stf"
        return self._message("stf_gen", filename=name, sequence=sequence, state="run", substate="physics")

    def end(self, total: int) -> dict[str, Any]:
        return self._message("end_run", total_stf_files=total)

    def whole_run(self, stfs: int) -> list[dict[str, Any]]:
        """Every notice of a run."""
        numbers = range(1, stfs + 1)
        taking = [self.start(), *(self.stf(n) for n in numbers[:1]), self.pause(), self.resume()]
        return [self.imminent(), *taking, *(self.stf(n) for n in numbers[1:]), self.end(stfs)]

    def _message(self, msg_type: str, **said: Any) -> dict[str, Any]:
        self._seconds += 1
        minutes, seconds = divmod(self._seconds, 60)
        tick = {"simulation_tick": 14.2 + self._seconds, "timestamp": f"{self._day}T00:{minutes:02d}:{seconds:02d}.25"}
        return {"msg_type": msg_type, **self._common, **tick, **said}


def stf_ready(stf: dict[str, Any]) -> dict[str, Any]:
    """What an older data agent makes of an STF's notice: its own fields are always null, and there is no execution."""
    nulls = dict.fromkeys(("file_url", "checksum", "size_bytes", "start", "end"))
    said = {name: value for name, value in stf.items() if name not in {"execution_id", "timestamp", "sender"}}
    return {**said, **nulls, "msg_type": "stf_ready", "processed_by": "data-agent-ann-4", "sender": "data-agent-ann-4"}


def tf_file_registered(stf: dict[str, Any], number: int) -> dict[str, Any]:
    """What an older fastmon agent makes of it, seven times."""
    first = 100 * number
    return {
        "msg_type": "tf_file_registered",
        "run_id": stf["run_id"],
        "execution_id": None,
        "processed_by": "fastmon-agent-ann-5",
        "sender": "fastmon-agent-ann-5",
        "namespace": stf["namespace"],
        "tf_file_id": "5e0d3c7a-8e6c-4b7e-9f5d-0a1b2c3d4e5f",
        "tf_filename": f"{stf['filename'].removesuffix('.stf')}_tf_{number:03d}.tf",
        "tf_first": first,
        "tf_last": first + 20,
        "tf_count": 21,
        "file_size_bytes": 21,
        "stf_filename": stf["filename"],
        "status": "registered",
        "timestamp": stf["timestamp"],
    }
