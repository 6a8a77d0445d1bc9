"""Where the hits of an STF come from; kept in the file, so that whoever shows it can say SIMULATED."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from swf.core.errors import DataError

SIMULATED: Final = "SIMULATED"
GENERATED: Final = "generated"
"""Origin of hits that were drawn by the generator of this package."""

_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The origin of hits: the generator, or a file whose events were placed into TFs."""

    simulated: bool
    """Whether no detector saw these hits; true of a replayed file too, where it comes from a simulation."""
    origin: str
    """`generated`, or the name of the input file."""
    origin_sha256: str = ""
    seed: int = 0
    run: int = 0
    sequence: int = 0
    parameters: Mapping[str, object] = field(default_factory=dict)
    """What else decided the content."""

    @property
    def label(self) -> str:
        """What a person is shown."""
        source = "" if self.origin == GENERATED else f"events of {self.origin}"
        return ": ".join(part for part in (SIMULATED if self.simulated else "", source) if part)

    def to_json(self) -> str:
        """The text that is kept in the file."""
        fields: dict[str, object] = {
            "version": _VERSION,
            "label": self.label,
            "simulated": self.simulated,
            "origin": self.origin,
            "origin_sha256": self.origin_sha256,
            "seed": self.seed,
            "run": self.run,
            "sequence": self.sequence,
            "parameters": dict(self.parameters),
        }
        return json.dumps(fields, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Provenance:
        """Read what `to_json` wrote; fields of later versions are passed over.

        Raises:
            DataError: it is not that.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            return cls(
                simulated=bool(fields["simulated"]),
                origin=str(fields["origin"]),
                origin_sha256=str(fields["origin_sha256"]),
                seed=int(fields["seed"]),
                run=int(fields["run"]),
                sequence=int(fields["sequence"]),
                parameters=dict(fields["parameters"]),
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(f"the provenance is not what this program writes: {text[:80]!r}") from error


UNKNOWN: Final = Provenance(simulated=False, origin="unknown")
"""Of a file that does not say."""
