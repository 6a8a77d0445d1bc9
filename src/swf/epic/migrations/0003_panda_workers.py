"""Runs whose slices go to PanDA workers, and slices that are with them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("epic", "0002_looks_by_state"),
        ("store", "0005_outbox_headers"),
    ]

    operations = [
        migrations.CreateModel(
            name="PandaRun",
            fields=[
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="panda_run",
                        serialize=False,
                        to="store.run",
                    ),
                ),
                ("requested_at", models.DateTimeField(help_text="When workers were asked for.")),
                (
                    "released_at",
                    models.DateTimeField(help_text="When it was said that none are needed any more.", null=True),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="tfslice",
            index=models.Index(
                condition=models.Q(("lease_until__isnull", False), ("status", "queued")),
                fields=["namespace", "lease_until"],
                name="slice_handed_out",
            ),
        ),
        migrations.AddIndex(
            model_name="pandarun",
            index=models.Index(condition=models.Q(("released_at", None)), fields=["run"], name="panda_run_open"),
        ),
    ]
