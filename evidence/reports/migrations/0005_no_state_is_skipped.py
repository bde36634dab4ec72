"""Every report begins as one to be prepared and reaches its signature through draft, check and a second person, nowhere else.

The signatures of reports from before are read from their bytes, so that a compromised key finds them too."""

import logging

from django.conf import settings
from django.db import migrations

log = logging.getLogger(__name__)

GUARDS = """
CREATE FUNCTION reports_begin_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'preparing' AND NEW.draft_sha256 = '' AND NEW.annex_sha256 = '' AND NEW.unsigned_sha256 = ''
        AND NEW.signed_sha256 = '' AND NEW.checked_by_id IS NULL AND NEW.signed_by_id IS NULL
        AND NEW.signed_at IS NULL AND NEW.released_at IS NULL THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a report begins as one to be prepared' USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION reports_stage_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.state = 'failed' AND OLD.state <> 'failed' AND NEW.stage <> OLD.state)
        OR (OLD.state = 'failed' AND NEW.state NOT IN ('failed', 'discarded') AND NEW.state <> OLD.stage)
        OR (OLD.state = 'failed' AND NEW.state = 'failed' AND NEW.stage <> OLD.stage) THEN
        RAISE EXCEPTION 'a report that failed goes back to where it failed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION reports_revoke_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM reports_step asked JOIN reports_step granted USING (report_id)
            WHERE report_id = NEW.id AND asked.act = 'revoke_asked' AND granted.act = 'revoked'
            AND granted.id > asked.id AND granted.by_id <> asked.by_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a report is revoked by one person at the request of another' USING ERRCODE = 'restrict_violation';
END $$;

-- A verdict is of the report's own case.
CREATE OR REPLACE FUNCTION reports_contents_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM reports_report r
            JOIN runs_runverdict v ON v.id = NEW.runverdict_id
            JOIN runs_run n ON n.id = v.run_id
            JOIN exhibits_exhibit e ON e.id = n.exhibit_id AND e.case_id = r.case_id
            WHERE r.id = NEW.report_id AND r.state = 'preparing' AND r.annex_sha256 = '') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a verdict of its own case enters a report only while the report is prepared' USING ERRCODE = 'restrict_violation';
END $$;

DROP TRIGGER record_moves ON reports_report;
CREATE TRIGGER record_moves BEFORE UPDATE ON reports_report FOR EACH ROW EXECUTE FUNCTION record_move(
    'preparing>draft', 'preparing>failed', 'failed>preparing',
    'draft>checked', 'checked>draft', 'checked>sealing', 'sealing>signed', 'sealing>failed', 'failed>sealing',
    'draft>discarded', 'failed>discarded',
    'signed>released', 'signed>superseded', 'signed>revoked', 'released>superseded', 'released>revoked');
CREATE TRIGGER record_begins BEFORE INSERT ON reports_report FOR EACH ROW EXECUTE FUNCTION reports_begin_guard();
CREATE TRIGGER record_stage BEFORE UPDATE ON reports_report
    FOR EACH ROW WHEN (OLD.state = 'failed' OR NEW.state = 'failed') EXECUTE FUNCTION reports_stage_guard();
CREATE TRIGGER record_revoked BEFORE UPDATE ON reports_report
    FOR EACH ROW WHEN (NEW.state = 'revoked' AND OLD.state <> 'revoked') EXECUTE FUNCTION reports_revoke_guard();
-- What was checked is what is sealed, by whoever decided it.
CREATE TRIGGER record_checked BEFORE UPDATE ON reports_report
    FOR EACH ROW WHEN (OLD.state IN ('sealing', 'failed') OR OLD.state = 'checked' AND NEW.state <> 'draft')
    EXECUTE FUNCTION record_keep_all_but(
        'state', 'stage', 'fault', 'attempts', 'draft_sha256', 'annex_sha256', 'unsigned_sha256', 'signed_sha256',
        'signature_level', 'pages', 'issued_at', 'signed_by_id', 'signed_at');
"""


def read_signatures(apps, schema_editor):
    from evidence.reports.signatories import signatories
    from portal.vault import Vault

    Revision, Signature = apps.get_model("reports", "Revision"), apps.get_model("reports", "Signature")
    for revision in Revision.objects.filter(signatures=None).select_related("report").order_by("pk").iterator():
        try:
            with Vault(settings.PORTAL_VAULT_DIR).open(revision.sha256) as stream:
                found = signatories(stream.read())
        except Exception as fault:  # missing or damaged bytes: the page of the keys counts the reports without rows
            log.warning("signatures of report %s not read: %s", revision.report.number, fault)
            continue
        Signature.objects.bulk_create(
            Signature(
                report=revision.report,
                revision=revision,
                field=one.field,
                certificate_sha256=one.certificate_sha256,
                subject=one.subject,
                serial=one.serial,
                level="DocTimeStamp" if one.timestamp else revision.level,
                at=revision.at,
            )
            for one in found
        )


class Migration(migrations.Migration):
    dependencies = [("reports", "0004_life")]
    operations = [
        migrations.RunPython(read_signatures),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE;"),
        migrations.RunSQL(GUARDS),  # no way back
    ]
