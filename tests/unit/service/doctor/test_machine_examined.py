"""What the doctor says of the machine and the data directory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from swf.core.modes import Mode
from swf.core.times import ManualClock
from swf.service.doctor import machine, place
from swf.service.doctor.finding import Finding, Verdict
from swf.service.doctor.place import BufferPlan
from swf.service.workspace import Workspace

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def by_subject(findings: object) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}  # type: ignore[attr-defined]


def test_packages_are_named_with_their_versions() -> None:
    found = machine.packages(Mode.EMBEDDED)
    assert found.verdict is Verdict.OK
    assert "django 5." in found.found
    assert machine.python().found.startswith("3.")


def test_packages_of_the_service_mode_are_needed_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ["django>=5", 'no-such-broker-client>=1; extra == "services"', 'no-such-linter; extra == "dev"']
    monkeypatch.setattr(machine, "requires", lambda name: needed)
    assert machine.packages(Mode.EMBEDDED).verdict is Verdict.OK
    found = machine.packages(Mode.SERVICE)
    assert (found.verdict, found.found) == (Verdict.FAILED, "missing: no-such-broker-client")
    assert found.advice == "pip install 'swf-testbed[services]'"


def test_a_package_that_everything_needs_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "requires", lambda name: ["no-such-package"])
    assert machine.packages(Mode.EMBEDDED).verdict is Verdict.FAILED


class Stepping(ManualClock):
    """A wall clock that somebody sets."""

    def step(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


def test_a_clock_that_steps_is_noticed() -> None:
    clock = Stepping(NOW)
    watch = machine.ClockWatch(clock)
    clock.advance(3600)
    assert watch.finding().verdict is Verdict.OK
    clock.step(-3600)
    found = watch.finding()
    assert (found.verdict, "stepped by -3600.0 s" in found.found) == (Verdict.WARNING, True)


def test_a_clock_that_was_never_set_is_noticed() -> None:
    assert machine.ClockWatch(ManualClock(datetime(1970, 1, 1, tzinfo=UTC))).finding().verdict is Verdict.FAILED


@pytest.mark.parametrize(("offset", "verdict"), [(0.5, Verdict.OK), (-5, Verdict.WARNING), (3600, Verdict.FAILED)])
def test_the_clock_is_compared_with_the_database(offset: float, verdict: Verdict) -> None:
    found = machine.compared(NOW + timedelta(seconds=offset), NOW)
    assert found.verdict is verdict
    assert ("ahead of" if offset > 0 else "behind") in found.found


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(root=tmp_path / "data")
    made.create()
    return made


def plan(workspace: Workspace, capacity: int) -> BufferPlan:
    return BufferPlan(folder=workspace.exit_buffer, capacity_bytes=capacity)


def test_a_data_directory_with_room_is_in_order(workspace: Workspace) -> None:
    found = by_subject(place.findings(workspace, plan(workspace, 1000)))
    assert {finding.verdict for finding in found.values()} == {Verdict.OK}
    assert set(found) == {"data directory", "free space"}
    assert list(workspace.root.glob("*.part")) == []


def test_a_buffer_that_is_larger_than_the_disk_is_said(workspace: Workspace) -> None:
    found = by_subject(place.findings(workspace, plan(workspace, 10**18)))["free space"]
    assert (found.verdict, "capacity_gb" in found.advice) == (Verdict.WARNING, True)


def test_what_is_in_the_buffer_already_needs_no_room(workspace: Workspace) -> None:
    (workspace.exit_buffer / "a.stf").write_bytes(bytes(600_000_000 // 1000))
    found = by_subject(place.findings(workspace, plan(workspace, 600_000)))["free space"]
    assert "may take 0.0 GB more" in found.found


def test_without_a_data_directory_nothing_is_made(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path / "none")
    (found,) = place.findings(workspace, plan(workspace, 1000))
    assert (found.verdict, "testbed init" in found.advice) == (Verdict.WARNING, True)
    assert not workspace.root.exists()


@pytest.mark.parametrize("name", ["service.toml", "service.env", "servers.json"])
def test_secrets_that_others_may_read_are_named(workspace: Workspace, name: str) -> None:
    secret = workspace.root / name
    secret.write_text("")
    secret.chmod(0o600)
    assert by_subject(place.findings(workspace, plan(workspace, 1000)))["secrets"].verdict is Verdict.OK
    secret.chmod(0o644)
    found = by_subject(place.findings(workspace, plan(workspace, 1000)))["secrets"]
    assert found.verdict is Verdict.FAILED
    assert f"chmod 600 {secret}" in found.advice
