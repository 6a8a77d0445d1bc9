"""Pages about one thing: its facts, and tables and texts beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString

from swf.web.columns import Cell, Column, Show, rows_of, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A named value."""

    name: str
    html: SafeString


def fact(name: str, value: object, show: Show = Show.TEXT) -> Fact:
    """A named value, as it is shown."""
    return Fact(name=name, html=shown(value, show))


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page under a head: a table, or a text as it is."""

    title: str
    text: str = ""
    html: SafeString | None = None
    columns: Sequence[Column] = ()
    rows: Sequence[Sequence[Cell]] = ()
    empty: str = ""
    more: str = ""
    """The address of all of it."""


def table_section(
    title: str, columns: Sequence[Column], lines: Iterable[object], *, empty: str = "None.", more: str = ""
) -> Section:
    """A part with a table."""
    return Section(title=title, columns=columns, rows=rows_of(columns, list(lines)), empty=empty, more=more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button that does something, with the reason that somebody gives; `danger` where it cannot be taken back."""

    title: str
    address: str
    text: str = ""
    danger: bool = False
    reason: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A page about one thing.

    Args:
        kind: what it is: `Slice`.
        name: its name.
        state: its word.
        list_title, list_path: the list that it is in.
        facts: its values.
        sections: what is shown below them.
        actions: what may be done to it by who looks.
        why: whether `explain` knows it.
    """

    kind: str
    name: str
    state: str = ""
    list_title: str
    list_path: str
    facts: Sequence[Fact] = ()
    sections: Sequence[Section] = ()
    actions: Sequence[Action] = ()
    simulated: bool = False
    why: bool = False


def detail_response(request: HttpRequest, detail: Detail) -> HttpResponse:
    """The page about one thing."""
    return render(request, "swf/detail.html", {"detail": detail})
