"""The REST routes of the particle-physics workflows, below /api/v1."""

from __future__ import annotations

from ninja import Router

router = Router()
