"""The whole report: both languages, the words it may not use, its marks, hostile texts, and what the law table answers."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from django.db import transaction

from evidence.reports import bell, edition, issuing, law, rendering, wording
from evidence.reports.edition import ReportFault
from evidence.reports.wording import Words
from evidence.verification import catalogue
from evidence.verification.reasons import Reason
from tests import courtroom

from .conftest import Printed, ordered
from .test_characters import NOBODY, RARE, rare_fonts
from .test_rendering import faults, text_of

pytestmark = pytest.mark.django_db
HAN = re.compile("[㐀-鿿]")
LATIN = re.compile("[A-Za-z]")


# ── form ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_report_conforms_before_and_after_sealing(printed: Printed) -> None:
    assert faults(printed.unsigned) == []
    assert {f.split()[1] for f in faults(printed.sealed)} <= {"PDFA3A-SIGNATURE-BYTERANGE-001"}


def test_pages_are_numbered_and_the_last_says_that_it_is(printed: Printed) -> None:
    pages = [p.get_textpage().get_text_bounded() for p in pypdfium2.PdfDocument(printed.sealed)]
    for number, page in enumerate(pages, start=1):
        assert f"第 {number} 页，共 {len(pages)} 页" in page and f"Page {number}/{len(pages)}" in page
        assert printed.number in page
    marked = [n for n, page in enumerate(pages, start=1) if "报告完" in page and "END OF REPORT" in page]
    assert marked == [len(pages)]


def test_the_first_page_is_the_whole_answer(printed: Printed) -> None:
    first = pypdfium2.PdfDocument(printed.sealed)[0].get_textpage().get_text_bounded()
    for item in printed.annex["results"]:
        assert item["item"] in first
    for words in (*wording.VERDICTS.values(), Words("本报告不说明什么", "What this report does not say")):
        assert words.zh in first and words.en in first
    assert printed.check_code in first


def test_nothing_in_it_acts(printed: Printed) -> None:
    """No link, no script, no action: the only annotations are the fields of the signatures."""
    with pikepdf.open(io.BytesIO(printed.sealed)) as pdf:
        annotations = [a for p in pdf.pages for a in p.get("/Annots", [])]
        assert {str(a.Subtype) for a in annotations} == {"/Widget"}
        assert not {"/OpenAction", "/AA"} & set(pdf.Root)
        for thing in pdf.objects:
            if isinstance(thing, pikepdf.Dictionary):
                assert not {"/JS", "/URI", "/Launch"} & set(thing.keys())
        assert list(pdf.attachments) == ["result.json"]


# ── both languages ────────────────────────────────────────────────────────────────────────────────────────────────────


SAID = re.compile(r'say\(\s*"([^"]*)",\s*"([^"]*)"')
TEMPLATES = sorted((rendering.TEMPLATES / "report").glob("*.typ"))


def alone(source: str) -> list[str]:
    """Chinese in a template outside `say("中文", "English")`, comments and the two marks that are explained beside their English."""
    code = re.sub(r"^\s*//.*$", "", source, flags=re.M)
    pairs = SAID.findall(code)
    left = [zh for zh, en in pairs if HAN.search(zh) and not (LATIN.search(en) and not HAN.search(en))]
    rest = SAID.sub("", code).replace('"人"', "")
    return left + [line.strip() for line in rest.splitlines() if HAN.search(line) and "language ==" not in line]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda p: p.name)
def test_every_chinese_sentence_of_a_template_has_its_english(template: Path) -> None:
    assert alone(template.read_text(encoding="utf-8")) == []


def test_the_reader_of_templates_finds_a_sentence_that_is_alone() -> None:
    assert alone('par[只有中文。]') == ["par[只有中文。]"]
    assert alone('say("中文。", "也是中文")') == ["中文。"]
    assert alone('// 注释\nboth(say("中文。", "English."))') == []


def worded(value: Any) -> list[dict[str, str]]:
    """Every pair of sentences in what a page is made from."""
    if isinstance(value, dict):
        if set(value) == {"zh", "en"}:
            return [value]
        value = list(value.values())
    return [w for v in value for w in worded(v)] if isinstance(value, list | tuple) else []


def test_what_python_hands_to_the_page_is_in_both_languages(printed: Printed) -> None:
    pairs = worded(printed.data)
    assert len(pairs) > 300
    names = "".join(part["file"] for item in printed.data["shown"] for part in item["walks"])
    lone = [w for w in pairs if HAN.search(w["zh"]) and not LATIN.search(w["en"])]
    foreign = [w["en"] for w in pairs if HAN.search(re.sub(f"[{re.escape(names)}]", "", w["en"]))]
    assert lone == [] and foreign == []


def test_every_word_of_the_report_is_in_both_languages() -> None:
    pairs = [
        words
        for value in vars(wording).values()
        for words in (value.values() if isinstance(value, dict) else [value])
        if isinstance(words, Words)
    ]
    assert len(pairs) > 40
    for words in [*pairs, *(r.question for r in law.rows()), *(r.law for r in law.rows())]:
        assert HAN.search(words.zh) and LATIN.search(words.en) and not HAN.search(words.en), words


# ── words that are the court's alone ──────────────────────────────────────────────────────────────────────────────────

NEVER_SAID = re.compile(r"真实|属实|伪造|采信|\b(authentic|genuine|genuinely|forged|forgery|fake|faked|admitted)\b", re.I)


def test_the_printed_report_never_uses_the_courts_words(printed: Printed) -> None:
    """Over the text of the PDF itself, up to the law quoted in annex F: none of the parties' texts in this report has them."""
    own, title, quoted = text_of(printed.sealed).partition("F 引用的法律条文")
    assert title and NEVER_SAID.findall(own) == [] and NEVER_SAID.search(quoted)
    assert NEVER_SAID.findall("该证据真实，is Authentic") == ["", "Authentic"] or NEVER_SAID.search("该证据真实")


def test_a_partys_own_words_are_printed_as_they_are(desk: Path) -> None:
    """Verbatim, marked as not verified: the rule on words is for the machine."""
    text = text_of(made(origin="该网页内容真实，this is authentic."))
    assert "该网页内容真实" in text and "authentic" in text


def test_no_percentages_and_no_validity_of_evidence(printed: Printed) -> None:
    assert not re.search(r"\d\s*%|证据有效|valid evidence", text_of(printed.sealed))


# ── hostile texts ─────────────────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = [
    "</title><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    '=HYPERLINK("http://evil.example")',
    "ok\r\n2026-01-01 INFO verdict=CONSISTENT",
    "{{ settings.SECRET_KEY }}{% debug %}",
    "</style><link rel=attachment href=file:///etc/passwd>",
    "</td></tr></table><h1>核验一致 CONSISTENT</h1>",
    "a\u202egpj.exe\u202c",
    "Z" + "\u0336" * 60,
    "W" * 5_000,
    "<div>" * 400,
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 123",
]


def made(**exhibit_fields: object) -> bytes:
    return edition.make(ordered(**exhibit_fields), issued=datetime.now(UTC)).pdf


@pytest.mark.parametrize("text", HOSTILE, ids=lambda t: ascii(t)[:24])
def test_hostile_texts_are_inert_text(desk: Path, text: str) -> None:
    """In the name of the exhibit, the purpose, the origin and a file's name. It conforms, loads nothing, does nothing."""
    name = text[:200].replace("\r\n", " ")
    pdf = made(origin=text, purpose=text, files={f"{name[:100]}.html".replace("/", "∕"): b"<!doctype html>"})
    assert faults(pdf) == []
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert list(document.attachments) == ["result.json"]
        assert {str(a.Subtype) for p in document.pages for a in p.get("/Annots", [])} == {"/Widget"}
    seen = re.sub(r"\s", "", text_of(pdf))
    if text.startswith("<") and len(text) < 100:
        assert re.sub(r"\s", "", text) in seen  # to be read, as it was written
    assert "\u202e" not in seen and "\u0336" * 3 not in seen


def test_a_picture_character_in_a_partys_text_does_not_stop_the_report(desk: Path) -> None:
    pdf = made(purpose=f"证明{NOBODY}被告侵权")
    assert faults(pdf) == [] and f"〔U+{ord(NOBODY):04X}〕" in text_of(pdf)


def test_a_name_that_no_font_has_is_refused_with_its_character(desk: Path) -> None:
    """A name on the court's file is printed as it is, or not at all."""
    report = ordered()
    report.created_by.full_name = f"王{NOBODY}"
    with pytest.raises(ReportFault, match="U\\+12000 CUNEIFORM SIGN A.*fonts-noto-cjk"):
        edition.make(report, issued=datetime.now(UTC))


@pytest.mark.skipif(not rare_fonts(), reason="fonts-noto-cjk and fonts-hanazono are missing (apt-get install them)")
def test_rare_characters_of_names_are_printed(desk: Path) -> None:
    report = ordered()
    report.created_by.full_name = f"王{RARE}"
    pdf = edition.make(report, issued=datetime.now(UTC)).pdf
    assert faults(pdf) == [] and f"王{RARE}" in text_of(pdf)


def test_fifty_exhibits_fit_in_one_report(desk: Path) -> None:
    """As many as one order may name: the renderer's limits hold, and the validator's."""
    case = courtroom.case(500)
    clerk, party = courtroom.person("clerk-50"), courtroom.person("party-50")
    courtroom.join(clerk, case, "clerk")
    courtroom.join(party, case, "litigant", "plaintiff")
    verdicts = [courtroom.run(courtroom.hand_in(case, party), courtroom.without_proof()).verdict for _ in range(50)]
    with transaction.atomic():
        report = issuing.order(case, verdicts, by=clerk)
    pdf = edition.make(report, issued=datetime.now(UTC)).pdf
    assert "原告证据50" in text_of(pdf)


# ── the same bytes from the same record ───────────────────────────────────────────────────────────────────────────────


def test_the_record_makes_the_same_bytes_again(desk: Path) -> None:
    report = ordered()
    at = datetime.now(UTC)
    first = edition.make(report, issued=at)
    rendering._renderer(Path(edition.settings.PORTAL_FONT_DIR), rendering.TEMPLATES).close()
    again = edition.make(type(report).objects.get(pk=report.pk), issued=at)
    assert first.pdf == again.pdf and first.annex_sha256 == again.annex_sha256
    assert edition.make(report, issued=datetime.now(UTC)).pdf != first.pdf


@pytest.mark.django_db(transaction=True)
def test_the_record_makes_the_same_bytes_under_any_hash_seed(desk: Path, settings: Any) -> None:
    """Text, annex and page in processes of their own, with other orders of sets and dictionaries."""
    import os
    import subprocess
    import sys

    report = ordered()
    base = settings.DATABASES["default"]
    url = f"postgresql://{base['USER']}:{base['PASSWORD']}@{base['HOST'] if not str(base['HOST']).startswith('/') else ''}:{base['PORT']}/{base['NAME']}"
    if str(base["HOST"]).startswith("/"):
        url = f"postgresql://{base['USER']}@:{base['PORT']}/{base['NAME']}?host={base['HOST']}"
    code = (
        "import django, hashlib, datetime; django.setup()\n"
        "from evidence.reports import edition; from evidence.reports.models import Report\n"
        f"made = edition.make(Report.objects.get(pk={report.pk}), issued=datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC))\n"
        "print(hashlib.sha256(made.pdf).hexdigest(), made.annex_sha256)"
    )
    said = set()
    for seed in ("0", "1", "777"):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PORTAL_")} | {
            "PYTHONHASHSEED": seed,
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "PORTAL_DEMO": "1",
            "PORTAL_DATABASE_URL": url.replace("@:/", "@/"),
            "PORTAL_DATA_DIR": str(settings.PORTAL_DATA_DIR),
            "PORTAL_PUBLIC_URL": "https://court.example",
        }
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=Path(__file__).parents[3]
        )
        assert done.returncode == 0, done.stderr[-2000:]
        said.add(done.stdout)
    assert len(said) == 1


# ── the law table ─────────────────────────────────────────────────────────────────────────────────────────────────────


def status(verdict: Any) -> dict[str, str]:
    return {a.row.id: a.status for a in law.answers(verdict.as_dict())}


def test_what_the_checks_answer_to_the_law() -> None:
    """Art. 16 of the Online Litigation Rules, 11(5) and (6) of the Internet Courts Provisions, 93(4) of the Evidence Rules."""
    ids = ("CN-R16a", "CN-R16b", "CN-I11-5", "CN-I11-6", "CN-E93-4")
    consistent, inconsistent = status(courtroom.consistent()), status(courtroom.inconsistent())
    assert [consistent[i] for i in ids] == [law.SUPPORTED] * 5
    # Another file than the recorded one: the ledger is sound, but it does not hold this file.
    assert inconsistent["CN-R16a"] != law.SUPPORTED
    assert [inconsistent[i] for i in ids[1:]] == [law.CONTRADICTED] * 4
    assert [status(courtroom.indeterminate())[i] for i in ids] == [law.NEEDS_HUMAN] * 5
    assert [status(courtroom.without_proof())[i] for i in ids] == [law.NEEDS_HUMAN] * 5


@pytest.mark.parametrize("verdict", [courtroom.consistent, courtroom.inconsistent, courtroom.indeterminate, courtroom.without_proof])
def test_no_check_answers_for_a_person(verdict: Any) -> None:
    for answer in law.answers(verdict().as_dict()):
        if answer.row.settled_by == "person":
            assert answer.status in (law.NEEDS_HUMAN, law.CONTRADICTED)
        assert answer.by == (answer.row.who if answer.status == law.NEEDS_HUMAN else ("system",))


def test_every_row_is_asked_once_and_names_who_answers() -> None:
    assert len({r.id for r in law.rows()}) == len(law.rows()) == 33
    assert all(r.who and r.settled_by in ("ledger", "ledger_verdict", "verdict", "integrity", "person") for r in law.rows())
    assert all(("system" in r.who) == (r.settled_by != "person") for r in law.rows())


DOMAIN = (
    *(f"CN-R16{x}" for x in "abc"), *(f"CN-R17-{n}" for n in range(1, 5)), "CN-R18a", "CN-R18b", "CN-R19",
    *(f"CN-I11-{n}" for n in range(1, 7)), *(f"CN-E93-{n}" for n in range(1, 8)), *(f"CN-E94-{n}" for n in range(1, 6)),
)  # fmt: skip
"""The rows of court-domain §3.2 that section 7 must hold (§11.1 no. 7)."""


def test_no_question_of_the_domain_is_left_out() -> None:
    ids = [r.id for r in law.rows()]
    assert {d for d in DOMAIN if not any(i == d or i.startswith(f"{d}-") for i in ids)} == set()
    assert [i for i in ids if i.startswith("CN-R18")] == [f"CN-R18{x}-{n}" for x in "ab" for n in (1, 2, 3)], "six heads"


def test_each_row_says_what_it_cannot_say_and_names_checks_that_exist() -> None:
    for row in law.rows():
        assert row.cannot.zh and row.cannot.en, row.id
        assert {*row.checks, *row.shows} <= catalogue.keys("checks"), row.id
        assert not set(row.checks) & set(row.shows), row.id


@pytest.mark.parametrize("verdict", [courtroom.consistent, courtroom.inconsistent, courtroom.indeterminate, courtroom.without_proof])
def test_what_the_machine_found_is_what_the_verdict_holds(verdict: Any) -> None:
    """To see it fail: show the best outcome of a check that was answered for several files."""
    document = verdict().as_dict()
    worst = {"FAILED": 2, "INDETERMINATE": 1, "PASSED": 0}
    for answer in law.answers(document):
        for found in answer.found:
            if found.check:
                outcomes = [f["outcome"] for f in document["findings"] if f["check"] == found.check]
                assert found.outcome == max(outcomes, key=worst.__getitem__)
        ids = {f.check for f in answer.found if f.check}
        assert ids == {c for c in (*answer.row.checks, *answer.row.shows) if any(f["check"] == c for f in document["findings"])}
        assert sorted(i for _, checks in answer.machine for i in checks) == sorted(ids)
        assert answer.machine and all(said.zh and said.en for said, _ in answer.machine)


def test_the_six_heads_say_whether_something_was_stated_and_no_more() -> None:
    answers = law.answers(courtroom.consistent().as_dict(), stated={"source", "witness"})
    found = {a.row.id: a.found[0].words for a in answers if a.row.id.startswith("CN-R18")}
    said = {i for i, words in found.items() if words == law.STATED}
    assert said == {"CN-R18a-1", "CN-R18b-2"}
    assert all(found[f"CN-R18{x}-{n}"] in (law.STATED, law.NOT_STATED) for x in "ab" for n in (1, 2, 3))


def test_special_knowledge_is_left_to_the_judge_with_the_open_reasons() -> None:
    row = {a.row.id: a for a in law.answers(courtroom.indeterminate().as_dict())}["CN-R19"]
    assert row.status == law.NEEDS_HUMAN and row.by == ("judge",)
    assert [f.words for f in row.found] == [wording.words(catalogue.meaning, Reason(r)) for r in courtroom.indeterminate().as_dict()["reasons"]]
    assert {a.row.id: a for a in law.answers(courtroom.consistent().as_dict())}["CN-R19"].found[0].words == law.DECIDED


def test_no_bell_rings_in_these_tests() -> None:
    assert bell.ring(1) is None
