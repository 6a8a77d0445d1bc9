"""Number the rows of the event log where the database can do it at insert: those that come without a number.

SQLite's writers take turns, so rows are inserted in the order of their commit. PostgreSQL's commit in any order: there the
sequencer numbers them.
"""

from django.db import migrations

TRIGGER = """
CREATE TRIGGER store_event_sequence AFTER INSERT ON store_event WHEN NEW.seq IS NULL
BEGIN UPDATE store_event SET seq = NEW.id WHERE id = NEW.id; END
"""


def number_at_insert(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(TRIGGER)


def do_not(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER store_event_sequence")


class Migration(migrations.Migration):
    dependencies = [("store", "0001_initial")]
    operations = [migrations.RunPython(number_at_insert, do_not)]
