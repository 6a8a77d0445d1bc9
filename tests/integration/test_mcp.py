"""Tools for AI assistants by real clients: over streamable HTTP with a token, and on standard input and output."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent

from accounts import token_of, user_with
from services.monitor import monitor_process
from store_fixture import opened
from swf.store.models import DeadLetter, WorkflowExecution
from swf.web.models import AuditEntry
from swf.web.roles import Role
from taken_run import EXECUTION, RUN, TakenRun

T = TypeVar("T")

SLICE = f"swf.{RUN}.000001_slice_000.tf"
FAILED = f"swf.{RUN}.000002_slice_000.tf"
READS: dict[str, dict[str, Any]] = {
    "get_run": {"run": RUN},
    "run_ledger": {"run": RUN},
    "explain": {"name": SLICE},
    "get_workflow_monitor": {"execution": EXECUTION},
    "get_execution": {"execution": EXECUTION},
    "list_runs": {"namespace": "testbed"},
    "list_executions": {"workflow": "fast_processing"},
    "list_messages": {"run": RUN, "type": "stf_gen"},
    "list_stf_files": {"run": RUN, "limit": 1},
    "list_tf_files": {"run": RUN},
    "list_tf_slices": {"run": RUN, "status": "completed,failed"},
    "list_logs": {"run": RUN},
    "list_agents": {},
    "list_alarms": {},
    "list_dead_letters": {"state": "parked"},
    "list_workflows": {},
    "panda_list_jobs": {},
}
REASON = {"reason": "tried in a test", "dry_run": True}
WRITES: dict[str, dict[str, Any]] = {
    "stop_workflow": {"execution": EXECUTION, **REASON},
    "pause_workflow": {"execution": EXECUTION, **REASON},
    "redrive_message": {"letter": 1, **REASON},
    "discard_message": {"letter": 1, **REASON},
    "retry_slices": {"run": RUN, **REASON},
    "start_workflow": {"workflow": "fast_processing", **REASON},
}
EMBEDDED = {"pause_workflow", "start_workflow"}
"""What only the service mode does; here the answer is an error that says what to do."""


@pytest.fixture
def data_dir(tmp_path: Path, store_template: Path) -> Iterator[Path]:
    """A data directory with an open run, of which a slice has failed and a message waits for a decision."""
    root = tmp_path / "data"
    root.mkdir()
    shutil.copyfile(store_template, root / "swf.sqlite3")
    with opened(root / "swf.sqlite3"):
        run = TakenRun()
        run.started()
        run.processed_stf(1)
        run.slice(run.sample(run.stf(2, slice_count=1)), 0, "failed", reason="it crashed")
        run.event("stf_gen", f"swf.{RUN}.000001.stf")
        run.letter()
        run.agent("data")
        other = TakenRun(RUN + 1, execution="theirs-0001", namespace="theirs")
        other.started()
        yield root


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a tool has answered."""

    wrong: bool
    text: str
    value: dict[str, Any]


def over_http(url: str, token: str, act: Callable[[Client], Awaitable[T]], mode: str = "auto") -> T:
    async def acting() -> T:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as client,
            Client(streamable_http_client(f"{url}/mcp", http_client=client), mode=mode) as tools,
        ):
            return await act(tools)

    return asyncio.run(acting())


def on_stdio(data_dir: Path, act: Callable[[Client], Awaitable[T]], *options: str) -> T:
    async def acting() -> T:
        command = ["-m", "swf.cli", "monitor", "mcp", "--data-dir", str(data_dir), *options]
        async with Client(StdioServerParameters(command=sys.executable, args=command)) as tools:
            return await act(tools)

    return asyncio.run(acting())


async def ask(tools: Client, name: str, arguments: dict[str, Any]) -> Answer:
    found = await tools.call_tool(name, arguments)
    texts = [each.text for each in found.content if isinstance(each, TextContent)]
    return Answer(wrong=bool(found.is_error), text="\n".join(texts), value=found.structured_content or {})


async def ask_all(tools: Client, calls: dict[str, dict[str, Any]]) -> dict[str, Answer]:
    return {name: await ask(tools, name, arguments) for name, arguments in calls.items()}


def calling(calls: dict[str, dict[str, Any]]) -> Callable[[Client], Awaitable[dict[str, Answer]]]:
    return lambda tools: ask_all(tools, calls)


def rest(url: str, token: str, path: str) -> Any:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    connection.request("GET", f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200, body
    return json.loads(body)


def command(data_dir: Path, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "swf.cli", *arguments, "--json", "--data-dir", str(data_dir)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return json.loads(done.stdout)


def test_the_sdk_lists_and_calls_every_tool_on_both_transports(data_dir: Path) -> None:
    token = token_of(user_with("ann", {"*": Role.OPERATOR}), Role.OPERATOR)
    everything = READS | WRITES

    async def act(tools: Client) -> tuple[list[Any], dict[str, Answer]]:
        return (await tools.list_tools()).tools, await ask_all(tools, everything)

    with monitor_process(data_dir) as url:
        listed, answers = over_http(url, token, act)
    local, local_answers = on_stdio(data_dir, act, "--role", "operator")
    assert {tool.name for tool in listed} == {tool.name for tool in local} == everything.keys()
    for tool in listed:
        assert tool.description
        assert tool.annotations.read_only_hint is (tool.name in READS)
        for name, parameter in tool.input_schema["properties"].items():
            assert parameter.get("description"), f"{tool.name}: {name}"
        if tool.name in WRITES:
            assert {"reason", "dry_run"} <= tool.input_schema["properties"].keys()
            assert "reason" in tool.input_schema["required"]
    wrong = {name for name, answer in answers.items() if answer.wrong}
    assert wrong == EMBEDDED, {name: answers[name].text for name in wrong}
    assert "testbed run" in answers["start_workflow"].text
    assert "no batch system" in answers["panda_list_jobs"].text
    assert answers["list_tf_slices"].value["items"][0]["name"] == FAILED
    assert {name: answer.wrong for name, answer in local_answers.items()} == {
        name: answer.wrong for name, answer in answers.items()
    }
    # Nothing of it was done.
    assert not AuditEntry.objects.exclude(via="command").exists()
    assert DeadLetter.objects.get().state == "parked"


def test_the_command_line_rest_and_tools_give_the_same_answers(data_dir: Path) -> None:
    token = token_of(user_with("ann", {"*": Role.VIEWER}), Role.VIEWER)
    with monitor_process(data_dir) as url:
        tools = over_http(url, token, calling(READS))
        paths = {
            "get_run": f"/runs/{RUN}",
            "run_ledger": f"/runs/{RUN}/ledger",
            "explain": f"/explain/{SLICE}",
            "get_execution": f"/workflow-executions/{EXECUTION}/",
            "list_runs": "/runs?namespace=testbed",
            "list_executions": "/workflow-executions?workflow=fast_processing",
            "list_messages": f"/messages?run={RUN}&type=stf_gen",
            "list_stf_files": f"/stf-files?run={RUN}&limit=1",
            "list_tf_files": f"/tf-files?run={RUN}",
            "list_tf_slices": f"/tf-slices?run={RUN}&status=completed,failed",
            "list_logs": f"/logs?run={RUN}",
            "list_alarms": "/alarms",
            "list_dead_letters": "/dead-letters?state=parked",
        }
        for name, path in paths.items():
            assert rest(url, token, path) == tools[name].value, name
        ledger = command(data_dir, "runs", "ledger", str(RUN))
        why = command(data_dir, "runs", "explain", SLICE)
        runs = command(data_dir, "runs", "list", "--namespace", "testbed")
        letters = command(data_dir, "dead-letters", "list")
    assert ledger == tools["run_ledger"].value | {"run": RUN}
    assert {**why, "next": []} == {**tools["explain"].value, "next": []}
    assert runs["runs"] == tools["list_runs"].value["items"]
    assert letters["dead_letters"] == tools["list_dead_letters"].value["items"]


def test_deeds_need_an_operator_and_are_kept_with_who_and_why(data_dir: Path) -> None:
    operator = token_of(user_with("ann", {"testbed": Role.OPERATOR}), Role.OPERATOR)
    reader = token_of(user_with("ben", {"testbed": Role.VIEWER}))
    weak = token_of(user_with("cid", {"testbed": Role.OPERATOR}), Role.VIEWER)
    deeds: dict[str, dict[str, Any]] = {
        "discard_message": {"letter": 1, "reason": "sent twice"},
        "stop_workflow": {"execution": EXECUTION, "reason": "beam is lost"},
    }
    with monitor_process(data_dir) as url:
        for token in (reader, weak):
            refused = over_http(url, token, calling(deeds))
            assert all(answer.wrong and "operator" in answer.text for answer in refused.values()), refused
        assert not AuditEntry.objects.filter(via="token").exists()
        done = over_http(url, operator, calling(deeds))
    assert not any(answer.wrong for answer in done.values()), done
    assert done["discard_message"].value["state"] == DeadLetter.objects.get().state == "discarded"
    assert WorkflowExecution.objects.get(pk=EXECUTION).stop_requested_by == "ann"
    kept = AuditEntry.objects.filter(via="token").order_by("id").values_list("who", "action", "reason", "address")
    assert list(kept) == [
        ("ann", "dead_letter.discard", "sent twice", "127.0.0.1"),
        ("ann", "execution.stop", "beam is lost", "127.0.0.1"),
    ]


def test_clients_of_the_protocol_before_find_the_same_and_nothing_is_left_open(data_dir: Path) -> None:
    token = token_of(user_with("ann", {"*": Role.VIEWER}), Role.VIEWER)

    async def act(tools: Client) -> tuple[str, Answer]:
        return tools.protocol_version, await ask(tools, "get_run", {"run": RUN})

    with monitor_process(data_dir) as url:
        before, now = over_http(url, token, act, "legacy"), over_http(url, token, act)
        where = urlsplit(url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        for method in ("GET", "DELETE"):
            connection.request(method, "/mcp", headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            assert (answer.status, answer.headers["allow"]) == (405, "POST"), answer.read()
            answer.read()
        connection.close()
    assert before[0] < now[0]
    assert before[1] == now[1]


def test_what_lies_in_another_namespace_is_not_found(data_dir: Path) -> None:
    token = token_of(user_with("ann", {"testbed": Role.ADMIN}))
    hidden: dict[str, dict[str, Any]] = {
        "get_run": {"run": RUN + 1},
        "run_ledger": {"run": RUN + 1},
        "explain": {"name": "theirs-0001"},
        "get_execution": {"execution": "theirs-0001"},
        "get_workflow_monitor": {"execution": "theirs-0001"},
        "stop_workflow": {"execution": "theirs-0001", "reason": "x"},
        "retry_slices": {"run": RUN + 1, "reason": "x"},
    }
    with monitor_process(data_dir) as url:
        answers = over_http(url, token, calling(hidden))
        lists = over_http(url, token, calling({"list_runs": {}, "list_executions": {}, "list_messages": {}}))
    for name, answer in answers.items():
        assert answer.wrong, name
        assert "there is no" in answer.text or "nothing here is named" in answer.text
    for name, answer in lists.items():
        assert {item["namespace"] for item in answer.value["items"]} == {"testbed"}, name


def test_wrong_arguments_are_said_by_name(data_dir: Path) -> None:
    async def act(tools: Client) -> list[Answer]:
        calls: list[tuple[str, dict[str, Any]]] = [
            ("list_messages", {"runn": RUN}),
            ("list_tf_slices", {"status": "done"}),
            ("list_runs", {"limit": 501}),
            ("get_run", {"run": "x"}),
            ("stop_workflow", {"execution": EXECUTION, "reason": ""}),
            ("get_run", {}),
        ]
        return [await ask(tools, name, arguments) for name, arguments in calls]

    answers = on_stdio(data_dir, act)
    for answer, said in zip(answers, ("runn", "status", "limit", "run", "reason", "run"), strict=True):
        assert answer.wrong
        assert f"{said}: " in answer.text
        assert "pydantic" not in answer.text


def test_nothing_is_answered_without_a_token(data_dir: Path) -> None:
    refused: list[tuple[dict[str, str], int]] = [
        ({}, 401),
        ({"Authorization": "Bearer swf_000000000000_x"}, 401),
        ({"Authorization": "Basic YTpi"}, 401),
        ({"Host": "evil.example"}, 400),
    ]
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}})
    kind = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    with monitor_process(data_dir) as url:
        where = urlsplit(url)
        for headers, status in refused:
            connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
            connection.request("POST", "/mcp", body, {**kind, **headers})
            answer = connection.getresponse()
            assert answer.status == status, headers
            assert b"list_runs" not in answer.read()
            connection.close()


@pytest.mark.timeout(900)
def test_the_inspector_lists_and_calls_every_tool(data_dir: Path) -> None:
    inspector = os.environ.get("SWF_MCP_INSPECTOR") or shutil.which("mcp-inspector")
    if inspector is None or shutil.which("node") is None:
        pytest.skip("needs node and the MCP inspector: npm install -g @modelcontextprotocol/inspector")
    served = [sys.executable, "-m", "swf.cli", "monitor", "mcp", "--role", "operator", "--data-dir", str(data_dir)]

    def inspect(*arguments: str) -> Any:
        command = [inspector, "--cli", *served, *arguments]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout)

    tools = {tool["name"] for tool in inspect("--method", "tools/list")["tools"]}
    assert tools == READS.keys() | WRITES.keys()
    for name, given in (READS | WRITES).items():
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
        flags = [flag for key, text in texts.items() for flag in ("--tool-arg", f"{key}={text}")]
        answer = inspect("--method", "tools/call", "--tool-name", name, *flags)
        assert answer["isError"] is (name in EMBEDDED), answer
