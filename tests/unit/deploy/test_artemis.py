"""The configuration for Artemis says what the one for ActiveMQ Classic says. No such broker can be started here."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import swf.deploy
from swf.core.destinations import TOPIC
from swf.deploy.activemq import BrokerPlan, lay_out, new_passwords
from swf.epic.settings import FAST
from swf.messaging.bus import Subscription
from swf.messaging.settings import BrokerKind
from swf.messaging.stomp.names import Names

CORE = "{urn:activemq:core}"
CLASSIC = "{http://activemq.apache.org/schema/core}"


def artemis() -> ET.Element:
    return ET.parse(Path(swf.deploy.__file__).parent / "artemis" / "broker.xml").getroot()


def test_roles_consume_queues_that_are_declared() -> None:
    declared = {
        f"{address.attrib['name']}::{queue.attrib['name']}"
        for address in artemis().iter(f"{CORE}address")
        for queue in address.iterfind(f"{CORE}multicast/{CORE}queue")
    }
    names = Names(broker=BrokerKind.ARTEMIS)
    for role in ("data", "fastmon", "fast_processing", "watcher"):
        assert role in {known.name for known in FAST.agents}
        subscription = Subscription(
            namespace="testbed", role=role, destination=f"{TOPIC}epictopic", types=frozenset({"run_imminent"})
        )
        declared.remove(names.source(subscription).destination)
    assert declared == set()


def test_the_fan_out_is_that_of_activemq(tmp_path: Path) -> None:
    fed = {"panda_fan_out": True, "panda_managers": True}
    plan = BrokerPlan(folder=tmp_path / "mq", passwords=new_passwords(), stomp_port=61613, **fed)
    lay_out(plan)
    classic = {
        (topic.attrib["name"], queue.attrib["physicalName"])
        for topic in ET.parse(tmp_path / "mq" / "conf" / "broker.xml").iter(f"{CLASSIC}compositeTopic")
        for queue in topic.iter(f"{CLASSIC}queue")
    }
    diverts = list(artemis().iter(f"{CORE}divert"))
    assert {
        (divert.findtext(f"{CORE}address"), divert.findtext(f"{CORE}forwarding-address")) for divert in diverts
    } == classic
    assert {divert.findtext(f"{CORE}routing-type") for divert in diverts} == {"ANYCAST"}


def test_redelivery_and_dead_letters_are_limited_as_on_activemq() -> None:
    (general,) = (each for each in artemis().iter(f"{CORE}address-setting") if each.attrib["match"] == "#")
    assert general.findtext(f"{CORE}max-delivery-attempts") == "6"  # the first, and five more
    assert general.findtext(f"{CORE}redelivery-delay") == "1000"
    assert general.findtext(f"{CORE}dead-letter-queue-prefix") == "DLQ."


def test_it_lets_nobody_in_without_a_role() -> None:
    root = artemis()
    assert root.findtext(f".//{CORE}security-enabled") == "true"
    roles = {role for each in root.iter(f"{CORE}permission") for role in each.attrib["roles"].split(",")}
    assert roles == {"agents", "workers", "monitors", "admins"}
    for setting in root.iter(f"{CORE}security-setting"):
        permitted = {each.attrib["type"]: each.attrib["roles"].split(",") for each in setting}
        assert "monitors" not in permitted["send"]
