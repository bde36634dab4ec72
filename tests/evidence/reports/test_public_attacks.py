"""The public check against somebody who wants to learn what is none of their business, to keep others from asking, or to pass off a file."""

import hashlib
import io
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from cryptography import x509
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from evidence.reports import dropped, issuing, public, public_file
from evidence.reports.dropped import Kind
from portal.ledger import sequencer
from tests import courtroom
from tests.evidence.verification import authority, pdf_exhibits
from tests.evidence.verification.pdf_exhibits import Plan

from .test_dropped import issued
from .test_dropped import look as look  # a fixture
from .test_public_file import CHECK, FILE, show, words
from .test_public_file import door as door  # a fixture

pytestmark = pytest.mark.django_db


STATES = ("有效", "已被取代", "已撤销")


# ── by number and code ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["\0", "HY2026-000001\0", "HY2026-000001%", "_", "' OR 1=1 --", "１２３", "\ufffe", "🂡" * 100, "x" * 100_000, "<script>"])
def test_no_text_breaks_the_question(client: Client, text: str) -> None:
    for asked in ({"number": text, "code": "A" * 10}, {"number": "HY2026-000001", "code": text}, {"sha256": text}, {"number": [text, text]}):
        answer = client.get(CHECK, asked)
        if "\0" in text:
            assert answer.status_code == 400
        else:
            # What no number, code or digest looks like is sent back as such, whatever is on file; anything else is not found.
            said = words(answer)
            assert answer.status_code in (200, 422) and ("没有查到" in said) == (answer.status_code == 200)
            assert "<script>" not in said and not any(state in said for state in STATES)


@pytest.fixture
def register() -> dict[str, str]:
    """A report in each state, one of a sealed case: number by state."""
    case, clerk = courtroom.case(1), courtroom.person("clerk")
    verdict = courtroom.run(courtroom.hand_in(case, clerk, "plaintiff"), courtroom.consistent()).verdict
    states = ("preparing", "draft", "checked", "sealing", "failed", "discarded", "signed", "released", "superseded", "revoked")
    for n, state in enumerate(states, start=1):
        courtroom.report(case, clerk, verdict, state=state, number=f"HY2026-{n + 100:06d}")
    type(case).objects.filter(pk=case.pk).update(sealed=True)
    return {state: f"HY2026-{n + 100:06d}" for n, state in enumerate(states, start=1)}


def asked(client: Client, number: str, code: str, **headers: str) -> tuple[int, str, list[tuple[str, str]], int]:
    """Everything the asker can see, but for what was typed in; and the number of questions to the database."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(CHECK, {"number": number, "code": code}, **headers)
    return answer.status_code, words(answer).replace(number, "N").replace(code, "C"), sorted(answer.headers.items()), len(queries)


def test_an_unknown_number_and_a_wrong_code_look_alike_whatever_the_state(client: Client, register: dict[str, str]) -> None:
    """Sealed case, draft, released, revoked or no report at all: the same page, the same headers, the same number of questions."""
    client.get(CHECK)
    wrong = "A" * issuing.CHECK_CODE_LENGTH
    unknown = _plain(asked(client, "HY2026-999999", wrong))
    for state, number in register.items():
        assert (state, *_plain(asked(client, number, wrong))) == (state, *unknown)


def _plain(seen: tuple[int, str, list[tuple[str, str]], int]) -> tuple[object, ...]:
    """Tokens of forms and nonces differ on every page."""
    status, page, headers, queries = seen
    return status, re.sub(r'(csrfmiddlewaretoken" value=|nonce-|nonce=)"?[\w+/=-]+', "", page), [h for h in headers if h[0] != "Set-Cookie"], queries


def test_no_more_is_read_for_a_number_that_is_there(client: Client, register: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A row with everything about the report takes a tenth of a millisecond longer than none: enough to list the numbers of a court."""
    from evidence.reports.models import Report

    def loaded(*_: object) -> None:
        raise AssertionError("the report was loaded")

    monkeypatch.setattr(Report, "from_db", loaded)
    for number in (*register.values(), "HY2026-999999"):
        assert "没有查到" in words(client.get(CHECK, {"number": number, "code": "A" * 10}))


def test_number_and_code_tell_the_state_and_nothing_else(client: Client, register: dict[str, str]) -> None:
    from evidence.reports.models import Report

    says = {"signed": "有效", "released": "有效", "superseded": "已被取代", "revoked": "已撤销"}
    for state, number in register.items():
        report = Report.objects.get(number=number)
        answer = words(client.get(CHECK, {"number": number, "code": report.check_code.lower()}))
        assert says.get(state, "没有查到") in answer, state
        for secret in (str(report.public_id), str(report.case.public_id), report.case.number, report.signed_sha256 or "-" * 64, report.created_by.username):
            assert secret not in answer, (state, secret)


def test_a_code_is_whole_and_not_guessed(client: Client, register: dict[str, str]) -> None:
    from evidence.reports.models import Report

    report = Report.objects.get(number=register["released"])
    for code in (report.check_code[:-1], report.check_code + "A", report.check_code[::-1] + "x", "%", "_" * 10, ""):
        said = words(client.get(CHECK, {"number": report.number, "code": code}))
        assert not any(state in said for state in STATES) and ("没有查到" in said or not code), code
    assert len(set(issuing.CHECK_CODE_ALPHABET)) ** issuing.CHECK_CODE_LENGTH > 2**49


def test_the_rate_is_counted_alike_for_what_is_there_and_what_is_not(client: Client, register: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "QUESTIONS_MAX", 6)
    for n, number in enumerate((register["released"], "HY2026-999999", register["draft"])):
        address = {"REMOTE_ADDR": f"10.0.0.{n + 1}"}
        assert [asked(client, number, "A" * 10, **address)[0] for _ in range(8)] == [200] * 6 + [429] * 2


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED", "HTTP_CLIENT_IP", "HTTP_X_CLIENT_IP", "HTTP_CF_CONNECTING_IP"])
def test_an_address_that_the_asker_writes_counts_for_nothing(client: Client, monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    monkeypatch.setattr(public, "QUESTIONS_MAX", 3)
    codes = [asked(client, "HY2026-000001", "A" * 10, **{header: f"10.1.1.{n}"})[0] for n in range(6)]
    assert codes == [200] * 3 + [429] * 3


def test_behind_the_proxy_only_what_the_proxy_wrote_counts(client: Client, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    monkeypatch.setattr(public, "QUESTIONS_MAX", 3)
    codes = [asked(client, "HY2026-000001", "A" * 10, HTTP_X_FORWARDED_FOR=f"10.1.1.{n}, 192.0.2.7")[0] for n in range(6)]
    assert codes == [200] * 3 + [429] * 3
    assert asked(client, "HY2026-000001", "A" * 10, HTTP_X_FORWARDED_FOR="10.1.1.1, 192.0.2.8")[0] == 200


def test_no_answer_is_kept_by_anybody_and_no_code_goes_on(client: Client, register: dict[str, str]) -> None:
    for answer in (client.get(CHECK, {"number": register["released"], "code": "A" * 10}), client.get(CHECK, {"sha256": "0" * 64}), show(client, b"GIF89a")):
        assert "no-store" in answer.headers["Cache-Control"] and answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer")
        assert "http://" not in words(answer).replace("http://www.w3.org", "") and "https://" not in words(answer)


# ── by a file: keeping others from asking ─────────────────────────────────────────────────────────────────────────────


def test_whoever_keeps_the_engine_busy_keeps_nobody_from_asking_about_a_report(door: Client, sealed: bytes) -> None:
    """One address may send ten files of a minute each: without end, for all of the ten minutes. To see it fail: lock around all of `look`."""
    issued(sealed)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [public_file.ONE_AT_A_TIME])
        assert "有效" in words(show(door, sealed))
        assert "签发之后被添加过内容" in words(show(door, sealed + b"x"))
        assert show(door, b"%PDF-1.7 unknown").status_code == 503
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [public_file.ONE_AT_A_TIME])
    finally:
        other.close()


def test_two_hundred_megabytes_are_not_kept(door: Client, settings: Any, tmp_path: Any) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    answer = show(door, b"%PDF-" + bytes(200 << 20))
    assert answer.status_code == 422 and "文件太大" in words(answer) and not [p for p in tmp_path.iterdir() if p.is_file()]


@pytest.mark.parametrize(
    "data",
    [
        {f"f{n}": SimpleUploadedFile("r.pdf", b"x") for n in range(51)},
        {f"f{n}": "x" for n in range(501)},
        {"report": "x" * (7 << 20)},
        {"report": [SimpleUploadedFile("a.pdf", b"GIF89a"), SimpleUploadedFile("b.pdf", b"GIF89a")]},
        {"report": SimpleUploadedFile("../../etc/passwd\0", b"GIF89a")},
    ],
)
def test_forms_that_nobody_was_given(door: Client, data: dict[str, Any]) -> None:
    assert door.post(FILE, data).status_code in (200, 400, 413, 422)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data; name=report; filename=a\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b"x", "multipart/form-data"),
        (b"{}", "application/json"),
        (b"report=x", "application/x-www-form-urlencoded"),
    ],
)
def test_bodies_that_are_no_form(door: Client, body: bytes, kind: str) -> None:
    assert door.generic("POST", FILE, body, content_type=kind).status_code in (400, 403, 422)


def test_a_bomb_in_a_stream_ends_in_the_jail(look: Any, unsigned: bytes) -> None:
    """A gigabyte of nothing in the page's own stream, twice deflated."""
    inner = zlib.compressobj(1)
    once = b"".join(inner.compress(bytes(1 << 24)) for _ in range(64)) + inner.flush()
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(unsigned)) as pdf:
        pdf.pages[0].Contents = pdf.make_stream(b"")
        pdf.pages[0].Contents.write(zlib.compress(once, 9), filter=pikepdf.Array([pikepdf.Name.FlateDecode, pikepdf.Name.FlateDecode]))
        pdf.save(out)
    assert look(out.getvalue()).kind in (Kind.NOT_OURS, Kind.UNREADABLE)


# ── by a file: passing one off ────────────────────────────────────────────────────────────────────────────────────────


def _ends(pdf: bytes) -> list[int]:
    return [m.end() for m in re.finditer(rb"%%EOF\r?\n?", pdf)]


def _attached(pdf: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as outer:
        outer.add_blank_page()
        outer.attachments["HY2026-000001.pdf"] = pikepdf.AttachedFileSpec(outer, pdf)
        outer.save(out)
    return out.getvalue()


def _saved_again(pdf: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        opened.save(out)
    return out.getvalue()


NOT_THE_COURTS: dict[str, Callable[[bytes], bytes]] = {
    "cut in the middle": lambda pdf: pdf[: len(pdf) // 2],
    "cut by one byte": lambda pdf: pdf[:-1],
    "cut before its last revision": lambda pdf: pdf[: _ends(pdf)[-2]],
    "cut behind its unsigned part": lambda pdf: pdf[: _ends(pdf)[0]],
    "something before it": lambda pdf: b"%hello\n" + pdf,
    "embedded in another file": _attached,
    "saved again by a program": _saved_again,
    "another header": lambda pdf: pdf.replace(b"%PDF-1.7", b"%PDF-1.6", 1),
}


@pytest.mark.parametrize("name", NOT_THE_COURTS)
def test_what_is_not_the_court_s_file_is_never_called_in_force(door: Client, look: Any, three: bytes, name: str) -> None:
    issued(three)
    data = NOT_THE_COURTS[name](three)
    assert data != three
    found = look(data)
    assert found.kind in (Kind.BROKEN, Kind.NOT_OURS, Kind.UNREADABLE, Kind.SEALED_UNKNOWN) and found.revision is None, found.kind
    if found.kind is Kind.SEALED_UNKNOWN:
        assert name.startswith("cut"), "an earlier revision is under the court's seal, and was never issued"
    outcomes = [outcome for _field, _check, outcome in found.checks]
    assert outcomes == sorted(outcomes, key=["FAILED", "INDETERMINATE", "PASSED"].index), "what is wrong is read first"
    answer = words(show(door, data))
    said = re.sub("[^<>]*？", "", answer)  # the engine's checks are questions: "is it still valid?" is no answer
    assert "有效" not in said.replace("证书有效期", "") and "HY2026-000001" not in said


ALIASES = {
    "too long to be shown whole": (b"S" * 70 + b"1", b"S" * 70 + b"2"),
    "the mark behind the name of the file": (b"x \xb7 Seal", b"Seal"),
    "one name": (b"Seal", b"Seal"),
    "a number as the engine gives it": (b"Seal [2]", b"Seal"),
}


@pytest.mark.parametrize("names", ALIASES.values(), ids=ALIASES)
def test_two_fields_do_not_answer_for_each_other(look: Any, keys: Path, names: tuple[bytes, bytes]) -> None:
    """One bears the court's certificate, which is public, in a message that nobody can check; the other is intact, and anybody's. Neither
    is an unbroken seal of the court, and both together are not."""
    seal = x509.load_pem_x509_certificate((keys / "seals" / "seal.pem").read_bytes())
    named = authority.Holder(pdf_exhibits.SEAL.key, seal)
    sha256, unknown = bytes.fromhex("0609608648016503040201"), bytes.fromhex("060960864801650304027f")

    def unreadable(covered: bytes) -> bytes:
        return pdf_exhibits.cms(covered, Plan(signer=named, embed=(named.der,), stamped=None)).replace(sha256, unknown)

    for order in (names, names[::-1]):
        first = pdf_exhibits.sign(pdf_exhibits.document(), Plan(name=order[0], value=unreadable))
        found = look(pdf_exhibits.sign(first, Plan(name=order[1], stamped=None)).data)
        assert found.kind is Kind.BROKEN, found.checks


def test_twice_one_behind_the_other_is_said_to_be_added_to(look: Any, three: bytes) -> None:
    revision = issued(three)
    found = look(three + three)
    assert (found.kind, found.revision, found.added) == (Kind.EXTENDED, revision, len(three))


def test_a_draft_and_the_final_pages_without_signatures_are_no_report(look: Any, unsigned: bytes, three: bytes) -> None:
    issued(three)
    for data in (unsigned, unsigned + b"\n%%EOF\n"):
        assert look(data).kind is Kind.NOT_OURS


# ── the ledger ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_report_that_the_ledger_does_not_know_is_said_to_be_unknown_to_it(door: Client, sealed: bytes) -> None:
    """Rows written with the portal's database password: the register alone says in force, and the page says what is missing."""
    courtroom.report(courtroom.case(7), courtroom.person("clerk"), state="signed", number="HY2026-000001", signed=sealed)
    answer = words(show(door, sealed))
    assert "账本中没有找到签发这个文件的记载" in answer


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["leaf", "root"])
def test_a_ledger_that_was_written_into_is_not_waited_for(door: Client, sealed: bytes, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To see it fail: say "the next head" of every proof that does not lead there."""
    revision = issued(sealed)
    sequencer.sequence()
    sequencer.sign_head()
    if change == "leaf":
        # The readable row says these bytes; the leaf it stands beside says others.
        monkeypatch.setattr(dropped.entries, "leaf_of", lambda detail: b"another leaf")
    else:
        monkeypatch.setattr(dropped.checkpoints, "inclusion_proof", lambda index, size: [hashlib.sha256(b"x").digest()])
    found = dropped.recorded(revision.sha256)
    assert found is not None and found.refuted and found.size is None
    answer = words(show(door, sealed))
    assert "不符" in answer and "还没有完成" not in answer
