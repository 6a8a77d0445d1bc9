"""Keys that several sections hold: one value wins, and all of them have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from swf.config.describe import shown
from swf.config.origin import DEFAULT, Layer, Origin
from swf.config.section import Section
from swf.config.workflow import SharedKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The value that all keys of a shared one have, and where it came from."""

    keys: tuple[str, ...]
    value: object
    origin: Origin
    winner: str
    """The key that held it."""

    def origin_for(self, dotted: str) -> Origin:
        """The origin as told for one of the keys."""
        if dotted == self.winner or self.origin.layer is Layer.DEFAULT:
            return self.origin
        return replace(self.origin, via=self.winner)


def settle(
    shared: SharedKey, sections: Mapping[str, Section], origins: Mapping[tuple[str, str], Origin]
) -> Settled | str:
    """Which value of a shared key counts: the strongest layer's, and within it the strongest rank's.

    Returns:
        the value, or what is wrong: two keys of that layer and rank say different things.
    """
    ranked = [
        (dotted, -rank) for rank, keys in enumerate(shared.ranks) for dotted in keys if _present(dotted, sections)
    ]
    strength = {dotted: (_origin(dotted, origins).layer, rank) for dotted, rank in ranked}
    best = max(strength.values())
    winners = [dotted for dotted, _ in ranked if strength[dotted] == best]
    first, *others = winners
    value = _value(first, sections)
    for other in others:
        if _value(other, sections) != value:
            return (
                f"{_quote(other, sections, origins)} contradicts {_quote(first, sections, origins)}: "
                f"both are {shared.name}; keep one"
            )
    return Settled(
        keys=tuple(dotted for dotted, _ in ranked), value=value, origin=_origin(first, origins), winner=first
    )


def _present(dotted: str, sections: Mapping[str, Section]) -> bool:
    return dotted.rpartition(".")[0] in sections


def _value(dotted: str, sections: Mapping[str, Section]) -> object:
    section, _, key = dotted.rpartition(".")
    return getattr(sections[section], key)


def _origin(dotted: str, origins: Mapping[tuple[str, str], Origin]) -> Origin:
    section, _, key = dotted.rpartition(".")
    return origins.get((section, key), DEFAULT)


def _quote(dotted: str, sections: Mapping[str, Section], origins: Mapping[tuple[str, str], Origin]) -> str:
    section, _, key = dotted.rpartition(".")
    return f"{_origin(dotted, origins)}: [{section}] {key} = {shown(_value(dotted, sections))}"
