"""The bus over STOMP when somebody else answers: servers of other protocols, garbage, silence."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from services import certificates
from services.activemq import free_ports, pause
from services.stomp_bus import eventually
from swf.core.errors import ServiceError
from swf.messaging.bus import Wire
from swf.messaging.settings import BusSection

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
from swf.messaging.stomp import StompBus, probe

PASSWORD = "a-secret-of-a-test"
OPENWIRE = b"\0\0\x01\x4e\x01ActiveMQ\0\0\0\x0c\x01" + b"\0" * 300
CONNECTED = b"CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0"


ONE = Wire(
    message_id=UUID(int=1), namespace="n", destination="/topic/t", msg_type="stf_gen", run_number=None, body="{}"
)


class Stranger:
    """A server that says one thing to everybody, and keeps what it was told."""

    def __init__(self, says: bytes, *, then: bytes, hangs_up: bool, at_once: bool, resets: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.heard = b""
        self.visits = 0
        self._says, self._then = says, then
        self._hangs_up, self._at_once, self._resets = hangs_up, at_once, resets
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for client in self._open:
            client.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(client)
            if self.visits < self._resets:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
                self.visits += 1
                continue
            try:
                if not self._at_once:
                    self.heard += client.recv(65536)
                client.sendall(self._says)
                if self._then:
                    pause()  # so that it comes on its own
                    client.sendall(self._then)
            except OSError:
                pass
            self.visits += 1
            if self._hangs_up:
                client.close()


@contextmanager
def stranger(
    says: bytes, *, hangs_up: bool = False, at_once: bool = False, resets: int = 0, then: bytes = b""
) -> Iterator[Stranger]:
    server = Stranger(says, hangs_up=hangs_up, at_once=at_once, resets=resets, then=then)
    try:
        yield server
    finally:
        server.close()


def settings(port: int, **values: object) -> BusSection:
    given: dict[str, object] = {"port": port, "user": "agent", "password": PASSWORD, "connect_timeout_s": 0.5}
    return BusSection.model_validate(given | values)


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (OPENWIRE, r"speaks OpenWire, not STOMP: its STOMP port is another one, usually 61613"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks HTTP, not STOMP"),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "speaks SSH, not STOMP"),
        (b"AMQP\x00\x01\x00\x00", "speaks AMQP, not STOMP"),
        (b"\x15\x03\x03\x00\x02\x02\x28", r"expects TLS: set \[bus\] use_ssl"),
        (b"220 mail.example.org ESMTP\r\n", "is no STOMP broker: it begins with b'220 mail"),
        (bytes(range(1, 256)) * 2000, "is no STOMP broker"),
        (b"\0" * 100_000, "is no STOMP broker"),
        (b"MESSAGE\n\nhello\0", "answers CONNECT with MessageFrame"),
        (b"CONNECTED\nversion:1.0\n\n\0", "speaks STOMP 1.0; 1.2 is needed"),
        (b"CONNECTED\n\n\0", "speaks STOMP 1.0; 1.2 is needed"),
        (b"ERROR\nmessage:go away\n\n\0", "refused user 'agent': go away"),
        (b"ERROR\n\nsaid in the body\nand a trace\0", "refused user 'agent': said in the body;"),
        (b"ERROR\nx:" + b"y" * 100_000, "headers of more than 65536 bytes"),
        (b"CONNECTED\nversion:1.2", r"does not answer CONNECT within 0\.5 s"),
        (b"", r"does not answer CONNECT within 0\.5 s"),
    ],
)
def test_who_answers_is_named(says: bytes, expected: str) -> None:
    with stranger(says) as server, pytest.raises(ServiceError, match=expected) as refusal:
        probe(settings(server.port))
    assert f"127.0.0.1:{server.port}" in str(refusal.value)
    assert PASSWORD not in str(refusal.value)


@pytest.mark.parametrize("says", [OPENWIRE, b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n"])
def test_who_speaks_first_and_hangs_up_is_named_too(says: bytes) -> None:
    with stranger(says, hangs_up=True, at_once=True) as server, pytest.raises(ServiceError, match="not STOMP"):
        probe(settings(server.port))


def test_who_speaks_first_is_heard_though_its_words_were_lost_with_the_connection() -> None:
    with stranger(OPENWIRE, hangs_up=True, at_once=True, resets=1) as server:
        with pytest.raises(ServiceError, match="speaks OpenWire"):
            probe(settings(server.port))
        assert server.visits == 2


def test_who_hangs_up_without_a_word_is_named() -> None:
    with stranger(b"", hangs_up=True) as server, pytest.raises(ServiceError, match="closed the connection without"):
        probe(settings(server.port))


def test_where_tls_is_asked_for_a_plain_server_learns_no_password(tmp_path: Path) -> None:
    authority = certificates.make(tmp_path / "tls").authority
    with stranger(CONNECTED) as server:
        with pytest.raises(ServiceError, match="does not speak TLS as it should"):
            probe(settings(server.port, use_ssl=True, ssl_ca_certs=authority))
        assert server.heard.startswith(b"\x16\x03")  # a ClientHello
        assert b"CONNECT" not in server.heard
        assert PASSWORD.encode() not in server.heard


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize(
    "says",
    [
        b"garbage\0",
        b"MESSAGE\n\nno headers\0",
        b"RECEIPT\n\n\0",
        b"ERROR\n\n\0",
        CONNECTED,
        b"MESSAGE\ncontent-length:99999999999999999999\n\n\0",
        b"MESSAGE\ncontent-length:3\n\nhello\0",
        b"MESSAGE\nsubscription:s0\nack:\\x\\\n\n\xff\xfe\0",
    ],
)
def test_a_server_that_turns_strange_does_not_end_the_bus(says: bytes, apart: bool) -> None:
    first, then = (CONNECTED, says) if apart else (CONNECTED + says, b"")
    with (
        stranger(first, then=then, hangs_up=True) as server,
        StompBus(settings(server.port), chance=lambda: 0.0) as bus,
    ):
        eventually(lambda: server.visits >= 6, "it is tried again and again")
        assert bus.status().consumer.trouble
        assert not bus.status().ready
        with pytest.raises(ServiceError):
            bus.publish([ONE])


def test_a_broker_that_refuses_is_tried_again() -> None:
    with stranger(b"ERROR\nmessage:no\n\n\0") as server, StompBus(settings(server.port), chance=lambda: 1.0) as bus:
        eventually(lambda: server.visits >= 8, "it is tried again")
        assert "refused user 'agent': no" in bus.status().producer.trouble


@pytest.mark.parametrize("says", [b"", b"CONNECTED\nversion:1.2"])
def test_a_bus_can_be_closed_while_nobody_answers_it(says: bytes) -> None:
    with stranger(says) as server:
        bus = StompBus(settings(server.port, connect_timeout_s=60.0))
        eventually(lambda: server.visits == 2, "both connections are opened")
        bus.close()
        bus.close()


def test_nothing_listens() -> None:
    (nobody,) = free_ports(1)
    with pytest.raises(ServiceError, match=rf"nothing listens at 127\.0\.0\.1:{nobody}: start the broker"):
        probe(settings(nobody))
    with pytest.raises(ServiceError, match=r"nothing\.invalid:1 cannot be reached: .*; nothing listens at"):
        probe(settings(1, host="nothing.invalid", fallback_hosts=[f"127.0.0.1:{nobody}"]))
