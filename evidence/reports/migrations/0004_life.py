"""The life of a report: draft, check, a second person, versions; what was signed before keeps its bytes and gets its row.

Until 0005 the old way from `preparing` to `signed` stays open, so that nothing stands still between the two."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


DATA = """
DROP TRIGGER record_kept ON reports_report;
DROP TRIGGER record_signed ON reports_report;
DROP TRIGGER record_once ON reports_report;
DROP TRIGGER record_moves ON reports_report;

-- A report of before has no draft. When it was released stands in the book of acts; where that was erased, when it was signed.
UPDATE reports_report r SET
    kind = CASE WHEN (SELECT count(*) FROM reports_report_verdicts v WHERE v.report_id = r.id) > 1 THEN 'catalogue' ELSE 'single' END,
    stage = CASE WHEN state = 'failed' THEN 'preparing' ELSE '' END,
    released_at = CASE WHEN state = 'released' THEN coalesce(
        (SELECT max(d.at) FROM ledger_detail d WHERE d.act = 'report.release' AND d.params = '{"report":"' || r.number || '"}'),
        signed_at, created_at) END;
INSERT INTO reports_revision (report_id, number, sha256, level, reason, at)
    SELECT id, 1, signed_sha256, signature_level, 'signed', coalesce(signed_at, created_at)
    FROM reports_report WHERE signed_sha256 <> '' ORDER BY id;
INSERT INTO reports_step (report_id, act, by_id, reason, at)
    SELECT id, 'ordered', created_by_id, '', created_at FROM reports_report ORDER BY id;
INSERT INTO reports_step (report_id, act, by_id, reason, at)
    SELECT id, 'signed', NULL, '', coalesce(signed_at, created_at) FROM reports_report WHERE signed_sha256 <> '' ORDER BY id;
INSERT INTO reports_step (report_id, act, by_id, reason, at)
    SELECT id, 'released', NULL, '', released_at FROM reports_report WHERE released_at IS NOT NULL ORDER BY id;
SET CONSTRAINTS ALL IMMEDIATE;
"""

GUARDS = """
CREATE FUNCTION reports_revision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM reports_report WHERE id = NEW.report_id AND signed_sha256 <> ''
            AND state IN ('signed', 'released', 'superseded', 'revoked')
            AND (NEW.number > 1 OR signed_sha256 = NEW.sha256))
        AND NEW.number = (SELECT coalesce(max(number), 0) + 1 FROM reports_revision WHERE report_id = NEW.report_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a revision is of a signed report, one after the other, the first with its signed bytes'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION reports_signature_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM reports_revision WHERE id = NEW.revision_id AND report_id = NEW.report_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a signature stands in a revision of its own report' USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION reports_volume_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM reports_report WHERE id = NEW.report_id AND state IN ('preparing', 'sealing')) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a volume is made with its report' USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION reports_successor_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.supersedes_id IS NULL OR EXISTS (SELECT FROM reports_report
            WHERE id = NEW.supersedes_id AND case_id = NEW.case_id AND version + 1 = NEW.version AND signed_sha256 <> '') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a report replaces a signed one of its own case, as its next version' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER record_kept BEFORE UPDATE ON reports_report FOR EACH ROW EXECUTE FUNCTION record_keep_all_but(
    'state', 'stage', 'fault', 'attempts', 'draft_sha256', 'annex_sha256', 'unsigned_sha256', 'signed_sha256',
    'signature_level', 'pages', 'issued_at', 'checked_by_id', 'signed_by_id', 'signed_at', 'released_at');
CREATE TRIGGER record_signed BEFORE UPDATE ON reports_report
    FOR EACH ROW WHEN (OLD.state IN ('signed', 'released', 'superseded', 'revoked', 'discarded'))
    EXECUTE FUNCTION record_keep_all_but('state', 'released_at');
CREATE TRIGGER record_once BEFORE UPDATE ON reports_report FOR EACH ROW EXECUTE FUNCTION record_once(
    'draft_sha256', 'annex_sha256', 'unsigned_sha256', 'signed_sha256', 'issued_at', 'signed_by_id', 'signed_at', 'released_at');
CREATE TRIGGER record_moves BEFORE UPDATE ON reports_report FOR EACH ROW EXECUTE FUNCTION record_move(
    'preparing>draft', 'preparing>signed', 'preparing>failed', 'failed>preparing',
    'draft>checked', 'checked>draft', 'checked>sealing', 'sealing>signed', 'sealing>failed', 'failed>sealing',
    'draft>discarded', 'failed>discarded',
    'signed>released', 'signed>superseded', 'signed>revoked', 'released>superseded', 'released>revoked');
CREATE TRIGGER record_succession BEFORE INSERT ON reports_report FOR EACH ROW EXECUTE FUNCTION reports_successor_guard();

CREATE TRIGGER record_in_turn BEFORE INSERT ON reports_revision FOR EACH ROW EXECUTE FUNCTION reports_revision_guard();
CREATE TRIGGER record_own BEFORE INSERT ON reports_signature FOR EACH ROW EXECUTE FUNCTION reports_signature_guard();
CREATE TRIGGER record_in_time BEFORE INSERT ON reports_volume FOR EACH ROW EXECUTE FUNCTION reports_volume_guard();
""" + "".join(
    f"""
CREATE TRIGGER record_stays BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION record_refuse();
CREATE TRIGGER record_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION record_refuse();
"""
    for table in ("reports_revision", "reports_signature", "reports_volume", "reports_step")
)


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0003_office'),
        ('ledger', '0002_only_ever_added'),
        ('reports', '0003_attempts_and_issue'),
        ('runs', '0003_runsource'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Revision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('sha256', models.CharField(max_length=64, unique=True)),
                ('level', models.CharField(max_length=20)),
                ('reason', models.CharField(choices=[('signed', '首次签发'), ('upgraded', '补齐时间戳和吊销资料'), ('renewed', '续期归档时间戳')], max_length=10)),
                ('at', models.DateTimeField()),
            ],
            options={
                'ordering': ['number'],
            },
        ),
        migrations.CreateModel(
            name='Signature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('field', models.CharField(max_length=40)),
                ('certificate_sha256', models.CharField(db_index=True, max_length=64)),
                ('subject', models.CharField(max_length=500)),
                ('serial', models.CharField(max_length=60)),
                ('level', models.CharField(max_length=20)),
                ('at', models.DateTimeField()),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Step',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('act', models.CharField(choices=[('ordered', '要求制作'), ('drafted', '草稿制成'), ('checked', '复核通过'), ('returned', '退回草稿'), ('sent', '决定签发'), ('signed', '签名完成'), ('released', '向当事人开放'), ('superseded', '被新版取代'), ('revoke_asked', '提请撤销'), ('revoke_dropped', '不予撤销'), ('revoked', '撤销'), ('failed', '未能完成'), ('retried', '重试'), ('discarded', '草稿作废')], max_length=16)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Volume',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('pages', models.PositiveIntegerField()),
                ('first_item', models.CharField(max_length=60)),
                ('last_item', models.CharField(max_length=60)),
            ],
            options={
                'ordering': ['number'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='report',
            name='report_signed',
        ),
        migrations.AddField(
            model_name='report',
            name='checked_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='report',
            name='draft_sha256',
            field=models.CharField(blank=True, db_index=True, max_length=64),
        ),
        migrations.AddField(
            model_name='report',
            name='kind',
            field=models.CharField(choices=[('single', '单件证据'), ('catalogue', '多件证据'), ('supplement', '补充报告'), ('correction', '更正报告')], default='single', max_length=10),
        ),
        migrations.AddField(
            model_name='report',
            name='profiles',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='report',
            name='reason',
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name='report',
            name='released_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='report',
            name='signed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='report',
            name='stage',
            field=models.CharField(blank=True, max_length=12),
        ),
        migrations.AddField(
            model_name='report',
            name='supersedes',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='successors', to='reports.report'),
        ),
        migrations.AddField(
            model_name='report',
            name='version',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AlterField(
            model_name='report',
            name='language',
            field=models.CharField(choices=[('zh-en', '中文和英文'), ('zh', '仅中文'), ('en', '仅英文')], default='zh-en', max_length=5),
        ),
        migrations.AlterField(
            model_name='report',
            name='state',
            field=models.CharField(choices=[('preparing', '制作中'), ('draft', '草稿'), ('checked', '已复核'), ('sealing', '签名中'), ('signed', '已签发'), ('released', '已开放'), ('superseded', '已被取代'), ('revoked', '已撤销'), ('failed', '未能制作'), ('discarded', '已作废（未签发）')], default='preparing', max_length=12),
        ),
        migrations.AddField(
            model_name='revision',
            name='report',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='revisions', to='reports.report'),
        ),
        migrations.AddField(
            model_name='signature',
            name='person',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='signature',
            name='report',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to='reports.report'),
        ),
        migrations.AddField(
            model_name='signature',
            name='revision',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to='reports.revision'),
        ),
        migrations.AddField(
            model_name='step',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='step',
            name='report',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='reports.report'),
        ),
        migrations.AddField(
            model_name='volume',
            name='report',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='volumes', to='reports.report'),
        ),
        migrations.AddConstraint(
            model_name='revision',
            constraint=models.UniqueConstraint(fields=('report', 'number'), name='revision_number'),
        ),
        migrations.AddConstraint(
            model_name='signature',
            constraint=models.UniqueConstraint(fields=('report', 'field'), name='signature_field'),
        ),
        migrations.AddConstraint(
            model_name='volume',
            constraint=models.UniqueConstraint(fields=('report', 'number'), name='volume_number'),
        ),
        migrations.RunSQL(DATA),  # no way back
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('preparing', 'failed', 'draft', 'checked', 'sealing', 'discarded')), models.Q(('signed_sha256', ''), _negated=True), _connector='OR'), name='report_signed'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['draft', 'checked', 'sealing']), _negated=True), models.Q(models.Q(('draft_sha256', ''), _negated=True), models.Q(('annex_sha256', ''), _negated=True)), _connector='OR'), name='report_drafted'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['preparing', 'failed', 'draft', 'discarded']), ('draft_sha256', ''), models.Q(('checked_by__isnull', False), models.Q(('checked_by', models.F('created_by')), _negated=True)), _connector='OR'), name='report_checked_by_another'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['preparing', 'failed', 'draft', 'checked', 'discarded']), ('draft_sha256', ''), models.Q(('signed_by__isnull', False), models.Q(('signed_by', models.F('created_by')), _negated=True)), _connector='OR'), name='report_signed_by_another'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'released'), _negated=True), ('released_at__isnull', False), _connector='OR'), name='report_released'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('supersedes__isnull', True), ('version', 1), models.Q(('kind__in', ['supplement', 'correction']), _negated=True)), models.Q(('kind__in', ['supplement', 'correction']), ('supersedes__isnull', False), ('version__gt', 1), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='report_version'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['sealing', 'signed', 'released', 'superseded', 'revoked'])), fields=('supersedes',), name='report_superseded_once'),
        ),
        migrations.RunSQL(GUARDS),
    ]
