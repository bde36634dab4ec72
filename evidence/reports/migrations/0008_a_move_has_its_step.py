"""Every move of a report has the step that says by whom and why, and no other, and sets only what belongs to it.

A report is superseded by a signed successor, of which there must be one; and while a successor is in force, it is not. What a move needs
is written out here once more, as `decisions` and `issuing` do it, for whoever writes to the table with the portal's own password.
"""

from django.db import migrations

GUARDS = """
-- `said` is the newest step; whoever moves a report holds its row, so that none comes in between.
CREATE FUNCTION reports_step_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved text := OLD.state || '>' || NEW.state;
    said reports_step;
BEGIN
    SELECT * INTO said FROM reports_step WHERE report_id = NEW.id ORDER BY id DESC LIMIT 1;
    IF coalesce(CASE
        WHEN moved = 'preparing>draft' THEN said.act = 'drafted' AND NEW.issued_at IS NOT NULL
        WHEN moved = 'draft>checked' THEN said.act = 'checked' AND said.by_id = NEW.checked_by_id
        WHEN moved = 'checked>draft' THEN
            said.act = 'returned' AND said.by_id IS NOT NULL AND said.reason <> '' AND NEW.checked_by_id IS NULL
        WHEN moved = 'checked>sealing' THEN said.act = 'sent' AND said.by_id = NEW.signed_by_id
        WHEN moved = 'sealing>signed' THEN said.act = 'signed' AND NEW.unsigned_sha256 <> '' AND NEW.signed_at IS NOT NULL
        WHEN moved = 'signed>released' THEN said.act = 'released' AND said.by_id IS NOT NULL
        WHEN NEW.state = 'failed' THEN said.act = 'failed' AND NEW.fault <> ''
        WHEN OLD.state = 'failed' AND NEW.state <> 'discarded' THEN said.act = 'retried' AND said.by_id IS NOT NULL
        WHEN NEW.state = 'discarded' THEN said.act = 'discarded' AND said.by_id IS NOT NULL
        WHEN NEW.state = 'superseded' THEN said.act = 'superseded' AND EXISTS (SELECT FROM reports_report successor
            WHERE successor.supersedes_id = NEW.id AND successor.number = said.reason AND successor.state IN ('signed', 'released'))
        WHEN NEW.state = 'revoked' THEN said.act = 'revoked' AND said.by_id IS NOT NULL AND said.reason <> ''
    END, false) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a report goes from % to % with the step and whatever else that needs', OLD.state, NEW.state
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION reports_fields_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved text := OLD.state || '>' || NEW.state;
BEGIN
    IF (moved = 'preparing>draft' OR (NEW.draft_sha256, NEW.annex_sha256, NEW.issued_at)
            IS NOT DISTINCT FROM (OLD.draft_sha256, OLD.annex_sha256, OLD.issued_at))
        AND (moved IN ('draft>checked', 'checked>draft') OR NEW.checked_by_id IS NOT DISTINCT FROM OLD.checked_by_id)
        AND (moved = 'checked>sealing' OR NEW.signed_by_id IS NOT DISTINCT FROM OLD.signed_by_id)
        AND (moved = 'sealing>signed' OR (NEW.unsigned_sha256, NEW.signed_sha256, NEW.signature_level, NEW.signed_at)
            IS NOT DISTINCT FROM (OLD.unsigned_sha256, OLD.signed_sha256, OLD.signature_level, OLD.signed_at))
        AND (moved = 'signed>released' OR NEW.released_at IS NOT DISTINCT FROM OLD.released_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'what belongs to a move of a report is set with it, not from % to %', OLD.state, NEW.state
        USING ERRCODE = 'restrict_violation';
END $$;

-- At the end of the transaction, since revision and predecessor come after the signature.
CREATE FUNCTION reports_signed_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM reports_revision WHERE report_id = NEW.id AND number = 1)
        AND NOT EXISTS (SELECT FROM reports_report WHERE id = NEW.supersedes_id AND state IN ('signed', 'released')) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'a signed report has its bytes on file, and the one that it replaces is out of force'
        USING ERRCODE = 'restrict_violation';
END $$;

-- A volume is of the draft that was checked: none is put in afterwards.
CREATE OR REPLACE FUNCTION reports_volume_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM reports_report WHERE id = NEW.report_id AND state = 'preparing') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a volume is made with the draft of its report' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER record_step BEFORE UPDATE ON reports_report
    FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION reports_step_guard();
CREATE TRIGGER record_with_move BEFORE UPDATE ON reports_report FOR EACH ROW EXECUTE FUNCTION reports_fields_guard();
CREATE CONSTRAINT TRIGGER record_signed_whole AFTER UPDATE ON reports_report DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state = 'signed' AND OLD.state <> 'signed') EXECUTE FUNCTION reports_signed_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("reports", "0007_a_dropped_request_is_over")]
    operations = [migrations.RunSQL(GUARDS)]  # no way back
