"""Every page is looked at, in light, in dark and on a phone. Pictures are left in the folder SHOTS, for people."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from conftest import Console, Live

LOOKS = {
    "light": {"viewport": {"width": 1400, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1400, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
PAGES = {
    "now": "/",
    "runs": "/runs",
    "run": "/runs/{run}",
    "stfs": "/stfs?run={run}",
    "stf": "/stfs/swf.{run}.000001.stf",
    "samples": "/samples",
    "slices": "/slices",
    "slices-none": "/slices?status=expired",
    "slice": "/slices/{failing}",
    "why": "/why/{failing}",
    "why-run": "/why/{run}",
    "executions": "/executions",
    "messages": "/messages",
    "message": "/messages/5",
    "agents": "/agents",
    "logs": "/logs",
    "datasets": "/datasets",
    "dataset": "/datasets/group.daq:swf.{run}.run",
    "products": "/products",
    "dead-letters": "/dead-letters",
    "tasks": "/tasks",
    "workflows": "/workflows",
    "account": "/account",
    "admin": "/admin",
}


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures go."""
    named = os.environ.get("SHOTS", "")
    folder = Path(named) if named else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_fits_and_its_console_stays_empty(
    look: str, browser: Browser, live: Live, session_file: Path, shots: Path
) -> None:
    context = browser.new_context(base_url=live.address, storage_state=session_file, **LOOKS[look])
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto("/slices?status=failed")
    while not page.get_by_role("link", name=live.failing).count():
        page.reload()
    console, wrong = Console(page), []
    for name, pattern in PAGES.items():
        address = pattern.format(run=live.run, failing=live.failing)
        answer = page.goto(address)
        page.wait_for_function("() => !document.querySelector('.htmx-request')")
        page.screenshot(path=shots / f"{name}-{look}.png", full_page=True)
        beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        status = answer.status if answer else 0
        if status != 200 or beyond > 0 or console.errors:
            wrong.append((name, status, f"{beyond} pixels too wide", list(console.errors)))
        console.errors.clear()
    context.close()
    assert wrong == []
