"""The database keeps what was asked and answered: an inquiry moves as its queue moves it and then stands, an exchange never changes."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION connectors_attempt_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.attempt = OLD.attempt OR (NEW.attempt = OLD.attempt + 1 AND NEW.state = 'running') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'attempts of an inquiry are counted one by one, as work begins' USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION connectors_open_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM connectors_inquiry WHERE id = NEW.inquiry_id AND state = 'running') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'sources are obtained by an inquiry that is at work' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER record_kept BEFORE UPDATE ON connectors_inquiry FOR EACH ROW EXECUTE FUNCTION record_keep_all_but(
    'state', 'attempt', 'tries', 'due_at', 'lease_until', 'worker', 'fault', 'finished_at', 'led_to_id');
CREATE TRIGGER record_moves BEFORE UPDATE ON connectors_inquiry FOR EACH ROW EXECUTE FUNCTION record_move(
    'queued>running', 'running>queued', 'running>answered', 'running>absent', 'running>unusable', 'running>unreachable',
    'queued>unreachable');
CREATE TRIGGER record_fenced BEFORE UPDATE ON connectors_inquiry FOR EACH ROW EXECUTE FUNCTION connectors_attempt_guard();
CREATE TRIGGER record_once BEFORE UPDATE ON connectors_inquiry
    FOR EACH ROW EXECUTE FUNCTION record_once('finished_at', 'led_to_id');
-- The run it led to is noted in the transaction that closes it; after that nothing moves.
CREATE TRIGGER record_ended BEFORE UPDATE ON connectors_inquiry
    FOR EACH ROW WHEN (OLD.state IN ('answered', 'absent', 'unusable', 'unreachable'))
    EXECUTE FUNCTION record_keep_all_but('led_to_id');
CREATE TRIGGER record_stays BEFORE DELETE ON connectors_inquiry FOR EACH ROW EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_whole BEFORE TRUNCATE ON connectors_inquiry FOR EACH STATEMENT EXECUTE FUNCTION record_refuse();

CREATE TRIGGER record_stays BEFORE UPDATE OR DELETE ON connectors_exchange FOR EACH ROW EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_whole BEFORE TRUNCATE ON connectors_exchange FOR EACH STATEMENT EXECUTE FUNCTION record_refuse();

CREATE TRIGGER record_of_work BEFORE INSERT ON connectors_obtained FOR EACH ROW EXECUTE FUNCTION connectors_open_guard();
CREATE TRIGGER record_stays BEFORE UPDATE OR DELETE ON connectors_obtained FOR EACH ROW EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_whole BEFORE TRUNCATE ON connectors_obtained FOR EACH STATEMENT EXECUTE FUNCTION record_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("connectors", "0001_initial"), ("exhibits", "0003_only_ever_added")]
    operations = [migrations.RunSQL(GUARDS)]  # no way back
