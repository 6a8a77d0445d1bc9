"""What is shipped to browsers: colours that can be read, nothing from elsewhere, nothing that runs out of a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import swf

PACKAGE = Path(swf.__file__).parent
STYLE = (PACKAGE / "web" / "static" / "swf" / "style.css").read_text(encoding="utf-8")
TEMPLATES = sorted(PACKAGE.rglob("templates/**/*.html"))

STATES = ("good", "active", "waiting", "warn", "bad", "simulated")
ON_A_GROUND = (
    *((text, ground) for text in ("text", "quiet", "link") for ground in ("ground", "surface", "raised")),
    *((state, f"{state}-ground") for state in STATES),
    *(("text", f"{state}-ground") for state in ("good", "active", "warn", "bad")),
    ("bad", "surface"),
    ("on-accent", "accent"),
)
"""Which colour is written on which."""


def schemes() -> list[dict[str, str]]:
    blocks = re.findall(r":root[^{]*\{([^}]*)\}", STYLE)
    return [dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", block)) for block in blocks]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Source: WCAG 2.2, definition of contrast ratio."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_dark_colours_are_the_same_whoever_chooses_them() -> None:
    light, by_system, by_choice = schemes()
    assert by_system == by_choice
    assert light.keys() == by_choice.keys()
    assert light != by_choice


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_what_is_written_can_be_read(scheme: int) -> None:
    colours = schemes()[scheme]
    poor = {
        (text, ground): round(contrast(colours[text], colours[ground]), 2)
        for text, ground in ON_A_GROUND
        if contrast(colours[text], colours[ground]) < 4.5
    }
    assert not poor
    assert contrast(colours["focus"], colours["surface"]) >= 3


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_page_has_no_script_and_no_style_of_its_own(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert not re.search(r"hx-on|hx-vals=['\"]js:", text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_page_loads_nothing_from_elsewhere(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"(src|href|action)=[\"'](https?:)?//", text)
    assert not re.search(r"\|\s*safe\b|autoescape off", text)


def test_every_form_that_writes_carries_its_token() -> None:
    forms = [form for path in TEMPLATES for form in re.findall(r"<form[^>]*post.*?</form>", path.read_text(), re.S)]
    assert len(forms) > 5
    assert all("csrf_token" in form for form in forms)


def test_libraries_have_their_licences_and_versions() -> None:
    vendor = PACKAGE / "web" / "static" / "swf" / "vendor"
    readme = (vendor / "README.md").read_text(encoding="utf-8")
    for script in vendor.glob("*.js"):
        assert script.name in readme
        assert (vendor / f"{script.name.split('.')[0]}.LICENSE").is_file()
    assert 'version:"2.0.11"' in (vendor / "htmx.min.js").read_text(encoding="utf-8")
