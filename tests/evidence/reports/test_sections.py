"""Every section of the report, in each of its languages; pages for people to fill in; volumes; what it says of itself."""

import ctypes
import hashlib
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pikepdf
import pypdfium2
import pytest
from django.db import transaction

from evidence.reports import (
    annex_schema,
    document,
    edition,
    etsi,
    issuing,
    rendering,
    sheets,
    standing,
    volumes,
)
from evidence.reports.models import Report, Volume
from portal.vault import Vault
from tests import courtroom
from tests.evidence.verification import pdf_exhibits

from .conftest import Printed, ordered
from .test_bundle import store, verified  # noqa: F401
from .test_document import HAN, NEVER_SAID, TEMPLATES
from .test_rendering import faults, text_of

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 4, 5, 6, tzinfo=UTC)
MM = 72 / 25.4
SECTIONS = (
    ("0 结论摘要", "0 Summary"),
    ("1 委托与范围", "1 Request and scope"),
    ("2 送验材料", "2 Items received"),
    ("3 依据与方法", "3 Basis and method"),
    ("4 逐项核验", "4 Checks"),
    ("5 时间线", "5 Timeline"),
    ("6 证明链图", "6 Proof diagram"),
    ("7 规则对照", "7 Rule matrix"),
    ("8 上链前说明", "8 Before recording"),
    ("9 疑点与矛盾", "9 Findings needing attention"),
    ("10 局限", "10 Limitations"),
    ("11 流转记录", "11 Custody"),
    ("12 独立复核", "12 Checking independently"),
    ("13 声明与签署", "13 Statements and signatures"),
    ("A 机器可读结论", "A Machine-readable result"),
    ("B 原始证明清单", "B Raw-proof manifest"),
    ("C 所用的证书和信任锚", "C Certificates and anchors used"),
    ("D 签名验证报告", "D Signature validation reports"),
    ("E 术语", "E Glossary"),
    ("F 引用的法律条文", "F Law quoted"),
    ("报告完", "END OF REPORT"),
)


def flat(text: str) -> str:
    return re.sub(r"\s+", "", text)


def pages(report: Report, monkeypatch: pytest.MonkeyPatch) -> tuple[edition.Edition, dict[str, Any]]:
    """The edition, and what its main part was printed from."""
    seen: list[dict[str, Any]] = []
    plain = rendering.render
    monkeypatch.setattr(rendering, "render", lambda main, data, **o: seen.append(data) or plain(main, data, **o))
    made = edition.make(report, issued=AT)
    return made, seen[-1]


def of_parties(data: dict[str, Any]) -> list[str]:
    """Chinese texts in the data that are in one language: names, numbers, what was handed in. Longest first."""
    def strings(value: Any) -> Any:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            if set(value) != {"zh", "en"}:
                for inner in value.values():
                    yield from strings(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                yield from strings(inner)

    return sorted({flat(s) for s in strings(data) if HAN.search(s)}, key=len, reverse=True)


def test_every_section_is_there_in_both_languages(printed: Printed) -> None:
    text = flat(text_of(printed.sealed))
    for zh, en in SECTIONS:
        assert flat(zh) in text and flat(en) in text, (zh, en)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_one_language_alone(desk: Path, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    report = ordered()
    report.language = language
    made, data = pages(report, monkeypatch)
    assert faults(made.pdf) == []
    text = flat(text_of(made.pdf))
    for zh, en in SECTIONS:
        assert (flat(zh) in text, flat(en) in text) == ((True, False) if language == "zh" else (False, True)), (zh, en)
    if language == "en":
        own = text.partition(flat("F Law quoted"))[0]
        for given in of_parties(data):
            own = own.replace(given, "")
        assert HAN.findall(own) == []
    assert json.loads(made.annex)["report"]["language"] == language


def test_the_court_s_words_stand_in_quoted_law_alone(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, data = pages(ordered(), monkeypatch)
    quoted = json.dumps(data.pop("quoted"), ensure_ascii=False)
    assert NEVER_SAID.search(quoted), "the law quoted has them, or nothing is exempt"
    assert NEVER_SAID.findall(json.dumps(data, ensure_ascii=False)) == []
    for template in TEMPLATES:
        assert NEVER_SAID.findall(template.read_text(encoding="utf-8")) == [], template


def test_the_page_and_its_standing_texts_are_in_both_languages() -> None:
    texts = standing.texts()
    for words in (*texts.questions, *texts.out_of_scope, *texts.known_issues, texts.authority, texts.deviations):
        assert HAN.search(words.zh) and not HAN.search(words.en)
    for pair in texts.glossary:
        assert all(w.zh and w.en and not NEVER_SAID.search(w.zh + w.en) for w in pair)
    assert {q.article for q in standing.quoted()} == {"16", "17", "18", "19", "11", "93", "94"}


def test_pages_for_people_say_nothing_for_them(desk: Path) -> None:
    report = ordered()
    report.profiles = ["bsa63", "etsi", "fre902"]
    made = edition.make(report, issued=AT)
    text = flat(text_of(made.pdf))
    assert "902(13)" in text and "PARTA" in text and "PARTB" in text
    assert not re.search("[☑☒✔]", text) and text.count("☐") > 20
    assert faults(made.pdf) == []


def test_a_new_version_names_the_one_before_and_why(desk: Path) -> None:
    before = ordered()
    report = Report.objects.select_related("case").get(pk=before.pk)
    report.supersedes, report.version, report.kind, report.reason = before, 2, "correction", "案由有误 <b>"
    report.number = "HY2026-999999"
    made = edition.make(report, issued=AT)
    text = text_of(made.pdf)
    assert before.number in text and "案由有误 <b>" in text and "第 2 版" in text
    said = json.loads(made.annex)["report"]
    assert (said["version"], said["kind"], said["supersedes"], said["reason"]) == (2, "correction", before.number, "案由有误 <b>")


def test_the_digest_of_the_bundle_is_printed_and_in_the_annex(desk: Path, store: Path) -> None:  # noqa: F811
    from evidence.reports import bundle

    verdict = verified(store)
    case = verdict.run.exhibit.case
    clerk = courtroom.person("clerk-b")
    courtroom.join(clerk, case, "clerk")
    with transaction.atomic():
        report = issuing.order(case, [verdict], by=clerk)
    made = edition.make(report, issued=AT)
    expected = bundle.plan(report.number, [("原告证据1", verdict)]).sha256
    annex = json.loads(made.annex)
    assert annex["reverify"]["bundle_digest"] == {"alg": "SHA-256", "hex": expected}
    assert expected in flat(text_of(made.pdf))
    assert {m["path"] for m in annex["anchors"]} and all(m["trust_store"] == verdict.trust_sha256 for m in annex["anchors"])


def test_without_its_trust_store_a_report_says_that_it_has_no_bundle(printed: Printed) -> None:
    assert printed.annex["reverify"]["bundle_digest"] is None
    text = flat(text_of(printed.sealed))
    assert "不能制作核验包" in text and "PORTAL_TRUST_DIR" not in text and "never published" not in text
    assert any("nolongeronfile:" + s["sha256"] in text for s in printed.annex["policy"]["trust_stores"])


def test_an_annex_that_is_not_of_its_schema_is_not_printed(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = edition.annex._whole
    monkeypatch.setattr(edition.annex, "_whole", lambda *a: (found := plain(*a)) | {"engine": found["engine"] | {"ml_used": True}})
    with pytest.raises(edition.ReportFault, match="annex: engine/ml_used"):
        edition.make(ordered(), issued=AT)


def test_the_annex_made_in_parts_is_the_same_and_each_part_is_held_against_the_schema(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To see it fail: validate the first part alone, or keep its rows alone."""
    contents = edition._contents(ordered(), issued=AT)
    at_once = edition.annex.build(contents)
    monkeypatch.setattr(edition.annex, "AT_ONCE", 1)
    assert len(contents.items) > 2 and edition.annex.build(contents) == at_once
    spoilt = replace(contents, items=(*contents.items[:-1], replace(contents.items[-1], grade="F")))
    with pytest.raises(annex_schema.AnnexFault, match="results/0/assurance"):
        edition.annex.build(spoilt)


def test_every_object_of_the_schema_is_closed() -> None:
    def objects(schema: Any) -> Any:
        if isinstance(schema, dict):
            if schema.get("type") == "object":
                yield schema
            for value in schema.values():
                yield from objects(value)
        elif isinstance(schema, list):
            for value in schema:
                yield from objects(value)

    for one in objects(json.loads((annex_schema.SCHEMAS / "report_annex.schema.json").read_bytes())):
        assert "additionalProperties" in one and one["additionalProperties"] is not True


# ── volumes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_long_report_has_volumes_whose_digests_are_sealed(desk: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five exhibits in volumes of two: each stands in one of them, whole; the main report holds what is not CONSISTENT."""
    monkeypatch.setattr(volumes, "ITEMS_MAX", 2)
    monkeypatch.setattr(volumes, "FIRST_MAX", 0)
    report = issuing.produce(ordered().pk)
    assert report.state == "draft", report.fault
    rows = list(Volume.objects.filter(report=report))
    assert [(v.number, v.first_item, v.last_item) for v in rows] == [(1, "原告证据1", "原告证据2"), (2, "原告证据3", "被告证据1")]
    made = edition.make(report, issued=report.issued_at)  # type: ignore[arg-type]
    again = edition.make(report, issued=report.issued_at)  # type: ignore[arg-type]
    assert [v.sha256 for v in made.volumes] == [v.sha256 for v in rows] == [v.sha256 for v in again.volumes]
    assert made.pdf == again.pdf and made.annex_sha256 == report.annex_sha256
    text = flat(text_of(made.pdf))
    annex = json.loads(made.annex)
    for volume in made.volumes:
        assert volume.sha256 in text and faults(volume.pdf) == []
        assert hashlib.sha256(volume.pdf).hexdigest() == volume.sha256
        with Vault(settings.PORTAL_VAULT_DIR).open(volume.sha256) as stream:
            assert stream.read() == volume.pdf
        with pikepdf.open(io.BytesIO(volume.pdf)) as opened:
            assert "/AcroForm" not in opened.Root and not opened.attachments and len(opened.pages) == volume.pages
    assert [v["sha256"] for v in annex["volumes"]] == [v.sha256 for v in rows]
    assert "第1件证据" in flat(text_of(made.volumes[0].pdf)) and "没有证明的文件" in flat(text_of(made.volumes[1].pdf))


def test_a_short_report_has_none(printed: Printed) -> None:
    assert printed.annex["volumes"] == []


# ── bounds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_answer_for_fifty_thousand_records_is_one_check() -> None:
    finding = {"check": "WARC.BLOCK_DIGEST", "outcome": "FAILED", "reason": "HASH_FAILURE", "expected": "a", "actual": "b", "notes": [], "bearing": "REFUTING"}
    [check] = document._grouped(({**finding, "subject": f"a.warc · {n}"} for n in range(50_000)), {"a.warc": "ab" * 32})
    assert len(check.places) == document.PLACES_MAX and check.places_more == 50_000 - document.PLACES_MAX
    assert check.places[0].digest == "ab" * 8


def test_what_a_check_follows_and_bears_on() -> None:
    assert standing.legal("DIGEST.MATCH").startswith("R16; I11(5)")
    assert standing.standard("TST.TIME").startswith("RFC 3161")
    assert standing.source("CERT.TIME", "证书.json") == "declared"
    assert standing.source("DIGEST.MATCH", "court-node/answer.json") == "external"


# ── signature validation reports ──────────────────────────────────────────────────────────────────────────────────────


def signed(outcome: str, reason: str | None) -> dict[str, Any]:
    finding = {"check": "SIG.INTACT", "outcome": outcome, "reason": reason, "subject": "a<b>.pdf · Sig1", "bearing": "REFUTING"}
    source = {"name": "a<b>.pdf", "sha256": "ab" * 32, "format": "signed-pdf"}
    return {"at": "2026-11-22T04:05:06.000Z", "sources": [source], "findings": [finding]}


@pytest.mark.parametrize(
    ("outcome", "reason", "main", "sub"),
    [
        ("PASSED", None, "total-passed", None),
        ("FAILED", "HASH_FAILURE", "total-failed", "HASH_FAILURE"),
        ("INDETERMINATE", "NO_POE", "indeterminate", "NO_POE"),
        ("FAILED", "MODIFIED_AFTER_SIGNING", "total-failed", "FORMAT_FAILURE"),
        ("INDETERMINATE", "MODIFIED_AFTER_SIGNING", "indeterminate", "GENERIC"),
        ("INDETERMINATE", "HASH_FAILURE", "indeterminate", "GENERIC"),
    ],
)
def test_a_signature_has_its_indication(outcome: str, reason: str | None, main: str, sub: str | None) -> None:
    [(name, xml)] = etsi.reports(signed(outcome, reason), label="1")
    root = ElementTree.fromstring(xml)
    at = f"{{{etsi.NAMESPACE}}}"
    status = root.find(f"{at}SignatureValidationReport/{at}SignatureValidationStatus")
    assert name == "etsi-1-1.xml" and status is not None
    assert status.findtext(f"{at}MainIndication") == etsi.MAIN + main
    assert status.findtext(f"{at}SubIndication") == (etsi.SUB + sub if sub else None)
    assert b"<b>" not in xml
    assert etsi.reports({**signed(outcome, reason), "findings": []}, label="1") == ()


def framed(path: Any) -> bool:
    """Drawn as a line around nothing."""
    filled, stroked = ctypes.c_int(), ctypes.c_int()
    assert pypdfium2.raw.FPDFPath_GetDrawMode(path, filled, stroked)
    return bool(stroked.value) and not filled.value


def test_the_rule_matrix_has_a_box_for_the_court_in_every_row(printed: Printed) -> None:
    """Empty frames 7 mm high, room for a pen, counted in the drawn pages."""
    matrix = printed.data["matrix"]
    rows = sum(len(part["rows"]) for part in matrix["answered"]) + sum(len(act["rows"]) for act in matrix["open"])
    boxes = 0
    for page in pypdfium2.PdfDocument(printed.sealed):
        for drawn in page.get_objects([pypdfium2.raw.FPDF_PAGEOBJ_PATH]):
            left, bottom, right, top = drawn.get_bounds()
            boxes += framed(drawn) and abs(top - bottom - 7 * MM) < 1.5 and right - left > 18 * MM
    assert sheets.MATRIX_COLUMNS == 6 and rows >= 27 and boxes == rows


# ── signatures, as of receipt and as of now ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", ["zh-en", "en"])
def test_what_was_answered_about_signatures_at_receipt_is_printed_beside_the_later_answer(desk: Path, language: str) -> None:
    """The revocation list of the signer ended in between: what was decided then is undecided now, and both stand on the page."""
    case = courtroom.case(777)
    clerk, party = courtroom.person("clerk-t"), courtroom.person("party-t")
    courtroom.join(clerk, case, "clerk")
    courtroom.join(party, case, "litigant", "plaintiff")
    deed = pdf_exhibits.sign(pdf_exhibits.document(pdf_exhibits.text("The price is 100")), pdf_exhibits.Plan(stamped=None)).data
    exhibit = courtroom.hand_in(case, party, files={"deed.pdf": deed}, submitted_at=pdf_exhibits.AT)
    pinned = replace(pdf_exhibits.trust(), digest="ab" * 32)
    times = (pdf_exhibits.AT, pdf_exhibits.AT + timedelta(days=400))
    first, later = (courtroom.run(exhibit, pdf_exhibits.verdict({"deed.pdf": deed}, pinned, at=at)).verdict for at in times)

    def printed_of(verdict: Any) -> str:
        with transaction.atomic():
            report = issuing.order(case, [verdict], by=clerk, language=language)
        made = edition.make(report, issued=datetime.now(UTC))
        assert faults(made.pdf) == []
        return flat(text_of(made.pdf))

    said = printed_of(later)
    assert flat("Signatures as of receipt and as of this verification") in said
    assert "✓?TRY_LATER" in said
    assert flat("Signatures as of receipt and as of this verification") not in printed_of(first)
