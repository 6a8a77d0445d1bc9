from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swf.epic.daq.exit_buffer import BufferedFile, ExitBufferPolicy, LeaveReason, decide, may_leave

NOW = datetime(2026, 7, 1, tzinfo=UTC)
POLICY = ExitBufferPolicy(capacity_bytes=100, retention=timedelta(hours=72))


def stf(
    name: str,
    size: int = 30,
    *,
    hours: float = 1.0,
    archived: bool = False,
    closed: bool = False,
    required: bool = True,
    in_use: bool = False,
) -> BufferedFile:
    return BufferedFile(
        name=name,
        size_bytes=size,
        created=NOW - timedelta(hours=hours),
        archived=archived,
        run_closed=closed,
        archive_required=required,
        in_use=in_use,
    )


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (stf("a"), False),
        (stf("a", archived=True), True),
        (stf("a", closed=True), False),
        (stf("a", closed=True, required=False), True),
        (stf("a", required=False), False),
        (stf("a", archived=True, closed=True), True),
        (stf("a", archived=True, in_use=True), False),
        (stf("a", closed=True, required=False, in_use=True), False),
    ],
)
def test_a_file_leaves_only_when_nothing_is_lost(file: BufferedFile, expected: bool) -> None:
    assert may_leave(file) is expected


def test_files_beyond_their_retention_leave_and_others_stay() -> None:
    files = [stf("old", hours=72, archived=True), stf("young", hours=71.9, archived=True), stf("kept", hours=90)]
    decision = decide(POLICY, files, NOW)
    assert [(d.name, d.reason) for d in decision.leave] == [("old", LeaveReason.RETENTION)]
    assert (decision.used_bytes, decision.overdue, decision.fits, decision.alarm) == (60, 1, True, "")


def test_the_oldest_leave_for_space_and_no_more_than_it_takes() -> None:
    files = [stf("c", hours=1, archived=True), stf("a", hours=3, archived=True), stf("b", hours=2, archived=True)]
    decision = decide(POLICY, files, NOW, incoming_bytes=40)
    assert [(d.name, d.reason) for d in decision.leave] == [("a", LeaveReason.SPACE)]
    assert (decision.used_bytes, decision.fits) == (60, True)


def test_an_stf_that_just_fits_moves_nothing() -> None:
    decision = decide(POLICY, [stf("a", archived=True)], NOW, incoming_bytes=70)
    assert (decision.leave, decision.fits) == ((), True)


def test_a_full_buffer_is_an_alarm_and_loses_nothing() -> None:
    files = [
        stf("waits", hours=3),
        stf("open", hours=2, required=False),
        stf("movable", 10, hours=1, archived=True),
        stf("read", 30, hours=4, archived=True, in_use=True),
    ]
    decision = decide(POLICY, files, NOW, incoming_bytes=40)
    assert (decision.leave, decision.fits, decision.used_bytes) == ((), False, 100)
    assert decision.alarm == (
        "the exit buffer is full: 100 B of 100 B are used and the next STF needs 40 B; files that may not leave: "
        "1 not archived, 1 of a run that is not closed, 1 with work still to read them; the oldest is read. "
        "Let archiving and processing catch up, or raise the exit buffer's capacity"
    )


def test_an_stf_larger_than_the_buffer_says_so() -> None:
    policy = ExitBufferPolicy(capacity_bytes=10**9, retention=timedelta(hours=72))
    decision = decide(policy, [], NOW, incoming_bytes=2 * 10**9)
    assert not decision.fits
    assert decision.alarm.startswith("the next STF has 2 GB but the exit buffer holds 1 GB in all")


_files = st.lists(
    st.builds(
        stf,
        st.uuids().map(str),
        st.integers(0, 60),
        hours=st.floats(0, 100),
        archived=st.booleans(),
        closed=st.booleans(),
        required=st.booleans(),
        in_use=st.booleans(),
    ),
    max_size=12,
)


@given(files=_files, incoming=st.integers(0, 120))
def test_whatever_is_in_the_buffer(files: list[BufferedFile], incoming: int) -> None:
    decision = decide(POLICY, files, NOW, incoming_bytes=incoming)
    by_name = {file.name: file for file in files}
    left = [by_name[d.name] for d in decision.leave]
    stay = [file for file in files if file not in left]

    assert all(may_leave(file) for file in left)
    assert decision.used_bytes == sum(file.size_bytes for file in stay)
    assert decision.fits == (decision.used_bytes + incoming <= POLICY.capacity_bytes) == (not decision.alarm)
    assert not any(may_leave(file) and NOW - file.created >= POLICY.retention for file in stay)
    if not decision.fits and incoming:
        assert sum(f.size_bytes for f in files if not may_leave(f)) + incoming > POLICY.capacity_bytes
    for_space = [by_name[d.name] for d in decision.leave if d.reason is LeaveReason.SPACE]
    if for_space:
        assert decision.fits
        assert decision.used_bytes + for_space[-1].size_bytes + incoming > POLICY.capacity_bytes
