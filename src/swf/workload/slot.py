"""One of the places of a pool: runs one payload at a time, through a keeper."""

from __future__ import annotations

import contextlib
import selectors
import shutil
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from swf.core.payload import Outcome, PayloadJob, PayloadResult, PayloadSpec
from swf.core.times import Clock
from swf.workload.channel import Channel
from swf.workload.endings import (
    Ending,
    clear_output,
    drop_output,
    judge_ending,
    output_problem,
    read_summary,
    read_tail,
)
from swf.workload.kept import Kept
from swf.workload.spec import absolute_input, command_line

TERM_GRACE_S: Final = 1.0
"""How long a payload that has to end may take to do so by itself, before it is killed."""

_KEEPER_GRACE_S: Final = 10.0
_ENDED_BY_US: Final = (0, -signal.SIGTERM, -signal.SIGKILL)
_RETURNED: Final = {str(o): o for o in (Outcome.OK, Outcome.CRASHED, Outcome.OUT_OF_MEMORY)}


class Slot:
    """Runs one job at a time: as a command of its own, or in a persistent child that it keeps for the next.

    `selector` gets the sockets to listen to, with this slot as their data; call `hear` when one is readable, and
    `mind_time` from time to time. All of this happens in one thread.
    """

    def __init__(
        self,
        *,
        spec: PayloadSpec,
        folder: Path,
        environment: Mapping[str, str],
        clock: Clock,
        selector: selectors.BaseSelector,
    ) -> None:
        self._spec = spec
        self._folder = folder
        self._environment = environment
        self._clock = clock
        self._selector = selector
        self._kept: Kept | None = None
        self._child: Channel | None = None
        self._child_ready = False
        self._stopping = False
        self._verdict: tuple[Outcome, str] | None = None
        self._misheard = ""
        self._unbegun = False
        self._number = 0
        self._began = 0.0
        self._kill_keeper_at = float("inf")
        self.job: PayloadJob | None = None

    @property
    def free(self) -> bool:
        """Whether it can begin a job."""
        return self.job is None and not self._stopping

    @property
    def pending(self) -> bool:
        """Whether something has to end: a job, or a payload that was told to stop."""
        return self.job is not None or self._stopping

    def prewarm(self) -> None:
        """Start what can be started without a job. If that fails, the next job finds out why."""
        if self.free:
            try:
                self._start()
            except OSError:
                self._drop_keeper()

    def begin(self, job: PayloadJob) -> PayloadResult | None:
        """Begin a job; a result at once if it cannot be started."""
        self.job, self._began = job, self._clock.monotonic()
        self._number += 1
        try:
            clear_output(self._spec, job)
            kept = self._start()
            self._unbegun = False
        except OSError as error:
            self._unbegun = True
            return self._finish(Outcome.NOT_STARTED, f"it cannot be started: {error}")
        if self._spec.entry_point:
            if self._child_ready:
                self._send_job(job)
        elif not kept.run(command_line(self._spec, job)):
            self.stop(
                Outcome.NOT_STARTED, "its keeper does not take the command: the command is too long, or the keeper gone"
            )
            kept.kill()
        return None

    def hear(self) -> PayloadResult | None:
        """Take in what came over the sockets; the result of the job, if it ended."""
        if self._kept is None:
            return None
        from_keeper = self._kept.receive()  # first: what a child said before its end is then there
        result = self._hear_child() if self._child is not None else None
        for message in from_keeper:
            result = self._hear_keeper(message) or result
        if self._kept.channel.problem:
            result = self._lose_keeper() or result
        return result

    def mind_time(self) -> None:
        """See to the time limit of the job, and to a keeper that does not end what it was told to."""
        now = self._clock.monotonic()
        if self._stopping:
            if now > self._kill_keeper_at and self._kept is not None:
                self._kept.kill()
        elif self.job is not None and now - self._began > self._spec.timeout_s:
            starting = self._spec.entry_point and not self._child_ready
            doing = "still being imported" if starting else "still running"
            self.stop(
                Outcome.TIMED_OUT, f"it was {doing} after {self._spec.timeout_s:g} s: raise timeout_s, or cut less"
            )

    def stop(self, outcome: Outcome, detail: str) -> None:
        """End the running payload; the job's result, once that is done, has this outcome."""
        if not self._stopping:
            self._verdict = outcome, detail
            self._end_payload()

    def exit(self, grace_s: float) -> socket.socket | None:
        """End all after at most `grace_s` seconds; the socket that closes when it is done, if anything ran."""
        if self._kept is None:
            return None
        self._kept.exit(grace_s)
        return self._kept.channel.socket

    def kill(self) -> None:
        """End all at once, for `exit` took too long. What a payload started may be left."""
        if self._kept is not None:
            self._kept.kill()

    def close(self) -> None:
        """Give everything back, its folder too, after `exit` or `kill`."""
        self._drop_keeper()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> Kept:
        """The keeper, and for entry points the child, started where they are not there."""
        if self._kept is None:
            self._kept = Kept(self._folder, self._spec.memory_mb, self._environment)
            self._selector.register(self._kept.channel.socket, selectors.EVENT_READ, self)
        if self._spec.entry_point and self._child is None:
            ours, its = socket.socketpair()
            self._child, self._child_ready = Channel(ours), False
            self._selector.register(ours, selectors.EVENT_READ, self)
            with its:
                self._kept.run([sys.executable, "-P", "-m", "swf.workload.child", self._spec.entry_point], its)
        return self._kept

    def _send_job(self, job: PayloadJob) -> None:
        output, address = str(job.output.absolute()), absolute_input(job.input)
        assert self._child is not None
        self._child.send(
            [self._number, job.key, address, job.first, job.last, output, job.run, job.slice]
        )  # if that fails, the child is gone or does not listen: its channel or its keeper tells

    def _hear_child(self) -> PayloadResult | None:
        assert self._child is not None
        result = None
        for message in self._child.receive():
            match message:
                case ["ready"] if not self._child_ready:
                    self._child_ready = True
                    if self.job is not None:
                        self._began = self._clock.monotonic()
                        self._send_job(self.job)
                case ["unusable", str(reason)] if not self._child_ready:
                    self.stop(Outcome.NOT_STARTED, reason)
                case ["done", int(number), str(outcome), int() | None as code, str(detail), dict(summary)] if (
                    self.job is not None and number == self._number and outcome in _RETURNED
                ):
                    if not self._stopping:
                        result = self._finish(_RETURNED[outcome], detail, code, summary)
                case _:
                    self._misheard = self._misheard or f"it wrote {str(message)[:60]} to the channel of its results"
                    self._end_payload()
        if self._child.problem:
            self._misheard = self._misheard or self._child.problem
            self._drop_child()
            self._end_payload()
        return result

    def _hear_keeper(self, message: list[Any]) -> PayloadResult | None:
        match message:
            case ["unstarted", str(reason)]:
                verdict = Outcome.NOT_STARTED, f"{reason}; is it installed, on PATH and executable?"
                code = None
            case ["ended", int(code), int(over_mb), bool(oom_killed)]:
                verdict = self._judge(Ending(exit_code=code, over_memory_mb=over_mb, oom_killed=oom_killed))
            case _:
                return None
        if self._verdict is not None:
            verdict = self._verdict
            code = None if verdict[0] is Outcome.NOT_STARTED else code
        self._drop_child()
        self._stopping, self._verdict, self._misheard = False, None, ""
        return self._finish(*verdict, code) if self.job is not None else None

    def _judge(self, ending: Ending) -> tuple[Outcome, str]:
        outcome, detail = judge_ending(ending, self._spec)
        if not self._spec.entry_point or outcome is Outcome.OUT_OF_MEMORY:
            return outcome, detail
        detail = detail or "it ended before its job was done, with exit code 0"
        if self._misheard and ending.exit_code in _ENDED_BY_US:
            detail = f"{self._misheard}; {detail}"
        return (Outcome.CRASHED, detail) if self._child_ready else (Outcome.NOT_STARTED, f"when imported, {detail}")

    def _lose_keeper(self) -> PayloadResult | None:
        log = self._drop_keeper()
        verdict = self._verdict or (Outcome.CRASHED, f"its keeper ended unexpectedly and it with it; {log}".strip("; "))
        self._stopping, self._verdict, self._misheard = False, None, ""
        return self._finish(*verdict) if self.job is not None else None

    def _finish(
        self, outcome: Outcome, detail: str, code: int | None = None, summary: dict[str, object] | None = None
    ) -> PayloadResult:
        """The result of the job, which is over."""
        job, self.job = self.job, None
        assert job is not None
        seconds = self._clock.monotonic() - self._began
        if outcome is Outcome.OK:
            detail = output_problem(self._spec, job)
            try:
                summary = read_summary(job.output) if summary is None else summary
            except ValueError as error:
                detail = detail or str(error)
            outcome = Outcome.NO_OUTPUT if detail else Outcome.OK
        good = outcome is Outcome.OK
        tail = "" if good or self._unbegun else read_tail(self._folder)
        if not good:
            with contextlib.suppress(OSError):
                drop_output(self._spec, job)
        return PayloadResult(
            key=job.key,
            outcome=outcome,
            exit_code=code,
            detail=detail,
            stderr_tail=tail,
            seconds=seconds,
            output=job.output if good and self._spec.expects_output else None,
            summary=(summary or {}) if good else {},
        )

    def _end_payload(self) -> None:
        if not self._stopping and self._kept is not None:
            self._stopping = True
            self._kill_keeper_at = self._clock.monotonic() + TERM_GRACE_S + _KEEPER_GRACE_S
            self._kept.stop(TERM_GRACE_S)

    def _drop_child(self) -> None:
        if self._child is not None:
            self._selector.unregister(self._child.socket)
            self._child.close()
            self._child = None

    def _drop_keeper(self) -> str:
        self._drop_child()
        if self._kept is None:
            return ""
        self._selector.unregister(self._kept.channel.socket)
        log, self._kept = self._kept.close(), None
        return log
