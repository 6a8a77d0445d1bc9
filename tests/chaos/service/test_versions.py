"""Older and newer versions together: in messages, and in the tables of the database."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest
from agent_life import AgentLife
from checker import check
from findings import counted, harm
from happenings import Happening
from left_alone import Tell
from process_in_test import MESSAGES_ONLY, Life, Plan, live
from records import read_records
from servers import Servers
from stage import Stage
from wires import left_on_broker, new_namespace

from swf.epic.messages import EPIC_TOPIC
from swf.messaging.dead_letters import redrive
from swf.store.models import DeadLetter, Event

SETTINGS = {**MESSAGES_ONLY, "fast_processing.stf_count": 10, "fast_processing.slices_per_sample": 5}


class NewerSpeaks(Happening):
    """Somebody speaks a newer schema on the topic, with a word that nobody here knows."""

    text = ""

    def look(self, here: Life) -> bool:
        ours = Event.objects.filter(type="stf_gen").first()
        if self.text or ours is None:
            return bool(self.text)
        newer = {**json.loads(ours.body), "schema": "swf/2", "message_id": str(uuid4()), "new_word": [1, 2]}
        self.text = json.dumps(newer)
        headers = {"namespace": here.plan.namespace, "msg_type": "stf_gen", "persistent": "true"}
        with self.activemq.client() as client:
            client.send(EPIC_TOPIC, self.text, **headers)
        return True


def test_a_message_of_a_newer_schema_is_parked_whole_and_disturbs_nothing(
    servers: Servers, store: Path, tmp_path: Path, tell: Tell
) -> None:
    with NewerSpeaks(servers.broker) as what:
        plan = Plan(root=tmp_path, broker=what.settings, namespace=new_namespace(), settings=SETTINGS)
        assert live(plan, meanwhile=what.look)
    letter = DeadLetter.objects.get()
    assert (letter.role, letter.state, letter.error) == ("data", "parked", "NewerSchemaError")
    assert letter.body == what.text
    assert "upgrade" in letter.reason
    found = [*check(read_records(tmp_path)), *left_on_broker(servers.broker, plan.namespace)]
    tell(f"a newer schema: {counted(found)}, of which one is the letter")
    assert [finding.what[:31] for finding in harm(found)] == ["a  is parked in the dead letter"], found
    # It can be tried again at an operator's wish, and is still there after that.
    redrive(letter.pk, "ann", plan.clock.now())
    live(plan, meanwhile=lambda here: DeadLetter.objects.filter(attempts=1, state="parked").exists())
    assert DeadLetter.objects.get().body == what.text


def test_tables_that_a_newer_version_has_extended_serve_agents_that_run(stage: Stage, tell: Tell) -> None:
    """And an agent of the older version that starts anew says clearly why it does not."""
    stage.start()
    first = stage.ask(stfs=20)
    stage.until(lambda: stage.count("epic_tfslice", "status = 'completed'") > 20, "it is under way")
    server = stage.servers.database
    for row in stage.rows("SELECT tablename FROM pg_tables WHERE tablename LIKE 'store_%' OR tablename LIKE 'epic_%'"):
        server.execute_in(stage.database, f"ALTER TABLE {row['tablename']} ADD COLUMN of_tomorrow text NULL")
    server.execute_in(stage.database, "CREATE TABLE store_thing_of_tomorrow (id bigint PRIMARY KEY)")
    server.execute_in(
        stage.database,
        "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '9999_of_tomorrow', now())",
    )
    assert stage.ended(first).code == 0
    late = AgentLife(role="worker", root=stage.root, folder=stage.root / "late", environment=stage.environment)
    late.start()
    refused = late.wait()
    assert refused.code == 1, refused.stderr
    assert "is of a newer version of this program: it has store.9999_of_tomorrow" in refused.stderr
    assert "install that version" in refused.stderr
    stage.settle(1)
    found = stage.findings(1)
    tell(f"extended tables: {counted(found)}")
    assert not harm(found), [str(finding) for finding in harm(found)]


@pytest.mark.parametrize("tables", ["none", "older"])
def test_agents_that_start_on_an_older_database_bring_it_up_to_date_together(
    stage: Stage, tell: Tell, tables: str
) -> None:
    """Six at a time: one does it, the others wait, and then all work."""
    server, name = stage.servers.database, stage.database
    server.execute(f"DROP DATABASE {name}")
    server.execute(f"CREATE DATABASE {name}")
    if tables == "older":
        migrated_to(stage, "store", "0003_event_unnumbered")
    for agent in stage.agents.values():
        agent.start()
    column = "SELECT 1 FROM information_schema.columns WHERE column_name = 'operational_state'"
    stage.until(lambda: bool(stage.rows(column)), "the tables are there")
    stage.until_ready()
    run = stage.ask(stfs=5)
    assert stage.ended(run).code == 0
    stage.settle(1)
    found = stage.findings(1)
    tell(f"tables: {tables}: {counted(found)}")
    assert not harm(found), [str(finding) for finding in harm(found)]


def migrated_to(stage: Stage, app: str, migration: str) -> None:
    """Make the tables of an older version."""
    from django.core.management import call_command

    from store_fixture import settings_of, using

    with using(settings_of(stage.servers.database, stage.database)):
        call_command("migrate", app, migration, verbosity=0, interactive=False)
