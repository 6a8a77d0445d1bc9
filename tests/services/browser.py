"""The monitor as a process of its own, as `testbed monitor serve` starts it, and a client without a browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPMessage
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

_PATIENCE_S: Final = 120.0
_FOREIGN: Final = ("SWF_", "ACTIVEMQ_", "PG")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a client gets."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body as a text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as an object."""
        return json.loads(self.body)


@dataclass
class Browser:
    """Keeps cookies, and sends forms with their token."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        """Ask for an address."""
        return self.send("GET", path, headers=headers)

    def post(self, path: str, form: Mapping[str, str], *, page: str = "/login") -> Answer:
        """Send a form as it stands on a page."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(page).text)
        assert token is not None, page
        body = urlencode({**form, "csrfmiddlewaretoken": token[1]}).encode()
        return self.send("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request and keep the cookies of its answer."""
        where = urlsplit(self.url)
        assert where.hostname is not None
        connection = HTTPConnection(where.hostname, where.port, timeout=_PATIENCE_S)
        said = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **(headers or {})}
        try:
            connection.request(method, path, body, said)
            response = connection.getresponse()
            answer = Answer(status=response.status, headers=response.headers, body=response.read())
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return answer


@dataclass(frozen=True, kw_only=True)
class RunningMonitor:
    """A monitor that serves."""

    url: str
    login_link: str
    process: subprocess.Popen[str]
    errors: Path
    """What it has said on its standard error."""

    def browser(self) -> Browser:
        """A browser that knows nothing yet."""
        return Browser(self.url)


def command(data_dir: Path, *arguments: str, given: str = "", variables: Mapping[str, str] | None = None) -> str:
    """Run `testbed ARGUMENTS --data-dir ...`, which has to succeed; gives its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "swf.cli", *arguments, "--data-dir", str(data_dir)],
        check=False,
        input=given,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        cwd=tempfile.gettempdir(),
        env=environment(variables),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without settings of a testbed, and with these variables."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**plain, **(variables or {})}


@contextmanager
def monitor(data_dir: Path, *arguments: str, variables: Mapping[str, str] | None = None) -> Iterator[RunningMonitor]:
    """A monitor of a data directory on a free port, until the end of the block; then it has to end in good order."""
    errors, serve = data_dir / "monitor-said", ["monitor", "serve", "--json", "--port", "0", *arguments]
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "swf.cli", *serve, "--data-dir", str(data_dir)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=tempfile.gettempdir(),
            env=environment(variables),
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, errors.read_text()
        said = json.loads(line)
        yield RunningMonitor(url=said["url"], login_link=said["login_link"], process=process, errors=errors)
    finally:
        process.terminate()
        code = process.wait(_PATIENCE_S)
        assert process.stdout is not None
        process.stdout.close()
    assert code == 0, errors.read_text()
    assert "Traceback" not in errors.read_text()
