"""Settings of the broker, and the variables that older set-ups use for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from swf.config import Sources, WorkflowKind, load
from swf.core.errors import ConfigError
from swf.messaging.settings import BUS_ENVIRONMENT, BusSection, LegacySection

KIND = WorkflowKind(name="toy", description="", sections=(BusSection, LegacySection))


def loaded(env: dict[str, str]) -> BusSection:
    return load(kind=KIND, kinds=(KIND,), sources=Sources(env=env, bindings=BUS_ENVIRONMENT)).section(BusSection)


def test_the_variables_of_older_set_ups_are_read(tmp_path: Path) -> None:
    bus = loaded(
        {
            "ACTIVEMQ_HOST": "mq.example.org",
            "ACTIVEMQ_PORT": "61612",
            "ACTIVEMQ_USER": "12345",
            "ACTIVEMQ_PASSWORD": "50%",
            "ACTIVEMQ_USE_SSL": "True",
            "ACTIVEMQ_SSL_CA_CERTS": str(tmp_path / "ca.pem"),
            "ACTIVEMQ_HEARTBEAT_TOPIC": "/topic/beats",
        }
    )
    assert (bus.host, bus.port, bus.user) == ("mq.example.org", 61612, "12345")
    assert bus.password.get_secret_value() == "50%"
    assert (bus.use_ssl, bus.ssl_ca_certs) == (True, tmp_path / "ca.pem")
    assert bus.heartbeat_topic == "/topic/beats"


@pytest.mark.parametrize(("text", "value"), [("False", False), ("false", False), ("0", False), ("1", True)])
def test_tls_is_switched_in_every_spelling(text: str, value: bool, tmp_path: Path) -> None:
    authority = str(tmp_path / "ca.pem")
    assert loaded({"ACTIVEMQ_USE_SSL": text, "ACTIVEMQ_SSL_CA_CERTS": authority}).use_ssl is value


def test_what_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"ACTIVEMQ_USE_SSL.*expected true or false"):
        loaded({"ACTIVEMQ_USE_SSL": "perhaps"})


def test_there_is_no_tls_without_a_file_of_authorities() -> None:
    with pytest.raises(ConfigError, match=r"(?s)\[bus\].*use_ssl = true without ssl_ca_certs.*ACTIVEMQ_SSL_CA_CERTS"):
        loaded({"ACTIVEMQ_USE_SSL": "true"})


def test_there_is_no_default_user_or_password() -> None:
    bus = loaded({})
    assert (bus.user, bus.password.get_secret_value()) == ("", "")


def test_the_password_is_never_shown() -> None:
    with pytest.raises(ConfigError) as refusal:
        loaded({"ACTIVEMQ_PASSWORD": "x" * 1001})
    assert "xxx" not in str(refusal.value)
    assert "a secret" in str(refusal.value)


def test_every_variable_sets_a_key_that_there_is() -> None:
    sections = {section.section: section for section in (BusSection, LegacySection)}
    for key in BUS_ENVIRONMENT.values():
        section, _, name = key.partition(".")
        assert name in sections[section].model_fields
