"""The folder of a broker."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import swf.deploy
from swf.core.errors import ConfigError
from swf.deploy.activemq import USERS, BrokerPlan, BrokerProgram, Keystore, lay_out, new_passwords, start_command

CORE = "{http://activemq.apache.org/schema/core}"
SHIPPED = Path(swf.deploy.__file__).parent


def plan(folder: Path, **values: object) -> BrokerPlan:
    given: dict[str, object] = {
        "folder": folder,
        "passwords": new_passwords(),
        "stomp_port": 61613,
        "stomp_tls_port": None,
    }
    return BrokerPlan(**(given | values))  # type: ignore[arg-type]


def laid_out(made: BrokerPlan) -> ET.Element:
    lay_out(made)
    return ET.parse(made.folder / "conf" / "broker.xml").getroot()


def connectors(root: ET.Element) -> list[str]:
    return [each.attrib["name"] for each in root.iter(f"{CORE}transportConnector")]


def test_it_listens_only_for_what_was_asked_for(tmp_path: Path) -> None:
    keystore = Keystore(path=tmp_path / "broker.p12", password="p")
    root = laid_out(plan(tmp_path / "a"))
    assert connectors(root) == ["stomp"]
    assert root.find(f".//{CORE}sslContext") is None
    root = laid_out(plan(tmp_path / "b", stomp_port=None, stomp_tls_port=61614, keystore=keystore))
    assert connectors(root) == ["stomp+ssl"]
    assert root.find(f".//{CORE}sslContext") is not None
    root = laid_out(plan(tmp_path / "c", stomp_tls_port=61614, keystore=keystore, openwire_port=61616))
    assert connectors(root) == ["stomp", "stomp+ssl", "openwire"]


def test_fixed_queues_are_fed_only_where_their_readers_are(tmp_path: Path) -> None:
    queues = lambda root: {each.attrib["physicalName"] for each in root.iter(f"{CORE}queue")}  # noqa: E731
    assert queues(laid_out(plan(tmp_path / "a"))) == set()
    workers = {"panda.slices.transformer", "panda.results.fastprocessing"}
    assert queues(laid_out(plan(tmp_path / "c", panda_fan_out=True))) == workers
    assert queues(laid_out(plan(tmp_path / "d", panda_managers=True))) == set()
    assert queues(laid_out(plan(tmp_path / "b", panda_fan_out=True, panda_managers=True))) == {
        "panda.slices.transformer",
        "panda.slices.idds",
        "panda.results.fastprocessing",
        "panda.results.idds",
        "panda.results.worker",
    }


def test_every_placeholder_has_a_value(tmp_path: Path) -> None:
    made = plan(
        tmp_path / "a",
        stomp_tls_port=61614,
        openwire_port=61616,
        keystore=Keystore(path=tmp_path / "broker.p12", password="p"),
    )
    lay_out(made)
    conf = made.folder / "conf"
    text = "".join(conf.joinpath(f"{name}.properties").read_text() for name in ("broker", "credentials"))
    known = {line.partition("=")[0] for line in text.splitlines()}
    wanted = {part.partition("}")[0] for part in conf.joinpath("broker.xml").read_text().split("${swf.")[1:]}
    assert {f"swf.{name}" for name in wanted} == known


def test_passwords_are_in_one_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    made = plan(tmp_path / "a")
    conf = made.folder / "conf"
    conf.mkdir(parents=True)
    conf.joinpath("credentials.properties").write_text("old")
    conf.joinpath("credentials.properties").chmod(0o644)
    lay_out(made)
    holding = [path for path in conf.iterdir() if any(p in path.read_text() for p in made.passwords.values())]
    assert [path.name for path in holding] == ["credentials.properties"]
    assert stat.S_IMODE(holding[0].stat().st_mode) == 0o600
    program = BrokerProgram(java=Path("/usr/bin/java"), home=Path("/opt/activemq"), classpath=("a.jar", "b/*"))
    command = start_command(made, program)
    assert not any(password in argument for password in made.passwords.values() for argument in command)
    assert f"{conf}:a.jar:b/*" in command


def test_passwords_are_new_each_time_and_one_for_each_user() -> None:
    first, second = new_passwords(), new_passwords()
    assert set(first) == set(USERS)
    assert len({*first.values(), *second.values()}) == 2 * len(USERS)


def test_values_are_written_as_java_reads_them(tmp_path: Path) -> None:
    made = plan(tmp_path / "ümlaut", passwords={**new_passwords(), "agent": "50%41:c ü€𝄞$1 #!="})
    lay_out(made)
    text = (made.folder / "conf" / "credentials.properties").read_text("ascii")
    assert "swf.password.agent=50%41:c \\u00fc\\u20ac\\ud834\\udd1e$1 #!=\n" in text


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"passwords": {}}, "agent, worker, monitor, admin have no password, and there is no default"),
        ({"stomp_port": None}, "needs a STOMP port"),
        ({"stomp_tls_port": 61614}, r"needs the broker's certificate and key"),
        ({"memory_limit": "lots"}, "is no size"),
        ({"store_limit": '1 gb"/><evil'}, "is no size"),
        ({"name": "a b"}, "name"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, values: dict[str, object], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        lay_out(plan(tmp_path / "a", **values))
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("password", ["", "a\\b", "${user.home}", " a", "a\nb"])
def test_a_password_that_would_be_changed_on_the_way_is_refused(tmp_path: Path, password: str) -> None:
    made = plan(tmp_path / "a")
    with pytest.raises(ConfigError, match="password"):
        lay_out(replace(made, passwords={**made.passwords, "worker": password}))


def test_what_is_shipped_is_well_formed() -> None:
    files = sorted(SHIPPED.rglob("*.xml"))
    assert [path.parent.name for path in files] == ["activemq", "artemis"]
    for path in files:
        ET.parse(path)
    assert "NOT TESTED" in files[1].read_text()
