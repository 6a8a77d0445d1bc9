"""What listeners outside choose messages by, and until when a message is wanted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0004_agent_last_turn"),
    ]

    operations = [
        migrations.AddField(
            model_name="outboxmessage",
            name="expires_at",
            field=models.DateTimeField(help_text="After this nobody wants it any more.", null=True),
        ),
        migrations.AddField(
            model_name="outboxmessage",
            name="headers",
            field=models.JSONField(
                help_text="What listeners outside choose by, beside the bus's own headers.", null=True
            ),
        ),
    ]
