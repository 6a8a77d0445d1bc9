"""The description of the interface (OpenAPI 3.1), with what every route has in common: who may ask, and how errors are
said."""

from __future__ import annotations

from typing import Any, Final

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from swf.web.problems import MEDIA_TYPE

_PROBLEM: Final = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457). `errors` names each value that is wrong; `kind` is the error's class.",
    "required": ["type", "status", "title"],
    "properties": {
        "type": {"type": "string"},
        "status": {"type": "integer"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "kind": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "in": {"type": "string"},
                    "name": {"type": "string"},
                    "problem": {"type": "string"},
                },
            },
        },
    },
}
_SAID: Final = {
    "4XX": "It is not answered or done: nobody is logged in (401), they may not (403), there is nothing of that name "
    "that they may see (404), its state does not allow it (409), a value is wrong (422), or there were too many "
    "requests (429).",
    "5XX": "A server does not answer now (503), or something failed that should not have (500).",
}


class DescribedApi(NinjaAPI):
    """A NinjaAPI whose description is complete."""

    def get_openapi_schema(self, **how: Any) -> OpenAPISchema:
        """The description, made from the routes."""
        schema = super().get_openapi_schema(**how)
        components = schema.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = _PROBLEM
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        schema["security"] = [{"token": []}]
        for path in schema["paths"].values():
            for method, operation in path.items():
                _complete(operation, reads=method == "get")
        return schema


def _complete(operation: dict[str, Any], *, reads: bool) -> None:
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _not_null(parameter["schema"])
    if not reads and operation["operationId"] in _REPEATABLE:
        operation.setdefault("parameters", []).append(_KEY)
    if reads:
        operation["responses"]["304"] = {"description": "It is what `If-None-Match` names."}
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    operation["responses"] |= {code: {"description": text, "content": content} for code, text in _SAID.items()}


_REPEATABLE: Final = frozenset(
    {
        "comment_on_run",
        "judge_run",
        "next_agent_id",
        "next_execution_id",
        "next_run_number",
        "register_stf_files",
        "start_workflow",
    }
)
_KEY: Final = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "A repeat with the key of an earlier request is given its answer, and nothing is done again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]+$"},
}


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out is never null: an address has no null."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    if len(choices) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **choices[0]}
