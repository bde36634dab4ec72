"""A report is revoked on the request that waits: one that was dropped lends its other person to nobody."""

from django.db import migrations

GUARDS = """
CREATE OR REPLACE FUNCTION reports_revoke_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM reports_step granted
            JOIN LATERAL (SELECT act, by_id FROM reports_step
                WHERE report_id = granted.report_id AND id < granted.id AND act IN ('revoke_asked', 'revoke_dropped')
                ORDER BY id DESC LIMIT 1) asked ON true
            WHERE granted.report_id = NEW.id AND granted.act = 'revoked'
            AND asked.act = 'revoke_asked' AND asked.by_id <> granted.by_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a report is revoked by one person at the request of another' USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("reports", "0006_errand")]
    operations = [migrations.RunSQL(GUARDS)]  # no way back
