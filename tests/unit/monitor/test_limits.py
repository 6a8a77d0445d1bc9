"""How often something may happen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from swf.core.times import ManualClock
from swf.monitor.limits import Buckets
from swf.monitor.throttle import TRIES, TRIES_OF_ADDRESS, TRIES_OF_USER, WINDOW_S, LoginThrottle


class TestBuckets:
    def test_what_is_used_up_comes_back_with_time(self) -> None:
        clock = ManualClock()
        buckets = Buckets(rate=2.0, burst=3.0, clock=clock)
        assert [buckets.wait_s("ann") for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
        assert buckets.wait_s("bob") == 0.0, "each has one of their own"
        clock.advance(0.5)
        assert buckets.wait_s("ann") == 0.0
        clock.advance(1000)
        assert [buckets.wait_s("ann") == 0.0 for _ in range(4)] == [True, True, True, False]

    def test_what_is_charged_is_never_owed(self) -> None:
        clock = ManualClock()
        buckets = Buckets(rate=1.0, burst=5.0, clock=clock)
        buckets.charge("ann", 100)
        assert buckets.lacking_s("ann") == 1.0
        clock.advance(1)
        assert buckets.wait_s("ann") == 0.0

    @given(st.lists(st.floats(0, 3), min_size=1, max_size=60))
    def test_no_more_gets_through_than_comes_in(self, pauses: list[float]) -> None:
        clock = ManualClock()
        buckets = Buckets(rate=1.5, burst=4.0, clock=clock)
        passed = 0
        for pause in pauses:
            clock.advance(pause)
            passed += buckets.wait_s("ann") == 0.0
        assert passed <= 4.0 + 1.5 * sum(pauses) + 1e-6

    def test_those_who_ask_do_not_fill_the_memory(self) -> None:
        buckets = Buckets(rate=1.0, burst=1.0, clock=ManualClock())
        for number in range(25_000):
            buckets.wait_s(str(number))
        assert len(buckets._buckets) == 20_000


class TestLoginThrottle:
    def test_wrong_passwords_of_one_user_from_one_address(self) -> None:
        clock = ManualClock()
        throttle = LoginThrottle(clock)
        for _ in range(TRIES):
            assert throttle.wait_s("ann", "10.0.0.1") == 0.0
            throttle.refused("Ann", "10.0.0.1")
        assert throttle.wait_s("ann", "10.0.0.1") > 0
        assert throttle.wait_s("ann", "10.0.0.2") == 0.0, "who sits elsewhere is not locked out"
        assert throttle.wait_s("bob", "10.0.0.1") == 0.0
        clock.advance(WINDOW_S / TRIES)
        assert throttle.wait_s("ann", "10.0.0.1") == 0.0

    def test_many_users_from_one_address(self) -> None:
        throttle = LoginThrottle(ManualClock())
        for number in range(TRIES_OF_ADDRESS):
            throttle.refused(f"user{number}", "10.0.0.1")
        assert throttle.wait_s("another", "10.0.0.1") > 0

    def test_one_user_from_many_addresses(self) -> None:
        throttle = LoginThrottle(ManualClock())
        for number in range(TRIES_OF_USER):
            throttle.refused("ann", f"10.0.1.{number}")
        assert throttle.wait_s("ann", "10.0.2.1") > 0
