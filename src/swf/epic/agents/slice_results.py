"""Taking results of slices: the current attempt's result counts, any other is late and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import prefetch_related_objects

from swf.core.messages import Message
from swf.core.work import UNFINISHED, WithoutResult, WorkState
from swf.epic.messages import SliceResult
from swf.epic.models import TfSlice
from swf.epic.run_counts import save_slice_moves
from swf.epic.slice_queue import SendSlice
from swf.messaging.turn import Turn
from swf.store import bulk
from swf.store.models import Attempt, Product
from swf.store.work import by_request

_MOST = 2**53


class SliceResults:
    """Handles `slice_result`; `send` queues again what failed."""

    def __init__(self, send: SendSlice) -> None:
        self._send = send

    def slice_result(self, turn: Turn, messages: Sequence[Message[SliceResult]]) -> None:
        """Worker agents say what came of their attempts."""
        self.settle(turn, [message.body for message in messages])

    def settle(self, turn: Turn, results: Sequence[SliceResult]) -> None:
        """Complete or fail the slices; put failed ones back while retries remain; register what was made."""
        slices = by_request(TfSlice, [body.req_id for body in results])
        # What succeeded without an output needs no look at its STF.
        more = [slices[b.req_id] for b in results if b.req_id in slices and (b.result != "done" or b.output_name)]
        prefetch_related_objects(more, "stf")
        moves, attempts, products = turn.moves(), [], []
        for body in results:
            item = slices.get(body.req_id)
            if item is None or not is_current(item, body):
                attempts.append(_attempt_row(turn, body, WithoutResult.LATE))
                continue
            attempts.append(_attempt_row(turn, body, body.outcome))
            if body.result == "done":
                moves.complete(item)
                item.completed_at = turn.now
                item.hits_found = _number(body.summary.get("hits_found"))
                if body.output_name is not None:
                    products.append(_product_row(turn, item, body))
            elif moves.fail(item, f"{body.outcome}: {body.detail}"):
                self._send(turn, item, item.stf, body.execution_id)
        save_slice_moves(turn, moves, ("completed_at", "hits_found"))
        bulk.insert(Attempt, attempts)
        bulk.insert(Product, products, or_ignore=True)


def is_current(item: TfSlice, body: SliceResult) -> bool:
    """Whether a result is of the attempt that stands.

    A worker of this system claims, so its attempt is the item's; one outside does not, so its attempt is the item's
    next.
    """
    expected = item.attempt if item.status == WorkState.PROCESSING else item.attempt + 1
    return item.status in UNFINISHED and body.attempt == expected


def _number(said: object) -> int | None:
    """A number of things, as a payload said it; None where it said something else."""
    if isinstance(said, bool) or not isinstance(said, int):
        return None
    return said if 0 <= said <= _MOST else None


def _attempt_row(turn: Turn, body: SliceResult, outcome: str) -> dict[str, Any]:
    return {
        "item": body.tf_filename,
        "attempt": body.attempt,
        "run_number": body.run_id,
        "holder": body.worker,
        "started_at": body.started_at,
        "finished_at": body.finished_at or turn.now,
        "outcome": outcome,
        "exit_code": body.exit_code,
        "detail": body.detail,
        "stderr_tail": body.stderr_tail,
        "seconds": body.seconds,
    }


def _product_row(turn: Turn, item: TfSlice, body: SliceResult) -> dict[str, Any]:
    return {
        "name": body.output_name,
        "namespace": item.namespace,
        "run_number": item.run_number,
        "kind": "slice",
        "location": f"{item.run_number}/{body.output_name}",
        "size_bytes": body.output_size,
        "adler32": body.output_adler32,
        "sha256": body.output_sha256,
        "made_from": body.filename,
        "item": item.name,
        "attempt": item.attempt,
        "parameters": body.summary.get("parameters", {}),
        "code_version": str(body.summary.get("code_version", ""))[:100],
        "summary": body.summary,
        "simulated": item.stf.simulated,
        "created_at": turn.now,
    }
