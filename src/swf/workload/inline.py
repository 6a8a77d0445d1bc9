"""A pool without processes: the payload is called where its job is submitted. For benchmarks and tests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from swf.core.errors import ConfigError, PayloadError
from swf.core.payload import Outcome, PayloadJob, PayloadResult, PayloadSpec
from swf.core.times import Clock
from swf.workload.endings import clear_output, drop_output, output_problem
from swf.workload.entry import Returned, call, load
from swf.workload.spec import validate_spec


class InlinePool:
    """Calls an entry point in the thread that submits; see `swf.workload.port.Pool` for the methods.

    No limit is kept, standard error is not, and a payload that crashes takes the program with it.

    Raises:
        ConfigError: the specification cannot be run as written, has a command, or its entry point cannot be imported.
    """

    def __init__(self, spec: PayloadSpec, *, clock: Clock, on_ready: Callable[[], None]) -> None:
        validate_spec(spec)
        if not spec.entry_point:
            raise ConfigError(f"payload {spec.name!r}: only an entry point can run inline; it has a command")
        self._spec = spec
        self._clock = clock
        self._on_ready = on_ready
        self._function = load(spec.entry_point)
        self._results: list[PayloadResult] = []
        self._closed = False

    def submit(self, job: PayloadJob) -> None:
        if self._closed:
            raise PayloadError("the pool of payloads is closed")
        self._results.append(self._run(job))
        if len(self._results) == 1:
            self._on_ready()

    def prewarm(self) -> None:
        """Nothing is left to start."""

    def take(self) -> list[PayloadResult]:
        results, self._results = self._results, []
        return results

    def running(self) -> int:
        return 0

    def queued(self) -> int:
        return 0

    def cancel(self, key: str) -> bool:
        del key  # nothing runs between two calls
        return False

    def close(self, grace_s: float) -> list[PayloadJob]:
        del grace_s
        self._closed = True
        return []

    def _run(self, job: PayloadJob) -> PayloadResult:
        began = self._clock.monotonic()
        try:
            clear_output(self._spec, job)
            returned = call(self._function, job)
        except OSError as error:
            returned = Returned(outcome=Outcome.NOT_STARTED, detail=f"it cannot be started: {error}")
        outcome, detail = returned.outcome, returned.detail
        if outcome is Outcome.OK and (problem := output_problem(self._spec, job)):
            outcome, detail = Outcome.NO_OUTPUT, problem
        good = outcome is Outcome.OK
        if not good:
            with contextlib.suppress(OSError):
                drop_output(self._spec, job)
        return PayloadResult(
            key=job.key,
            outcome=outcome,
            exit_code=returned.exit_code,
            detail=detail,
            seconds=self._clock.monotonic() - began,
            output=job.output if good and self._spec.expects_output else None,
            summary=returned.summary if good else {},
        )
