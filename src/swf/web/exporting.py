"""A whole list as a file: CSV for tables, JSON for programs, written piece by piece while it is read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import fields
from itertools import islice
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

from swf.core.errors import QuestionError

FORMATS: Final = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
_AT_ONCE: Final = 500
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets would carry out at the beginning of a cell."""


def export(request: HttpRequest, form: str, name: str, line: type[Any], lines: Iterator[Any]) -> StreamingHttpResponse:
    """A download of lines.

    Args:
        request: who asks.
        form: `csv` or `json`.
        name: of the file, without its ending.
        line: the class of the lines.
        lines: all of them.

    Raises:
        QuestionError: there is no such format.
    """
    if form not in FORMATS:
        raise QuestionError("format", f"expected {' or '.join(FORMATS)}, got {form[:40]!r}")
    pieces = _csv(line, lines) if form == "csv" else _json(lines)
    response = streamed(request, pieces, FORMATS[form])
    response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response


def streamed(request: HttpRequest, pieces: Iterator[str], content_type: str) -> StreamingHttpResponse:
    """A long answer, written piece by piece while it is read from the database."""
    # Whoever serves by threads iterates itself; the other one must not be held up by the database.
    content: Any = _in_thread(pieces) if isinstance(request, ASGIRequest) else pieces
    return StreamingHttpResponse(content, content_type=content_type)


def _csv(line: type[Any], lines: Iterator[Any]) -> Iterator[str]:
    names = [field.name for field in fields(line)]
    yield _rows([names])
    while piece := [[_cell(plain[name]) for name in names] for plain in _next(lines)]:
        yield _rows(piece)


def _json(lines: Iterator[Any]) -> Iterator[str]:
    yield "["
    separator = "\n"
    while piece := _next(lines):
        yield separator + ",\n".join(json.dumps(plain, ensure_ascii=False) for plain in piece)
        separator = ",\n"
    yield "\n]\n"


def _next(lines: Iterator[Any]) -> list[dict[str, Any]]:
    return [line.as_json() for line in islice(lines, _AT_ONCE)]


def _rows(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


async def _in_thread(pieces: Iterator[str]) -> AsyncIterator[str]:
    step = sync_to_async(lambda: next(pieces, None))
    while (piece := await step()) is not None:
        yield piece
