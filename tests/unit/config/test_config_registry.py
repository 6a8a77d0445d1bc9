from __future__ import annotations

from pathlib import Path

import pytest
from toy_kinds import KINDS, EngineSection

from swf.config import Sources, WorkflowRegistry, parse_override, user_file
from swf.core.errors import ConfigError, UnknownNameError


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "car_default.toml").write_text('[workflow]\nname = "car"\nversion = "2"\ndescription = "A car."\n')
    (folder / "boat.toml").write_text("[sail]\narea = 2\n")
    (folder / "engine_part.toml").write_text("[engine]\ncount = 5\n")
    return folder


def registry(shipped: Path, sources: Sources | None = None) -> WorkflowRegistry:
    return WorkflowRegistry(kinds=KINDS, shipped=[shipped], sources=sources)


def test_the_shipped_workflows_are_listed_and_parts_are_not(shipped: Path) -> None:
    listed = registry(shipped).list()
    assert [(w.name, w.kind and w.kind.name, w.version, w.description, w.problem) for w in listed] == [
        ("boat", "boat", "", "", ""),
        ("car", "car", "2", "A car.", ""),
    ]


@pytest.mark.parametrize("name", ["car", "car_default", "car.toml", "car_default.toml"])
def test_every_form_of_a_name_finds_the_file(shipped: Path, name: str) -> None:
    for found in (registry(shipped).named(name), registry(shipped).find(name)):
        assert found.path == shipped / "car_default.toml"


def test_a_path_finds_a_file_for_a_person_but_not_for_a_name_from_afar(shipped: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[workflow]\nkind = "car"\nincludes = ["engine_part.toml"]\n')
    here = registry(shipped, Sources(folder=tmp_path))
    for name in ("mine.toml", "./mine.toml", str(tmp_path / "mine.toml")):
        assert here.load(here.find(name)).section(EngineSection).count == 5
    for name in ("mine.toml", "mine", "../mine", "./mine.toml", str(tmp_path / "mine.toml"), "", "a\0b", "x" * 5000):
        with pytest.raises(UnknownNameError, match="there is no workflow"):
            here.named(name)


def test_an_unknown_name_gets_a_suggestion_and_the_list(shipped: Path) -> None:
    with pytest.raises(UnknownNameError, match=r'no workflow "carr"; did you mean car\? known: boat, car'):
        registry(shipped).find("carr")
    with pytest.raises(ConfigError, match=r"gone/x\.toml: there is no such file"):
        registry(shipped).find("gone/x.toml")


def test_a_part_is_no_workflow(shipped: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"engine_part\.toml: is no workflow but a part.*kind = one of \"car\", \"boat\""
    ):
        registry(shipped).named("engine_part")


def test_folders_of_the_user_come_first(shipped: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/car.toml").write_text("[engine]\ncount = 7\n")
    (tmp_path / "own/broken.toml").write_text("[engine\n")
    (tmp_path / "testbed.toml").write_text('[workflows]\npath = ["own"]\n[workflow]\nconfig = "car"\n')
    for sources in (
        Sources(user_file=tmp_path / "testbed.toml"),
        Sources(env={"P": str(tmp_path / "own")}, bindings={"P": "workflows.path"}),
        Sources(overrides=(parse_override("workflows.path=own"),), folder=tmp_path),
    ):
        found = registry(shipped, sources)
        assert found.named("car").path == tmp_path / "own/car.toml"
        assert found.load(found.named("car")).section(EngineSection).count == 7
        assert {w.name: bool(w.problem) for w in found.list()} == {"boat": False, "broken": True, "car": False}
        broken = next(w for w in found.list() if w.name == "broken")
        assert "broken.toml: not TOML" in broken.problem
        with pytest.raises(ConfigError, match="not TOML"):
            found.load(broken)
    assert registry(shipped, Sources(user_file=tmp_path / "testbed.toml")).default == "car"
    assert registry(shipped).default == ""


def test_a_folder_that_is_not_there(shipped: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[workflows\] path: there is no folder .*/gone"):
        registry(shipped, Sources(overrides=(parse_override("workflows.path=gone"),), folder=tmp_path))


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("x.toml", '[workflow]\nkind = "boat"\nname = "car"\n', "boat"),
        ("car.toml", '[workflow]\nname = "boat"\n', "boat"),
        ("x.toml", '[workflow]\nname = "boat_default"\n', "boat"),
        ("boat_default.toml", '[workflow]\nname = "free"\n', "boat"),
        ("x.toml", '[workflow]\nname = "free"\nconfig = "car"\n', "car"),
        ("x.toml", '[workflow]\nincludes = ["car_default.toml"]\n', "car"),
    ],
)
def test_the_kind_of_a_file(shipped: Path, tmp_path: Path, name: str, text: str, kind: str) -> None:
    (tmp_path / name).write_text(text)
    if "config" in text:
        (shipped / "car_default.toml").write_text('[workflow]\nkind = "car"\n')
    found = registry(shipped).find(str(tmp_path / name))
    assert found.kind is not None
    assert found.kind.name == kind
    assert registry(shipped).load(found).kind.name == kind


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[workflow]\nkind = "boot"\n', 'kind = "boot": expected one of "car", "boat"; did you mean boat?'),
        ('[workflow]\nkind = "xyz"\n', 'kind = "xyz": expected one of "car", "boat"'),
        ('[workflow]\nname = "free"\n', "of which kind is this workflow?"),
        ('workflow = "car"\n', "of which kind is this workflow?"),
    ],
)
def test_a_file_of_no_kind(shipped: Path, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        registry(shipped).find(str(tmp_path / "x.toml"))
    assert words in str(raised.value)
    assert "x.toml" in str(raised.value)


def test_validation_looks_at_the_file_alone(shipped: Path, tmp_path: Path) -> None:
    sources = Sources(overrides=(parse_override("engine.count=0"),))
    assert registry(shipped, sources).validate(shipped / "car_default.toml").kind.name == "car"
    (tmp_path / "car.toml").write_text("[engine]\ncount = 0\n")
    with pytest.raises(ConfigError, match=r"car\.toml, line 2: \[engine\] count = 0: expected a whole number from 1"):
        registry(shipped).validate(tmp_path / "car.toml")


def test_the_users_file_is_the_flags_then_the_variables_then_the_one_here(tmp_path: Path) -> None:
    assert user_file(None, {}, tmp_path) is None
    for name in ("a.toml", "b.toml", "testbed.toml"):
        (tmp_path / name).write_text("")
    env = {"SWF_TESTBED_CONFIG": "b.toml"}
    assert user_file(Path("a.toml"), env, tmp_path) == tmp_path / "a.toml"
    assert user_file(None, env, tmp_path) == tmp_path / "b.toml"
    assert user_file(None, {"SWF_TESTBED_CONFIG": ""}, tmp_path) == tmp_path / "testbed.toml"
    with pytest.raises(ConfigError, match=r"gone\.toml: there is no such file \(named by flag --config\)"):
        user_file(Path("gone.toml"), env, tmp_path)
    for name in ("gone.toml", "x" * 5000, "a\0b"):
        with pytest.raises(ConfigError, match=r"no such file .*variable SWF_TESTBED_CONFIG"):
            user_file(None, {"SWF_TESTBED_CONFIG": name}, tmp_path)
