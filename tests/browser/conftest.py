"""A run that goes on, the monitor beside it, and a browser: Debian's Chromium, driven by playwright."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make install-dev")
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright  # noqa: E402

expect.set_options(timeout=120_000)

CHROMIUM: Final = shutil.which("chromium")
LONGEST_S: Final = 120.0
FAILING: Final = "swf.{run}.000001_slice_002.tf"
"""The slice that the payload fails at until it is repaired."""

_PAYLOAD: Final = """
import pathlib, sys, time
time.sleep(0.05)
if "000001_slice_002" in sys.argv[1] and not pathlib.Path(__file__).with_name("repaired").exists():
    sys.exit("the calibration of the tracker is missing <b>&amp;</b>")
"""
_SETTINGS: Final = (
    "payload.name=probe",
    "payload.expects_output=false",
    "processing.max_retries=0",
    "stf.tf_count=40",
    "stf.target_mb=0.5",
    "fast_processing.slices_per_sample=4",
    "fast_processing.stf_sampling_rate=0.5",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A run in embedded mode that takes data until it is stopped, with the monitor beside it."""

    address: str
    link: str
    """Logs in, once."""
    folder: Path
    data_dir: Path
    process: subprocess.Popen[bytes]

    @property
    def run(self) -> int:
        """The run's number: the first one of a data directory."""
        return 100010

    @property
    def failing(self) -> str:
        """The slice that fails."""
        return FAILING.format(run=self.run)

    def repair(self) -> None:
        """From now on the payload succeeds at every slice."""
        (self.folder / "repaired").touch()


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The run and the monitor."""
    folder = tmp_path_factory.mktemp("live")
    payload, said, data_dir = folder / "payload.py", folder / "said.txt", folder / "data"
    payload.write_text(_PAYLOAD)
    command = [sys.executable, "-m", "swf.cli", "run", "fast_processing", "--serve", "--port", "0"]
    command += ["--stf-count", "5000", "--data-dir", str(data_dir)]
    command += ["--set", f'payload.command=["{sys.executable}", "-S", "{payload}", "{{slice}}"]']
    for setting in _SETTINGS:
        command += ["--set", setting]
    with said.open("wb") as output:
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, start_new_session=True)
    try:
        link = _until_said(process, said)
        address = link.partition("/login")[0]
        yield Live(address=address, link=link, folder=folder, data_dir=data_dir, process=process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)


def _until_said(process: subprocess.Popen[bytes], said: Path) -> str:
    """The link that logs in, once the program has written it."""
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"http://\S+/login/once/\S+", said.read_text(errors="replace"))
        if found:
            return found.group(0)
        time.sleep(0.1)
    raise AssertionError(f"the monitor was not served; the program wrote: {said.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def session_file(browser: Browser, live: Live) -> Path:
    """The cookies of somebody who has logged in by the link."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(live.link)
    assert page.url == f"{live.address}/"
    path = live.folder / "session.json"
    context.storage_state(path=path)
    context.close()
    return path


class Console:
    """What pages write to the console and should not: errors of scripts, and what could not be loaded."""

    def __init__(self, page: Page) -> None:
        self.errors: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)


@pytest.fixture
def context(browser: Browser, live: Live, session_file: Path) -> Iterator[BrowserContext]:
    """A browser of somebody who has logged in."""
    context = browser.new_context(
        base_url=live.address, storage_state=session_file, viewport={"width": 1400, "height": 900}
    )
    context.set_default_timeout(LONGEST_S * 1000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page whose console stays free of errors."""
    page = context.new_page()
    console = Console(page)
    yield page
    assert console.errors == []
