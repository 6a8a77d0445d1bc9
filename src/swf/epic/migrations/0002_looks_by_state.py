"""Find what waits, what is held and what is to be attached without a look at every row."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('epic', '0001_initial'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='stffile',
            name='stf_run_status',
        ),
        migrations.AddIndex(
            model_name='fastmonfile',
            index=models.Index(condition=models.Q(('status', 'queued')), fields=['namespace', 'id'], name='fastmon_queued'),
        ),
        migrations.AddIndex(
            model_name='fastmonfile',
            index=models.Index(condition=models.Q(('status', 'processing')), fields=['namespace', 'lease_until'], name='fastmon_held'),
        ),
        migrations.AddIndex(
            model_name='stffile',
            index=models.Index(fields=['run', 'status', 'sequence'], name='stf_run_status'),
        ),
        migrations.AddIndex(
            model_name='stffile',
            index=models.Index(condition=models.Q(('status', 'queued')), fields=['namespace', 'id'], name='stf_queued'),
        ),
        migrations.AddIndex(
            model_name='stffile',
            index=models.Index(condition=models.Q(('status', 'processing')), fields=['namespace', 'lease_until'], name='stf_held'),
        ),
        migrations.AddIndex(
            model_name='stffile',
            index=models.Index(condition=models.Q(('attached_at', None), ('has_content', True), ('status', 'completed')), fields=['namespace', 'run', 'id'], name='stf_to_attach'),
        ),
        migrations.AddIndex(
            model_name='tfslice',
            index=models.Index(condition=models.Q(('status', 'processing')), fields=['namespace', 'lease_until'], name='slice_held'),
        ),
    ]
