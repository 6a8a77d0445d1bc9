"""How much a loss test sends, and what became of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Self

_PER_DROP: Final = 250
_FEWEST_DROPS, _MOST_DROPS = 4, 40
_REPEATED: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LossPlan:
    """How much is sent, and what is done to it."""

    messages: int
    seed: int
    drops: int
    """How often the consumer is lost."""
    repeated: float
    """Which part of the messages is sent twice."""
    patience_s: float = 30.0
    """Without progress for so long, what is missing is lost."""

    @classmethod
    def of(cls, messages: int, seed: int) -> Self:
        """The usual: one drop in 250 messages, from 4 to 40 of them; a tenth sent twice."""
        drops = min(max(messages // _PER_DROP, _FEWEST_DROPS), _MOST_DROPS)
        return cls(messages=messages, seed=seed, drops=drops, repeated=_REPEATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of the messages."""

    seed: int
    sent: int
    """Messages that the bus confirmed."""
    unsent: int
    """Messages that it did not take, for as long as the test was patient."""
    sent_twice: int
    """Of these, how many were sent a second time."""
    drops: int
    """How often the consumer was lost."""
    recorded: int
    """Messages that took effect."""
    lost: int
    """Messages that were sent, and did not."""
    duplicated: int
    """Messages that took effect more than once."""
    recovered: int
    """Messages that were in the consumer's hand when it was lost, and took effect once nevertheless."""
    ended_in_the_inbox: int
    """Deliveries that were repeats, and had no effect."""
    unexpected: int
    """Messages that nobody had sent, and such as could not be read."""
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether all were sent, and nothing was lost, done twice, or came from nowhere."""
        return not (self.unsent or self.lost or self.duplicated or self.unexpected)

    @property
    def rate(self) -> float:
        """Messages a second, drops included."""
        return self.recorded / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        """The figures as plain values."""
        return {**asdict(self), "rate_per_s": round(self.rate, 1), "passed": self.passed}
