"""Reports from before there were drafts: the migration keeps their bytes, gives them their revision, steps and signatures."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from evidence.reports import checking

ROOT = Path(__file__).parents[3]
SCRIPT = '''
import json, sys
from pathlib import Path
import django
django.setup()
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from portal.vault import Vault
settings.PORTAL_VAULT_DIR = Path(sys.argv[1])
pdf = Path(sys.argv[2]).read_bytes()
signed = Vault(settings.PORTAL_VAULT_DIR).put_bytes(pdf).sha256
before = [("reports", "0003_attempts_and_issue"), ("ledger", "0002_only_ever_added")]
executor = MigrationExecutor(connection)
executor.migrate(before)
old = executor.loader.project_state(before).apps
user = old.get_model("people", "User").objects.create(username="clerk")
case = old.get_model("cases", "Case").objects.create(number="n", year=2026, court_code="x", case_type="x", sequence=1)
Report = old.get_model("reports", "Report")
for number, state, digest in (("R1", "signed", signed), ("R2", "released", "ab" * 32), ("R3", "failed", ""), ("R4", "preparing", "")):
    made = Report.objects.create(number=number, check_code="x", case=case, created_by=user, state=state, signed_sha256=digest,
        signature_level="PAdES-B-LTA" if digest else "", signed_at=timezone.now() if digest else None)
Entry, Detail = old.get_model("ledger", "Entry"), old.get_model("ledger", "Detail")
released = timezone.now()
entry = Entry.objects.create(leaf=b"x", leaf_hash=b"x")
Detail.objects.create(entry=entry, act="report.release", at=released, params='{"report":"R2"}', salt=b"x")
executor = MigrationExecutor(connection)
executor.migrate([n for n in executor.loader.graph.leaf_nodes() if n[0] == "reports"])
from evidence.reports.models import Report
print(json.dumps({r.number: {
    "state": r.state, "stage": r.stage, "signed": r.signed_sha256, "version": r.version, "kind": r.kind,
    "revisions": [[v.number, v.sha256, v.reason] for v in r.revisions.all()],
    "steps": [s.act for s in r.steps.all()],
    "released_at": r.released_at == released,
    "signatures": [[s.field, s.certificate_sha256] for s in r.signatures.all()],
} for r in Report.objects.order_by("number")}))
'''


@pytest.mark.django_db
def test_what_was_signed_before_keeps_its_bytes_and_gets_its_rows(tmp_path: Path, sealed: bytes, keys: Path) -> None:
    """On a database of its own, brought up to where it stood before. To see it fail: leave out a part of 0004's data."""
    at = connection.settings_dict
    where = {"host": at["HOST"], "user": at["USER"], "password": at["PASSWORD"], "port": at["PORT"] or None}
    where = {name: value for name, value in where.items() if value}
    name = f"reports_of_before_{os.getpid()}"
    with psycopg.connect(dbname="postgres", autocommit=True, **where) as server:
        server.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
    try:
        pdf = tmp_path / "sealed.pdf"
        pdf.write_bytes(sealed)
        host = f"?host={where['host'].replace('/', '%2F')}" if str(where.get("host", "")).startswith("/") else ""
        url = os.environ["PORTAL_DATABASE_URL"]
        own = f"postgresql://{where['user']}@/{name}{host}" if host else url.rsplit("/", 1)[0] + f"/{name}"
        environment = {**os.environ, "PORTAL_DATABASE_URL": own, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path / "vault"), str(pdf)], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
    finally:
        with psycopg.connect(dbname="postgres", autocommit=True, **where) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[arg-type]
    found = json.loads(done.stdout.splitlines()[-1])
    digest = hashlib.sha256(sealed).hexdigest()
    assert found["R1"]["signed"] == digest and found["R1"]["revisions"] == [[1, digest, "signed"]]
    assert found["R1"]["steps"] == ["ordered", "signed"] and found["R2"]["steps"] == ["ordered", "signed", "released"]
    assert found["R2"]["released_at"] and found["R2"]["state"] == "released"
    assert {field for field, _ in found["R1"]["signatures"]} == {checking.SEAL, checking.ARCHIVE}
    assert found["R2"]["signatures"] == [], "its bytes are not in the vault: the drill's page counts it"
    assert (found["R3"]["state"], found["R3"]["stage"], found["R4"]["state"]) == ("failed", "preparing", "preparing")
    assert all(r["version"] == 1 and r["kind"] == "single" for r in found.values())
