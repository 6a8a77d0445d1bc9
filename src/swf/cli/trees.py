"""Summaries, explanations and ledgers as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text
from rich.tree import Tree

from swf.cli.options import located
from swf.cli.output import table
from swf.core.figures import duration, number_of, size
from swf.epic.usecases.explanation import counted

if TYPE_CHECKING:
    from rich.table import Table

    from swf.epic.usecases.explanation import AttemptView, Explanation
    from swf.epic.usecases.summary import RunSummary

_MEANINGS: Mapping[str, str] = {
    "run_imminent": "agents prepared",
    "start_run": "physics phase began",
    "pause_run": "data taking paused",
    "resume_run": "data taking went on",
    "end_run": "run ended",
    "stf_gen": "STFs announced by the DAQ",
    "stf_ready": "STFs registered and verified by the data agent",
    "tf_file_registered": "TF sample files made by fast monitoring",
    "slice": "slices queued for workers",
    "slice_result": "results of workers",
    "run_imminent_worker": "PanDA workers asked for",
    "stop_transformer": "PanDA workers let go",
}


def summary_tree(summary: RunSummary) -> Tree:
    """The summary of a run."""
    simulated = " (SIMULATED data)" if summary.simulated else ""
    tree = _tree(f"Run {summary.run} Summary:{simulated}")
    tree.add(
        f"Execution: {summary.execution or 'unknown'} (workflow {summary.workflow}, namespace {summary.namespace}, "
        f"{summary.mode}), {summary.status}{f': {summary.status_reason}' if summary.status_reason else ''}"
    )
    tree.add(f"Duration: {duration(summary.duration_s)}{'' if summary.closed else ', not closed'}")
    if summary.ended_by:
        tree.add(f"Ended by: {summary.ended_by}")
    tree.add(f"STF files: {_stf_files(summary)}")
    if summary.tf_files["registered"]:
        sampled = summary.stf["sampled"]
        tree.add(f"TF sample files: {summary.tf_files['registered']} of {sampled} STFs, {summary.hits['sampled']} hits")
    if summary.slices["created"]:
        tree.add(f"Slices: {_slices(summary.slices)}; {summary.hits['found']} hits found")
    tree.add(f"Ledger: {_sum(summary.ledger)}")
    if summary.products["count"]:
        tree.add(f"Products: {number_of(summary.products['count'], 'file')}, {size(summary.products['bytes'])}")
    if summary.dataset:
        dataset = summary.dataset
        tree.add(f"Dataset: {dataset['name']}, {dataset['state']}, {number_of(dataset['files'], 'file')}")
    _branch(tree, "Messages:", [_message(kind, number) for kind, number in summary.messages.items()])
    raised = [alarm for alarm in summary.alarms if alarm["cleared"] is None]
    _branch(tree, "Alarms:", [f"{alarm['text']}. To do: {alarm['what_to_do']}" for alarm in raised])
    if summary.dead_letters:
        tree.add(f"Dead letters: {summary.dead_letters}; see: testbed dead-letters list")
    _branch(tree, "Agents involved:", summary.agents)
    return tree


def explanation_tree(explanation: Explanation, data_dir: Path) -> Tree:
    """An explanation, of something in that data directory."""
    tree = _tree(f"{explanation.name}: {explanation.state}")
    tree.add(f"What: {explanation.what}")
    _branch(tree, "Why:", explanation.why)
    _branch(tree, "Stages:", [f"{stage}: {word}" for stage, word in explanation.stages])
    _branch(tree, "Parts:", [f"{title}: {counted(states)}" for title, states in explanation.parts])
    _branch(tree, "Attempts:", [_attempt(attempt) for attempt in explanation.attempts])
    _branch(tree, "Events:", [event_line(event.as_json()) for event in explanation.events])
    _branch(tree, "Next:", located(explanation.next, data_dir))
    return tree


def ledger_sum(run: int, ledger: Mapping[str, Any]) -> str:
    """The sum of a run's account, in a line."""
    return f"Ledger of run {run}: {_sum(ledger)}"


def ledger_table(ledger: Mapping[str, Any]) -> Table:
    """The account of a run: STFs by stage and word."""
    stages = ledger["stages"]
    words = sorted({word for counts in stages.values() for word in counts})
    made = table("stage", *words)
    for stage, counts in stages.items():
        made.add_row(stage, *(str(counts.get(word, 0)) for word in words))
    return made


def undone_lines(ledger: Mapping[str, Any]) -> list[str]:
    """Each unit that is not done, and its parts, with where it is and why."""
    lines = [
        f"{unit['name']}: {unit['word']} at {unit['stage']}{': ' + unit['reason'] if unit['reason'] else ''}"
        for unit in ledger["undone"]
    ]
    more = ledger["undone_total"] - sum(1 for unit in ledger["undone"] if not unit["part_of"])
    return [*lines, f"and {more} more"] if more > 0 else lines


def event_line(event: Mapping[str, Any]) -> str:
    """One event on one line."""
    subject = f" {event['subject']}" if event["subject"] else ""
    text = f": {event['text']}" if event["text"] else ""
    return f"{event['seq']} {event['at']} {event['type']}{subject} by {event['sender']}{text}"


def _tree(title: str) -> Tree:
    return Tree(Text(title), highlight=False)


def _branch(tree: Tree, title: str, items: Iterable[str | Tree]) -> None:
    """A branch with these leaves or branches; none where there is nothing to put on it."""
    branch = _tree(title)
    for item in items:
        branch.children.append(_tree(item) if isinstance(item, str) else item)
    if branch.children:
        tree.children.append(branch)


def _attempt(attempt: AttemptView) -> Tree:
    code = "" if attempt.exit_code is None else f", exit code {attempt.exit_code}"
    detail = f": {attempt.detail}" if attempt.detail else ""
    tree = _tree(f"{attempt.attempt} by {attempt.holder}: {attempt.outcome}{code}, {duration(attempt.seconds)}{detail}")
    _branch(tree, "end of its standard error:", attempt.stderr_tail.rstrip().splitlines()[-15:])
    return tree


def _stf_files(summary: RunSummary) -> str:
    produced, registered = summary.stf["produced"], summary.stf["registered"]
    if summary.complete:
        done = "processed" if summary.slices["created"] else "registered"
        return f"{registered} (all {done})"
    of = "" if produced is None else f" of {produced}"
    stages = summary.ledger["stages"].values()
    through = min((words.get("completed", 0) + words.get("not_required", 0) for words in stages), default=0)
    return f"{registered}{of} registered, {through} done"


def _slices(slices: Mapping[str, int]) -> str:
    states = {word: number for word, number in slices.items() if word not in {"created", "retries"}}
    return f"{slices['created']} ({counted(states)}), {slices['retries']} retries"


def _sum(ledger: Mapping[str, Any]) -> str:
    produced = "not ended" if ledger["produced"] is None else f"{ledger['produced']} produced"
    state = "complete" if ledger["complete"] else "balanced, not complete" if ledger["balanced"] else "open"
    return f"{produced} = {ledger['registered']} registered + {ledger['missing']} missing; {state}"


def _message(kind: str, number: int) -> str:
    times = f" (x{number})" if number > 1 else ""
    meaning = f" → {_MEANINGS[kind]}" if kind in _MEANINGS else ""
    return f"{kind}{times}{meaning}"
