"""Routes of lists: one page, and the whole list as a file, with parameters from the list's filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router, Schema
from pydantic import Field, create_model

from swf.core.errors import QuestionError
from swf.store.filters import LARGEST, LONGEST, Filter, Kind
from swf.store.listing import DEFAULT, MOST, Listing, Question
from swf.web.exporting import FORMATS, export
from swf.web.rest.answers import answered
from swf.web.rest.values import NO_NULL
from swf.web.scene import scene_of

View = Callable[..., HttpResponse | StreamingHttpResponse]


def add_list(router: Router, listing: Listing[Any, Any], tag: str) -> None:
    """Add the routes of a list: `/NAME` is a page of it, `/NAME.csv` and `/NAME.json` are all of it."""
    stem = listing.name.replace("-", "_")
    asked = _parameters(listing)
    page = create_model(
        f"{listing.line.__name__}Page",
        __base__=Schema,
        __doc__="One page. A page may have fewer lines than were asked for: the list ends where `next` is null.",
        items=(list[listing.line], ...),  # type: ignore[name-defined]
        next=(str | None, ...),
    )
    router.get(
        f"/{listing.name}", response=page, operation_id=f"list_{stem}", summary=listing.text.rstrip("."), tags=[tag]
    )(_page_view(listing, _paged(listing, asked)))
    for form in FORMATS:
        router.get(
            f"/{listing.name}.{form}",
            operation_id=f"export_{stem}_{form}",
            summary=f"{listing.text.rstrip('.')}: all of it as {form.upper()}",
            tags=[tag],
            openapi_extra=_content(form, listing),
        )(_export_view(listing, asked, form))


def question_of(asked: Schema) -> Question:
    """The question in a request's parameters."""
    given = asked.model_dump(exclude_none=True)
    rest = {name: given.pop(name) for name in ("sort", "cursor", "limit") if name in given}
    return Question(filters=given, **rest)


def refuse_unknown(request: HttpRequest, known: Mapping[str, Any]) -> None:
    """See to it that a request has no parameter that is not known: a misspelt filter would show all.

    Raises:
        QuestionError: it has.
    """
    unknown = sorted(request.GET.keys() - known.keys())
    if unknown:
        raise QuestionError(unknown[0][:100], f"there is no such parameter; there are {', '.join(sorted(known))}")


def _page_view(listing: Listing[Any, Any], parameters: type[Schema]) -> View:
    def view(request: HttpRequest, asked: Any) -> HttpResponse:
        refuse_unknown(request, parameters.model_fields)
        return answered(request, listing.page(question_of(asked), scene_of(request)).as_json())

    return _typed(view, listing, parameters)


def _export_view(listing: Listing[Any, Any], parameters: type[Schema], form: str) -> View:
    def view(request: HttpRequest, asked: Any) -> StreamingHttpResponse:
        refuse_unknown(request, parameters.model_fields)
        scene = scene_of(request)
        lines = listing.every(question_of(asked), scene)
        return export(request, form, f"{listing.name}-{scene.now:%Y%m%dT%H%M%SZ}", listing.line, lines)

    return _typed(view, listing, parameters)


def _typed(view: View, listing: Listing[Any, Any], parameters: type[Schema]) -> View:
    # ninja reads the parameters from the annotation.
    view.__annotations__["asked"] = Annotated[parameters, Query(...)]  # type: ignore[type-arg]
    view.__doc__ = listing.text
    return view


def _parameters(listing: Listing[Any, Any]) -> type[Schema]:
    """The filters and the order of a list, as a model of the parameters in an address."""
    fields: dict[str, Any] = {name: _field(each) for name, each in listing.filters.items()}
    orders = "|".join(listing.orders)
    said = f"The order: {', '.join(listing.orders)}; `-` is the reverse. Default: {next(iter(listing.orders))}"
    fields["sort"] = (str | None, Field(None, pattern=f"^({orders})$", description=f"{said}, where it fits."))
    return create_model(f"{listing.line.__name__}Filters", __base__=Schema, **fields)


def _paged(listing: Listing[Any, Any], asked: type[Schema]) -> type[Schema]:
    return create_model(
        f"{listing.line.__name__}Query",
        __base__=asked,
        cursor=(str | None, Field(None, max_length=2000, description="What the page before gave as `next`.")),
        limit=(int, Field(DEFAULT, ge=1, le=MOST, description="Lines of a page, at most.")),
    )


def _field(asked: Filter) -> tuple[Any, Any]:
    match asked.kind:
        case Kind.NUMBER:
            return int | None, Field(None, description=asked.text, ge=0, le=LARGEST)
        case Kind.YES_NO:
            return bool | None, Field(None, description=asked.text)
        case Kind.INSTANT:
            text = f"{asked.text} RFC 3339, with an offset."
            return str | None, Field(None, description=text, max_length=40, json_schema_extra={"format": "date-time"})
        case Kind.WORDS:
            word = "|".join(asked.choices)
            text = f"{asked.text} One of {', '.join(asked.choices)}, or some of them with commas between them."
            return str | None, Field(None, description=text, max_length=250, pattern=f"^({word})(,({word}))*$")
        case _:
            return str | None, Field(None, description=asked.text, min_length=1, max_length=LONGEST, pattern=NO_NULL)


def _content(form: str, listing: Listing[Any, Any]) -> dict[str, Any]:
    if form == "csv":
        content: dict[str, Any] = {"text/csv": {"schema": {"type": "string"}}}
    else:
        content = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
    return {"responses": {200: {"description": "The whole list, as a file.", "content": content}}}
