"""What a configuration can have wrong, and the words that the message must hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from swf.config import Configuration, Sources, WorkflowRegistry, parse_override
from swf.core.errors import ConfigError
from swf.epic.settings import ENVIRONMENT, KINDS, SHIPPED_WORKFLOWS

FAST = "fast_processing.toml"
PROMPT = "prompt_processing.toml"
TAKING = "stf_datataking.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A bad configuration: texts, flags and variables; each of `words` must be in the message."""

    words: tuple[str, ...]
    text: str = ""
    name: str = FAST
    user: str = ""
    sets: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()


def fast(text: str, *words: str) -> Case:
    """A workflow file with one bad `[fast_processing]`."""
    return Case(text=f"[fast_processing]\n{text}\n", words=(FAST, "line 2", "[fast_processing]", *words))


CASES = {
    # keys and sections that are unknown
    "unknown key": fast("slices_per_sampl = 3", "slices_per_sampl", "unknown key", "did you mean slices_per_sample?"),
    "key of the older agent": fast("num_tf_per_slice = 2", "num_tf_per_slice", "unknown key", "known:"),
    "key of another section": fast("tf_count = 2", "tf_count", "it belongs in [stf]"),
    "unknown section": Case(text="[fast_procesing]\n", words=(FAST, "line 1", "unknown section", "fast_processing?")),
    "quite unknown section": Case(
        text="[zzz]\n", words=(FAST, "[zzz]", "unknown section", "known:", "fast_processing")
    ),
    "unknown role": Case(
        text="[agents.fastmom]\nenabled = true\n", words=(FAST, "[agents.fastmom]", "agents.fastmon?")
    ),
    "key outside of a section": Case(
        text="stf_count = 3\n", words=(FAST, "line 1", "stf_count", "outside of a section")
    ),
    "key outside of a role": Case(text="[agents]\nenabled = true\n", words=(FAST, "agents.enabled", "outside")),
    "value for a section": Case(
        text="fast_processing = 3\n", words=(FAST, "fast_processing = 3", "expected a section")
    ),
    "list of sections": Case(text="[[stf]]\ntf_count = 3\n", words=(FAST, "stf = ", "expected a section, [stf]")),
    "section in a section": fast("stf = { tf_count = 3 }", "stf", "unknown key"),
    "parameters of the older testbed": Case(
        user="[parameters]\nstf_count = 3\n", words=("testbed.toml", "[parameters]", "unknown section")
    ),
    # valid elsewhere, without effect here
    "unused section": Case(
        text="[prompt_processing]\ncontainer = 'x'\n",
        words=(
            FAST,
            "line 1",
            "unused: [prompt_processing] is read only by workflow prompt_processing",
            "fast_processing",
        ),
    ),
    "unused section of the user": Case(
        name=TAKING,
        user="[fast_processing]\nstf_count = 3\n",
        words=("testbed.toml", "unused: [fast_processing] is read only by workflow fast_processing", "stf_datataking"),
    ),
    "unused flag": Case(
        name=TAKING, sets=("payload.timeout_s=5",), words=("flag --set payload.timeout_s", "unused: [payload]")
    ),
    "unused role": Case(
        text="[agents.processing]\nenabled = true\n",
        words=(FAST, "unused: [agents.prompt_processing]", "workflow prompt_processing"),
    ),
    "search path in a workflow": Case(
        text="[workflows]\npath = ['x']\n", words=(FAST, "line 2", "[workflows] path", "expected in the user's file")
    ),
    "includes by flag": Case(
        sets=("workflow.includes=['a.toml']",), words=("flag --set workflow.includes", "only in a file")
    ),
    # types
    "text for a number": fast('stf_count = "10"', 'stf_count = "10"', "a whole number from 0 to 999999"),
    "float for a whole number": fast("stf_count = 10.5", "stf_count = 10.5", "a whole number"),
    "whole float for a whole number": fast("slices_per_sample = 15.0", "15.0", "a whole number from 1 to 1000"),
    "truth for a number": fast("stf_sampling_rate = true", "stf_sampling_rate = true", "a number from 0 to 1"),
    "number for truth": Case(
        text="[simulation]\nrealtime = 1\n", words=(FAST, "[simulation] realtime = 1", "true or false")
    ),
    "text for truth": Case(
        text="[agents.worker]\nenabled = 'yes'\n", words=(FAST, "[agents.worker] enabled", "true or false")
    ),
    "number for a text": Case(
        text="[workflow]\nname = 'fast_processing'\nversion = 1.0\n", words=(FAST, "line 3", "version = 1.0", "text")
    ),
    "date for a text": Case(text="[workflow]\nversion = 2024-01-01\n", words=(FAST, "2024-01-01", "expected text")),
    "text for a list": Case(text="[payload]\ncommand = 'run it'\n", words=(FAST, "[payload] command", "a list")),
    "number in a list": Case(text="[payload]\ncommand = ['run', 5]\n", words=(FAST, '["run", 5]', "a list, each item")),
    "number for a path": Case(text="[stf]\ninput = 5\n", words=(FAST, "[stf] input = 5", "a path")),
    "table for a number": fast("stf_count = { a = 1 }", "stf_count = {a = 1}", "a whole number"),
    # ranges
    "negative count": fast("stf_count = -1", "stf_count = -1", "from 0 to 999999"),
    "count beyond the names of STFs": fast("stf_count = 1000000", "from 0 to 999999"),
    "rate above one": fast("stf_sampling_rate = 1.5", "stf_sampling_rate = 1.5", "from 0 to 1"),
    "fraction of nothing": fast("tf_sampling_fraction = 0", "tf_sampling_fraction = 0", "above 0 and at most 1"),
    "not a number": fast("stf_sampling_rate = nan", "stf_sampling_rate = nan", "a number from 0 to 1"),
    "infinite": fast("slice_processing_time = inf", "slice_processing_time = inf", "above 0 and at most 86400"),
    "no worker": fast("target_worker_count = 0", "from 1 to 100000"),
    "huge number": fast(f"stf_count = {10**40}", "from 0 to 999999"),
    "too many TFs": Case(text="[stf]\ntf_count = 1001\n", words=(FAST, "[stf] tf_count = 1001", "from 1 to 1000")),
    "no TF": Case(text="[stf]\ntf_count = 0\n", words=(FAST, "[stf] tf_count = 0", "from 1 to 1000")),
    "negative delay": Case(
        text="[daq_state_machine]\nbroadcast_delay = -1\n", words=(FAST, "broadcast_delay = -1", "from 0 to 86400")
    ),
    "period without length": Case(
        name=TAKING,
        text="[simulation]\nphysics_period_duration = 0\n",
        words=(TAKING, "physics_period_duration", "above 0"),
    ),
    "retention": Case(
        text="[exit_buffer]\nretention_hours = -72\n", words=(FAST, "[exit_buffer] retention_hours = -72", "from 0")
    ),
    "unknown content": Case(text="[stf]\ncontent = 'real'\n", words=(FAST, '"real"', "'simulated' or 'none'")),
    "unknown compression": Case(text="[stf]\ncompression = 'zip'\n", words=(FAST, '"zip"', "'lz4' or 'zstd'")),
    "namespace": Case(
        text="[testbed]\nnamespace = 'my testbed'\n",
        words=(FAST, "[testbed] namespace", '"my testbed"', "A-Z a-z 0-9 _ -"),
    ),
    "empty namespace": Case(text="[testbed]\nnamespace = ''\n", words=(FAST, "[testbed] namespace", "up to 64")),
    "scope": Case(text="[catalog]\nscope = 'a:b'\n", words=(FAST, "[catalog] scope", '"a:b"', "up to 25")),
    "suffix": Case(text="[payload]\noutput_suffix = '../x'\n", words=(FAST, "output_suffix", "an ending like")),
    "workflow name": Case(text="[workflow]\nname = 'a b'\n", words=(FAST, "[workflow] name", '"a b"', "up to 64")),
    # what does not fit together
    "more files than slices": fast(
        "tf_files_per_sample = 5\nslices_per_sample = 3",
        "tf_files_per_sample = 5",
        "slices_per_sample = 3",
        "line 3",
        "a slice lies in one file",
        "at most 3",
    ),
    "fewer TFs than files": Case(
        text="[fast_processing]\ntf_files_per_sample = 3\n[stf]\ntf_count = 20\n",
        words=(FAST, "tf_sampling_fraction = 0.1 (default)", "[stf] tf_count = 20", "fewer TFs", "at least 0.15"),
    ),
    "input without content": Case(
        text="[stf]\ncontent = 'none'\n",
        sets=("stf.input=a.root",),
        words=("a.root", "flag --set stf.input", "contradicts", '[stf] content = "none"', FAST),
    ),
    "command and entry point": Case(
        text="[payload]\nname = 'x'\ncommand = ['a', '{output}']\nentry_point = 'a:b'\n",
        words=(FAST, "[payload] command", "contradicts", "[payload] entry_point", "keep one"),
    ),
    "unknown payload": Case(
        text="[payload]\nname = 'eicrecon'\n",
        words=(FAST, '"eicrecon"', "expected command or entry_point", "reference"),
    ),
    "own payload under a shipped name": Case(
        text="[payload]\ncommand = ['a', '{output}']\n",
        words=(FAST, "[payload] command", '"reference" (default)', "of your own"),
    ),
    "unknown placeholder": Case(
        text="[payload]\nname = 'x'\ncommand = ['a', '{otput}']\n",
        words=(FAST, "[payload] command", "{otput}", "{output}"),
    ),
    "command that is a job's": Case(
        text="[payload]\nname = 'x'\ncommand = ['{input}', '{output}']\n", words=(FAST, "[payload] command", "{input}")
    ),
    "entry point": Case(
        text="[payload]\nname = 'x'\nentry_point = 'os.system'\n",
        words=(FAST, "entry_point", "module:function", "os.system"),
    ),
    "lease shorter than the payload": Case(
        text="[processing]\nlease_s = 60\n",
        words=(FAST, "[processing] lease_s = 60", "[payload] timeout_s = 600", "600 s"),
    ),
    "buffer smaller than an STF": Case(
        text="[stf]\ntarget_mb = 2000\n[exit_buffer]\ncapacity_gb = 1\n",
        words=(FAST, "capacity_gb = 1", "target_mb = 2000", "at least 2 GB"),
    ),
    "two sections of equal rank": Case(
        text="[workflow]\nrealtime = true\n[simulation]\nrealtime = false\n",
        words=(FAST, "[simulation] realtime = false", "[workflow] realtime = true", "line 2", "line 4", "contradicts"),
    ),
    # agents
    "required role": Case(
        text="[agents.fastmon]\nenabled = false\n",
        words=(FAST, "line 2", "[agents.fastmon] enabled = false", "it makes the samples", "expected true"),
    ),
    "required role under its other name": Case(
        name=PROMPT,
        text="[agents.stf-processing]\nenabled = false\n",
        words=(PROMPT, "line 2", "[agents.prompt_processing]", "it submits the run"),
    ),
    "role under two names": Case(
        name=PROMPT,
        text="[agents.stf-data]\nenabled = true\n[agents.data]\nenabled = false\n",
        words=(PROMPT, "line 2", "line 4", "under its other name", "keep one"),
    ),
    "unknown script": Case(
        text="[agents.data]\nscript = 'agents/evil.py'\n",
        words=(FAST, "line 2", '"agents/evil.py"', "code is never chosen", '"agents/data_agent.py"', "remove the key"),
    ),
    "script of another role": Case(
        text="[agents.data]\nscript = 'agents/prompt_processing_agent.py'\n",
        words=(FAST, "[agents.data] script", "only"),
    ),
    "script of a role without one": Case(
        text="[agents.fastmon]\nscript = 'agents/data_agent.py'\n",
        words=(FAST, "[agents.fastmon] script", "remove the key"),
    ),
    # flags and variables
    "flag without a section": Case(
        sets=("stf_count=3",), words=("flag --set stf_count", "no section", "fast_processing.stf_count")
    ),
    "flag of an unknown section": Case(sets=("stff.tf_count=3",), words=("flag --set", "[stff]", "did you mean stf?")),
    "flag of an unknown key": Case(sets=("stf.tf_cnt=3",), words=("flag --set stf.tf_cnt", "did you mean tf_count?")),
    "flag out of range": Case(
        sets=("stf.tf_count=0",), words=("flag --set stf.tf_count", "[stf] tf_count = 0", "from 1 to 1000")
    ),
    "flag with a text for a number": Case(
        sets=("stf.tf_count=many",), words=("flag --set", '"many"', "a whole number")
    ),
    "flag given twice": Case(sets=("stf.seed=1", "stf.seed=2"), words=("flag --set stf.seed", "given twice")),
    "flag with half a list": Case(
        sets=("payload.command=['a'",), words=("flag --set payload.command", "not a TOML value")
    ),
    "another kind by flag": Case(
        sets=("workflow.kind=stf_datataking",),
        words=("flag --set workflow.kind", '"stf_datataking"', "fast_processing"),
    ),
    "variable out of form": Case(
        env=(("SWF_NAMESPACE", "a b"),), words=("variable SWF_NAMESPACE", "[testbed] namespace", '"a b"', "up to 64")
    ),
    "variable with a text for a number": Case(
        name=PROMPT,
        env=(("SWF_PANDA_POLL_INTERVAL", "often"),),
        words=("variable SWF_PANDA_POLL_INTERVAL", "panda_poll_interval_seconds", '"often"', "from 1 to 86400"),
    ),
    # files
    "TOML": Case(text="[stf]\ntf_count = = 3\n", words=(FAST, "not TOML", "line 2")),
    "key twice": Case(text="[stf]\ntf_count = 3\ntf_count = 4\n", words=(FAST, "not TOML", "line 3")),
    "missing include": Case(
        text="[workflow]\nincludes = ['daq_state_machin.toml']\n",
        words=(FAST, "[workflow] includes", "'daq_state_machin.toml'", "looked in"),
    ),
    "includes itself": Case(
        text=f"[workflow]\nincludes = ['{FAST}']\n", words=(FAST, "includes itself", f"{FAST} -> ")
    ),
    "includes that are no list": Case(
        text="[workflow]\nincludes = 'daq_state_machine.toml'\n",
        words=(FAST, "includes: expected a list of file names"),
    ),
    "file of the user for another kind": Case(
        user="[workflow]\nkind = 'stf_datataking'\n",
        words=("testbed.toml", "line 2", '"stf_datataking"', '"fast_processing"'),
    ),
    "unknown kind": Case(
        text="[workflow]\nkind = 'fast'\n",
        words=(FAST, '[workflow] kind = "fast"', "expected one of", "fast_processing"),
    ),
    "kind of no name": Case(
        name="mine.toml", text="[workflow]\nname = 'mine'\n", words=("mine.toml", "of which kind", '"fast_processing"')
    ),
}


def loaded(path: Path, sources: Sources) -> Configuration:
    """Find and load a workflow file, as a command does."""
    registry = WorkflowRegistry(kinds=KINDS, shipped=[SHIPPED_WORKFLOWS], sources=sources)
    return registry.load(registry.find(str(path)))


def test_the_corpus_is_large_enough() -> None:
    assert len(CASES) >= 80


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_bad_configuration(case: Case, tmp_path: Path) -> None:
    (tmp_path / case.name).write_text(case.text, encoding="utf-8")
    if case.user:
        (tmp_path / "testbed.toml").write_text(case.user, encoding="utf-8")
    sources = Sources(
        overrides=tuple(parse_override(text) for text in case.sets),
        env=dict(case.env),
        bindings=ENVIRONMENT,
        user_file=tmp_path / "testbed.toml" if case.user else None,
        folder=tmp_path,
    )
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path / case.name, sources)
    message = str(raised.value)
    assert [word for word in case.words if word not in message] == [], message
    assert message.count("\n") == 0, "one mistake makes one problem"


@pytest.mark.parametrize("text", ["", "=3", "stf.tf_count", ".=3", "stf.=3", ".tf_count=3"])
def test_a_flag_that_sets_nothing(text: str) -> None:
    with pytest.raises(ConfigError, match=r"flag --set .*expected section\.key=value"):
        parse_override(text)
