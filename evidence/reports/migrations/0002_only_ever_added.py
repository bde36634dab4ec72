"""The database keeps reports: what is signed stands, only its state moves, and what it reports on is fixed before."""

from django.db import migrations, models
from django.db.models import Q

GUARDS = """
CREATE FUNCTION reports_contents_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM reports_report WHERE id = NEW.report_id AND state = 'preparing') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a verdict enters a report only while the report is prepared' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER record_kept BEFORE UPDATE ON reports_report FOR EACH ROW EXECUTE FUNCTION record_keep_all_but(
    'state', 'fault', 'annex_sha256', 'unsigned_sha256', 'signed_sha256', 'signature_level', 'pages', 'signed_at');
CREATE TRIGGER record_signed BEFORE UPDATE ON reports_report
    FOR EACH ROW WHEN (OLD.state NOT IN ('preparing', 'failed')) EXECUTE FUNCTION record_keep_all_but('state');
CREATE TRIGGER record_once BEFORE UPDATE ON reports_report
    FOR EACH ROW EXECUTE FUNCTION record_once('annex_sha256', 'unsigned_sha256', 'signed_sha256');
CREATE TRIGGER record_moves BEFORE UPDATE ON reports_report FOR EACH ROW EXECUTE FUNCTION record_move(
    'preparing>signed', 'preparing>failed', 'failed>preparing', 'signed>released', 'signed>superseded',
    'signed>revoked', 'released>superseded', 'released>revoked');
CREATE TRIGGER record_stays BEFORE DELETE ON reports_report FOR EACH ROW EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_whole BEFORE TRUNCATE ON reports_report FOR EACH STATEMENT EXECUTE FUNCTION record_refuse();

CREATE TRIGGER record_in_time BEFORE INSERT ON reports_report_verdicts
    FOR EACH ROW EXECUTE FUNCTION reports_contents_guard();
CREATE TRIGGER record_stays BEFORE UPDATE OR DELETE ON reports_report_verdicts
    FOR EACH ROW EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_whole BEFORE TRUNCATE ON reports_report_verdicts
    FOR EACH STATEMENT EXECUTE FUNCTION record_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("reports", "0001_initial"), ("exhibits", "0003_only_ever_added")]
    operations = [
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=Q(state__in=["preparing", "failed"]) | ~Q(signed_sha256=""), name="report_signed"
            ),
        ),
        migrations.RunSQL(GUARDS),  # no way back
    ]
