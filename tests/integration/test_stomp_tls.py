"""The bus over STOMP with TLS, against a real broker: verification is always on, and nothing is ever sent in plain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from services import certificates
from services.activemq import NEEDED, ActiveMq, installed
from services.stomp_bus import receive
from swf.core.errors import ServiceError
from swf.messaging.bus import Subscription, Wire
from swf.messaging.settings import BusSection

pytest.importorskip("stompman", reason="needs swf-testbed[services]")
from swf.messaging.stomp import StompBus, probe

pytestmark = pytest.mark.skipif(not installed(), reason=NEEDED)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> certificates.Certificates:
    return certificates.make(tmp_path_factory.mktemp("tls") / "good")


@pytest.fixture(scope="module")
def secured(made: certificates.Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ActiveMq]:
    with ActiveMq(tmp_path_factory.mktemp("secured"), keystore=made.keystore) as broker:
        yield broker


def tls(broker: ActiveMq, authority: Path, **values: object) -> BusSection:
    given = {"port": broker.plan.stomp_tls_port, "use_ssl": True, "ssl_ca_certs": authority}
    return broker.settings(**(given | values))


def test_messages_go_over_tls(secured: ActiveMq, made: certificates.Certificates) -> None:
    with StompBus(tls(secured, made.authority)) as bus:
        subscription = Subscription(namespace="tls", role="data", destination="/topic/t", types=frozenset({"stf_gen"}))
        bus.subscribe(subscription)
        bodies = [str(n) * 1000 for n in range(100)]
        bus.publish(
            [
                Wire(
                    message_id=UUID(int=n),
                    namespace="tls",
                    destination="/topic/t",
                    msg_type="stf_gen",
                    run_number=1,
                    body=body,
                )
                for n, body in enumerate(bodies)
            ]
        )
        assert [delivery.body for delivery in receive(bus, subscription, 100)] == [body.encode() for body in bodies]


def test_a_certificate_of_another_authority_is_refused(secured: ActiveMq, tmp_path: Path) -> None:
    other = certificates.make(tmp_path / "other")
    with pytest.raises(ServiceError, match=r"the certificate of .* is not accepted.*ssl_ca_certs"):
        probe(tls(secured, other.authority))


def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    elsewhere = certificates.make(tmp_path / "tls", host="DNS:elsewhere.example.org")
    with (
        ActiveMq(tmp_path / "broker", keystore=elsewhere.keystore) as broker,
        pytest.raises(ServiceError, match=r"the certificate of .* is not accepted.*(mismatch|not valid)"),
    ):
        probe(tls(broker, elsewhere.authority))


def test_nothing_is_sent_in_plain_where_tls_is_asked_for(secured: ActiveMq, made: certificates.Certificates) -> None:
    with pytest.raises(ServiceError, match=r"does it speak TLS\?.*use_ssl"):
        probe(tls(secured, made.authority, port=secured.port, connect_timeout_s=0.5))


def test_a_port_that_expects_tls_is_named_as_such(secured: ActiveMq) -> None:
    with pytest.raises(ServiceError, match=r"expects? TLS.*use_ssl"):
        probe(secured.settings(port=secured.plan.stomp_tls_port))
