"""The shelf: each payload has a pool, opened when it is needed and closed when others work."""

from __future__ import annotations

from pathlib import Path

import pytest

from swf.core.errors import ConfigError
from swf.core.payload import Outcome, PayloadJob, PayloadSpec
from swf.core.times import ManualClock
from swf.workload.inline import InlinePool
from swf.workload.port import Pool
from swf.workload.shelf import Shelf

FIRST, SECOND = (PayloadSpec(name=name, entry_point=f"{__name__}:{name}", expects_output=False) for name in ("a", "b"))


def a(job: PayloadJob) -> dict[str, object]:
    return {"by": "a"}


def b(job: PayloadJob) -> dict[str, object]:
    return {"by": "b"}


def job(key: str) -> PayloadJob:
    return PayloadJob(key=key, input="i", first=0, last=1, output=Path("o"), run=1, slice=key)


class Opened:
    """A shelf that remembers its pools."""

    def __init__(self) -> None:
        self.pools: dict[int, InlinePool] = {}
        self.shelf = Shelf(self._make)

    def _make(self, spec: PayloadSpec, number: int) -> Pool:
        if spec.name == "broken":
            raise ConfigError("this payload cannot be run here")
        self.pools[number] = InlinePool(spec, clock=ManualClock(), on_ready=lambda: None)
        return self.pools[number]


def test_each_job_is_run_by_the_payload_of_its_run() -> None:
    made = Opened()
    for key, spec in (("1", FIRST), ("2", SECOND), ("3", FIRST)):
        made.shelf.submit(spec, job(key))
    results = {result.key: result for result in made.shelf.take()}
    assert {key: result.summary["by"] for key, result in results.items()} == {"1": "a", "2": "b", "3": "a"}
    assert {result.outcome for result in results.values()} == {Outcome.OK}
    assert made.shelf.take() == []


def test_a_pool_is_closed_once_it_has_nothing_to_do_and_another_one_is_needed() -> None:
    made = Opened()
    made.shelf.submit(FIRST, job("1"))
    made.shelf.submit(FIRST, job("2"))
    assert len(made.pools) == 1
    made.shelf.take()
    made.shelf.submit(SECOND, job("3"))
    with pytest.raises(Exception, match="closed"):
        made.pools[0].submit(job("4"))
    made.shelf.submit(FIRST, job("5"))
    assert len(made.pools) == 3, "a pool is not opened again: its successor has another number and another folder"


def test_what_a_closed_pool_had_finished_is_not_lost() -> None:
    made = Opened()
    made.shelf.submit(FIRST, job("1"))
    made.shelf.submit(SECOND, job("2"))
    made.shelf.submit(FIRST, job("3"))
    assert sorted(result.key for result in made.shelf.take()) == ["1", "2", "3"]


def test_a_payload_that_cannot_be_run_does_not_spoil_the_others() -> None:
    made = Opened()
    made.shelf.submit(FIRST, job("1"))
    with pytest.raises(ConfigError):
        made.shelf.submit(PayloadSpec(name="broken", entry_point="x:y"), job("2"))
    assert [result.key for result in made.shelf.take()] == ["1"]


def test_closing_twice_does_nothing_more() -> None:
    made = Opened()
    made.shelf.submit(FIRST, job("1"))
    assert made.shelf.close(0.0) == []
    assert made.shelf.close(0.0) == []
    assert [result.key for result in made.shelf.take()] == ["1"]
