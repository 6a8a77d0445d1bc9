"""Tools for AI assistants: functions that are given who asks, and lists, as the Model Context Protocol has them.

Every tool is a thin skin: what it gives is what REST and the pages give.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Annotated, Any, Final, TypeAlias

from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import Http404, HttpRequest
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations
from pydantic import Field, ValidationError

from swf.core.codec import first_problems
from swf.core.errors import SwfError
from swf.store import database
from swf.store.filters import Filter, Kind
from swf.store.listing import DEFAULT, MOST, Listing, Question
from swf.web.access import Access, request_of
from swf.web.scene import scene_of

AnyContext: TypeAlias = Context[Any, Any]
ToolFunction: TypeAlias = Callable[..., dict[str, Any]]
"""Is given the request of who asks, and its other parameters by name."""

_CONTEXT: Final = "ctx"
_REQUEST: Final = "request"


class ClearTool(Tool):
    """A tool that says of wrong arguments what is wrong with which, in a line."""

    async def run(self, arguments: dict[str, Any], context: AnyContext, convert_result: bool = False) -> Any:
        """What the server calls."""
        try:
            return await super().run(arguments, context, convert_result)
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            known = ", ".join(self.parameters["properties"]) or "none"
            problems = first_problems(error.__cause__)
            raise ToolError(f"{self.name}: {problems}; its parameters: {known}") from error.__cause__


class Toolbox:
    """Tools as they are put together: the monitor's own, and those of instruments.

    Args:
        local: who asks where nobody comes over HTTP; None: everybody does.
    """

    def __init__(self, local: Access | None = None) -> None:
        self._local = local
        self._tools: list[Tool] = []

    def add(self, function: ToolFunction, *, writes: bool = False) -> None:
        """Add a tool: the function's name, parameters and docstring are its own. Its first parameter is the request of
        who asks, and is none of the tool's.

        Args:
            writes: whether it changes anything.
        """
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())
        assert parameters[0].name == _REQUEST, function
        self._add(function.__name__, inspect.getdoc(function) or "", parameters[1:], function, writes=writes)

    def add_list(self, listing: Listing[Any, Any], name: str) -> None:
        """Add a tool that gives a page of a list."""

        def page(request: HttpRequest, *, sort: str, cursor: str | None, limit: int, **filters: Any) -> dict[str, Any]:
            given = {key: value for key, value in filters.items() if value is not None}
            question = Question(filters=given, sort=sort, cursor=cursor, limit=limit)
            return listing.page(question, scene_of(request)).as_json()

        text = f"{listing.text} A page: the list goes on where `next` is not null; give that as `cursor`."
        self._add(name, text, _parameters_of(listing), page, writes=False)

    def server(self, name: str, version: str, instructions: str) -> MCPServer:
        """A server with these tools."""
        return MCPServer(name, version=version, instructions=instructions, tools=list(self._tools), log_level="WARNING")

    def _add(
        self, name: str, text: str, parameters: Sequence[inspect.Parameter], act: ToolFunction, *, writes: bool
    ) -> None:
        def call(**given: Any) -> dict[str, Any]:
            context = given.pop(_CONTEXT)
            try:
                return act(self._request_in(context), **given)
            except SwfError as error:
                raise ToolError(str(error)) from error
            except Http404 as error:
                raise ToolError("there is nothing of that name, or nothing that you may see") from error
            except database.FAILURES as error:
                raise ToolError("the database does not answer; try again later") from error
            finally:
                close_old_connections()

        first = inspect.Parameter(_CONTEXT, inspect.Parameter.KEYWORD_ONLY, annotation=AnyContext)
        named = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        call.__signature__ = inspect.Signature([first, *named], return_annotation=dict[str, Any])  # type: ignore[attr-defined]
        call.__annotations__ = {each.name: each.annotation for each in (first, *named)} | {"return": dict[str, Any]}
        hints = ToolAnnotations(read_only_hint=not writes, destructive_hint=writes, open_world_hint=False)
        tool = ClearTool.from_function(call, name=name, description=text, annotations=hints)
        # What is misspelt would otherwise be passed over: a filter with another name would show all.
        arguments = tool.fn_metadata.arg_model
        arguments.model_config["extra"] = "forbid"
        arguments.model_rebuild(force=True)
        tool.parameters = arguments.model_json_schema(by_alias=True)
        self._tools.append(tool)

    def _request_in(self, context: AnyContext) -> HttpRequest:
        """The request of who asks: the one that brought the call, with its token, or one of who runs this program."""
        brought = context.request_context.request
        if brought is not None:
            return ASGIRequest(dict(brought.scope), BytesIO())
        assert self._local is not None
        return request_of(self._local)


def _parameters_of(listing: Listing[Any, Any]) -> list[inspect.Parameter]:
    orders = ", ".join(listing.orders)
    own = {
        "sort": (str, f"The order: {orders}; `-` is the reverse. Empty: the list's own.", ""),
        "cursor": (str | None, "What the page before gave as `next`.", None),
        "limit": (int, f"Lines of the page, from 1 to {MOST}.", DEFAULT),
    }
    wanted = {name: (_type(each), _text(each), None) for name, each in listing.filters.items()}
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=Annotated[kind, Field(description=text)],
        )
        for name, (kind, text, default) in (wanted | own).items()
    ]


def _type(asked: Filter) -> Any:
    return {Kind.NUMBER: int | None, Kind.YES_NO: bool | None}.get(asked.kind, str | None)


def _text(asked: Filter) -> str:
    if asked.kind is Kind.INSTANT:
        return f"{asked.text} RFC 3339, with an offset."
    if asked.kind is Kind.WORDS:
        return f"{asked.text} One of {', '.join(asked.choices)}, or some of them with commas between them."
    return asked.text
