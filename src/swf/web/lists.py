"""Pages with a list: search by filters that the address keeps, orders, pages, and the whole list as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from swf.core.errors import QuestionError
from swf.core.scene import Scene
from swf.store.filters import Filter, Kind
from swf.store.listing import DEFAULT, Listing, Question
from swf.web.columns import Column, rows_of
from swf.web.exporting import export
from swf.web.looking import looking

_LABELS: Final = {
    "stf": "STF",
    "holder": "Worker",
    "executed_by": "Started by",
    "since": "Since (UTC)",
    "until": "Until (UTC)",
}
_NOT_FILTERS: Final = frozenset({"sort", "cursor", "limit", "format"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """A page with a list.

    Args:
        path: its address.
        title: its head.
        listing: what it lists.
        columns: its table.
        first: the filters that are shown at once; the others are behind a click.
        empty: what is said where there is nothing, and how something comes to be there.
        template: the page; others extend the plain one.
        more: what else the template is given.
    """

    path: str
    title: str
    listing: Listing[Any, Any]
    columns: tuple[Column, ...]
    first: tuple[str, ...]
    empty: str
    template: str = "swf/list.html"
    more: Callable[[HttpRequest, Scene], Mapping[str, object]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of the form with the filters."""

    name: str
    label: str
    text: str
    kind: str
    value: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of a column, and the address of the list ordered by it."""

    title: str
    css: str
    address: str
    sort: str
    """`ascending` or `descending` where the list is ordered by it now."""


def list_view(page: ListPage) -> Callable[..., HttpResponseBase]:
    """The view of a page with a list."""

    @require_safe
    def view(request: HttpRequest) -> HttpResponseBase:
        return list_response(request, page, looking(request))

    return view


def list_response(request: HttpRequest, page: ListPage, scene: Scene) -> HttpResponseBase:
    """The page, its table alone where a script asks for that, or the whole list as a file."""
    asked = asked_of(request)
    try:
        question = question_of(asked)
        form = asked.get("format", "")
        if form:
            lines = page.listing.every(question, scene)
            return export(request, form, page.listing.name, page.listing.line, lines)
        found = page.listing.page(question, scene)
    except QuestionError as error:
        return _shown(request, page, scene, asked, {"wrong": error}, status=422)
    rows = rows_of(page.columns, found.items)
    following = _address(page.path, {**asked, "cursor": found.next}) if found.next else ""
    return _shown(request, page, scene, asked, {"rows": rows, "next": following, "items": found.items})


def asked_of(request: HttpRequest) -> dict[str, str]:
    """What an address asks for; an empty field of a form asks for nothing."""
    return {name: value for name, value in request.GET.items() if isinstance(value, str) and value != ""}


def question_of(asked: Mapping[str, str]) -> Question:
    """The question to a list.

    Raises:
        QuestionError: the limit is no number.
    """
    limit = asked.get("limit", str(DEFAULT))
    if not (limit.isascii() and limit.isdigit() and len(limit) < 6):
        raise QuestionError("limit", f"expected a whole number, got {limit[:40]!r}")
    filters = {name: value for name, value in asked.items() if name not in _NOT_FILTERS}
    return Question(filters=filters, sort=asked.get("sort", ""), cursor=asked.get("cursor"), limit=int(limit))


def _shown(
    request: HttpRequest,
    page: ListPage,
    scene: Scene,
    asked: Mapping[str, str],
    found: Mapping[str, object],
    status: int = 200,
) -> HttpResponse:
    fields = [_field(name, each, asked.get(name, "")) for name, each in page.listing.filters.items()]
    first = [field for name in page.first for field in fields if field.name == name]
    others = [field for field in fields if field.name not in page.first]
    kept = {name: value for name, value in asked.items() if name not in {"cursor", "format"}}
    context = {
        "page": page,
        "first_fields": first,
        "other_fields": others,
        "others_used": any(field.value for field in others),
        "filtered": any(field.value for field in fields),
        "heads": [_head(page, column, kept) for column in page.columns],
        "sort": asked.get("sort", ""),
        "cursor": asked.get("cursor", ""),
        "exports": [(form.upper(), _address(page.path, {**kept, "format": form})) for form in ("csv", "json")],
        "beginning": _address(page.path, kept),
        **(page.more(request, scene) if page.more is not None else {}),
        **found,
    }
    return render(request, page.template, context, status=status)


def _field(name: str, each: Filter, value: str) -> Field:
    kinds = {Kind.WORDS: "choice", Kind.YES_NO: "choice", Kind.NUMBER: "number", Kind.INSTANT: "instant"}
    choices = each.choices if each.kind is Kind.WORDS else ("true", "false") if each.kind is Kind.YES_NO else ()
    if value and choices and value not in choices:
        choices = (*choices, value)
    label = _LABELS.get(name, name.replace("_", " ").capitalize())
    return Field(
        name=name, label=label, text=each.text, kind=kinds.get(each.kind, "text"), value=value, choices=choices
    )


def _head(page: ListPage, column: Column, kept: Mapping[str, str]) -> Head:
    filters = {name: value for name, value in kept.items() if name not in _NOT_FILTERS}
    fitting = [name for name, order in page.listing.orders.items() if order.fits(filters)]
    up, down = column.order, f"-{column.order}"
    if not column.order or up not in fitting:
        return Head(title=column.title, css=column.css, address="", sort="")
    now = kept.get("sort") or fitting[0]
    wanted = up if now == down else down if now == up else next(name for name in fitting if name in {up, down})
    sort = {up: "ascending", down: "descending"}.get(now, "")
    return Head(title=column.title, css=column.css, address=_address(page.path, {**kept, "sort": wanted}), sort=sort)


def _address(path: str, asked: Mapping[str, str | None]) -> str:
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{path}?{query}" if query else path
