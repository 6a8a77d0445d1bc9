"""Windows, pauses, heartbeats and access of the bus over STOMP."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
from swf.core.errors import ConfigError
from swf.messaging.bus import Wire
from swf.messaging.settings import BusSection
from swf.messaging.stomp.access import Endpoint, access
from swf.messaging.stomp.dial import agreed
from swf.messaging.stomp.link import LONGEST_PAUSE_REFUSED_S, LONGEST_PAUSE_S, pause_s
from swf.messaging.stomp.producer import LARGEST_WINDOW_BYTES, windows
from swf.messaging.stomp.session import Heartbeat


def wire(number: int, size: int) -> Wire:
    return Wire(
        message_id=UUID(int=number),
        namespace="n",
        destination="/topic/t",
        msg_type="stf_gen",
        run_number=1,
        body="x" * size,
    )


@given(st.lists(st.sampled_from([1, 1000, 1_500_000, 5_000_000]), max_size=30), st.integers(1, 7))
def test_windows_hold_every_message_in_order_and_are_not_too_large(sizes: list[int], window: int) -> None:
    wires = [wire(number, size) for number, size in enumerate(sizes)]
    groups = list(windows(wires, window))
    assert [each for group in groups for each in group] == wires
    for group in groups:
        assert 1 <= len(group) <= window
        assert len(group) == 1 or sum(len(each.body) for each in group) <= LARGEST_WINDOW_BYTES


@given(st.integers(1, 10_000), st.booleans(), st.floats(0, 1))
def test_a_broker_that_is_back_is_found_within_a_second(failures: int, refused: bool, chance: float) -> None:
    pause = pause_s(failures, refused, chance)
    assert 0 < pause <= (LONGEST_PAUSE_REFUSED_S if refused else LONGEST_PAUSE_S)
    assert LONGEST_PAUSE_S < 1.0


def test_pauses_grow_and_the_first_attempt_waits_for_nothing() -> None:
    pauses = [pause_s(failures, False, 1.0) for failures in range(8)]
    assert pauses[0] == 0.0
    assert pauses[1:6] == [0.05, 0.1, 0.2, 0.4, 0.8]
    assert pauses[6] == pauses[7] == LONGEST_PAUSE_S
    assert pause_s(30, True, 1.0) == LONGEST_PAUSE_REFUSED_S
    assert pause_s(3, False, 0.0) == pytest.approx(pause_s(3, False, 1.0) / 2)


@pytest.mark.parametrize(
    ("offer", "heartbeat"),
    [
        ("2000,2000", Heartbeat(send_s=5.0, expect_s=5.0)),
        ("10000,20000", Heartbeat(send_s=20.0, expect_s=10.0)),
        ("0,0", Heartbeat(send_s=0.0, expect_s=0.0)),
        ("0,3000", Heartbeat(send_s=5.0, expect_s=0.0)),
        ("", Heartbeat(send_s=0.0, expect_s=0.0)),
        ("x,-1", Heartbeat(send_s=0.0, expect_s=0.0)),
    ],
)
def test_the_slower_side_sets_the_pace_of_heartbeats(offer: str, heartbeat: Heartbeat) -> None:
    assert agreed(offer, 5.0) == heartbeat


def section(**values: object) -> BusSection:
    return BusSection.model_validate({"user": "agent", "password": "p", **values})


def test_brokers_are_tried_in_the_order_that_was_given() -> None:
    settings = section(host="a", port=1, fallback_hosts=["b:2", "[::1]:3"])
    assert access(settings).endpoints == (
        Endpoint(host="a", port=1),
        Endpoint(host="b", port=2),
        Endpoint(host="::1", port=3),
    )
    assert str(access(settings).endpoints[2]) == "[::1]:3"


@pytest.mark.parametrize("values", [{"user": ""}, {"password": ""}])
def test_there_is_no_default_user_and_no_default_password(values: dict[str, object]) -> None:
    (key,) = values
    with pytest.raises(ConfigError, match=rf"\[bus\] {key} is not set.*no default.*ACTIVEMQ_{key.upper()}"):
        access(section(**values))


@pytest.mark.parametrize("password", ["a\nlogin:admin", "a\0b", "back\\slash", " hunter2", "hunter2 "])
def test_a_password_that_brokers_read_differently_is_refused_and_not_shown(password: str) -> None:
    with pytest.raises(ConfigError, match=r"\[bus\] password") as refusal:
        access(section(password=password))
    assert password not in str(refusal.value)


@pytest.mark.parametrize("text", ["b", "b:", ":1", "b:0", "b:65536", "b:x"])
def test_a_fallback_is_host_and_port(text: str) -> None:
    with pytest.raises(ConfigError, match=r"fallback_hosts: .* is not host:port"):
        access(section(fallback_hosts=[text]))


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pem", tmp_path):
        with pytest.raises(ConfigError, match=r"ssl_ca_certs: .* holds no certificates"):
            access(section(use_ssl=True, ssl_ca_certs=path))
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    with pytest.raises(ConfigError, match=r"ssl_ca_certs: .* holds no certificates"):
        access(section(use_ssl=True, ssl_ca_certs=empty))


def test_a_password_is_in_no_description_of_the_access() -> None:
    assert "hunter2" not in repr(access(section(password="hunter2")))
    assert "hunter2" not in repr(section(password="hunter2"))
