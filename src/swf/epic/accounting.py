"""The account of a run: each STF in exactly one word at each stage, from the rows as they are now."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Count

from swf.core.errors import UnknownNameError
from swf.core.ledger import MISSING, NOT_REQUIRED, SURPLUS, Ledger, Stage, Undone
from swf.core.work import LOST, WorkState
from swf.epic.models import FastMonFile, StfFile, TfSlice
from swf.epic.names import stf_name
from swf.store.models import Run

UNDONE_SHOWN = 50
"""How many undone units a ledger names, and how many of their parts; the rest is counted."""

_Words = dict[int, Counter[str]]


def ledger_of(run_number: int) -> Ledger:
    """The ledger of a run, live or final.

    Raises:
        UnknownNameError: there is no such run.
    """
    run = Run.objects.filter(pk=run_number).first()
    if run is None:
        raise UnknownNameError(f"there is no run {run_number}; list them with: testbed runs list")
    samples, slices = _words(FastMonFile, run_number), _words(TfSlice, run_number)
    stages: dict[Stage, Counter[str]] = {stage: Counter() for stage in Stage}
    sequences = set()
    undone: list[Undone] = []
    for stf in _stfs(run_number):
        sequences.add(stf["sequence"])
        words = stf_words(stf, samples[stf["id"]], slices[stf["id"]])
        for stage, word in words.items():
            stages[stage][word] += 1
        undone.extend(_first_undone(stf, words, run.total_stf_files))
    missing = missing_sequences(sequences, run.total_stf_files)
    gone = [_missing(stf_name(run_number, number)) for number in missing[:UNDONE_SHOWN]]
    return Ledger(
        run=run_number,
        produced=run.total_stf_files,
        registered=len(sequences),
        missing=len(missing),
        stages=stages,
        undone=tuple(_with_parts([*gone, *undone][:UNDONE_SHOWN])),
        undone_total=len(missing) + len(undone),
    )


def missing_sequences(seen: set[int], produced: int | None) -> list[int]:
    """The sequence numbers that should be there and are not: up to the number produced, or to the last one seen."""
    return [n for n in range(1, (produced or max(seen, default=0)) + 1) if n not in seen]


def stf_words(stf: Mapping[str, Any], samples: Counter[str], slices: Counter[str]) -> dict[Stage, str]:
    """The word of one STF at each stage. A stage behind a failed one is cancelled: its turn never comes."""
    registered = str(stf["status"])
    upstream_failed = registered in LOST
    sampled = _stage_word(upstream_failed, stf["sample_count"], samples)
    upstream_failed |= sampled in LOST
    sliced = _sliced_word(upstream_failed, stf["sample_count"], stf["slice_count"])
    return {
        Stage.REGISTERED: registered,
        Stage.ARCHIVED: NOT_REQUIRED,
        Stage.SAMPLED: sampled,
        Stage.SLICED: sliced,
        Stage.PROCESSED: _stage_word(upstream_failed, stf["slice_count"], slices),
    }


def _stage_word(upstream_failed: bool, wanted: int | None, parts: Counter[str]) -> str:
    """The word of a unit whose work at a stage consists of `wanted` parts (None: not decided yet)."""
    if wanted == 0:
        return NOT_REQUIRED
    if upstream_failed:
        return WorkState.CANCELLED
    if parts[WorkState.PROCESSING] or (parts[WorkState.QUEUED] and sum(parts.values()) > parts[WorkState.QUEUED]):
        return WorkState.PROCESSING
    if wanted is None or parts[WorkState.QUEUED] or sum(parts.values()) < wanted:
        return WorkState.QUEUED
    for word in (WorkState.FAILED, WorkState.EXPIRED, WorkState.CANCELLED):
        if parts[word]:
            return word
    return WorkState.COMPLETED


def _sliced_word(upstream_failed: bool, sample_count: int | None, slice_count: int | None) -> str:
    if sample_count == 0 or slice_count == 0:
        return NOT_REQUIRED
    if upstream_failed:
        return WorkState.CANCELLED
    return WorkState.QUEUED if slice_count is None else WorkState.COMPLETED


def _stfs(run_number: int) -> Iterator[Mapping[str, Any]]:
    columns = ("id", "name", "sequence", "status", "reason", "sample_count", "slice_count")
    yield from StfFile.objects.filter(run_id=run_number).order_by("sequence").values(*columns)


def _words(model: type[FastMonFile] | type[TfSlice], run_number: int) -> _Words:
    """Per STF, how many of its parts are in each state."""
    words: _Words = defaultdict(Counter)
    rows = model._default_manager.filter(run_number=run_number).order_by()
    for stf_id, status, number in rows.values_list("stf_id", "status").annotate(number=Count("id")):
        words[stf_id][status] = number
    return words


def _missing(name: str) -> Undone:
    return Undone(name=name, stage=Stage.REGISTERED, word=MISSING, reason="its stf_gen never came")


def _first_undone(stf: Mapping[str, Any], words: Mapping[Stage, str], produced: int | None) -> Iterator[Undone]:
    """Where an STF is stuck: the first stage at which it is not done."""
    if produced is not None and stf["sequence"] > produced:
        reason = f"the DAQ says that it made {produced}"
        yield Undone(name=stf["name"], stage=Stage.REGISTERED, word=SURPLUS, reason=reason)
        return
    for stage, word in words.items():
        if word not in {WorkState.COMPLETED, NOT_REQUIRED}:
            reason = stf["reason"] if stage is Stage.REGISTERED else ""
            yield Undone(name=stf["name"], stage=stage, word=word, reason=reason)
            return


_PARTS: Mapping[Stage, type[FastMonFile] | type[TfSlice]] = {Stage.SAMPLED: FastMonFile, Stage.PROCESSED: TfSlice}


def _with_parts(units: list[Undone]) -> Iterator[Undone]:
    """Each unit, and behind it its sample files or slices that are not done, with their reasons."""
    parts: dict[str, list[Undone]] = defaultdict(list)
    for stage, model in _PARTS.items():
        names = [unit.name for unit in units if unit.stage is stage]
        if names:
            rows = model._default_manager.filter(stf__name__in=names)
            left = rows.exclude(status=WorkState.COMPLETED).order_by("name")[:UNDONE_SHOWN]
            for name, stf, status, reason in left.values_list("name", "stf__name", "status", "reason"):
                parts[stf].append(Undone(name=name, stage=stage, word=status, reason=reason, part_of=stf))
    for unit in units:
        yield unit
        yield from parts[unit.name]
