"""Find what is in exit buffers, the oldest first, however many STFs have left them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('epic', '0004_slice_retries'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='stffile',
            index=models.Index(condition=models.Q(('has_content', True), ('removed_at', None)), fields=['created_at', 'run', 'size_bytes', 'removed_at', 'has_content'], name='stf_buffered'),
        ),
    ]
