"""The REST routes of the particle-physics workflows, below /api/v1."""

from __future__ import annotations

from swf.epic.web import rest_reading, rest_starting, rest_writing

router = (rest_reading.router, rest_writing.router, rest_starting.router)
