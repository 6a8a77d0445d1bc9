"""What operators wish: another attempt at slices that failed for good."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('epic', '0003_panda_workers'),
    ]

    operations = [
        migrations.CreateModel(
            name='SliceRetry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempt', models.IntegerField(help_text='The attempt that failed; where another one has ended since, it is void.')),
                ('wished_by', models.CharField(max_length=100)),
                ('reason', models.TextField(blank=True, default='')),
                ('wished_at', models.DateTimeField()),
                ('slice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='wished_retries', to='epic.tfslice')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('slice', 'attempt'), name='slice_retry_once')],
            },
        ),
    ]
