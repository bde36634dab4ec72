"""How far a run has come in a large file, for whoever waits; and a lane of its own for verifying large exhibits again."""

from django.db import migrations, models

KEPT = """
DROP TRIGGER record_kept ON runs_run;
CREATE TRIGGER record_kept BEFORE UPDATE ON runs_run FOR EACH ROW EXECUTE FUNCTION record_keep_all_but(
    'state', 'attempt', 'lease_until', 'worker', 'stage', 'stage_file', 'bytes_done', 'bytes_total', 'fault', 'rung_at', 'started_at',
    'finished_at', 'released_at');
"""


class Migration(migrations.Migration):
    dependencies = [("runs", "0003_runsource")]
    operations = [
        migrations.AddField("run", "stage_file", models.CharField(blank=True, max_length=255, default="", db_default="")),
        migrations.AddField("run", "bytes_done", models.BigIntegerField(null=True)),
        migrations.AddField("run", "bytes_total", models.BigIntegerField(null=True)),
        migrations.AlterField(
            "run",
            "lane",
            models.PositiveSmallIntegerField(
                choices=[(0, "interactive"), (1, "standard"), (2, "bulk"), (3, "reverify"), (4, "reverify bulk")], default=1
            ),
        ),
        migrations.RunSQL(KEPT),  # no way back
    ]
