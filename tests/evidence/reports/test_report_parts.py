"""A report's bundle and volumes, for whoever may download the report."""

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.db import transaction
from django.test import Client

from evidence.reports import decisions, issuing, views_parts
from evidence.reports.models import Report
from portal.ledger.models import Detail
from portal.vault import Vault
from tests import courtroom
from tests.evidence.verification.test_command_line import run

from .conftest import attachment
from .test_bundle import store as store  # a fixture
from .test_bundle import verified

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(store: Path) -> Report:
    """Released, on one exhibit of the plaintiff's that was exchanged and one of the defendant's too."""
    verdict = verified(store)
    case = verdict.run.exhibit.case
    for name, role, side in (("judge-p", "presiding_judge", "court"), ("party-p", "litigant", "plaintiff"), ("other-p", "litigant", "defendant")):
        courtroom.join(courtroom.person(name), case, role, side)
    return courtroom.report(case, courtroom.person("clerk-p"), verdict, state="released", volumes=[b"%PDF-1.7 volume"])


def got(name: str, address: str) -> Any:
    client = Client()
    client.force_login(courtroom.User.objects.get(username=name))
    return client.get(address)


def test_the_bundle_repeats_the_result(report: Report, tmp_path: Path) -> None:
    answer = got("judge-p", f"/reports/{report.public_id}/bundle/")
    whole = b"".join(answer.streaming_content)
    assert answer.headers["Content-Disposition"].startswith("attachment") and "sandbox" in answer.headers["Content-Security-Policy"]
    (tmp_path / "b.zip").write_bytes(whole)
    done = run("--json", tmp_path / "b.zip")
    assert (done.returncode, done.stdout) == (3, bytes(report.verdicts.get().document) + b"\n")
    assert "report.pdf" in zipfile.ZipFile(io.BytesIO(whole)).namelist()
    assert Detail.objects.filter(act="report.bundle").count() == 1


def test_a_report_as_it_is_really_made_and_its_bundle_belong_to_each_other(desk: Path, store: Path, tmp_path: Path) -> None:
    """Rendered, checked, sealed; its annex states the digest of the bundle, and the command that outsiders use holds them together."""
    verdict = verified(store)
    case = verdict.run.exhibit.case
    people = [courtroom.person(n) for n in ("clerk-q", "assistant-q", "judge-q")]
    for person, role in zip(people, ("clerk", "judge_assistant", "presiding_judge"), strict=True):
        courtroom.join(person, case, role)
    with transaction.atomic():
        made = issuing.order(case, [verdict], by=people[0])
    made = issuing.produce(made.pk)
    assert made.state == "draft", made.fault
    decisions.check(made, by=people[1], annex=made.annex_sha256)
    decisions.send(made, by=people[2], annex=made.annex_sha256)
    made = issuing.produce(made.pk)
    assert made.state == "signed", made.fault
    bundled = b"".join(got("judge-q", f"/reports/{made.public_id}/bundle/").streaming_content)
    (tmp_path / "b.zip").write_bytes(bundled)
    said = json.loads(attachment(zipfile.ZipFile(tmp_path / "b.zip").read("report.pdf")))
    done = run("--lang", "en", "--digest", said["reverify"]["bundle_digest"]["hex"], tmp_path / "b.zip")
    text = done.stdout.decode()
    assert done.returncode == 0 and "byte for byte" in text and made.annex_sha256 in text, done.stderr
    held = zipfile.ZipFile(io.BytesIO(bundled))
    assert hashlib.sha256(held.read("annex.json")).hexdigest() == made.annex_sha256
    assert hashlib.sha256(held.read("report.pdf")).hexdigest() == made.signed_sha256
    printed = "".join(p.get_textpage().get_text_bounded() for p in pypdfium2.PdfDocument(held.read("report.pdf")))
    assert hashlib.sha256(held.read("bundle.json")).hexdigest() in re.sub(r"\s", "", printed), "printed in the report"


def test_who_may_have_the_report_but_not_the_file_gets_its_digest(report: Report) -> None:
    """The report is open to the plaintiff; the defendant has not been shown the exhibit, so the report is closed to him altogether."""
    assert got("other-p", f"/reports/{report.public_id}/bundle/").status_code == 404
    own = zipfile.ZipFile(io.BytesIO(b"".join(got("party-p", f"/reports/{report.public_id}/bundle/").streaming_content)))
    digests = {f.sha256 for f in report.verdicts.get().run.exhibit.files.all()}
    held = {n.removeprefix("blobs/") for n in own.namelist()}
    assert digests <= held or not digests & held, "all files of an exhibit, or none"


def test_a_large_one_is_the_export_desk_s(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views_parts, "BUNDLE_MAX", 10)
    answer = got("judge-p", f"/reports/{report.public_id}/bundle/")
    assert answer.status_code == 302 and not Detail.objects.filter(act="report.bundle").exists()


def test_a_trust_store_that_is_gone_is_said(report: Report, settings: Any, tmp_path: Path) -> None:
    settings.PORTAL_TRUST_DIR = tmp_path / "nowhere"
    assert got("judge-p", f"/reports/{report.public_id}/bundle/").status_code == 302


def test_a_file_that_is_gone_is_said(report: Report, settings: Any) -> None:
    file = report.verdicts.get().run.exhibit.files.first()
    assert file is not None
    Vault(settings.PORTAL_VAULT_DIR).path(file.sha256).unlink()
    assert got("judge-p", f"/reports/{report.public_id}/bundle/").status_code == 302


@pytest.mark.parametrize("state", ["draft", "checked", "sealing", "failed"])
def test_what_is_checked_and_signed_can_be_read_before_with_all_its_volumes(report: Report, state: str) -> None:
    """Of a long report the main part holds fifty exhibits only. To see it fail: hand out volumes of signed reports only."""
    verdict = report.verdicts.get()
    made = courtroom.report(report.case, courtroom.User.objects.get(username="clerk-p"), verdict, state=state, stage="sealing", volumes=[b"%PDF-1.7 unsigned volume"])
    address = f"/reports/{made.public_id}/volume/1/"
    answer = got("judge-p", address)
    assert answer.content == b"%PDF-1.7 unsigned volume" and "DRAFT-UNSIGNED" in answer.headers["Content-Disposition"]
    assert Detail.objects.filter(act="report.draft_download").count() == 1 and not Detail.objects.filter(act="report.download").exists()
    assert [got(name, address).status_code for name in ("party-p", "other-p")] == [404, 404]
    assert address in got("judge-p", f"/reports/{made.public_id}/").content.decode()
    if state == "checked":
        assert address in got("judge-p", f"/reports/{made.public_id}/sign/").content.decode()


def test_volumes(report: Report) -> None:
    answer = got("party-p", f"/reports/{report.public_id}/volume/1/")
    assert answer.content == b"%PDF-1.7 volume" and "-01.pdf" in answer.headers["Content-Disposition"]
    assert got("party-p", f"/reports/{report.public_id}/volume/2/").status_code == 404
    assert got("other-p", f"/reports/{report.public_id}/volume/1/").status_code == 404
    page = got("party-p", f"/reports/{report.public_id}/").content.decode()
    assert f"/reports/{report.public_id}/volume/1/" in page and f"/reports/{report.public_id}/bundle/" in page
