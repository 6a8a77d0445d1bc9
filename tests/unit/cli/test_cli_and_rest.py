"""The command line and REST give one answer to one question: both are skins over the same functions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shell import Testbed

from rest_rows import every_kind, signed_in
from swf.core.work import WorkState
from swf.epic.names import slice_name, stf_name
from swf.web.roles import Role
from taken_run import EXECUTION, RUN

STF = stf_name(RUN, 1)

QUESTIONS: dict[str, tuple[str, list[str], Any]] = {
    "runs": ("runs", ["runs", "list"], lambda rest: {"runs": rest["items"]}),
    "runs of a namespace": (
        "runs?namespace=testbed",
        ["runs", "list", "--namespace", "testbed"],
        lambda rest: {"runs": rest["items"]},
    ),
    "summary": (f"runs/{RUN}/summary", ["runs", "show", str(RUN)], None),
    "ledger": (f"runs/{RUN}/ledger", ["runs", "ledger", str(RUN)], None),
    "STFs": (
        f"stf-files?run={RUN}&status=completed",
        ["runs", "stfs", str(RUN), "--status", "completed"],
        lambda rest: {"run": RUN, "stfs": rest["items"], "after": rest["next"]},
    ),
    "dead letters": ("dead-letters?sort=id", ["dead-letters", "list"], lambda rest: {"dead_letters": rest["items"]}),
    "a dead letter": ("dead-letters/1", ["dead-letters", "show", "1"], None),
}
EXPLAINED = (str(RUN), STF, slice_name(STF, 1), EXECUTION)


def test_one_answer_to_one_question(testbed: Testbed, data_dir: Path) -> None:
    run = every_kind()
    run.stf(2, WorkState.FAILED, reason="truncated")
    client = signed_in("ann", {"*": Role.VIEWER})

    def rest(path: str) -> Any:
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.content
        return answer.json()

    answers = {name: (convert or (lambda it: it))(rest(path)) for name, (path, _, convert) in QUESTIONS.items()}
    explained = {name: rest(f"explain/{name}") for name in EXPLAINED}
    replayed = b"".join(client.get(f"/api/v1/runs/{RUN}/replay")).decode()  # type: ignore[arg-type]
    for name, (_, command, _) in QUESTIONS.items():
        said = json.loads(testbed(*command, "--json", "--data-dir", data_dir).out)
        assert said == answers[name], name
    for name, why in explained.items():
        said = json.loads(testbed("runs", "explain", name, "--json", "--data-dir", data_dir).out)
        # Only the hours since and the data directory in commands to type are their own.
        assert (said["state"], said["what"], said["attempts"], said["events"], said["parts"], said["stages"]) == (
            why["state"],
            why["what"],
            why["attempts"],
            why["events"],
            why["parts"],
            why["stages"],
        )
    assert testbed("runs", "replay", RUN, "--json", "--data-dir", data_dir).out.splitlines() == replayed.splitlines()


def test_workflows(testbed: Testbed, data_dir: Path) -> None:
    from swf.cli.session import registry_of, sources_of
    from swf.service.workflows import list_workflows, show_workflow

    registry = registry_of(sources_of(None, None))
    listed = json.loads(testbed("workflows", "list", "--json").out)
    assert listed == {"workflows": [each.as_json() for each in list_workflows(registry)]}
    shown = json.loads(testbed("workflows", "show", "fast_processing", "--json").out)
    assert shown == show_workflow(registry, registry.named("fast_processing")).as_json()
