"""Numbers that are given out once."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.db import connections, transaction

from swf.store.counters import FIRST_RUN, next_number, reserve

TAKE_SOME = """
import sys
from pathlib import Path
from swf.store import database
database.configure(database.sqlite(Path(sys.argv[1])), [])
from swf.store.counters import reserve
for _ in range(10):
    print(reserve("agent", 1), reserve("agent", 2))
"""


def test_runs_begin_where_the_existing_testbed_begins(store: Path) -> None:
    assert [next_number("run"), next_number("run")] == [FIRST_RUN, FIRST_RUN + 1]


def test_other_numbers_begin_at_one_each_counter_for_itself(store: Path) -> None:
    assert [next_number(name) for name in ("agent", "agent", "execution:x:ann")] == [1, 2, 1]


def test_several_numbers_are_reserved_at_once(store: Path) -> None:
    assert [reserve("tf", 1000), reserve("tf", 1), next_number("tf")] == [1, 1001, 1002]


def test_a_number_that_was_rolled_back_is_given_out_again(store: Path) -> None:
    with transaction.atomic():
        assert next_number("agent") == 1
        transaction.set_rollback(True)
    assert next_number("agent") == 1


def test_threads_get_each_number_once(store: Path) -> None:
    def take(_: int) -> list[int]:
        try:
            return [next_number("agent") for _ in range(20)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as threads:
        taken = [number for numbers in threads.map(take, range(5)) for number in numbers]
    assert sorted(taken) == list(range(1, 101))


def test_processes_get_each_number_once_and_without_gaps(sqlite_store: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", TAKE_SOME, str(sqlite_store)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    taken: list[int] = []
    for process in processes:
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        for line in output.splitlines():
            one, two = map(int, line.split())
            taken += [one, two, two + 1]
    assert sorted(taken) == list(range(1, 3 * 30 + 1))


def test_numbers_that_another_store_has_used_are_passed_over(store: Path) -> None:
    assert reserve("run", 1, above=100_050) == 100_051
    assert reserve("run", 2, above=100_020) == 100_052
    assert reserve("run", 1, above=100_060) == 100_061
    assert reserve("run", 1) == 100_062
