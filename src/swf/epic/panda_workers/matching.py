"""Which request a result of a PanDA worker answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from swf.epic.messages import Slice, SliceResult
from swf.epic.models import TfSlice
from swf.epic.names import parse_slice_name
from swf.epic.panda_workers.messages import SLICES_TOPIC, PandaResult
from swf.store.models import Event
from swf.store.work import by_request, ended_attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One time that a slice was handed out."""

    req_id: UUID
    slice_name: str
    attempt: int


class Matches:
    """Finds the requests of results, of a whole batch in a few queries.

    By the request's identity. A result that does not say it counts only where the request is certain: a slice of that
    file and range that was handed out once; or, where not even that is said, the one request of that run that was made
    at the very instant that the result repeats.
    """

    def __init__(self, results: Sequence[PandaResult]) -> None:
        nameless = [each for each in results if each.req_id is None]
        ranged = [each for each in nameless if _range(each) is not None]
        self._by_range = _once_handed_out(ranged)
        self._by_instant = _made_at([each for each in nameless if each.requested_at is not None])
        named = {each.req_id for each in results if each.req_id is not None}
        self._slices = by_request(TfSlice, named)

    def request(self, result: PandaResult) -> Request | None:
        """The request that a result answers; None where that is not certain, or nobody knows of it."""
        if result.req_id is not None:
            item = self._slices.get(result.req_id)
            return _standing(item) if item is not None and item.run_number == result.run_id else None
        where = _range(result)
        if where is not None:
            return self._by_range.get(where)
        return self._by_instant.get((result.run_id, result.requested_at)) if result.requested_at is not None else None


def slice_result(result: PandaResult, request: Request) -> SliceResult:
    """A worker's result as ours."""
    part = parse_slice_name(request.slice_name)
    return SliceResult(
        run_id=result.run_id,
        execution_id=result.execution_id,
        tf_filename=request.slice_name,
        filename=part.stf,
        slice_id=part.number,
        req_id=request.req_id,
        attempt=request.attempt,
        result="done" if result.done else "failed",
        outcome=result.outcome,
        worker=result.worker,
        hostname=result.hostname,
        started_at=result.started_at,
        finished_at=result.finished_at,
        seconds=result.seconds,
        detail=result.detail,
    )


_Range = tuple[int, str, int, int]
_Instant = tuple[int, datetime]


def _range(result: PandaResult) -> _Range | None:
    if result.filename is None or result.start is None or result.end is None:
        return None
    return result.run_id, result.filename, result.start, result.end


def _once_handed_out(results: Sequence[PandaResult]) -> dict[_Range, Request]:
    """The slices of these files and ranges that only one request was ever made for."""
    if not results:
        return {}
    items = TfSlice.objects.filter(
        run_number__in={each.run_id for each in results}, stf__name__in={each.filename for each in results}
    ).select_related("stf")
    standing = ((item, _standing(item)) for item in items)
    return {
        (item.stf.run_id, item.stf.name, item.tf_first, item.tf_last): request
        for item, request in standing
        if request.attempt == 1
    }


def _made_at(results: Sequence[PandaResult]) -> dict[_Instant, Request]:
    """The requests of these runs that were made at these instants, where it is one each."""
    if not results:
        return {}
    events = Event.objects.filter(
        run_number__in={each.run_id for each in results},
        created_at__in={each.requested_at for each in results},
        type=Slice.msg_type,
        destination=SLICES_TOPIC,
    )
    found: dict[_Instant, list[str]] = {}
    for run_number, instant, body in events.order_by().values_list("run_number", "created_at", "body"):
        if run_number is not None:
            found.setdefault((run_number, instant), []).append(body)
    return {key: _sent(bodies[0]) for key, bodies in found.items() if len(bodies) == 1}


def _standing(item: TfSlice) -> Request:
    """The request that a slice's row stands for."""
    return Request(req_id=item.req_id, slice_name=item.name, attempt=ended_attempt(item))


def _sent(body: str) -> Request:
    """The request that a message made, as the event log has it."""
    content = json.loads(body)["content"]
    return Request(
        req_id=UUID(content["req_id"]), slice_name=str(content["tf_filename"]), attempt=int(content["attempt"])
    )
