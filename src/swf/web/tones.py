"""How good or bad a word is that says where something is: the colour of its badge."""

from __future__ import annotations

from typing import Final

_WORDS: Final = {
    "good": "completed closed good ok ready redriven complete sampled done cleared normal alive",
    "active": "processing running physics starting open info message working",
    "warning": "warning retrying acknowledged standby paused stopped stopping expired late released",
    "bad": "failed missing cancelled parked error critical bad raised surplus gone crashed lease_expired timeout",
}
_TONES: Final = {word: tone for tone, words in _WORDS.items() for word in words.split()}


def tone(word: str) -> str:
    """`good`, `active`, `warning`, `bad`, or `waiting` for all that is neither."""
    return _TONES.get(word.lower().replace(" ", "_"), "waiting")
