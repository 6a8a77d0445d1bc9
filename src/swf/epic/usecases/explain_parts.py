"""Why a TF sample file or a slice is as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from swf.core.errors import UnknownNameError
from swf.core.ledger import NOT_REQUIRED
from swf.core.scene import Scene
from swf.core.work import LOST, WORK_TABLE, WorkState, WorkTrigger
from swf.epic.models import FastMonFile, SliceRetry, StfFile, TfSlice
from swf.epic.names import PartName, parse_slice_name, parse_tf_sample_name
from swf.epic.usecases.explain_stf import explain_stf
from swf.epic.usecases.explanation import NOT_MADE, Explanation, attempts_at, latest_events
from swf.epic.usecases.item_words import why_item
from swf.epic.usecases.letters import letters_about, said_of
from swf.epic.usecases.lookup import seen_by
from swf.epic.usecases.scene import standing


def explain_sample(name: str, scene: Scene) -> Explanation | None:
    """A TF sample file by its name; None where the name is not that of one."""
    part = _parsed(parse_tf_sample_name, name)
    if part is None:
        return None
    rows = FastMonFile.objects.select_related("stf__run").filter(name=name)
    item = seen_by(rows.first(), scene.namespaces)
    if item is None:
        stf = explain_stf(part.stf, scene)
        assert stf is not None
        return _absent(name, "sample", stf, StfFile.objects.filter(name=part.stf).first(), part.number)
    what = (
        f"TF sample file {item.sample_index} of {item.sample_count} of {part.stf}: its TFs {item.tf_first} to "
        f"{item.tf_last}, {item.hits} hits, {item.size_bytes} bytes"
    )
    return _item(item, "sample", what, ("fastmon", "sampling"), scene)


def explain_slice(name: str, scene: Scene) -> Explanation | None:
    """A slice by its name; None where the name is not that of one."""
    part = _parsed(parse_slice_name, name)
    if part is None:
        return None
    rows = TfSlice.objects.select_related("stf__run", "fastmon_file").filter(name=name)
    item = seen_by(rows.first(), scene.namespaces)
    if item is None:
        stf = explain_stf(part.stf, scene)
        assert stf is not None
        return _absent(name, "slice", stf, StfFile.objects.filter(name=part.stf).first(), part.number + 1)
    found = "" if item.hits_found is None else f"; {item.hits_found} hits found"
    what = (
        f"slice {item.slice_id} of {item.stf.slice_count} of {part.stf}: its TFs {item.tf_first} to {item.tf_last}, "
        f"sampled in {item.fastmon_file.name}{found}"
    )
    return _item(item, "slice", what, ("worker", "processing"), scene)


def _parsed(parse: Callable[[str], PartName], name: str) -> PartName | None:
    try:
        return parse(name)
    except UnknownNameError:
        return None


def _item(item: FastMonFile | TfSlice, kind: str, what: str, work: tuple[str, str], scene: Scene) -> Explanation:
    role, noun = work
    execution = item.stf.run.execution_id
    status, resume = standing(execution, scene)
    done = item.status == WorkState.COMPLETED
    return Explanation(
        name=item.name,
        kind=kind,
        state=item.status,
        what=f"SIMULATED {what}" if item.stf.simulated else what,
        why=(
            *(() if done else (status,)),
            f"{item.stf.name} is registered; its verification is {item.stf.status}.",
            *why_item(item, role, noun, scene, execution),
            *_wished(item),
            *(said_of(letter) for letter in letters_about(item.name)),
        ),
        next=tuple(dict.fromkeys([*(() if done or item.status in LOST else resume), *_next(item)])),
        attempts=attempts_at(item.name),
        events=latest_events(subject=item.name),
    )


def _wished(item: FastMonFile | TfSlice) -> Iterator[str]:
    if isinstance(item, TfSlice):
        for wish in SliceRetry.objects.filter(slice=item, attempt=item.attempt):
            yield f"{wish.wished_by} wishes that it is tried once more; not carried out yet."


def _next(item: FastMonFile | TfSlice) -> Iterator[str]:
    for letter in letters_about(item.name):
        if letter.state == letter.State.PARKED:
            yield f"testbed dead-letters show {letter.pk}"
    redrivable = isinstance(item, TfSlice) and WORK_TABLE.allows(WorkState(item.status), WorkTrigger.REDRIVE)
    if redrivable and item.stf.run.closed_at is None:
        yield f"testbed runs retry {item.run_number} {item.name}"
    if item.status in LOST:
        yield "read the attempts above, mend the payload, its configuration or the file, and take the run again"
        yield f"testbed runs ledger {item.run_number}"


def _absent(name: str, kind: str, upstream: Explanation, stf: StfFile | None, number: int) -> Explanation:
    """A part that has no row: what its STF lacks is why.

    Raises:
        UnknownNameError: the STF has fewer parts.
    """
    wanted = None if stf is None else (stf.sample_count if kind == "sample" else stf.slice_count)
    if wanted and number > wanted:
        parts = "TF sample files" if kind == "sample" else "slices"
        raise UnknownNameError(f"there is no {name}: {upstream.name} has {wanted} {parts}")
    if wanted == 0:
        state, why = NOT_REQUIRED, f"It will not be made: {upstream.name} is not sampled."
    elif upstream.state in LOST:
        state, why = WorkState.CANCELLED.value, f"It will not be made: {upstream.name} is {upstream.state}."
    else:
        state, why = NOT_MADE, f"It is not made yet: {upstream.name} is {upstream.state}."
    return Explanation(
        name=name,
        kind=kind,
        state=state,
        what=f"a {'TF sample file' if kind == 'sample' else 'slice'} of {upstream.name}",
        why=(why, *upstream.why),
        next=tuple(dict.fromkeys([f"testbed runs explain {upstream.name}", *upstream.next])),
        events=latest_events(subject=name),
    )
