"""What a worker says of an attempt: a message that every reader accepts, whatever the payload said."""

from __future__ import annotations

import json
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from typing import Final

from swf.core.codec import MAX_BYTES, parse_object
from swf.core.errors import MalformedMessageError, SwfError
from swf.core.payload import Outcome, PayloadResult
from swf.epic.messages import Slice, SliceResult
from swf.messaging.turn import Turn
from swf.storage.checksums import FileFacts

_LARGEST_SUMMARY: Final = MAX_BYTES - 100_000
"""A message with a larger one, and with everything else at its longest, could not be sent."""

_LONGEST_TEXT: Final = 4000


def slice_result(
    turn: Turn, body: Slice, result: PayloadResult, output: Future[FileFacts] | None, hostname: str
) -> SliceResult:
    """The message; `output` is what was read of the output, where there is one."""
    result, facts = _checked(result, output)
    return SliceResult(
        run_id=body.run_id,
        execution_id=body.execution_id,
        state=body.state,
        substate=body.substate,
        tf_filename=body.tf_filename,
        filename=body.filename,
        slice_id=body.slice_id,
        req_id=body.req_id,
        attempt=body.attempt,
        result="done" if result.outcome is Outcome.OK else "failed",
        outcome=result.outcome,
        worker=turn.identity.name,
        hostname=hostname,
        started_at=turn.now - timedelta(seconds=result.seconds),
        finished_at=turn.now,
        seconds=result.seconds,
        exit_code=result.exit_code,
        detail=_sendable(result.detail)[:_LONGEST_TEXT],
        stderr_tail=_sendable(result.stderr_tail)[-_LONGEST_TEXT:],
        output_name=result.output.name if result.output is not None and facts is not None else None,
        output_size=facts.size_bytes if facts else 0,
        output_adler32=facts.adler32 if facts else None,
        output_sha256=facts.sha256 if facts else None,
        summary=result.summary,
    )


def _checked(result: PayloadResult, output: Future[FileFacts] | None) -> tuple[PayloadResult, FileFacts | None]:
    """A result with size and checksums of its output. An output that cannot be read is none, and so is one whose
    summary cannot be sent."""
    try:
        facts = output.result() if output is not None else None
        _check_summary(result.summary)
    except SwfError as error:
        return replace(result, outcome=Outcome.NO_OUTPUT, output=None, summary={}, detail=str(error)), None
    return result, facts


def _check_summary(summary: dict[str, object]) -> None:
    if not summary:
        return
    text = json.dumps({"summary": summary})
    if len(text) > _LARGEST_SUMMARY:
        raise MalformedMessageError(f"its summary has {len(text)} bytes; at most {_LARGEST_SUMMARY} can be sent")
    try:
        parse_object(text)
    except MalformedMessageError as error:
        raise MalformedMessageError(f"its summary cannot be sent: {error}") from None


def _sendable(text: str) -> str:
    return text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
