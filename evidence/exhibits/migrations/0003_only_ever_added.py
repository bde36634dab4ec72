"""The database itself keeps what was handed in, whoever asks: files never change, of an exhibit only its place in the
procedure moves. The three guards are made here for the rooms that follow (runs, reports), which build on exhibits."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION record_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused, the record is only ever added to', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

-- Arguments: the columns that may change. A column added later is kept until somebody names it.
CREATE FUNCTION record_keep_all_but() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - TG_ARGV) = (to_jsonb(OLD) - TG_ARGV) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'UPDATE on % refused, only % may change', TG_TABLE_NAME, array_to_string(TG_ARGV, ', ')
        USING ERRCODE = 'restrict_violation';
END $$;

-- Arguments: the moves of the column `state`, each as from>to.
CREATE FUNCTION record_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = OLD.state OR OLD.state || '>' || NEW.state = ANY (TG_ARGV) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% may not go from % to %', TG_TABLE_NAME, OLD.state, NEW.state
        USING ERRCODE = 'restrict_violation';
END $$;

-- Arguments: columns that take a value once.
CREATE FUNCTION record_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY TG_ARGV LOOP
        IF coalesce(to_jsonb(OLD) ->> name, '') <> '' AND to_jsonb(NEW) -> name <> to_jsonb(OLD) -> name THEN
            RAISE EXCEPTION '% of % has its value', name, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

CREATE FUNCTION exhibits_exchange_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an exchange cannot be undone, the other side has had it' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER record_kept BEFORE UPDATE ON exhibits_exhibit
    FOR EACH ROW EXECUTE FUNCTION record_keep_all_but('state', 'exchanged', 'confidential');
CREATE TRIGGER record_moves BEFORE UPDATE ON exhibits_exhibit
    FOR EACH ROW EXECUTE FUNCTION record_move('submitted>received', 'late_pending>received');
CREATE TRIGGER record_exchanged BEFORE UPDATE ON exhibits_exhibit
    FOR EACH ROW WHEN (OLD.exchanged AND NOT NEW.exchanged) EXECUTE FUNCTION exhibits_exchange_stays();
CREATE TRIGGER record_stays BEFORE DELETE ON exhibits_exhibit FOR EACH ROW EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_whole BEFORE TRUNCATE ON exhibits_exhibit FOR EACH STATEMENT EXECUTE FUNCTION record_refuse();

CREATE TRIGGER record_stays BEFORE UPDATE OR DELETE ON exhibits_exhibitfile
    FOR EACH ROW EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_whole BEFORE TRUNCATE ON exhibits_exhibitfile
    FOR EACH STATEMENT EXECUTE FUNCTION record_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("exhibits", "0002_initial")]
    operations = [migrations.RunSQL(GUARDS)]  # no way back
