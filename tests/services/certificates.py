"""Certificates for tests, made with openssl: an authority, and a broker's certificate that it signed."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from swf.deploy.activemq import Keystore

_PASSWORD = "keystore-of-a-test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """What an authority made for one broker."""

    authority: Path
    """The authority's certificate, PEM."""
    keystore: Keystore


def make(folder: Path, host: str = "IP:127.0.0.1") -> Certificates:
    """A new authority, and a certificate of its for a broker at `host`."""
    folder.mkdir(parents=True)
    authority, key = folder / "ca.pem", folder / "ca.key"
    _openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=authority of a test",
        "-keyout", key, "-out", authority,
    )  # fmt: skip
    request, own_key, own, extensions = (folder / name for name in ("own.csr", "own.key", "own.pem", "own.ext"))
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker", "-keyout", own_key, "-out", request)
    extensions.write_text(f"subjectAltName={host}\n")
    _openssl(
        "x509", "-req", "-in", request, "-CA", authority, "-CAkey", key, "-CAcreateserial", "-days", "2",
        "-extfile", extensions, "-out", own,
    )  # fmt: skip
    keystore = folder / "own.p12"
    _openssl("pkcs12", "-export", "-in", own, "-inkey", own_key, "-out", keystore, "-passout", f"pass:{_PASSWORD}")
    return Certificates(authority=authority, keystore=Keystore(path=keystore, password=_PASSWORD))


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
