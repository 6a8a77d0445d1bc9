"""The monitor as its users meet it: a process with a port, on the store of a data directory."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from services.browser import Browser, RunningMonitor, command, environment, monitor
from services.postgres import MISSING, PostgresServer, installed, serving

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a run that agents have taken, who know nothing of the web; and one administrator."""
    folder = tmp_path_factory.mktemp("monitor") / "data"
    command(folder, "run", "stf_datataking", "--stf-count", "1", "--no-realtime")
    command(folder, "monitor", "createadmin", "ann", "--password-stdin", given=f"{PASSWORD}\n")
    return folder


@pytest.fixture(scope="module")
def served(data_dir: Path) -> Iterator[RunningMonitor]:
    with monitor(data_dir, "--login-link") as running:
        yield running


def logged_in(served: RunningMonitor) -> Browser:
    browser = served.browser()
    answer = browser.post("/login", {"username": "ann", "password": PASSWORD, "next": "/"})
    assert answer.status == 302, answer.text
    return browser


def test_a_person_logs_in_and_sees_the_run(served: RunningMonitor) -> None:
    assert served.browser().get("/").headers["Location"] == "/login?next=/"
    browser = logged_in(served)
    page = browser.get("/")
    assert page.status == 200
    assert "SIMULATED" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    browser.post("/logout", {}, page="/")
    assert browser.get("/").status == 302


def test_the_login_link_works_once(served: RunningMonitor) -> None:
    path = urlsplit(served.login_link).path
    browser = served.browser()
    assert browser.get(path).status == 302
    assert browser.get("/admin").status == 200
    assert served.browser().get(path).status == 403


def test_a_program_shows_a_token(served: RunningMonitor, data_dir: Path) -> None:
    text = command(data_dir, "monitor", "token", "create", "ann", "of a test", "--role", "viewer").strip()
    answer = served.browser().get("/api/v1/whoami", Authorization=f"Bearer {text}")
    assert answer.json == {"who": "ann", "via": "token", "grants": {"*": "viewer"}}
    command(data_dir, "monitor", "token", "revoke", text[4:16])
    assert served.browser().get("/api/v1/whoami", Authorization=f"Bearer {text}").status == 401


def test_it_is_well_and_says_so(served: RunningMonitor) -> None:
    browser = served.browser()
    assert browser.get("/healthz").json == {"status": "ok"}
    assert browser.get("/readyz").json == {"status": "ok", "database": "ok", "schema": "ok"}
    figures = browser.get("/metrics").text
    assert 'swf_monitor_requests_total{method="GET",route="/healthz",status="200"}' in figures
    assert browser.get("/metrics", **{"X-Forwarded-For": "192.0.2.1"}).status == 403


def test_it_answers_to_its_names_only(served: RunningMonitor) -> None:
    port = urlsplit(served.url).port
    assert served.browser().get("/healthz", Host=f"localhost:{port}").status == 200
    assert served.browser().get("/healthz", Host="evil.example").status == 400


@pytest.mark.parametrize(
    "path",
    [
        "/static/../settings.py",
        "/static/swf/..%2f..%2f..%2fmodels.py",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static//etc/passwd",
        "/static/swf/",
        "/static/",
    ],
)
def test_files_are_those_that_are_shipped(served: RunningMonitor, path: str) -> None:
    assert served.browser().get("/static/swf/style.css").status == 200
    answer = served.browser().get(path)
    assert answer.status in {400, 404}
    assert "root:" not in answer.text


def test_a_file_that_a_browser_has_is_not_sent_again(served: RunningMonitor) -> None:
    first = served.browser().get("/static/swf/style.css")
    again = served.browser().get("/static/swf/style.css", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


def test_what_is_too_much_is_refused(served: RunningMonitor) -> None:
    where = urlsplit(served.url)
    host = f"Host: {where.netloc}\r\n"
    for request, status in (
        (f"POST /login HTTP/1.1\r\n{host}Content-Length: {2**40}\r\n\r\n", b"413"),
        (f"GET /login HTTP/1.1\r\n{host}X: {'x' * 40_000}\r\n\r\n", b"431"),
        (f"GET /login?{'x' * 10_000} HTTP/1.1\r\n{host}\r\n", b"414"),
        ("GET /login HTTP/1.1\r\n\r\n", b"400"),
        ("nonsense\r\n\r\n", b"400"),
    ):
        with socket.create_connection((str(where.hostname), int(where.port or 0)), timeout=60) as connection:
            connection.sendall(request.encode())
            assert connection.recv(100).split()[1] == status, request[:60]


def test_nothing_secret_is_logged(served: RunningMonitor, data_dir: Path) -> None:
    logged_in(served)
    log = (data_dir / "logs" / "monitor.log").read_text()
    assert '"route": "/login"' in log
    for secret in (PASSWORD, served.login_link.rpartition("/")[2], (data_dir / "monitor-secret").read_text().strip()):
        assert secret not in log
        assert secret not in json.dumps([path.read_text() for path in data_dir.glob("logs/*.log")])


def test_agents_go_on_with_a_store_that_a_monitor_has_opened(served: RunningMonitor, data_dir: Path) -> None:
    command(data_dir, "run", "stf_datataking", "--stf-count", "1", "--no-realtime")
    assert len(json.loads(command(data_dir, "runs", "list", "--json"))["runs"]) >= 2
    assert json.loads(command(data_dir, "db", "upgrade", "--json")) == {"changes": []}


def test_behind_tls_cookies_stay_there(data_dir: Path) -> None:
    config = data_dir.parent / "behind-tls.toml"
    config.write_text('[monitor]\nurl = "https://monitor.example"\nproxies = ["127.0.0.1"]\n')
    proxied = {"Host": "monitor.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.9"}
    with monitor(data_dir, "--login-link", variables={"SWF_TESTBED_CONFIG": str(config)}) as running:
        answer = running.browser().get("/login", **proxied)
        assert answer.status == 200
        assert "Secure" in answer.headers["Set-Cookie"]
        assert "max-age" in answer.headers["Strict-Transport-Security"]
        assert running.browser().get(urlsplit(running.login_link).path, **proxied).status == 403
        assert running.browser().get("/metrics", **proxied).status == 403
    last = [json.loads(line) for line in (data_dir / "logs" / "monitor.log").read_text().splitlines()][-2]
    assert (last["path"], last["address"]) == ("/metrics", "192.0.2.9")


def test_who_is_no_proxy_is_not_believed(served: RunningMonitor, data_dir: Path) -> None:
    served.browser().get("/healthz", **{"X-Forwarded-For": "192.0.2.77"})
    assert "192.0.2.77" not in (data_dir / "logs" / "monitor.log").read_text()


def test_a_port_that_is_taken_is_said(data_dir: Path, served: RunningMonitor) -> None:
    port = str(urlsplit(served.url).port)
    done = subprocess.run(
        [sys.executable, "-m", "swf.cli", "monitor", "serve", "--port", port, "--data-dir", str(data_dir)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(),
    )
    assert done.returncode == 5
    assert f"127.0.0.1:{port} is in use by another process" in done.stderr


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_the_monitor_beside_a_run_ends_with_it(tmp_path: Path, ending: signal.Signals) -> None:
    data_dir = tmp_path / "data"
    arguments = ["run", "stf_datataking", "--stf-count", "1", "--no-realtime", "--serve", "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "swf.cli", *arguments, "--data-dir", str(data_dir)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tempfile.gettempdir(),
        env=environment(),
    )
    assert process.stderr is not None
    with process.stderr:
        said = []
        for line in process.stderr:
            said.append(line.strip())
            if "serves on" in line:
                break
        link = urlsplit(next(line for line in said if "/login/once/" in line))
        browser = Browser(f"http://{link.netloc}")
        assert browser.get(link.path).status == 302
        assert "SIMULATED" in browser.get("/").text
        child = next(
            int(stat.parent.name)
            for stat in Path("/proc").glob("[0-9]*/stat")
            if stat.exists() and stat.read_text().rpartition(")")[2].split()[1] == str(process.pid)
        )
        handle = os.pidfd_open(child)
        try:
            process.send_signal(ending)
            assert process.wait(60) == (0 if ending is signal.SIGINT else -signal.SIGKILL)
            os.set_blocking(handle, True)
            _wait_for_end(handle)
        finally:
            os.close(handle)


def _wait_for_end(handle: int) -> None:
    """Wait until the process of a handle has ended."""
    import select

    poll = select.poll()
    poll.register(handle, select.POLLIN)
    assert poll.poll(60_000), "it runs on"


def in_service(server: PostgresServer, name: str) -> dict[str, str]:
    """What tells a command of a database."""
    return {
        "SWF_MODE": "service",
        "SWF_DATABASE_HOST": "127.0.0.1",
        "SWF_DATABASE_PORT": str(server.port),
        "SWF_DATABASE_NAME": name,
        "SWF_DATABASE_USER": server.user,
        "SWF_DATABASE_PASSWORD": server.password,
    }


def make_admin(data_dir: Path, variables: dict[str, str]) -> None:
    command(data_dir, "monitor", "createadmin", "ann", "--password-stdin", given=f"{PASSWORD}\n", variables=variables)


@pytest.mark.services
def test_with_postgresql(postgres: PostgresServer, postgres_database: str, tmp_path: Path) -> None:
    variables = in_service(postgres, postgres_database)
    make_admin(tmp_path, variables)
    with monitor(tmp_path, variables=variables) as running:
        assert running.browser().get("/readyz").json == {"status": "ok", "database": "ok", "schema": "ok"}
        assert logged_in(running).get("/").status == 200


@pytest.mark.services
@pytest.mark.skipif(not installed(), reason=MISSING)
def test_a_database_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    with serving() as server:
        server.execute("CREATE DATABASE monitored")
        variables = in_service(server, "monitored")
        command(tmp_path, "db", "upgrade", variables=variables)
        make_admin(tmp_path, variables)
        with monitor(tmp_path, variables=variables) as running:
            browser = logged_in(running)
            assert browser.get("/").status == 200
            server.stop()
            page = browser.get("/")
            assert (page.status, "The database does not answer" in page.text) == (503, True)
            assert browser.get("/api/v1/whoami").status == 503
            ready = browser.get("/readyz")
            assert (ready.status, ready.json["database"]) == (503, "does not answer")
            assert browser.get("/healthz").status == 200
            server.start()
            assert browser.get("/readyz").json == {"status": "ok", "database": "ok", "schema": "ok"}
            assert browser.get("/").status == 200
