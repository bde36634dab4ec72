"""Starts are counted, and the moment of issue is kept: the guard of 0002 names both among what may still change."""

from django.db import migrations, models

GUARDS = """
DROP TRIGGER record_kept ON reports_report;
CREATE TRIGGER record_kept BEFORE UPDATE ON reports_report FOR EACH ROW EXECUTE FUNCTION record_keep_all_but(
    'state', 'fault', 'attempts', 'annex_sha256', 'unsigned_sha256', 'signed_sha256', 'signature_level', 'pages',
    'issued_at', 'signed_at');
"""


class Migration(migrations.Migration):
    dependencies = [("reports", "0002_only_ever_added")]
    operations = [
        migrations.AddField("report", "attempts", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField("report", "issued_at", models.DateTimeField(null=True)),
        migrations.AlterField("report", "fault", models.CharField(max_length=300, blank=True)),
        migrations.RunSQL(GUARDS),  # no way back
    ]
