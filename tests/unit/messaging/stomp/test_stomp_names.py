"""Names on the broker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
from swf.core.errors import ConfigError
from swf.messaging.bus import Subscription
from swf.messaging.settings import BrokerKind
from swf.messaging.stomp.names import Names, Source

TOPIC, QUEUE, SHARED = "/topic/epictopic", "/queue/panda.transformer.slices", "/shared-queue/panda.results"


def role(name: str, destination: str, namespace: str = "torre1") -> Subscription:
    return Subscription(namespace=namespace, role=name, destination=destination, types=frozenset())


def test_a_topic_is_common_and_a_role_has_a_queue_of_its_own() -> None:
    names = Names()
    assert names.target(TOPIC, "torre1") == names.target(TOPIC, "torre2") == TOPIC
    assert names.source(role("data", TOPIC)) == Source(destination="/queue/Consumer.torre1-data.epictopic")
    assert names.source(role("data", "/topic/panda.slices")).destination == "/queue/Consumer.torre1-data.panda.slices"


def test_work_queues_of_two_namespaces_are_two_queues() -> None:
    names = Names()
    assert names.target(QUEUE, "torre1") == "/queue/torre1.panda.transformer.slices"
    assert names.target(QUEUE, "torre2") == "/queue/torre2.panda.transformer.slices"


def test_what_is_sent_to_a_queue_is_what_its_consumers_read() -> None:
    for names in (Names(), Names(broker=BrokerKind.ARTEMIS)):
        assert names.source(role("worker", QUEUE)).destination == names.target(QUEUE, "torre1")


def test_of_a_shared_queue_each_namespace_takes_its_own_messages_and_leaves_the_others() -> None:
    names, plain = Names(), "/queue/panda.results"
    assert names.target(SHARED, "torre1") == plain
    assert names.source(role("fast_processing", SHARED)) == Source(destination=plain, selector="namespace = 'torre1'")


def test_on_artemis_a_role_has_a_queue_of_the_address() -> None:
    assert Names(broker=BrokerKind.ARTEMIS).source(role("data", TOPIC)).destination == "epictopic::torre1-data"


@pytest.mark.parametrize(
    "destination", ["/topic/>", "/topic/a.*", "/queue/a b", "/queue/", "/queue/a..b", "/queue/.a", "/shared-queue/>"]
)
@pytest.mark.parametrize("namespace", ["torre1"])
def test_what_a_broker_would_take_for_a_pattern_is_no_name(destination: str, namespace: str) -> None:
    with pytest.raises(ConfigError, match="is no name"):
        Names().target(destination, namespace)
    with pytest.raises(ConfigError, match="is no name"):
        Names().source(role("data", destination, namespace))


@pytest.mark.parametrize("namespace", ["Consumer", "DLQ", "activemq", "a.b", "x' OR 'a' = 'a", ""])
def test_some_namespaces_cannot_be_part_of_a_name(namespace: str) -> None:
    for destination in (TOPIC, QUEUE, SHARED):
        with pytest.raises(ConfigError, match="namespace"):
            Names().target(destination, namespace)


def test_a_destination_is_a_topic_or_a_queue() -> None:
    with pytest.raises(ValueError, match="must start with"):
        Names().target("epictopic", "torre1")


def test_a_role_has_no_dash_which_would_make_two_roles_one() -> None:
    with pytest.raises(ConfigError, match="role"):
        Names().source(role("b-c", TOPIC, "a"))


namespaces = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,9}", fullmatch=True).filter(
    lambda name: name.lower() not in {"consumer", "dlq", "activemq"}
)
destinations = st.builds(
    "{}{}".format,
    st.sampled_from(["/topic/", "/queue/"]),
    st.from_regex(r"[a-z]{1,3}(\.[a-z]{1,3}){0,2}", fullmatch=True),
)
roles = st.from_regex(r"[a-z_]{1,4}", fullmatch=True)


@given(st.lists(st.tuples(namespaces, roles, destinations), min_size=2, max_size=2, unique=True))
def test_no_two_have_the_same_name(pair: list[tuple[str, str, str]]) -> None:
    first, second = (Names().source(role(name, destination, ns)).destination for ns, name, destination in pair)
    share_a_queue = all(destination.startswith("/queue/") for _, _, destination in pair) and (
        pair[0][0] == pair[1][0] and pair[0][2] == pair[1][2]
    )
    assert (first == second) == share_a_queue
