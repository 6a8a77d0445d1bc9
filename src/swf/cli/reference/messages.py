"""The messages: a page for people, their JSON Schemas, and an AsyncAPI document."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from swf.core.messages import SCHEMA, Body
from swf.epic.messages import (
    EPIC_TOPIC,
    LIVE_RESULT_QUEUE,
    LIVE_SLICE_QUEUE,
    RESULT_QUEUE,
    SLICE_QUEUE,
    EndRun,
    PauseRun,
    ResumeRun,
    RunImminent,
    Slice,
    SliceResult,
    StartRun,
    StfGen,
    StfReady,
    TfFileRegistered,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who sends a message where, and who handles it."""

    body: type[Body]
    destination: str
    sender: str
    handlers: tuple[str, ...]
    remark: str = ""


_NOTICES: Final = (RunImminent, StartRun, PauseRun, ResumeRun, EndRun, StfGen)

ROUTES: Final[tuple[Route, ...]] = (
    *(Route(body=body, destination=EPIC_TOPIC, sender="daq_simulator", handlers=("data",)) for body in _NOTICES),
    Route(body=StfReady, destination=EPIC_TOPIC, sender="data", handlers=("fastmon",)),
    Route(body=TfFileRegistered, destination=EPIC_TOPIC, sender="fastmon", handlers=("fast_processing",)),
    Route(
        body=Slice,
        destination=SLICE_QUEUE,
        sender="fast_processing, worker",
        handlers=("worker",),
        remark="While runs before it have left a backlog, slices of a run that is being taken go to "
        f"`{LIVE_SLICE_QUEUE}`, which workers look into first.",
    ),
    Route(
        body=SliceResult,
        destination=RESULT_QUEUE,
        sender="worker",
        handlers=("fast_processing",),
        remark=f"Those of slices that passed a backlog go to `{LIVE_RESULT_QUEUE}`, which is looked into first.",
    ),
)

ENVELOPE: Final[dict[str, Any]] = {
    "msg_type": {"type": "string", "description": "The type of the message."},
    "namespace": {"type": "string", "description": "The testbed that it belongs to."},
    "sender": {"type": "string", "description": "The agent that sent it."},
    "sender_seq": {"type": "integer", "minimum": 0, "description": "Its number among the sender's messages."},
    "created_at": {"type": "string", "format": "date-time", "description": "When it was made, in UTC."},
    "message_id": {"type": "string", "format": "uuid", "description": "Its identity, a UUID of version 7."},
    "schema": {"const": SCHEMA, "description": "The schema that it is written in."},
}


def schema_of(body: type[Body]) -> dict[str, Any]:
    """The JSON Schema of a message as it travels: envelope and body in one flat object."""
    own = body.model_json_schema(mode="serialization")
    properties = {**ENVELOPE, "msg_type": {"const": body.msg_type}, **own["properties"]}
    # A receiver refuses a message without what has no default; what has one may be left out.
    required = [*ENVELOPE, *body.model_json_schema(mode="validation").get("required", [])]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{SCHEMA}/{body.msg_type}",
        "title": body.msg_type,
        "description": inspect.getdoc(body) or "",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document of all messages."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for route in ROUTES:
        name = route.destination.rpartition("/")[2]
        channel = channels.setdefault(name, {"address": route.destination, "messages": {}})
        channel["messages"][route.body.msg_type] = {"$ref": f"#/components/messages/{route.body.msg_type}"}
        operations[f"send_{route.body.msg_type}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{name}"},
            "summary": f"sent by {route.sender}, handled by {', '.join(route.handlers)}",
            "messages": [{"$ref": f"#/channels/{name}/messages/{route.body.msg_type}"}],
        }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "swf-testbed, particle-physics workflows", "version": SCHEMA},
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {
                route.body.msg_type: {
                    "name": route.body.msg_type,
                    "contentType": "application/json",
                    "payload": schema_of(route.body),
                }
                for route in ROUTES
            }
        },
    }


def page() -> str:
    """The page for people."""
    return "\n".join([*_head(), *(line for route in ROUTES for line in _section(route))]) + "\n"


def as_text(document: dict[str, Any]) -> str:
    """A JSON document as it is kept in the repository."""
    return json.dumps(document, indent=2) + "\n"


def _head() -> Iterator[str]:
    yield "# Messages"
    yield ""
    yield "Generated from the code by `make docs`. Every message is one flat JSON object: envelope and own fields."
    yield "Unknown fields, unknown types and newer schemas are refused. For programs: [asyncapi.json](asyncapi.json)."
    yield ""
    yield "## Envelope"
    yield ""
    yield "| field | meaning |"
    yield "|---|---|"
    for name, schema in ENVELOPE.items():
        yield f"| `{name}` | {schema['description']} |"
    yield ""


def _section(route: Route) -> Iterator[str]:
    yield f"## `{route.body.msg_type}`"
    yield ""
    yield inspect.getdoc(route.body) or ""
    yield ""
    yield f"`{route.destination}`, from {route.sender} to {', '.join(route.handlers)}. {route.remark}".rstrip()
    yield ""
    yield "| field | type | required |"
    yield "|---|---|---|"
    schema = route.body.model_json_schema(mode="validation")
    wire = route.body.model_json_schema(mode="serialization")["properties"]
    for name, field in wire.items():
        yield f"| `{name}` | {_type(field)} | {'yes' if name in schema.get('required', []) else ''} |"
    yield ""


def _type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(choice) for choice in field["anyOf"])
    if "enum" in field:
        return " or ".join(f"`{word}`" for word in field["enum"])
    name = str(field.get("format", field.get("type", "any")))
    low, high = field.get("minimum"), field.get("maximum")
    bounds = "" if low is None else f", at least {low}" if high is None else f", {low} to {high}"
    pattern = f", `{field['pattern']}`" if "pattern" in field else ""
    return f"{name}{bounds}{pattern}"
