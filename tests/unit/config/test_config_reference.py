from __future__ import annotations

import pytest
from toy_kinds import KINDS, EngineSection

from swf.config.describe import expected, field_schema, shown, suggestion
from swf.config.layout import sections_of
from swf.config.reference import reference


def test_every_key_of_every_section_is_in_the_reference() -> None:
    text = reference(KINDS, {"TOY_SPEED": "engine.speed"})
    for kind in KINDS:
        for name, model in sections_of(kind).items():
            heading = "[agents.<role>]" if name.startswith("agents.") else f"[{name}]"
            part = text.split(f"## `{heading}`")[1].split("\n## ")[0]
            for key, field in model.model_fields.items():
                (row,) = [line for line in part.splitlines() if line.startswith(f"| `{key}` |")]
                assert str(field.description) in row
    assert "| `speed` | a number above 0 and at most 10 | `1.0` | Speed, in m/s. | `TOY_SPEED` |" in text
    assert "| `password` | text of up to 50 characters, a secret, or not set |" in text
    assert "Read by: boat." in text.split("## `[sail]`")[1]
    assert "`engine.speed`, then `wheel.speed` and `hull.speed` | car |" in text
    assert "`[agents.old-driver]` | `agents/driver.py` |" in text
    assert "driver (required: nobody else steers), guide" in text


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("count", "a whole number from 1 to 1000"),
        ("label", "text of up to 20 characters"),
        ("mode", "'slow' or 'fast'"),
        ("on", "true or false"),
        ("tags", "a list, each item text of up to 4000 characters"),
        ("home", "a path"),
    ],
)
def test_what_a_field_accepts_in_words(key: str, words: str) -> None:
    assert expected(field_schema(EngineSection, key)) == words


def test_values_are_shown_as_toml_writes_them() -> None:
    assert shown({"a": [1, 2.5, True, None, "x"]}) == '{a = [1, 2.5, true, not set, "x"]}'
    assert len(shown("x" * 1000)) == 80


def test_a_suggestion_only_for_what_is_close() -> None:
    assert suggestion("spede", ["speed", "count"]) == "did you mean speed?"
    assert suggestion("zzz", ["speed", "count"]) == ""
