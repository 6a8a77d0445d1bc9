"""Products: files made by processing, with checksums and provenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from swf.core.errors import UnknownNameError
from swf.core.plain import Shown
from swf.core.scene import Scene, here, sees
from swf.service.queries.runs_seen import of_namespace, of_run
from swf.store.filters import Filter
from swf.store.listing import Listing, both
from swf.store.models import Product


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductLine(Shown):
    """A product: `made_from` is the file that it was made from, by attempt `attempt` at the work item `item`."""

    id: int
    name: str
    namespace: str
    run: int | None
    kind: str
    location: str
    size_bytes: int
    adler32: str
    sha256: str
    made_from: str
    item: str
    attempt: int
    code_version: str
    simulated: bool
    created: datetime
    parameters: dict[str, Any]
    summary: dict[str, Any]


def show_product(name: str, scene: Scene) -> ProductLine:
    """A product.

    Raises:
        UnknownNameError: there is none of that name.
    """
    row = Product.objects.filter(name=name).first()
    if row is None or not sees(scene.namespaces, row.namespace):
        raise UnknownNameError(f"there is no product {name[:100]!r} {here(scene.namespaces)}")
    return _line(row)


def _line(row: Product) -> ProductLine:
    return ProductLine(
        id=row.pk,
        name=row.name,
        namespace=row.namespace,
        run=row.run_number,
        kind=row.kind,
        location=row.location,
        size_bytes=row.size_bytes,
        adler32=row.adler32,
        sha256=row.sha256,
        made_from=row.made_from,
        item=row.item,
        attempt=row.attempt,
        code_version=row.code_version,
        simulated=row.simulated,
        created=row.created_at,
        parameters=row.parameters,
        summary=row.summary,
    )


def _lines(rows: Sequence[Product], scene: Scene) -> list[ProductLine]:
    return [_line(row) for row in rows]


PRODUCTS = Listing(
    name="products",
    text="Products, the newest first.",
    rows=Product.objects.all,
    lines=_lines,
    line=ProductLine,
    filters={
        "namespace": of_namespace(),
        "run": of_run(),
        "name": Filter(text="Of this name.", lookup="name"),
        "kind": Filter(text="Of this kind.", lookup="kind"),
        "made_from": Filter(text="Made from this file.", lookup="made_from"),
        "item": Filter(text="Made by this work item.", lookup="item"),
    },
    orders=both("id"),
    indexed=(frozenset({"run"}), frozenset({"name"})),
)
