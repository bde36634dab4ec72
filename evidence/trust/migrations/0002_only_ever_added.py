"""The database keeps what the court trusted: packs and revisions never change, a draft moves along its states, what is published
is what another person approved, and an office ends but is not deleted."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION trust_revision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM trust_draft WHERE id = NEW.draft_id AND state = 'editing' FOR SHARE)
        AND NEW.number = (SELECT coalesce(max(number), 0) + 1 FROM trust_revision WHERE draft_id = NEW.draft_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a revision is added to a draft that is being edited, one after the other' USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION trust_pack_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    draft trust_draft;
    last trust_revision;
BEGIN
    SELECT * INTO draft FROM trust_draft WHERE id = NEW.draft_id;
    SELECT * INTO last FROM trust_revision WHERE draft_id = NEW.draft_id ORDER BY number DESC LIMIT 1;
    IF draft.state = 'published' AND draft.created_by_id = NEW.proposed_by_id AND draft.decided_by_id = NEW.approved_by_id
        AND draft.base_id IS NOT DISTINCT FROM NEW.previous_id AND last.sha256 = NEW.sha256 AND last.manifest = NEW.manifest
        AND NEW.sha256 = encode(sha256(NEW.manifest), 'hex')
        AND NEW.number = (SELECT coalesce(max(number), 0) + 1 FROM trust_pack)
        AND NEW.previous_id IS NOT DISTINCT FROM (SELECT id FROM trust_pack ORDER BY number DESC LIMIT 1) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a pack is what another person approved, on the pack in force' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER record_kept BEFORE UPDATE ON trust_draft
    FOR EACH ROW EXECUTE FUNCTION record_keep_all_but('state', 'base_id', 'decided_by_id', 'decided_at', 'reason');
CREATE TRIGGER record_moves BEFORE UPDATE ON trust_draft FOR EACH ROW EXECUTE FUNCTION record_move(
    'editing>proposed', 'editing>withdrawn', 'proposed>editing', 'proposed>published', 'proposed>rejected');
CREATE TRIGGER record_ended BEFORE UPDATE ON trust_draft
    FOR EACH ROW WHEN (OLD.state IN ('published', 'rejected', 'withdrawn')) EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_proposed BEFORE UPDATE ON trust_draft
    FOR EACH ROW WHEN (OLD.state = 'proposed')
    EXECUTE FUNCTION record_keep_all_but('state', 'decided_by_id', 'decided_at', 'reason');
CREATE TRIGGER record_stays BEFORE DELETE ON trust_draft FOR EACH ROW EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_whole BEFORE TRUNCATE ON trust_draft FOR EACH STATEMENT EXECUTE FUNCTION record_refuse();

CREATE TRIGGER record_in_turn BEFORE INSERT ON trust_revision FOR EACH ROW EXECUTE FUNCTION trust_revision_guard();
CREATE TRIGGER record_stays BEFORE UPDATE OR DELETE ON trust_revision FOR EACH ROW EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_whole BEFORE TRUNCATE ON trust_revision FOR EACH STATEMENT EXECUTE FUNCTION record_refuse();

CREATE TRIGGER record_approved BEFORE INSERT ON trust_pack FOR EACH ROW EXECUTE FUNCTION trust_pack_guard();
CREATE TRIGGER record_stays BEFORE UPDATE OR DELETE ON trust_pack FOR EACH ROW EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_whole BEFORE TRUNCATE ON trust_pack FOR EACH STATEMENT EXECUTE FUNCTION record_refuse();

CREATE TRIGGER record_kept BEFORE UPDATE ON cases_office FOR EACH ROW EXECUTE FUNCTION record_keep_all_but('valid_to');
CREATE TRIGGER record_once BEFORE UPDATE ON cases_office FOR EACH ROW EXECUTE FUNCTION record_once('valid_to');
CREATE TRIGGER record_stays BEFORE DELETE ON cases_office FOR EACH ROW EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_whole BEFORE TRUNCATE ON cases_office FOR EACH STATEMENT EXECUTE FUNCTION record_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("trust", "0001_initial"), ("exhibits", "0003_only_ever_added"), ("cases", "0003_office")]
    operations = [migrations.RunSQL(GUARDS)]  # no way back
