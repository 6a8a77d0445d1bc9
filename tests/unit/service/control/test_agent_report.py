"""What a person is told of an agent that is not ready."""

from __future__ import annotations

from pathlib import Path

from swf.service.control.agent_report import AgentReport, told_why
from swf.service.control.supervisor import ProcessState


def _report(instance: str) -> AgentReport:
    return AgentReport(
        program="data-agent",
        role="data",
        state=ProcessState.RUNNING,
        pid=7,
        uptime_s=1,
        ready=False,
        instance=instance,
        status="",
        heartbeat=None,
        why="it does not want to",
    )


def test_an_agent_that_said_nothing_yet_is_told_of_with_what_it_printed(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "data-agent.out.log").write_text("testbed: no such file\ntestbed: no such file\n")
    told = told_why(_report(""), tmp_path)
    assert told.startswith("data-agent is not ready: it does not want to; its log is ")
    assert told.endswith("data-agent.out.log:\n    testbed: no such file")


def test_of_an_agent_with_a_log_of_its_own_only_trouble_is_told(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    lines = (
        '{"level": "INFO", "event": "a"}',
        '{"level": "ERROR", "event": "b"}',
        '{"level": "WARNING", "event": "c"}',
    )
    (tmp_path / "logs" / "data-agent-ann-1.log").write_text("\n".join(lines))
    told = told_why(_report("data-agent-ann-1"), tmp_path).splitlines()
    assert [line.strip() for line in told[1:]] == list(lines[1:])
