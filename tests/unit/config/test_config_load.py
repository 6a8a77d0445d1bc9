from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field
from toy_kinds import BOAT, CAR, KINDS, EngineSection, HullSection, SailSection, WheelSection

from swf.config import Configuration, Layer, Override, Section, Sources, WorkflowKind, load, parse_override
from swf.core.errors import ConfigError, UnknownNameError

BINDINGS = {
    "TOY_SPEED": "engine.speed",
    "TOY_COUNT": "engine.count",
    "TOY_LABEL": "engine.label",
    "TOY_FOLDERS": "engine.folders",
    "TOY_PASSWORD": "engine.password",
    "TOY_AREA": "sail.area",
    "TOY_SIZE": "wheel.size",
}


def car(
    folder: Path,
    text: str = "",
    *,
    user: str | None = None,
    sets: tuple[str, ...] = (),
    env: dict[str, str] | None = None,
    files: dict[str, str] | None = None,
    overrides: tuple[Override, ...] = (),
) -> Configuration:
    """Load a car from texts."""
    for name, content in {"car.toml": text, **({"testbed.toml": user} if user else {}), **(files or {})}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    sources = Sources(
        overrides=(*(parse_override(text) for text in sets), *overrides),
        env=env or {},
        bindings=BINDINGS,
        user_file=folder / "testbed.toml" if user else None,
        folder=folder / "work",
    )
    return load(kind=CAR, kinds=KINDS, sources=sources, workflow=folder / "car.toml", shipped=[folder / "shipped"])


def test_defaults(tmp_path: Path) -> None:
    configuration = car(tmp_path)
    assert configuration.section(EngineSection) == EngineSection()
    assert configuration.value("engine.speed").origin.layer is Layer.DEFAULT
    assert str(configuration.value("engine.speed").origin) == "default"
    assert configuration.value("workflow.name").value == "car"
    assert configuration.value("workflow.kind").value == "car"


def test_a_whole_number_serves_as_a_float(tmp_path: Path) -> None:
    assert car(tmp_path, "[engine]\nspeed = 3\n").section(EngineSection).speed == 3.0


LAYERS = (Layer.INCLUDE, Layer.WORKFLOW, Layer.USER, Layer.ENVIRONMENT, Layer.FLAG)
KEYS = {"engine.count": "TOY_COUNT", "wheel.size": "TOY_SIZE", "engine.label": "TOY_LABEL"}


def literal(key: str, layer: Layer) -> str:
    """A value that is different in every layer."""
    return {"engine.count": f"{layer + 10}", "wheel.size": f"1.{layer}", "engine.label": f'"by {layer.name}"'}[key]


def file_text(keys: list[str], layer: Layer, head: str) -> str:
    tables: dict[str, list[str]] = {}
    for key in keys:
        section, _, name = key.partition(".")
        tables.setdefault(section, []).append(f"{name} = {literal(key, layer)}")
    return head + "".join(f"[{section}]\n" + "\n".join(lines) + "\n" for section, lines in tables.items())


@given(st.dictionaries(st.sampled_from(sorted(KEYS)), st.sets(st.sampled_from(LAYERS))))
def test_the_strongest_layer_wins_and_the_origin_says_where_to_find_it(where: dict[str, set[Layer]]) -> None:
    def keys(layer: Layer) -> list[str]:
        return [key for key, layers in where.items() if layer in layers]

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        heads = {
            Layer.INCLUDE: "# first\n",
            Layer.WORKFLOW: '[workflow]\nincludes = ["base.toml"]\n',
            Layer.USER: "# u\n",
        }
        texts = {layer: file_text(keys(layer), layer, head) for layer, head in heads.items()}
        configuration = car(
            folder,
            texts[Layer.WORKFLOW],
            files={"base.toml": texts[Layer.INCLUDE]},
            user=texts[Layer.USER],
            env={KEYS[key]: literal(key, Layer.ENVIRONMENT) for key in keys(Layer.ENVIRONMENT)},
            sets=tuple(f"{key}={literal(key, Layer.FLAG)}" for key in keys(Layer.FLAG)),
        )
        file_names = {Layer.INCLUDE: "base.toml", Layer.WORKFLOW: "car.toml", Layer.USER: "testbed.toml"}
        for key, variable in KEYS.items():
            layer = max(where.get(key, set()), default=Layer.DEFAULT)
            value = configuration.value(key)
            assert value.origin.layer is layer
            if layer is Layer.DEFAULT:
                section, _, field = key.partition(".")
                assert (
                    value.value == {"engine": EngineSection, "wheel": WheelSection}[section].model_fields[field].default
                )
                continue
            assert str(value.value) == literal(key, layer).strip('"')
            if layer in file_names:
                assert value.origin.file == folder / file_names[layer]
                assert value.origin.line is not None
                line = texts[layer].splitlines()[value.origin.line - 1]
                assert line == f"{key.partition('.')[2]} = {literal(key, layer)}"
            else:
                assert value.origin.file is None
                assert (variable if layer is Layer.ENVIRONMENT else f"--set {key}") in str(value.origin)


SPEEDS = ("engine.speed", "wheel.speed", "hull.speed")
RANK = {"engine.speed": 1, "wheel.speed": 0, "hull.speed": 0}


@given(
    st.dictionaries(
        st.tuples(st.sampled_from((Layer.WORKFLOW, Layer.USER, Layer.FLAG)), st.sampled_from(SPEEDS)),
        st.integers(min_value=1, max_value=3),
    )
)
def test_one_value_of_a_shared_key_wins_and_all_keys_have_it(given_speeds: dict[tuple[Layer, str], int]) -> None:
    def text(layer: Layer) -> str:
        return "".join(f"[{k.split('.')[0]}]\nspeed = {v}\n" for (at, k), v in given_speeds.items() if at is layer)

    # A key's own strongest layer counts; then layer before rank.
    own = {key: max((at for at, k in given_speeds if k == key), default=Layer.DEFAULT) for key in SPEEDS}
    best = max((own[key], RANK[key]) for key in SPEEDS)
    winners = [key for key in SPEEDS if (own[key], RANK[key]) == best]
    values = {given_speeds.get((own[key], key), 1) for key in winners}
    sets = tuple(f"{k}={v}" for (at, k), v in given_speeds.items() if at is Layer.FLAG)
    with tempfile.TemporaryDirectory() as name:
        if len(values) > 1:
            with pytest.raises(ConfigError, match="contradicts") as raised:
                car(Path(name), text(Layer.WORKFLOW), user=text(Layer.USER) or "#", sets=sets)
            assert all(f"[{key.split('.')[0]}] speed" in str(raised.value) for key in winners)
            return
        configuration = car(Path(name), text(Layer.WORKFLOW), user=text(Layer.USER) or "#", sets=sets)
    (value,) = values
    for key in SPEEDS:
        assert configuration.value(key).value == value
        assert configuration.value(key).origin.layer is best[0]
        if best[0] is not Layer.DEFAULT and key not in winners[:1]:
            assert configuration.value(key).origin.via == winners[0]
    assert configuration.section(HullSection).speed == value


def test_among_includes_the_later_one_wins_key_by_key(tmp_path: Path) -> None:
    configuration = car(
        tmp_path,
        '[workflow]\nincludes = ["a.toml", "b.toml"]\n[engine]\ncount = 3\n',
        files={
            "a.toml": '[engine]\ncount = 1\nlabel = "a"\ntags = ["a"]\n',
            "b.toml": '[engine]\nlabel = "b"\ncount = 9',
        },
    )
    engine = configuration.section(EngineSection)
    assert (engine.count, engine.label, engine.tags) == (3, "b", ("a",))
    assert configuration.value("engine.tags").origin.file == tmp_path / "a.toml"


def test_paths_are_taken_from_where_they_are_named(tmp_path: Path) -> None:
    files = {"sub/base.toml": '[engine]\nhome = "x"\nfolders = ["y", "/z"]\n'}
    engine = car(tmp_path, '[workflow]\nincludes = ["sub/base.toml"]\n', files=files).section(EngineSection)
    assert engine.home == tmp_path / "sub/x"
    assert engine.folders == (tmp_path / "sub/y", Path("/z"))
    engine = car(tmp_path, sets=("engine.home=x y",), env={"TOY_FOLDERS": "a:/b"}).section(EngineSection)
    assert engine.home == tmp_path / "work/x y"
    assert engine.folders == (tmp_path / "work/a", Path("/b"))
    assert car(tmp_path, '[engine]\nhome = ""\n').section(EngineSection).home is None
    assert (
        car(tmp_path, overrides=(Override(key="engine.home", value=Path("f"), flag="--home"),))
        .section(EngineSection)
        .home
        == tmp_path / "work/f"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("engine.label=plain", "plain"),
        ("engine.label=two words", "two words"),
        ('engine.label="quoted # one"', "quoted # one"),
        ("engine.label=123", "123"),
        ("engine.label=true", "true"),
        ("engine.label=a=b", "a=b"),
        ("engine.label=", ""),
        (" engine.label = padded ", "padded"),
        ("engine.speed=2.5", 2.5),
        ("engine.speed=2", 2.0),
        ("engine.count=1_000", 1000),
        ("engine.on=false", False),
        ("engine.mode=fast", "fast"),
        ("engine.tags=['a', 'b']", ("a", "b")),
        ("agents.guide.enabled=false", False),
    ],
)
def test_values_of_the_command_line_are_toml_or_a_bare_text(tmp_path: Path, text: str, value: object) -> None:
    key = text.partition("=")[0].strip()
    assert car(tmp_path, sets=(text,)).value(key).value == value


def test_a_variable_that_is_empty_or_not_for_this_kind_is_left_alone(tmp_path: Path) -> None:
    configuration = car(tmp_path, env={"TOY_COUNT": "", "TOY_AREA": "nonsense", "OTHER": "x"})
    assert configuration.section(EngineSection).count == 2


def test_aliases_of_roles_and_their_scripts(tmp_path: Path) -> None:
    configuration = car(tmp_path, '[agents.old-driver]\nenabled = true\nscript = "agents/driver.py"\n')
    assert configuration.agent("driver").script == "agents/driver.py"
    assert configuration.value("agents.driver.enabled").origin.line == 2
    assert configuration.roles() == ("driver", "guide")
    assert car(tmp_path, "[agents.guide]\nenabled = false\n").roles() == ("driver",)
    assert car(tmp_path, "[agents.sailor]\nenabled = false\n").roles() == ("driver", "guide")
    same = "[agents.driver]\nenabled = true\n[agents.old-driver]\nenabled = true\n"
    assert car(tmp_path, same).roles() == ("driver", "guide")


def test_the_users_file_does_not_rename_the_workflow(tmp_path: Path) -> None:
    user = '[workflow]\nname = "boat"\nconfig = "car"\nversion = "7"\n'
    configuration = car(tmp_path, '[workflow]\nname = "my_car"\n', user=user)
    assert configuration.value("workflow.name").value == "my_car"
    assert configuration.value("workflow.config").value == ""
    assert configuration.value("workflow.version").value == "7"


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        car(
            tmp_path,
            '[engine]\nspeed = "fast"\ncount = 0\nspeeed = 1\n[sail]\narea = 1\n',
            user="[wheels]\nsize = 1\n",
            sets=("engine.mode=medium", "engine.nothing=1"),
            env={"TOY_SIZE": "7"},
        )
    lines = str(raised.value).splitlines()
    assert lines[0].endswith("; 8 problems:")
    assert len(lines) == 9
    for words in (
        ["car.toml, line 2", "[engine] speed", '"fast"', "a number above 0 and at most 10"],
        ["car.toml, line 3", "[engine] count = 0", "from 1 to 1000"],
        ["car.toml, line 4", "speeed", "did you mean speed?"],
        ["car.toml, line 5", "unused: [sail] is read only by workflow boat"],
        ["testbed.toml, line 1", "[wheels]", "did you mean wheel?"],
        ["flag --set engine.mode", '"medium"', "'slow' or 'fast'"],
        ["flag --set engine.nothing", "unknown key"],
        ["variable TOY_SIZE", "[wheel] size = 7", "from 0.1 to 2"],
    ):
        assert any(all(word in line for word in words) for line in lines), words


def test_a_check_of_the_kind_names_both_origins(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        car(tmp_path, "[engine]\nspeed = 6\n", sets=("engine.mode=slow",))
    assert "flag --set engine.mode" in str(raised.value)
    assert "car.toml, line 2" in str(raised.value)


SECRET = "hunter2-hunter2"


def test_a_secret_is_kept_and_never_shown(tmp_path: Path) -> None:
    for configuration in (
        car(tmp_path, f'[engine]\npassword = "{SECRET}"\n'),
        car(tmp_path, sets=(f"engine.password={SECRET}",)),
        car(tmp_path, env={"TOY_PASSWORD": SECRET}),
    ):
        password = configuration.section(EngineSection).password
        assert password is not None
        assert password.get_secret_value() == SECRET
        value = configuration.value("engine.password")
        assert value.text == "********"
        assert SECRET not in f"{value} {value.origin} {list(configuration.values())} {configuration.quote(value.key)}"
        parameters = configuration.as_parameters()
        assert SECRET not in json.dumps(parameters)
        assert "password" not in parameters["engine"]


@pytest.mark.parametrize(
    "kwargs",
    [
        {"text": f'[engine]\npassword = ["{SECRET}"]\n'},
        {"text": f'[engine]\npasword = "{SECRET}"\n'},
        {"text": f'[engine]\npassword = "{SECRET * 9}"\n'},
        {"sets": (f'engine.password="{SECRET}',)},
        {"sets": (f"engine.password={SECRET}", "engine.password=other")},
        {"sets": (f"engine.pass={SECRET}",)},
        {"env": {"TOY_PASSWORD": f"['{SECRET}'"}},
    ],
)
def test_a_secret_is_not_shown_by_an_error(tmp_path: Path, kwargs: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="pas") as raised:
        car(tmp_path, **kwargs)  # type: ignore[arg-type]
    assert SECRET not in str(raised.value)


def test_what_was_stored_makes_the_same_configuration_again(tmp_path: Path) -> None:
    text = '[workflow]\nversion = "3"\n[wheel]\nspeed = 4\n[engine]\nhome = "h"\ntags = ["t"]\n'
    text += "[agents.guide]\nenabled = false\n"
    before = car(tmp_path, text, sets=("hull.speed=2",))
    stored = json.loads(json.dumps(before.as_parameters()))
    sources = Sources(env={"TOY_COUNT": "77", "TOY_PASSWORD": SECRET}, bindings=BINDINGS)
    after = load(kind=CAR, kinds=KINDS, sources=sources, stored=stored, stored_by="execution car-me-0001")
    assert after.as_parameters() == before.as_parameters()
    assert after.section(EngineSection).count == 2, "the environment of today does not change it"
    assert after.section(EngineSection).speed == 2.0
    assert after.section(EngineSection).password is not None, "what is not stored comes from the environment"
    assert str(after.value("engine.count").origin) == "execution car-me-0001"
    changed = load(kind=CAR, kinds=KINDS, stored=stored, sources=Sources(overrides=(parse_override("wheel.speed=5"),)))
    assert changed.section(EngineSection).speed == 5.0


def test_asking_for_what_the_kind_does_not_have(tmp_path: Path) -> None:
    configuration = car(tmp_path)
    assert not configuration.has("sail.area")
    for ask in (
        lambda: configuration.section(SailSection),
        lambda: configuration.agent("sailor"),
        lambda: configuration.value("sail.area"),
        lambda: configuration.value("engine.nothing"),
    ):
        with pytest.raises(UnknownNameError, match="kind car"):
            ask()
    assert load(kind=BOAT, kinds=KINDS).section(SailSection).area == 1.0


def test_values_covers_every_key_once(tmp_path: Path) -> None:
    keys = [value.key for value in car(tmp_path).values()]
    assert len(keys) == len(set(keys))
    assert {"testbed.namespace", "workflow.name", "agents.driver.enabled", "engine.speed", "hull.speed"} <= set(keys)


def test_the_users_file_may_include_others_and_is_stronger_than_the_workflow(tmp_path: Path) -> None:
    configuration = car(
        tmp_path,
        "[engine]\ncount = 3\nlabel = 'car'\n",
        user="[workflow]\nincludes = ['mine.toml']\n[engine]\nlabel = 'user'\n",
        files={"mine.toml": "[engine]\ncount = 4\nlabel = 'mine'\n"},
    )
    engine = configuration.section(EngineSection)
    assert (engine.count, engine.label) == (4, "user")
    assert configuration.value("engine.count").origin.layer is Layer.USER


def test_home_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    text = "[engine]\nhome = '~/x'\nfolders = ['~nobody-of-that-name/y']\n"
    engine = car(tmp_path, text).section(EngineSection)
    assert engine.home == Path("/home/me/x")
    assert engine.folders == (tmp_path / "~nobody-of-that-name/y",)


def test_very_many_problems_are_counted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        car(tmp_path, "[engine]\n" + "".join(f"key{number} = 1\n" for number in range(70)))
    lines = str(raised.value).splitlines()
    assert lines[0].endswith("; 70 problems:")
    assert lines[-1] == "  - and 20 more"
    assert len(lines) == 52


def test_a_section_of_one_name_in_two_kinds_is_the_one_of_the_kind_that_runs(tmp_path: Path) -> None:
    class OtherEngineSection(Section):
        """Another engine."""

        section: ClassVar[str] = "engine"
        thrust: float = Field(1.0, ge=0, le=9, description="Thrust, in kN.")

    rocket = WorkflowKind(name="rocket", description="Flies.", sections=(OtherEngineSection,))
    (tmp_path / "car.toml").write_text("[engine]\ncount = 3\n")
    for kinds in ((rocket, *KINDS), (*KINDS, rocket)):
        assert load(kind=CAR, kinds=kinds, workflow=tmp_path / "car.toml").section(EngineSection).count == 3
        with pytest.raises(ConfigError, match=r"\[engine\] count: unknown key; known: thrust"):
            load(kind=rocket, kinds=kinds, workflow=tmp_path / "car.toml", sources=Sources())
