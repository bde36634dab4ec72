"""The database keeps runs and verdicts: a run moves as the queue moves it and then stands, a verdict never changes."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION runs_attempt_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.attempt = OLD.attempt OR (NEW.attempt = OLD.attempt + 1 AND NEW.state = 'running') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'attempts of a run are counted one by one, as work begins' USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION runs_verdict_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM runs_run WHERE id = NEW.run_id AND state = 'done') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a verdict belongs to a run that is done' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER record_kept BEFORE UPDATE ON runs_run FOR EACH ROW EXECUTE FUNCTION record_keep_all_but(
    'state', 'attempt', 'lease_until', 'worker', 'stage', 'fault', 'rung_at', 'started_at', 'finished_at', 'released_at');
CREATE TRIGGER record_moves BEFORE UPDATE ON runs_run FOR EACH ROW EXECUTE FUNCTION record_move(
    'queued>running', 'running>queued', 'running>done', 'queued>parked', 'running>parked', 'queued>cancelled');
CREATE TRIGGER record_fenced BEFORE UPDATE ON runs_run FOR EACH ROW EXECUTE FUNCTION runs_attempt_guard();
CREATE TRIGGER record_once BEFORE UPDATE ON runs_run
    FOR EACH ROW EXECUTE FUNCTION record_once('started_at', 'finished_at', 'released_at');
-- A bell may be noted after the work is done; a result may be opened to the parties.
CREATE TRIGGER record_ended BEFORE UPDATE ON runs_run
    FOR EACH ROW WHEN (OLD.state = 'done') EXECUTE FUNCTION record_keep_all_but('rung_at', 'released_at');
CREATE TRIGGER record_given_up BEFORE UPDATE ON runs_run
    FOR EACH ROW WHEN (OLD.state IN ('parked', 'cancelled')) EXECUTE FUNCTION record_keep_all_but('rung_at');
CREATE TRIGGER record_unopened BEFORE UPDATE ON runs_run
    FOR EACH ROW WHEN (OLD.state NOT IN ('done') AND NEW.released_at IS NOT NULL) EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_stays BEFORE DELETE ON runs_run FOR EACH ROW EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_whole BEFORE TRUNCATE ON runs_run FOR EACH STATEMENT EXECUTE FUNCTION record_refuse();

CREATE TRIGGER record_of_work BEFORE INSERT ON runs_runverdict FOR EACH ROW EXECUTE FUNCTION runs_verdict_guard();
CREATE TRIGGER record_stays BEFORE UPDATE OR DELETE ON runs_runverdict FOR EACH ROW EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_whole BEFORE TRUNCATE ON runs_runverdict FOR EACH STATEMENT EXECUTE FUNCTION record_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("runs", "0001_initial"), ("exhibits", "0003_only_ever_added")]
    operations = [migrations.RunSQL(GUARDS)]  # no way back
