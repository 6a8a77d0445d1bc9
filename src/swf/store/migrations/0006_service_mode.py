from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0005_outbox_headers'),
    ]

    operations = [
        migrations.AddField(
            model_name='outboxmessage',
            name='sender',
            field=models.CharField(default='', help_text='The agent; with a broker, its process publishes.', max_length=100),
        ),
        migrations.AddIndex(
            model_name='outboxmessage',
            index=models.Index(fields=['sender', 'id'], name='outbox_sender'),
        ),
        migrations.AddField(
            model_name='systemagent',
            name='operational_state',
            field=models.CharField(choices=[('STARTING', 'Starting'), ('READY', 'Ready'), ('EXITED', 'Exited')], default='STARTING', max_length=10),
        ),
        migrations.AlterField(
            model_name='systemagent',
            name='description',
            field=models.CharField(default='', help_text='Why it is not ready, where it is not.', max_length=250),
        ),
        migrations.AddField(
            model_name='workflowexecution',
            name='pause_requested_by',
            field=models.CharField(blank=True, default='', max_length=100),
        ),
        migrations.AddField(
            model_name='workflowexecution',
            name='taken_by',
            field=models.CharField(blank=True, default='', help_text='The agent that plays its DAQ, where agents are processes.', max_length=100),
        ),
        migrations.AlterField(
            model_name='workflowexecution',
            name='status',
            field=models.CharField(choices=[('requested', 'Requested'), ('running', 'Running'), ('paused', 'Paused'), ('completed', 'Completed'), ('failed', 'Failed'), ('stopped', 'Stopped')], db_index=True, default='running', max_length=20),
        ),
    ]
