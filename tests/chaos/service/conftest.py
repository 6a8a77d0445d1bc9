"""What the fault tests of the service mode share: real servers, and a testbed for each test."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from left_alone import Tell
from servers import Servers

from services.activemq import NEEDED, ActiveMq, installed
from services.postgres import PostgresServer

if TYPE_CHECKING:
    from stage import Stage

_numbers = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test here is many starts of processes, each with a limit of its own."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture(scope="session")
def servers_of_session(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """One PostgreSQL and one ActiveMQ."""
    if not installed():
        pytest.skip(NEEDED)
    with ActiveMq(tmp_path_factory.mktemp("broker")) as broker:
        yield Servers(database=postgres, broker=broker)


@pytest.fixture
def servers(servers_of_session: Servers) -> Servers:
    """Both, at work whatever the test before did to them."""
    servers_of_session.up()
    return servers_of_session


@pytest.fixture
def new_stage(servers: Servers, tmp_path: Path) -> Iterator[Callable[[], Stage]]:
    """Makes testbeds without agents; what is left of them goes with the test."""
    # Its models can be imported only once Django is configured.
    from stage import Stage

    made: list[Stage] = []

    def make() -> Stage:
        number = next(_numbers)
        made.append(Stage(servers, tmp_path / f"stage-{number}", f"chaos{number}"))
        return made[-1]

    yield make
    for stage in made:
        stage.abandon()


@pytest.fixture
def stage(new_stage: Callable[[], Stage]) -> Stage:
    """One testbed without agents."""
    return new_stage()


@pytest.fixture(scope="session")
def repetitions() -> int:
    """`N`, 1 by default: how often a fault is tried that is different each time."""
    return int(os.environ.get("N") or 1)


@pytest.fixture(scope="session")
def first_seed() -> int:
    """`SEED`, or another one in each session."""
    return int(os.environ.get("SEED") or secrets.randbelow(1_000_000))


@pytest.fixture
def chance(first_seed: int, tell: Tell, request: pytest.FixtureRequest) -> random.Random:
    """The dice of a test. The same SEED throws the same."""
    tell(f"\n{request.node.name}: SEED={first_seed}")
    return random.Random(f"{first_seed} {request.node.name}")


@pytest.fixture(scope="session")
def scale() -> float:
    """`SCALE`, 0.1 by default: the part of the full load that passes during a fault."""
    return float(os.environ.get("SCALE") or 0.1)
