"""The database itself refuses to change the book, whoever asks: an index is given once, tiles and the head only grow,
particulars go only in the course of lawful erasure (`entries.erase`), everything else is only ever added."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger: % on % refused, the book of acts is only ever added to', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION ledger_entry_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.leaf_index IS NULL THEN
        RETURN NEW;
    ELSIF TG_OP = 'UPDATE' AND OLD.leaf_index IS NULL AND NEW.leaf_index IS NOT NULL
        AND (NEW.id, NEW.leaf, NEW.leaf_hash) IS NOT DISTINCT FROM (OLD.id, OLD.leaf, OLD.leaf_hash) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'ledger: % on ledger_entry refused, an entry takes its index once and never changes', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION ledger_detail_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('mingjian.lawful_erasure', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'ledger: particulars are removed only by lawful erasure' USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION ledger_tile_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.level, NEW.number) IS NOT DISTINCT FROM (OLD.id, OLD.level, OLD.number)
        AND length(NEW.hashes) BETWEEN length(OLD.hashes) + 1 AND 8192
        AND substring(NEW.hashes FROM 1 FOR length(OLD.hashes)) = OLD.hashes THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'ledger: a tile only grows at its end' USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION ledger_head_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id = OLD.id AND NEW.size > OLD.size THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'ledger: the head only moves forward' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER ledger_guard BEFORE INSERT OR UPDATE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_entry_guard();
CREATE TRIGGER ledger_keep BEFORE DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_whole BEFORE TRUNCATE ON ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

CREATE TRIGGER ledger_guard BEFORE DELETE ON ledger_detail FOR EACH ROW EXECUTE FUNCTION ledger_detail_guard();
CREATE TRIGGER ledger_keep BEFORE UPDATE ON ledger_detail FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_whole BEFORE TRUNCATE ON ledger_detail FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

CREATE TRIGGER ledger_guard BEFORE UPDATE ON ledger_tile FOR EACH ROW EXECUTE FUNCTION ledger_tile_guard();
CREATE TRIGGER ledger_keep BEFORE DELETE ON ledger_tile FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_whole BEFORE TRUNCATE ON ledger_tile FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

CREATE TRIGGER ledger_guard BEFORE UPDATE ON ledger_head FOR EACH ROW EXECUTE FUNCTION ledger_head_guard();
CREATE TRIGGER ledger_keep BEFORE DELETE ON ledger_head FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_whole BEFORE TRUNCATE ON ledger_head FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

CREATE TRIGGER ledger_keep BEFORE UPDATE OR DELETE ON ledger_checkpoint
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_whole BEFORE TRUNCATE ON ledger_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunSQL(GUARDS)]  # no way back
