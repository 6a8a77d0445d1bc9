from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swf.core.errors import ConfigError
from swf.core.payload import PayloadJob, PayloadSpec
from swf.workload.spec import command_line, payload_environment, validate_spec

JOB = PayloadJob(
    key="k", input="root://host//a.stf", first=7, last=13, output=Path("/o/x.root"), run=100, slice="x_slice_000"
)
GOOD = PayloadSpec(name="p", command=("prog", "{input}", "--out={output}"))


def with_command(*command: str) -> PayloadSpec:
    return PayloadSpec(name="p", command=command)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (PayloadSpec(name="", command=("x", "{output}")), "no name"),
        (PayloadSpec(name="p"), "exactly one of command and entry_point"),
        (PayloadSpec(name="p", command=("x", "{output}"), entry_point="a:b"), "exactly one"),
        (PayloadSpec(name="p", entry_point="module"), "module:function"),
        (PayloadSpec(name="p", entry_point="module:"), "module:function"),
        (PayloadSpec(name="p", entry_point="a.b:c.d"), "module:function"),
        (PayloadSpec(name="p", entry_point="a b:c"), "module:function"),
        (PayloadSpec(name="p", entry_point="a:b\n"), "module:function"),
        (with_command("x", "{output}", "{stf}"), "{stf}"),
        (with_command("x", "{output}", "{}"), "{}"),
        (with_command("x", "{output}", "{input.name}"), "{input.name}"),
        (with_command("x", "{output}", "{first!r}"), "{first!r}"),
        (with_command("x", "{output}", "{first"), "brace"),
        (with_command("x", "{output}", "first}"), "brace"),
        (with_command("x", "{output}", "{{first}}"), "brace"),
        (with_command("x", "{output}", "a\0b"), "NUL"),
        (with_command("", "{output}"), "program is empty"),
        (with_command("{input}", "{output}"), "may not come from a job"),
        (with_command("x", "{input}"), "no argument holds {output}"),
        (dataclasses.replace(GOOD, timeout_s=0), "timeout_s"),
        (dataclasses.replace(GOOD, timeout_s=float("nan")), "timeout_s"),
        (dataclasses.replace(GOOD, timeout_s=float("inf")), "timeout_s"),
        (dataclasses.replace(GOOD, memory_mb=0), "memory_mb"),
        (dataclasses.replace(GOOD, output_suffix="root"), "output_suffix"),
        (dataclasses.replace(GOOD, output_suffix="./../x"), "output_suffix"),
        (dataclasses.replace(GOOD, environment=("A-B",)), "environment"),
        (dataclasses.replace(GOOD, environment=("=x",)), "environment"),
        (dataclasses.replace(GOOD, environment=("A=x\0y",)), "environment"),
    ],
)
def test_a_specification_that_cannot_work_is_refused(spec: PayloadSpec, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        validate_spec(spec)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "spec",
    [
        GOOD,
        PayloadSpec(name="p", entry_point="a.b:c"),
        PayloadSpec(name="p", command=("x",), expects_output=False),
        dataclasses.replace(GOOD, environment=("A", "B=c=d", "_E=")),
    ],
)
def test_a_specification_that_works_is_accepted(spec: PayloadSpec) -> None:
    validate_spec(spec)


def test_every_placeholder_is_filled_in() -> None:
    spec = with_command("prog", "-n={first}:{last}", "{input}", "{output}", "run{run}", "{slice}", "$HOME; rm *")
    assert command_line(spec, JOB) == [
        "prog",
        "-n=7:13",
        "root://host//a.stf",
        "/o/x.root",
        "run100",
        "x_slice_000",
        "$HOME; rm *",
    ]


def test_local_paths_become_absolute_and_names_of_programs_do_not() -> None:
    job = dataclasses.replace(JOB, input="a.stf", output=Path("x.root"))
    here = Path.cwd()
    assert command_line(with_command("./p", "{input}", "{output}"), job) == [
        f"{here}/p",
        f"{here}/a.stf",
        f"{here}/x.root",
    ]
    assert command_line(with_command("p", "{output}"), job)[0] == "p"


@given(st.text(alphabet=st.characters(exclude_characters="\0"), max_size=30))
def test_what_is_filled_in_is_never_looked_at_again(name: str) -> None:
    job = dataclasses.replace(JOB, slice=name)
    assert command_line(with_command("p", "<{slice}>"), job) == ["p", f"<{name}>"]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_a_command_is_either_refused_or_can_be_filled_in(command: list[str]) -> None:
    spec = PayloadSpec(name="p", command=tuple(command), expects_output=False)
    try:
        validate_spec(spec)
    except ConfigError:
        return
    assert len(command_line(spec, JOB)) == len(command)


def test_the_environment_is_what_is_named_and_no_more() -> None:
    spec = dataclasses.replace(GOOD, environment=("PASSED", "ABSENT", "SET=a=b", "OMP_NUM_THREADS=4"))
    parent = {"PATH": "/bin", "HOME": "/home/a", "PASSED": "1", "DATABASE_PASSWORD": "secret", "TMPDIR": "/elsewhere"}
    assert payload_environment(spec, parent, Path("/w")) == {
        "PATH": "/bin",
        "HOME": "/home/a",
        "PASSED": "1",
        "SET": "a=b",
        "OMP_NUM_THREADS": "4",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "TMPDIR": "/w",
    }
