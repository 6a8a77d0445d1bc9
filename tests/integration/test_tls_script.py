"""Certificates of the shipped script serve a real broker with TLS."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

import swf.deploy
from services.activemq import NEEDED, ActiveMq, installed
from swf.core.errors import ServiceError
from swf.deploy.activemq import Keystore
from swf.messaging.settings import BusSection

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
from swf.messaging.stomp import probe

SCRIPT = Path(swf.deploy.__file__).parent / "tls" / "make-certificates.sh"

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


def make(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", SCRIPT, *arguments], capture_output=True, text=True, check=False)


@needs_openssl
@pytest.mark.skipif(not installed(), reason=NEEDED)
def test_agents_trust_the_broker_by_its_name_and_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    done = make(folder, "127.0.0.1", "mq.example.org")
    assert done.returncode == 0, done.stderr
    secret = (folder / "broker.p12.password").read_text().strip()
    with ActiveMq(tmp_path / "mq", keystore=Keystore(path=folder / "broker.p12", password=secret)) as broker:
        given = {**broker.settings().model_dump(), "port": broker.plan.stomp_tls_port, "use_ssl": True}
        settings = BusSection.model_validate(given | {"ssl_ca_certs": folder / "ca.pem"})
        (seen,) = probe(settings)
        assert seen.trouble == ""
        with pytest.raises(ServiceError, match=r"the certificate of localhost.* is not accepted"):
            probe(settings.model_copy(update={"host": "localhost"}))


@needs_openssl
def test_a_second_certificate_is_of_the_same_authority(tmp_path: Path) -> None:
    assert make(tmp_path, "a.example.org").returncode == 0
    authority, first = (tmp_path / "ca.pem").read_bytes(), (tmp_path / "broker.p12").read_bytes()
    assert make(tmp_path, "b.example.org").returncode == 0
    assert (tmp_path / "ca.pem").read_bytes() == authority
    assert (tmp_path / "broker.p12").read_bytes() != first
    private = {path.name for path in tmp_path.iterdir() if not stat.S_IMODE(path.stat().st_mode) & 0o077}
    assert private >= {"ca.key", "broker.p12", "broker.p12.password"}


@pytest.mark.parametrize("arguments", [[], ["folder"], ["folder", "a b"], ["folder", "a,IP:1.2.3.4"]])
def test_what_it_cannot_use_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    done = make(*(tmp_path / each if each == "folder" else each for each in arguments))
    assert done.returncode == 2
    assert "HOST" in done.stderr or "neither a name nor an address" in done.stderr
