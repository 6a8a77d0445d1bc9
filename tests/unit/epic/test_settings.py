from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from swf.config import Configuration, Section, Sources, WorkflowKind, WorkflowRegistry, load, parse_override
from swf.config.describe import field_schema
from swf.config.layout import sections_of
from swf.config.reference import reference
from swf.core.payload import PayloadSpec
from swf.epic.daq.schedule import planned_stfs, stf_period, stf_shares
from swf.epic.settings import ENVIRONMENT, FAST, KINDS, PROMPT, SHIPPED_WORKFLOWS, STF_DATATAKING, flag_overrides
from swf.epic.settings_daq import DaqStateMachineSection, ExitBufferSection, StfSection, daq_parameters
from swf.epic.settings_processing import (
    SHIPPED_PAYLOADS,
    FastProcessingSection,
    PayloadSection,
    PromptProcessingSection,
    payload_spec,
)
from swf.workload.noop import NOOP

FAST_DOCUMENTED = """\
[testbed]
namespace = "torre2"

[agents.data]
enabled = true

[agents.fastmon]
enabled = true

[agents.fast_processing]
enabled = true

[fast_processing]
stf_count = 10 # STF files to generate
physics_period_count = 1 # Physics periods per run
target_worker_count = 30 # Target PanDA workers
stf_sampling_rate = 1.0 # Fraction of STFs to sample (1.0 = 100%)
slices_per_sample = 15 # TF slices per STF sample
slice_processing_time = 30 # Seconds per slice (for planning)
"""
"""fast_processing_default.toml as the fast-processing documentation of the existing testbed shows it."""

PROMPT_DOCUMENTED = """\
[testbed]
namespace = "user-namespace"

[workflow]
name = "prompt_processing"
version = "1.0"
description = "Prompt processing of STF files"
includes = ["daq_state_machine.toml"]

[agents.stf-data]
enabled = true
script = "agents/data_agent.py"

[agents.stf-processing]
enabled = true
script = "agents/prompt_processing_agent.py"

[simulation]
# STF generation parameters
stf_count = 10 # Number of STF files to generate
physics_period_count = 1 # Number of physics periods

# Timing parameters
realtime = true # Run in real-time (1 sim second = 1 wall second)
"""
"""prompt_processing_default.toml as the prompt-processing documentation of the existing testbed shows it."""


def configured(folder: Path, name: str, text: str, *sets: str, env: dict[str, str] | None = None) -> Configuration:
    (folder / name).write_text(text, encoding="utf-8")
    sources = Sources(overrides=tuple(parse_override(s) for s in sets), env=env or {}, bindings=ENVIRONMENT)
    registry = WorkflowRegistry(kinds=KINDS, shipped=[SHIPPED_WORKFLOWS], sources=sources)
    return registry.load(registry.find(str(folder / name)))


def shipped(name: str, *sets: str) -> Configuration:
    sources = Sources(overrides=tuple(parse_override(s) for s in sets))
    registry = WorkflowRegistry(kinds=KINDS, shipped=[SHIPPED_WORKFLOWS], sources=sources)
    return registry.load(registry.named(name))


def test_the_documented_fast_workflow_loads_unchanged(tmp_path: Path) -> None:
    configuration = configured(tmp_path, "fast_processing_default.toml", FAST_DOCUMENTED)
    assert configuration.kind is FAST
    assert configuration.value("testbed.namespace").value == "torre2"
    assert configuration.value("workflow.name").value == "fast_processing"
    assert configuration.roles() == ("daq", "data", "fastmon", "fast_processing", "worker", "watcher")
    fast = configuration.section(FastProcessingSection)
    assert (fast.stf_count, fast.slices_per_sample, fast.tf_sampling_fraction, fast.tf_files_per_sample) == (
        10,
        15,
        0.1,
        1,
    )
    parameters = daq_parameters(configuration)
    assert (parameters.stf_count, parameters.physics_period_count, parameters.realtime) == (10, 1, True)
    assert stf_period(parameters) == pytest.approx(2.2)


def test_the_documented_prompt_workflow_loads_unchanged(tmp_path: Path) -> None:
    configuration = configured(tmp_path, "prompt_processing_default.toml", PROMPT_DOCUMENTED)
    assert configuration.kind is PROMPT
    assert configuration.roles() == ("daq", "data", "prompt_processing", "watcher")
    assert configuration.agent("data").script == "agents/data_agent.py"
    parameters = daq_parameters(configuration)
    assert (parameters.stf_count, parameters.physics_period_count, parameters.realtime) == (10, 1, True)
    assert (
        configuration.value("daq_state_machine.standby_duration").origin.file
        == SHIPPED_WORKFLOWS / "daq_state_machine.toml"
    )


def test_older_forms_of_the_other_files_load(tmp_path: Path) -> None:
    prompt = """\
[testbed]
namespace = "test-user"
[workflow]
name = "prompt_processing"
config = "prompt_processing_default"
[agents.stf-data]
enabled = true
[agents.stf-processing]
enabled = true
[simulation]
stf_count = 3
physics_period_count = 1
realtime = true
[prompt_processing]
container = ""
panda_poll_interval_seconds = 60
panda_poll_timeout_seconds = 0
"""
    configuration = configured(tmp_path, "prompt_processing.toml", prompt)
    assert daq_parameters(configuration).stf_count == 3
    assert configuration.section(PromptProcessingSection) == PromptProcessingSection()
    assert configuration.value("workflow.version").value == "1.0", "from the file that config names"
    assert (
        configured(tmp_path, "x.toml", '[workflow]\nname = "stf_datataking"\n[stf_processing]\n').kind is STF_DATATAKING
    )
    processing_off = "[agents.processing]\nenabled = false\n"
    assert configured(tmp_path, "fast_processing.toml", processing_off).kind is FAST


@pytest.mark.parametrize(
    ("name", "kind", "stf_count", "planned"),
    [
        ("fast_processing", FAST, 10, 10),
        ("prompt_processing", PROMPT, 10, 10),
        ("stf_datataking", STF_DATATAKING, 5, 5),
        ("stf_processing", STF_DATATAKING, 0, 10),
    ],
)
def test_every_shipped_workflow_loads(name: str, kind: WorkflowKind, stf_count: int, planned: int) -> None:
    configuration = shipped(name)
    assert configuration.kind is kind
    assert daq_parameters(configuration).stf_count == stf_count
    assert planned_stfs(daq_parameters(configuration)) == planned
    assert load(
        kind=kind, kinds=KINDS, stored=json.loads(json.dumps(configuration.as_parameters()))
    ).as_parameters() == (configuration.as_parameters())


def test_the_registry_lists_exactly_the_shipped_workflows() -> None:
    listed = WorkflowRegistry(kinds=KINDS, shipped=[SHIPPED_WORKFLOWS]).list()
    assert [w.name for w in listed] == ["fast_processing", "prompt_processing", "stf_datataking", "stf_processing"]
    assert all(w.version and w.description and not w.problem for w in listed)


def test_the_shipped_files_say_what_each_key_does() -> None:
    for path in SHIPPED_WORKFLOWS.glob("*.toml"):
        for line in path.read_text().splitlines():
            key = re.match(r"(\w+) = ", line)
            if key and key[1] not in {"version", "description", "includes", "enabled", "script"}:
                assert "# " in line, f"{path.name}: {line}"


def test_the_shipped_timing_is_the_default_timing() -> None:
    configuration = load(kind=STF_DATATAKING, kinds=KINDS, workflow=SHIPPED_WORKFLOWS / "daq_state_machine.toml")
    section = configuration.section(DaqStateMachineSection)
    assert section == DaqStateMachineSection()
    assert section.model_dump() == {
        "no_beam_not_ready_delay": 5,
        "beam_not_ready_delay": 5,
        "beam_ready_delay": 2,
        "beam_not_ready_end_delay": 5,
        "broadcast_delay": 1,
        "sending_time": 0.1,
        "stf_interval": 2.0,
        "stf_generation_time": 0.1,
        "physics_period_duration": 10,
        "physics_period_count": 2,
        "standby_duration": 2,
    }
    origins = [
        configuration.value(f"daq_state_machine.{key}").origin.file for key in DaqStateMachineSection.model_fields
    ]
    assert None not in origins, "the file has every key"


def test_the_more_special_section_wins_and_a_flag_wins_over_all(tmp_path: Path) -> None:
    text = '[workflow]\nincludes = ["daq_state_machine.toml"]\n'
    text += "[simulation]\nstf_count = 7\nphysics_period_count = 3\nstf_interval = 1.5\nphysics_period_duration = 20\n"
    simulated = configured(tmp_path, "fast_processing.toml", text)
    assert daq_parameters(simulated).stf_count == 7
    assert simulated.section(FastProcessingSection).stf_count == 7
    assert daq_parameters(simulated).stf_interval == 1.5
    assert daq_parameters(simulated).physics_period_duration == 20
    both = configured(
        tmp_path, "fast_processing.toml", f"{text}[fast_processing]\nstf_count = 4\nphysics_period_count = 2\n"
    )
    assert (daq_parameters(both).stf_count, daq_parameters(both).physics_period_count) == (4, 2)
    assert stf_shares(daq_parameters(both)) == (2, 2)
    flagged = configured(
        tmp_path,
        "fast_processing.toml",
        f"{text}[fast_processing]\nstf_count = 4\n",
        "simulation.stf_count=9",
        "daq_state_machine.stf_interval=0.5",
    )
    assert (daq_parameters(flagged).stf_count, daq_parameters(flagged).stf_interval) == (9, 0.5)
    assert (
        str(flagged.value("fast_processing.stf_count").origin)
        == "flag --set simulation.stf_count, as simulation.stf_count"
    )


def test_realtime_stands_in_two_sections_of_equal_rank(tmp_path: Path) -> None:
    assert not daq_parameters(configured(tmp_path, "fast_processing.toml", "[workflow]\nrealtime = false\n")).realtime
    assert not daq_parameters(configured(tmp_path, "fast_processing.toml", "[simulation]\nrealtime = false\n")).realtime


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_short_flags(kind: WorkflowKind, tmp_path: Path) -> None:
    overrides = flag_overrides(
        kind, stf_count=3, physics_period_count=2, input_file=Path("in.root"), realtime=False, namespace="mine"
    )
    sources = Sources(overrides=overrides, folder=tmp_path)
    registry = WorkflowRegistry(kinds=KINDS, shipped=[SHIPPED_WORKFLOWS], sources=sources)
    configuration = registry.load(registry.named(kind.name))
    parameters = daq_parameters(configuration)
    assert (parameters.stf_count, parameters.physics_period_count, parameters.realtime) == (3, 2, False)
    assert configuration.section(StfSection).input == tmp_path / "in.root"
    assert configuration.value("testbed.namespace").value == "mine"
    assert str(configuration.value("simulation.realtime").origin) == "flag --no-realtime"
    assert "flag --stf-count" in str(configuration.value("simulation.stf_count").origin)
    assert flag_overrides(kind) == ()


def test_the_environment(tmp_path: Path) -> None:
    env = {
        "SWF_NAMESPACE": "2024",
        "SWF_PANDA_POLL_INTERVAL": "5",
        "SWF_PANDA_POLL_TIMEOUT": "60.5",
        "SWF_PROMPT_PROCESSING_CONTAINER": "/data/stf",
        "SWF_EXIT_BUFFER": "/buffer",
    }
    configuration = configured(tmp_path, "prompt_processing.toml", PROMPT_DOCUMENTED, env=env)
    assert configuration.value("testbed.namespace").value == "2024"
    prompt = configuration.section(PromptProcessingSection)
    assert (prompt.panda_poll_interval_seconds, prompt.panda_poll_timeout_seconds) == (5.0, 60.5)
    assert (prompt.container, configuration.section(ExitBufferSection).path) == (Path("/data/stf"), Path("/buffer"))
    assert configured(tmp_path, "fast_processing.toml", "", env=env).kind is FAST


def test_every_bound_variable_is_a_key_of_some_kind() -> None:
    keys = {
        f"{name}.{key}" for kind in KINDS for name, model in sections_of(kind).items() for key in model.model_fields
    }
    assert set(ENVIRONMENT.values()) <= keys


ALL_SECTIONS: list[type[Section]] = sorted(
    {model for kind in KINDS for model in sections_of(kind).values()}, key=lambda model: model.section
)


@pytest.mark.parametrize("model", ALL_SECTIONS, ids=lambda model: model.section)
def test_every_field_is_described_and_bounded(model: type[Section]) -> None:
    assert model.__doc__
    for key, field in model.model_fields.items():
        schema = field_schema(model, key)
        assert field.description, key
        assert not field.is_required(), key
        low, high = {"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}
        match schema["type"]:
            case "integer" | "number":
                assert low & set(schema), key
                assert high & set(schema), key
            case "string":
                assert {"enum", "maxLength", "pattern", "expected"} & set(schema) or schema.get("format") == "path", key
            case "array":
                assert "maxItems" in schema, key
            case other:
                assert other == "boolean", key
    model()  # defaults are valid


def test_keys_that_several_sections_hold_have_one_default_and_one_range() -> None:
    for kind in KINDS:
        models = sections_of(kind)
        for shared in kind.shared:
            fields = []
            for dotted in (dotted for rank in shared.ranks for dotted in rank):
                section, _, key = dotted.rpartition(".")
                schema = field_schema(models[section], key)
                fields.append(
                    {word: schema.get(word) for word in ("type", "default", "minimum", "exclusiveMinimum", "maximum")}
                )
            assert all(field == fields[0] for field in fields), shared.name


def test_daq_parameters_has_all_ten_times_and_counts() -> None:
    names = {field.name for field in dataclasses.fields(daq_parameters(shipped("fast_processing")))}
    assert names == {*DaqStateMachineSection.model_fields, "stf_count", "realtime"}


def test_a_shipped_payload_keeps_its_entry_point_and_takes_limits(tmp_path: Path) -> None:
    specs = {"reference": PayloadSpec(name="reference", entry_point="a.b:run", version="1"), "noop": NOOP}
    assert set(specs) == set(SHIPPED_PAYLOADS)
    section = shipped("fast_processing", "payload.timeout_s=5", "payload.memory_mb=100").section(PayloadSection)
    assert payload_spec(section, specs) == PayloadSpec(
        name="reference", entry_point="a.b:run", version="1", timeout_s=5.0, memory_mb=100
    )
    assert payload_spec(PayloadSection(name="noop"), specs) == NOOP
    own = shipped(
        "fast_processing", "payload.name=eicrecon", 'payload.command=["eicrecon", "{input}", "-o", "{output}"]'
    )
    spec = payload_spec(own.section(PayloadSection), specs)
    assert (spec.name, spec.command[0], spec.entry_point) == ("eicrecon", "eicrecon", "")


def test_the_reference_names_every_key_and_its_unit() -> None:
    text = reference(KINDS, ENVIRONMENT)
    for variable in ENVIRONMENT:
        assert f"`{variable}`" in text
    for line in text.splitlines():
        if re.match(r"\| `\w+(_delay|_time|_interval|_duration|_seconds|(?<!_per)_s)` ", line):
            assert "in seconds" in line or "As `" in line, line


def test_the_settings_need_no_django() -> None:
    code = "import sys, swf.epic.settings; sys.exit(any(name.split('.')[0] == 'django' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
