"""Names of the files of a run: STFs, TF sample files and slices.

    STF          swf.<run>.<sequence, six digits>.stf        sequence from 1 within the run
    TF sample    <STF without .stf>_tf_<n, three digits>.tf      n from 1 within the STF
    slice        <STF without .stf>_slice_<i, three digits>.tf   i from 0, unique within the STF

A number with more digits than its field is written in full: slice 1000 is `..._slice_1000.tf`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from swf.core.errors import UnknownNameError
from swf.core.messages import MAX_RUN

MAX_SEQUENCE: Final = 999_999
"""A run has at most this many STFs, as their names have six digits."""

MAX_PART: Final = 99_999
"""The largest number of a TF sample file or slice of one STF."""

_SUFFIX: Final = ".stf"
_DIGITS: Final = 6
_STEM = rf"swf\.([1-9]\d{{0,9}})\.(\d{{{_DIGITS}}})"
_STF = re.compile(_STEM + r"\.stf\Z", re.ASCII)
_SAMPLE = re.compile(rf"({_STEM})_tf_(\d{{3,5}})\.tf\Z", re.ASCII)
_SLICE = re.compile(rf"({_STEM})_slice_(\d{{3,5}})\.tf\Z", re.ASCII)


class StfName(NamedTuple):
    """What the name of an STF says."""

    run: int
    sequence: int


class PartName(NamedTuple):
    """What the name of a TF sample file or of a slice says: its STF, by name, and its number within it."""

    stf: str
    number: int


def stf_name(run: int, sequence: int) -> str:
    """The name of STF number `sequence` (from 1) of a run, e.g. `swf.101993.000001.stf`.

    Raises:
        ValueError: the run or the sequence is out of range.
    """
    _check("run", run, 1, MAX_RUN)
    _check("sequence", sequence, 1, MAX_SEQUENCE)
    return f"{stf_prefix(run)}{sequence:06d}{_SUFFIX}"


def stf_prefix(run: int) -> str:
    """What the names of all STFs of a run begin with, and no others."""
    return f"swf.{run}."


def tf_sample_name(stf: str, number: int) -> str:
    """The name of TF sample file `number` (from 1) of an STF, e.g. `swf.101993.000001_tf_001.tf`.

    Raises:
        UnknownNameError: `stf` is not the name of an STF.
        ValueError: the number is out of range.
    """
    _check("TF sample number", number, 1, MAX_PART)
    return f"{_stem(stf)}_tf_{number:03d}.tf"


def slice_name(stf: str, index: int) -> str:
    """The name of slice `index` (from 0) of an STF, e.g. `swf.101993.000001_slice_000.tf`.

    Raises:
        UnknownNameError: `stf` is not the name of an STF.
        ValueError: the index is out of range.
    """
    _check("slice index", index, 0, MAX_PART)
    return f"{_stem(stf)}_slice_{index:03d}.tf"


def parse_stf_name(name: str) -> StfName:
    """The run and the sequence of an STF.

    Raises:
        UnknownNameError: it is not the name of an STF.
    """
    matched = _STF.match(name)
    if matched is not None:
        run, sequence = int(matched[1]), int(matched[2])
        if run <= MAX_RUN and sequence >= 1:
            return StfName(run, sequence)
    raise _unknown(name, "an STF", "swf.<run>.<sequence>.stf", "swf.101993.000001.stf")


def sequences_beginning(run: int, prefix: str) -> range:
    """The sequences of a run whose STFs have names that begin so; all for an empty prefix, none where none can."""
    head = f"swf.{run}."
    if head.startswith(prefix):
        return range(1, MAX_SEQUENCE + 1)
    digits, end = prefix[len(head) :][:_DIGITS], prefix[len(head) + _DIGITS :]
    numbered = digits.isascii() and digits.isdigit()
    if not (prefix.startswith(head) and numbered and _SUFFIX.startswith(end)):
        return range(0)
    return range(max(1, int(digits.ljust(_DIGITS, "0"))), int(digits.ljust(_DIGITS, "9")) + 1)


def parse_tf_sample_name(name: str) -> PartName:
    """The STF and the number of a TF sample file.

    Raises:
        UnknownNameError: it is not the name of a TF sample file.
    """
    part = _part(_SAMPLE.match(name), first=1)
    if part is None or tf_sample_name(part.stf, part.number) != name:
        raise _unknown(name, "a TF sample file", "<STF without .stf>_tf_<n>.tf", "swf.101993.000001_tf_001.tf")
    return part


def parse_slice_name(name: str) -> PartName:
    """The STF and the index of a slice.

    Raises:
        UnknownNameError: it is not the name of a slice.
    """
    part = _part(_SLICE.match(name), first=0)
    if part is None or slice_name(part.stf, part.number) != name:
        raise _unknown(name, "a slice", "<STF without .stf>_slice_<i>.tf", "swf.101993.000001_slice_000.tf")
    return part


def _part(matched: re.Match[str] | None, *, first: int) -> PartName | None:
    if matched is None or int(matched[2]) > MAX_RUN or int(matched[3]) < 1 or int(matched[4]) < first:
        return None
    return PartName(matched[1] + _SUFFIX, int(matched[4]))


def _stem(stf: str) -> str:
    parse_stf_name(stf)
    return stf.removesuffix(_SUFFIX)


def _check(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"the {what} {value} is out of range: expected {low} to {high}")


def _unknown(name: str, what: str, form: str, example: str) -> UnknownNameError:
    return UnknownNameError(f"{name[:80]!r} is not the name of {what}; expected {form}, such as {example}")
