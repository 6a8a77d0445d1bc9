"""The payloads that come with the program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import swf
from swf.core.payload import PayloadSpec
from swf.workload.noop import NOOP

REFERENCE: Final = PayloadSpec(
    name="reference", entry_point="swf.epic.payloads.reference:run", version=swf.__version__, output_suffix=".root"
)
"""Decodes hits, clusters them, finds coincidences."""

SHIPPED: Final[Mapping[str, PayloadSpec]] = {spec.name: spec for spec in (REFERENCE, NOOP)}
