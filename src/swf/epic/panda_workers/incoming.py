"""Reading what PanDA workers send to the queue of results. Pure: which slice it is about is found out elsewhere.

A result is `{msg_type, run_id, created_at, content{requested_at, state, ..., result{state, result, error}}}`. The inner
`result` is the slice as it was sent, with what was made of it; of a failure it is null. Nothing in the text says the
namespace, which is a header.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from swf.core.codec import Decoder, first_problems, parse_object
from swf.core.errors import ForeignNamespaceError, MalformedMessageError
from swf.core.ids import id_from_content
from swf.core.messages import Body, Envelope, Message, Vocabulary
from swf.core.times import plausible
from swf.epic.panda_workers.messages import PandaResult
from swf.messaging.legacy import Times, Unusable

PANDA_SCHEMA: Final = "panda"
"""What the envelope of such a message says in place of a schema."""

_NAMING: Final = ("filename", "tf_filename", "slice_id", "start", "end", "attempt")
_UTC: Final = Times(zone=UTC)


class ResultDecoder(Decoder):
    """A decoder that also reads results of PanDA workers, which have `content` and no `schema`.

    Everything else is left to `otherwise`.
    """

    def __init__(self, otherwise: Decoder, namespace: str) -> None:
        super().__init__(Vocabulary(()), namespace)
        self._otherwise = otherwise
        self._ours = namespace

    def decode(self, text: str | bytes, now: datetime) -> Message[Body]:
        fields = parse_object(text)
        says_nothing = fields.get("msg_type") == "heartbeat"
        if "schema" in fields or not ("content" in fields or says_nothing):
            return self._otherwise.decode(text, now)
        namespace = fields.get("namespace") or self._ours
        if namespace != self._ours:
            raise ForeignNamespaceError(f"the message is for namespace {str(namespace)[:80]!r}, this is {self._ours!r}")
        body = _nothing("a sign of life") if says_nothing else read_result(fields)
        sent = read_instant(fields.get("created_at"))
        envelope = Envelope(
            message_id=id_from_content(text if isinstance(text, str) else text.decode()),
            namespace=self._ours,
            sender=body.worker if isinstance(body, PandaResult) else "panda",
            sender_seq=0,
            created_at=sent if sent is not None and plausible(sent, now) else now,
            schema=PANDA_SCHEMA,
        )
        return Message(envelope=envelope, body=body)


def read_result(fields: Mapping[str, Any]) -> PandaResult | Unusable:
    """A result from the fields of its message.

    Raises:
        MalformedMessageError: it is none, or a field makes no sense.
    """
    content = fields.get("content")
    if fields.get("msg_type") != PandaResult.msg_type or not isinstance(content, dict):
        raise MalformedMessageError(
            f"expected a {PandaResult.msg_type} with an object in content, got {str(fields.get('msg_type'))[:80]!r}"
        )
    outer = _object(content.get("result"))
    slice_ = _object(outer.get("result"))
    run_id = fields.get("run_id") or slice_.get("run_id")
    if run_id is None:
        # What a worker answers to a sign of life that came to it by mistake.
        return _nothing("a result that names no run")
    done = content.get("state") == "done" and outer.get("state", True) is True
    try:
        return PandaResult.model_validate(
            {
                **{name: slice_[name] for name in _NAMING if slice_.get(name) is not None},
                "run_id": run_id,
                "execution_id": slice_.get("execution_id"),
                "req_id": _request(slice_.get("req_id") or content.get("req_id")),
                "requested_at": read_instant(content.get("requested_at")),
                "done": done,
                "outcome": "ok" if done else "crashed",
                "detail": _detail(outer, slice_, done=done),
                "worker": _worker(content),
                "hostname": str(content.get("hostname") or "")[:100],
                "started_at": read_instant(content.get("processing_start_at")),
                "finished_at": read_instant(content.get("processed_at")),
                "seconds": _seconds(slice_, content),
            }
        )
    except ValidationError as error:
        raise MalformedMessageError(f"{PandaResult.msg_type} of a PanDA worker: {first_problems(error)}") from None


def read_instant(value: object) -> datetime | None:
    """An instant of a worker, which writes the time of UTC in one way or another; None where it is none.

    A result is not refused for a time that cannot be read.
    """
    if not isinstance(value, str):
        return None
    for read in (_UTC.read, _http_date):
        try:
            return read(value)
        except ValueError:
            continue
    return None


def _http_date(value: str) -> datetime:
    try:
        return parsedate_to_datetime(value).replace(tzinfo=UTC)
    except (TypeError, IndexError, OverflowError):
        raise ValueError(f"{value!r} is no date") from None


def _request(value: object) -> UUID | None:
    if value is None:
        return None
    try:
        return UUID(str(value))
    except ValueError:
        raise MalformedMessageError(f"req_id: expected a UUID, got {str(value)[:80]!r}") from None


def _detail(outer: Mapping[str, Any], slice_: Mapping[str, Any], *, done: bool) -> str:
    said = slice_.get("output_file") or slice_.get("output_filename") if done else outer.get("error")
    text = str(said or "").strip() or ("" if done else "it says no reason")
    return (f"output: {text}" if done and text else text)[:4000]


def _seconds(slice_: Mapping[str, Any], content: Mapping[str, Any]) -> float:
    said = slice_.get("actual_processing_time")
    if isinstance(said, (int, float)) and not isinstance(said, bool):
        return min(max(float(said), 0.0), 1e9)
    start, end = (read_instant(content.get(name)) for name in ("processing_start_at", "processed_at"))
    return max((end - start).total_seconds(), 0.0) if start is not None and end is not None else 0.0


def _worker(content: Mapping[str, Any]) -> str:
    job = content.get("panda_id")
    letters = "".join(letter for letter in str(job)[:80] if letter.isascii() and (letter.isalnum() or letter in "._-"))
    return f"panda-{letters}" if job is not None and letters else "panda"


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _nothing(why: str) -> Unusable:
    return Unusable.model_construct(run_id=0, why=why)
