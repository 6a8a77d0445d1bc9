"""Why an STF is as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from swf.core.errors import UnknownNameError
from swf.core.ledger import MISSING, NOT_REQUIRED, Stage
from swf.core.scene import Scene
from swf.core.work import LOST, WorkState
from swf.epic.accounting import stf_words
from swf.epic.models import FastMonFile, StfFile, TfSlice
from swf.epic.names import StfName, parse_stf_name
from swf.epic.usecases.explain_run import states_of
from swf.epic.usecases.explanation import (
    NOT_ANNOUNCED,
    Explanation,
    attempts_at,
    counted,
    latest_events,
)
from swf.epic.usecases.item_words import why_item
from swf.epic.usecases.letters import letters_about, said_of
from swf.epic.usecases.lookup import find_run
from swf.epic.usecases.scene import standing
from swf.store.models import DeadLetter, Event, Run


def explain_stf(name: str, scene: Scene) -> Explanation | None:
    """An STF by its name; None where the name is not that of an STF."""
    try:
        parsed = parse_stf_name(name)
    except UnknownNameError:
        return None
    run = find_run(parsed.run, scene.namespaces)
    stf = StfFile.objects.filter(name=name).first()
    return _absent(name, parsed, run, scene) if stf is None else _present(stf, run, scene)


def words_of(stf: StfFile) -> dict[Stage, str]:
    """The word of an STF at each stage."""
    row = {"status": stf.status, "sample_count": stf.sample_count, "slice_count": stf.slice_count}
    samples, slices = (states_of(model, stf=stf) for model in (FastMonFile, TfSlice))
    return {stage: str(word) for stage, word in stf_words(row, Counter(samples), Counter(slices)).items()}


def first_undone(words: dict[Stage, str]) -> Stage | None:
    """Where an STF is stuck or on its way: the first stage at which it is not done; None where it is done."""
    return next((stage for stage, word in words.items() if word not in _DONE), None)


def _present(stf: StfFile, run: Run, scene: Scene) -> Explanation:
    words = words_of(stf)
    stuck = first_undone(words)
    status, resume = standing(run.execution_id, scene)
    parts = (
        ("TF sample files", states_of(FastMonFile, stf=stf)),
        ("slices", states_of(TfSlice, stf=stf)),
    )
    return Explanation(
        name=stf.name,
        kind="stf",
        state=WorkState.COMPLETED if stuck is None else words[stuck],
        what=_what(stf),
        why=(*((status,) if stuck else ()), *_why(stf, words, scene)),
        next=tuple(dict.fromkeys([*(resume if stuck else ()), *_next(stf, stuck)])),
        stages=tuple((stage.value, word) for stage, word in words.items()),
        parts=tuple((title, states) for title, states in parts if states),
        attempts=attempts_at(stf.name),
        events=latest_events(subject=stf.name),
    )


_DONE = {WorkState.COMPLETED.value, NOT_REQUIRED}


def _why(stf: StfFile, words: dict[Stage, str], scene: Scene) -> Iterator[str]:
    yield from why_item(stf, "data", "verification", scene, stf.run.execution_id)
    if words[Stage.REGISTERED] in LOST:
        yield "Nothing is sampled of an STF whose verification failed."
        return
    yield _sampling(stf, words[Stage.SAMPLED])
    if words[Stage.SAMPLED] == WorkState.COMPLETED:
        yield _processing(stf, words[Stage.PROCESSED])
    for letter in letters_about(stf.name):
        yield said_of(letter)


def _sampling(stf: StfFile, word: str) -> str:
    if stf.sample_count is None:
        return "Sampling: not decided yet; it waits for the fastmon agent."
    if stf.sample_count == 0:
        return "Sampling: not required; its workflow samples none, or not this one (stf_sampling_rate)."
    states = states_of(FastMonFile, stf=stf)
    return f"Sampling: {word}; of {stf.sample_count} TF sample files: {counted(states)}."


def _processing(stf: StfFile, word: str) -> str:
    if stf.slice_count is None:
        return "Slicing: its sample is complete and waits for the fast_processing agent."
    states = states_of(TfSlice, stf=stf)
    return f"Processing: {word}; of {stf.slice_count} slices: {counted(states)}."


def _next(stf: StfFile, stuck: Stage | None) -> Iterator[str]:
    if stuck is None:
        return
    for letter in letters_about(stf.name):
        if letter.state == DeadLetter.State.PARKED:
            yield f"testbed dead-letters show {letter.pk}"
    models: tuple[type[FastMonFile] | type[TfSlice], ...] = (FastMonFile, TfSlice)
    for model in models:
        undone = model._default_manager.filter(stf=stf).exclude(status=WorkState.COMPLETED).order_by("status", "name")
        yield from (f"testbed runs explain {name}" for name in undone.values_list("name", flat=True)[:2])


def _what(stf: StfFile) -> str:
    simulated = "SIMULATED STF" if stf.simulated else "STF"
    content = f"{stf.size_bytes} bytes, adler32 {stf.adler32}" if stf.has_content else "announced without content"
    left = f"; it left the exit buffer {stf.removed_at:%Y-%m-%d %H:%M:%S} UTC" if stf.removed_at else ""
    which = f"{simulated} {stf.sequence} of run {stf.run_number}"
    return f"{which}: {stf.tf_count} TFs from TF {stf.tf_first}, {content}{left}"


def _absent(name: str, parsed: StfName, run: Run, scene: Scene) -> Explanation:
    """An STF that has no row: missing, or not announced yet.

    Raises:
        UnknownNameError: the run has fewer STFs.
    """
    if run.total_stf_files is not None and parsed.sequence > run.total_stf_files:
        raise UnknownNameError(
            f"there is no {name}: run {parsed.run} has {run.total_stf_files} STFs; "
            f"list their states with: testbed runs ledger {parsed.run}"
        )
    status, resume = standing(run.execution_id, scene)
    letters = letters_about(name)
    sent = Event.objects.filter(subject=name, kind=Event.Kind.MESSAGE, type="stf_gen").exists()
    later = StfFile.objects.filter(run_id=run.run_number, sequence__gt=parsed.sequence).exists()
    missing = bool(letters) or run.total_stf_files is not None or later
    return Explanation(
        name=name,
        kind="stf",
        state=MISSING if missing else NOT_ANNOUNCED,
        what=f"STF {parsed.sequence} of run {parsed.run}",
        why=(status, *_why_absent(run, sent=sent, missing=missing), *(said_of(letter) for letter in letters)),
        next=(
            *(() if run.closed_at else resume),
            *(f"testbed dead-letters show {letter.pk}" for letter in letters),
            f"testbed runs explain {parsed.run}",
        ),
        events=latest_events(subject=name),
    )


def _why_absent(run: Run, *, sent: bool, missing: bool) -> Iterator[str]:
    if sent:
        yield "Its stf_gen was sent; the data agent has not registered it."
    elif missing and run.total_stf_files is not None:
        yield (
            f"It is missing: the DAQ says that it produced {run.total_stf_files} STFs, and no stf_gen of this one was "
            "ever sent. It was never announced; it did not fail."
        )
    elif missing:
        yield "It is missing so far: later STFs of its run are registered, and no stf_gen of this one was sent."
    else:
        yield "It is not announced yet: the DAQ has not made it, and may never: its run has not ended."
