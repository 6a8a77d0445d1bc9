"""Let the sequencer find the rows of the event log that wait for their number, however long the log is.

Only PostgreSQL has such rows.
"""

from django.db import migrations


def add_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE INDEX event_unnumbered ON store_event (id) WHERE seq IS NULL")


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX event_unnumbered")


class Migration(migrations.Migration):
    dependencies = [("store", "0002_event_sequence")]
    operations = [migrations.RunPython(add_index, drop_index)]
