"""The draft and the report that is signed: two renders of the same contents that nobody takes for one another."""

import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from django.conf import settings
from django.db import transaction

from cases.models import Role
from evidence.reports import checking, custody, decisions, edition, issuing, signing
from evidence.reports.models import Report
from portal.vault import Vault
from tests import courtroom

from . import conftest

pytestmark = pytest.mark.django_db

MARK = ("草稿 未签名", "DRAFT – UNSIGNED")


def stored(sha256: str) -> bytes:
    with Vault(settings.PORTAL_VAULT_DIR).open(sha256) as stream:
        return stream.read()


def texts(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    return [page.get_textpage().get_text_bounded() for page in document]


@pytest.fixture
def report(desk: Path) -> Report:
    return issuing.produce(conftest.ordered().pk)


def test_every_page_of_a_draft_says_so_and_nothing_in_it_can_be_signed(report: Report) -> None:
    """To see it fail: leave the watermark or the links of the signature fields to the draft's template."""
    assert report.state == "draft", report.fault
    pdf = stored(report.draft_sha256)
    pages = texts(pdf)
    assert len(pages) == report.pages > 3
    for page in pages:
        assert all(mark in page for mark in MARK), page[:300]
    whole = "".join(pages)
    assert report.check_code not in whole and "/reports/check/" not in whole
    assert report.annex_sha256 in whole.replace("\n", "").replace("\r", "")
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert "/AcroForm" not in opened.Root and not opened.attachments
        assert "DRAFT" in str(opened.docinfo["/Title"])
    with pytest.raises(signing.SigningError):
        signing.seal(pdf, keys=settings.PORTAL_SIGNING_DIR, words=("x",), fonts=settings.PORTAL_FONT_DIR)


def test_draft_and_final_say_the_same_and_the_final_is_made_again_byte_for_byte(report: Report) -> None:
    assert report.issued_at is not None
    one, other = (edition.make(report, issued=report.issued_at) for _ in range(2))
    assert one.pdf == other.pdf
    assert one.annex == stored(report.annex_sha256) and one.annex_sha256 == report.annex_sha256
    whole = "".join(texts(one.pdf))
    assert not any(mark in whole for mark in MARK) and report.check_code in whole


def test_what_the_book_of_acts_takes_in_later_does_not_change_what_was_checked(report: Report) -> None:
    """An act dated before the draft and committed after it. To see it fail: give custody no `within`."""
    from portal.ledger.models import Detail

    assert report.issued_at is not None
    before = edition.make(report, issued=report.issued_at).annex_sha256
    exhibit = report.verdicts.select_related("run__exhibit")[0].run.exhibit
    with transaction.atomic():
        from portal.ledger.entries import record

        entry = record("evidence.download", actor=report.created_by, case=report.case, params={"exhibit": str(exhibit.public_id), "position": 1})
    late = Detail.objects.get(entry=entry)
    assert late.at > report.issued_at
    later = datetime.now(UTC)
    assert edition.make(report, issued=later).annex != stored(report.annex_sha256), "another moment of issue is another report"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(custody, "_about", _Backdated(custody._about, late.pk))
        assert edition.make(report, issued=report.issued_at).annex_sha256 == before


class _Backdated:
    """The acts of a report, where the late one bears a time before the draft."""

    def __init__(self, plain: Any, late: int) -> None:
        self.plain, self.late = plain, late

    def __call__(self, *about: Any, **more: Any) -> Any:
        self.found = self.plain(*about, **more)
        return self

    def filter(self, *, at__lte: datetime) -> Any:
        from django.db.models import Q

        return self.found.filter(Q(at__lte=at__lte) | Q(pk=self.late))


def test_the_signed_report_has_its_rows_from_its_own_bytes(report: Report, keys: Path) -> None:
    assistant, judge = courtroom.person("assistant-r"), courtroom.person("judge-r")
    courtroom.join(assistant, report.case, Role.JUDGE_ASSISTANT)
    courtroom.join(judge, report.case, Role.PRESIDING_JUDGE)
    decisions.check(report, by=assistant, annex=report.annex_sha256)
    decisions.send(report, by=judge, annex=report.annex_sha256)
    made = issuing.produce(report.pk)
    assert made.state == "signed", made.fault
    pdf = stored(made.signed_sha256)
    assert checking.check(pdf, keys=keys) == []
    found = {s.field: s for s in made.signatures.all()}
    assert set(found) == {checking.SEAL, *checking.PERSONS, checking.ARCHIVE}
    assert {f: s.person for f, s in found.items()} == {"CourtSeal": None, "Clerk": made.created_by, "Judge": judge, "DocTS1": None}
    said = "".join("".join(texts(pdf)).split())
    assert "签发人" in said and judge.get_full_name() in said and "还载有以下人员的电子签名" in said
    [seal] = (keys / "seals").glob("*.pem")
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    certificate = x509.load_pem_x509_certificate(seal.read_bytes())
    assert found[checking.SEAL].certificate_sha256 == certificate.fingerprint(SHA256()).hex()
    assert found[checking.SEAL].serial == f"{certificate.serial_number:x}"
    assert found[checking.ARCHIVE].level == "DocTimeStamp"
    assert made.unsigned_sha256 == hashlib.sha256(edition.make(made, issued=made.issued_at).pdf).hexdigest()
