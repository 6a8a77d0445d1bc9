from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swf.core.errors import UnknownNameError
from swf.core.messages import MAX_RUN
from swf.core.names import checked_file_name
from swf.epic.names import (
    MAX_PART,
    MAX_SEQUENCE,
    PartName,
    StfName,
    parse_slice_name,
    parse_stf_name,
    parse_tf_sample_name,
    sequences_beginning,
    slice_name,
    stf_name,
    tf_sample_name,
)

RUNS = st.integers(1, MAX_RUN)
SEQUENCES = st.integers(1, MAX_SEQUENCE)


def test_the_names_of_the_sources() -> None:
    assert stf_name(101993, 1) == "swf.101993.000001.stf"
    assert tf_sample_name("swf.101993.000001.stf", 1) == "swf.101993.000001_tf_001.tf"
    assert slice_name("swf.101993.000001.stf", 0) == "swf.101993.000001_slice_000.tf"
    assert slice_name("swf.101993.000001.stf", 1000) == "swf.101993.000001_slice_1000.tf"


@given(run=RUNS, sequence=SEQUENCES, number=st.integers(1, MAX_PART), index=st.integers(0, MAX_PART))
def test_names_are_read_back(run: int, sequence: int, number: int, index: int) -> None:
    stf = checked_file_name(stf_name(run, sequence))
    assert parse_stf_name(stf) == StfName(run, sequence)
    assert parse_tf_sample_name(checked_file_name(tf_sample_name(stf, number))) == PartName(stf, number)
    assert parse_slice_name(checked_file_name(slice_name(stf, index))) == PartName(stf, index)


STF_CORPUS = [
    "",
    "swf.1.1.stf",
    "swf.0.000001.stf",
    "swf.01.000001.stf",
    "swf.1.000000.stf",
    "swf.1.0000001.stf",
    f"swf.{MAX_RUN + 1}.000001.stf",
    "swf.1.000001.stf\n",
    "../swf.1.000001.stf",
    "swf.1.000001",
    "swf.1.000001_tf_001.tf",
    "swf.\u0661.000001.stf",
    "SWF.1.000001.STF",
]


@pytest.mark.parametrize("name", STF_CORPUS)
def test_what_is_no_stf_is_refused_with_the_form(name: str) -> None:
    with pytest.raises(UnknownNameError, match=r"is not the name of an STF; expected swf\.<run>\.<sequence>\.stf"):
        parse_stf_name(name)


@pytest.mark.parametrize(
    "name",
    ["swf.1.000001_tf_000.tf", "swf.1.000001_tf_0001.tf", "swf.1.000001_tf_1.tf", "swf.1.000001_slice_001.tf", "x"],
)
def test_what_is_no_tf_sample_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match="is not the name of a TF sample file"):
        parse_tf_sample_name(name)


@pytest.mark.parametrize(
    "name",
    ["swf.1.000001_slice_0000.tf", "swf.1.000000_slice_000.tf", "swf.1.000001_slice_000.stf", "swf.1.000001.stf"],
)
def test_what_is_no_slice_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match="is not the name of a slice"):
        parse_slice_name(name)


def test_parts_are_named_after_an_stf_only() -> None:
    with pytest.raises(UnknownNameError, match="is not the name of an STF"):
        slice_name("swf.1.000001_tf_001.tf", 0)


@pytest.mark.parametrize(("run", "sequence"), [(0, 1), (MAX_RUN + 1, 1), (1, 0), (1, MAX_SEQUENCE + 1)])
def test_numbers_out_of_range_have_no_name(run: int, sequence: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        stf_name(run, sequence)


@given(run=RUNS, sequence=SEQUENCES, length=st.integers(0, 30), other=SEQUENCES)
def test_what_begins_so_is_a_range_of_sequences(run: int, sequence: int, length: int, other: int) -> None:
    prefix = stf_name(run, sequence)[:length]
    found = sequences_beginning(run, prefix)
    assert sequence in found
    for each in (other, found.start, found.stop - 1, found.start - 1, found.stop):
        if 1 <= each <= MAX_SEQUENCE:
            assert (each in found) == stf_name(run, each).startswith(prefix)


@pytest.mark.parametrize(
    "prefix", ["x", "swf.7.", "swf.12.x", "swf.12.00000x", "swf.12.000001x", "swf.12.٣", "swf.12.1.stf", "Swf"]
)
def test_what_no_stf_of_the_run_begins_with(prefix: str) -> None:
    assert not sequences_beginning(12, prefix)
