"""Saved pages made to be read differently by two programs, or to say more than they may: MHTML, SingleFile, HAR."""

import base64
import io
import json
import time
import zipfile
from typing import Any

import pytest

from evidence.verification import Source, printout
from evidence.verification.codecs import mime
from evidence.verification.reasons import Reason
from evidence.verification.snapshots import capture_log, har, mhtml, references, singlefile
from evidence.verification.verdict import Outcome, Overall
from tests.evidence.verification import test_har, test_mhtml, test_singlefile
from tests.evidence.verification.snapshot_exhibits import answer, finding, notes, verified
from tests.evidence.verification.test_mhtml import MARK, PAGE, PARTS, PIXEL, header, message, part, saved

PASSED, FAILED, OPEN = Outcome.PASSED, Outcome.FAILED, Outcome.INDETERMINATE
FORM = (FAILED, Reason.FORMAT_FAILURE)


def defects(data: bytes) -> list[str]:
    verdict = saved(data)
    assert verdict.overall is Overall.INDETERMINATE
    return [n.removeprefix("DEFECT:") for n in notes(verdict, "MHT.FORM") if n.startswith("DEFECT:")]


# ── MHTML ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "more",
    [
        "Date: Mon, 23 Nov 2026 07:35:57 GMT",
        "Snapshot-Content-Location: https://other.example/",
        "Subject: a\r\nSubject: b",
    ],
)
def test_a_field_of_the_message_that_stands_twice(more: str) -> None:
    assert defects(message(*PARTS, head=header(more=more))) == ["RepeatedHeader"]


def test_a_part_with_two_addresses() -> None:
    twice = part("text/html", PAGE, "Content-Location: https://a.example/", "content-location: https://b.example/")
    assert defects(message(twice, *PARTS[1:])) == ["RepeatedHeader"]


@pytest.mark.parametrize(
    "boundary",
    [
        f'\tboundary="other"; boundary="{MARK}"',
        f"\tboundary*=utf-8''{MARK}; boundary=\"{MARK}\"",
        f'\tboundary*0="{MARK[:9]}"; boundary*1="{MARK[9:]}"; boundary="{MARK}"',
        f'\tx="a\\"; boundary=\\"other"; boundary="{MARK}"',
        f'\tboundary="{MARK}" (comment; boundary=other)',
        f'\tboundary="{MARK}"; boundary',
    ],
)
def test_a_boundary_that_two_readers_take_differently(boundary: str) -> None:
    assert "AmbiguousParameter" in defects(message(*PARTS, head=header(boundary)))


def test_a_character_set_that_stands_twice() -> None:
    odd = part("text/html; charset=utf-8; charset=gbk", PAGE)
    assert "AmbiguousParameter" in defects(message(odd, *PARTS[1:]))


def test_a_folded_content_type_is_still_a_saved_page() -> None:
    data = message(*PARTS).replace(b"Content-Type: multipart/related;", b"Content-Type:\r\n multipart/related;")
    verdict = saved(data)
    assert verdict.sources[0].format == "mhtml" and answer(verdict, "MHT.FORM") == (PASSED, None)


def test_two_parts_under_one_content_id() -> None:
    other = part("text/css", b"body{display:none}", "Content-ID: <css@x>")
    assert defects(message(*PARTS, other)) == ["RepeatedContentID"]
    assert defects(message(*PARTS, PARTS[2])) == [], "the same part twice is one content"


def test_two_parts_under_one_address_are_named() -> None:
    """Frames of one address are often different in a page of the world: to be seen, no defect."""
    frame = part("text/html", b"<p>another page</p>", "Content-Location: https://example.com/a/index.html")
    verdict = saved(message(*PARTS, frame))
    assert "SAME_ADDRESS:https://example.com/a/index.html" in notes(verdict, "MHT.FORM")
    assert answer(verdict, "MHT.FORM") == (PASSED, None)


def test_bytes_before_the_first_part_are_counted() -> None:
    data = message(*PARTS).replace(b"\r\n\r\n\r\n--", b"\r\n\r\nhidden words\r\n--", 1)
    assert "BEFORE_THE_PARTS:12" in notes(saved(data), "MHT.FORM")
    assert not [n for n in notes(saved(message(*PARTS)), "MHT.FORM") if n.startswith("BEFORE")]


def test_a_start_that_is_not_the_first_page() -> None:
    named = header(f'\tboundary="{MARK}"; start="<css@x>"')
    assert "START_ELSEWHERE" in notes(saved(message(*PARTS, head=named)), "MHT.FORM")
    page = part("text/html", PAGE, "Content-ID: <page@x>")
    right = header(f'\tboundary="{MARK}"; start="<page@x>"')
    assert "START_ELSEWHERE" not in notes(saved(message(page, *PARTS[1:], head=right)), "MHT.FORM")


@pytest.mark.parametrize("raw", [b"a=\r b\n", b"=  \r\nx", b"=4", b"=G1", b"x=\rhidden until the line ends\r\nshown"])
def test_quoted_printable_that_two_readers_take_differently(raw: bytes) -> None:
    odd = b"Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + raw + b"."
    assert "InvalidQuotedPrintable" in defects(message(odd, *PARTS[1:]))


@pytest.mark.parametrize("raw", [b"QQ=", b"Q Q==!", b"QR==", b"QQ==QQ==", b"-_-_", "ＱＱ==".encode(), b"===="])
def test_base64_that_is_not_canonical(raw: bytes) -> None:
    odd = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + raw
    data = message(PARTS[0], odd)
    assert defects(data) == ["InvalidBase64"]
    said = [n for n in notes(saved(data), "MHT.FORM") if n.startswith("PART:image/png")]
    assert said == ["PART:image/png – InvalidBase64"], "no digest is stated of what could not be decoded"


def test_messages_a_hundred_deep_are_not_opened() -> None:
    inner = b"Content-Type: text/html\r\n\r\n<img src=x>"
    for n in range(100):
        inner = b"Content-Type: multipart/related; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) + inner + b"\r\n--b%d--" % n
    verdict = saved(message(inner))
    assert "NESTED_MESSAGE:1" in notes(verdict, "MHT.FORM")
    assert answer(verdict, "MHT.RESOURCES") == (OPEN, Reason.SIGNED_DATA_NOT_FOUND)


def test_a_part_that_holds_the_boundary_is_two_parts() -> None:
    """As every reader sees it; the digests of both parts stand in the finding."""
    held = b"Content-Type: text/plain\r\n\r\nbefore\r\n--" + MARK.encode() + b"\r\nContent-Type: text/html\r\n\r\nforged"
    verdict = saved(message(PARTS[0], held))
    assert "PARTS:3" in notes(verdict, "MHT.FORM")


@pytest.mark.parametrize(
    "field", ["=?utf-8?B?" + base64.b64encode(b"x\r\nDate: Mon, 23 Nov 2026 00:00:00 GMT").decode() + "?=", "=?utf-8?q?=00?=", "=?x?x?x?="]
)
def test_encoded_words_add_no_field(field: str) -> None:
    verdict = saved(message(*PARTS, head=header(more=f"Subject: {field}")))
    assert len(verdict.stated) == 1 and answer(verdict, "MHT.FORM") == (PASSED, None)


@pytest.mark.parametrize("line", ["X y: z", "Date : Mon", ": x", "Däte: x", "nothing", "A:b\rDate: c"])
def test_a_line_that_is_no_field(line: str) -> None:
    assert defects(message(*PARTS, head=header(more=line))) == ["MissingHeaderBodySeparator"]


def test_the_bounds_of_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value, data in (
        ("MESSAGE_MAX", 100, message(*PARTS)),
        ("HEADER_MAX", 100, message(*PARTS, head=header(more="X: " + "x" * 300))),
        ("FIELDS_MAX", 3, message(*PARTS)),
        ("PARTS_MAX", 1, message(*PARTS)),
    ):
        monkeypatch.setattr(mime, name, value)
        found = finding(saved(data), "MHT.FORM")
        assert (found.outcome, found.reason, found.actual) == (OPEN, Reason.RESOURCE_LIMIT, name)
        monkeypatch.undo()
    # RFC 2046 §5.1.1.
    assert defects(message(*PARTS, head=header('\tboundary="' + "x" * 71 + '"'))) == ["NoBoundaryInMultipart"]


@pytest.mark.parametrize("name", ["TOKENS_MAX", "REFERENCES_MAX", "FRAMES_MAX"])
def test_the_bounds_of_a_page(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    page = b"<img src=a><img src=b><iframe srcdoc='<iframe srcdoc=x></iframe>'></iframe>"
    monkeypatch.setattr(references, name, 1)
    found = finding(saved(message(part("text/html", page))), "MHT.RESOURCES")
    assert (found.outcome, found.reason, found.actual) == (OPEN, Reason.RESOURCE_LIMIT, name)


def test_what_is_needed_is_found_where_a_browser_finds_it() -> None:
    needed = test_mhtml.needed
    assert needed("<!-- a --!><img src=x.png>-->") == ["x.png"], "--!> ends a comment too"
    assert needed("<meta http-equiv=Refresh content='0; url=https://other.example/'>") == ["https://other.example/"]
    assert needed("<meta http-equiv=refresh content=5><meta name=description content='0;url=x'>") == []
    assert needed("<meta http-equiv=refresh content=\"0;URL='x.html'\">") == ["x.html"]


# ── SingleFile ────────────────────────────────────────────────────────────────────────────────────────────────────────

FORGED = test_singlefile.COMMENT.replace("https://example.com/", "https://original.example/").replace("2026", "2019")


def test_a_comment_in_the_words_of_a_page_is_not_that_of_singlefile() -> None:
    data = f"<!doctype html><html><body><p>words</p>{FORGED}".encode()
    verdict = verified(("page.html", data))
    assert answer(verdict, "SF.COMMENT") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert verdict.stated == (), "a time that the author of a page wrote is no time of a capture"


@pytest.mark.parametrize(
    "data",
    [
        test_singlefile.page(body=FORGED),
        test_singlefile.page(test_singlefile.COMMENT + "<!-- x --!>" + FORGED),
        test_singlefile.page(FORGED + test_singlefile.COMMENT),
    ],
)
def test_two_comments_wherever_they_stand(data: bytes) -> None:
    verdict = verified(("page.html", data))
    assert answer(verdict, "SF.COMMENT") == (OPEN, Reason.FACTS_CONFLICT)
    assert finding(verdict, "SF.COMMENT").actual == "2"


@pytest.mark.parametrize(
    "comment",
    [
        f"<!-- <!-- --> {test_singlefile.COMMENT}",
        f"<!--> {test_singlefile.COMMENT[4:]}",
        f"<meta charset=utf-8>{test_singlefile.COMMENT}",
        f"<p title='{test_singlefile.COMMENT}'>",
    ],
)
def test_a_comment_out_of_its_place(comment: str) -> None:
    verdict = verified(("page.html", test_singlefile.page(comment)))
    assert answer(verdict, "SF.COMMENT")[0] is OPEN and verdict.stated == ()


@pytest.mark.parametrize("start", ["", "\ufeff", "\ufeff<!DOCTYPE html>\r\n", "<html lang='a>b' data-x=\"</html>\">", "<!doctype html SYSTEM 'x'> <HTML>"])
def test_the_place_of_the_comment(start: str) -> None:
    assert capture_log.saved_page("x", start + test_singlefile.COMMENT) is not None


def test_an_address_with_controls_is_made_legible() -> None:
    odd = test_singlefile.COMMENT.replace("https://example.com/", "https://example.com/\u202egnp.\x1b[31m\x07")
    verdict = verified(("page.html", test_singlefile.page(odd)))
    (said,) = notes(verdict, "SF.COMMENT")
    assert said.isprintable() and "\\u202e" in said
    for language in ("zh", "en"):
        assert "\x1b" not in printout.render(verdict, language) and "\u202e" not in printout.render(verdict, language)


@pytest.mark.parametrize("text", ["<!--" * 16_000, "<!-- " + " " * 65_000, "<html " + "a" * 65_000, "<html a='" * 7_000, "<!doctype " * 6_000])
def test_a_hostile_head_is_read_in_bounded_time(text: str) -> None:
    began = time.process_time()
    verified(("page.html", f"<!-- Page saved with SingleFile{text}".encode()), runs=1)
    verified(("page.html", f"<html>{text} Page saved with SingleFile".encode()), runs=1)
    assert time.process_time() - began < 5


# ── HAR ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def archived(**content: Any) -> Any:
    return verified(("page.har", test_har.archive(test_har.entry(**content))))


@pytest.mark.parametrize("size", [10**9, -1, 0, "24", None, 1.5, True, 10**70])
def test_a_size_that_is_another_is_counted_and_nothing_more(size: Any) -> None:
    verdict = archived(size=size)
    assert answer(verdict, "HAR.SIZES") == (PASSED, None)
    assert "SIZES_DIFFERENT:1" in notes(verdict, "HAR.SIZES")


def test_a_size_of_true_is_no_size() -> None:
    assert "SIZES_DIFFERENT:1" in notes(archived(size=True, text="x"), "HAR.SIZES")


@pytest.mark.parametrize("number", [b"1e9999", b"1" * 100, b"-", b"0x1", b"Infinity", b"01"])
def test_numbers_beyond_measure(number: bytes) -> None:
    data = test_har.archive(test_har.entry()).replace(b'"time": 12.5', b'"time": ' + number)
    assert answer(verified(("page.har", data)), "HAR.FORM") == FORM


@pytest.mark.parametrize("text", ["QQ", "QR==", "QQ==\n", " QQ==", "Q*Q=", "-_-_"])
def test_a_body_that_is_not_canonical_base64(text: str) -> None:
    assert answer(archived(encoding="base64", text=text), "HAR.FORM") == FORM


def test_depth_and_duplicate_names_inside_an_entry() -> None:
    deep = test_har.archive(test_har.entry()).replace(b'"time": 12.5', b'"time": ' + b"[" * 70 + b"]" * 70)
    assert answer(verified(("page.har", deep)), "HAR.FORM") == FORM
    twice = test_har.archive(test_har.entry()).replace(b'"status": 200', b'"status": 200, "status": 404')
    assert answer(verified(("page.har", twice)), "HAR.FORM") == FORM


def test_a_hundred_thousand_entries_end_at_the_bound() -> None:
    small = {"startedDateTime": "", "request": {"url": ""}, "response": {"status": 0, "content": {}}}
    data = test_har.archive(*[small] * 100_000)
    began = time.process_time()
    assert answer(verified(("page.har", data), runs=1), "HAR.FORM") == (OPEN, Reason.RESOURCE_LIMIT)
    assert time.process_time() - began < 20


def test_the_bound_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(har, "HAR_MAX", 100)
    found = finding(archived(), "HAR.FORM")
    assert (found.outcome, found.reason, found.actual) == (OPEN, Reason.RESOURCE_LIMIT, "HAR_MAX")


@pytest.mark.parametrize("name", ["Authorization", "PROXY-AUTHORIZATION", "Set-Cookie", "x-api-key"])
def test_every_kind_of_credential_is_counted(name: str) -> None:
    entry = {**test_har.entry(), "request": {"url": "https://a.example/", "headers": [{"name": name, "value": "sesame"}]}}
    verdict = verified(("page.har", test_har.archive(entry)))
    assert "CREDENTIALS:1" in notes(verdict, "HAR.FORM") and "sesame" not in verdict.to_json().decode()
    form = {**test_har.entry(), "request": {"url": "https://a.example/", "postData": {"text": "password=sesame"}}}
    assert "CREDENTIALS:1" in notes(verified(("page.har", test_har.archive(form))), "HAR.FORM")


def test_an_archive_that_calls_itself_verified_is_one_archive_more() -> None:
    data = json.loads(test_har.archive(test_har.entry()))
    data["log"] |= {"status": "VERIFIED", "txHash": "ab" * 32, "files": [{"sha256": "0" * 64}]}
    verdict = verified(("page.har", json.dumps(data).encode()))
    assert verdict.sources[0].format == "har" and verdict.overall is Overall.INDETERMINATE


# ── what only one condition stands for ────────────────────────────────────────────────────────────────────────────────


def source(data: bytes) -> Source:
    return Source.from_bytes("x", data)


def test_how_surely_a_message_is_a_saved_page() -> None:
    plain = message(*PARTS).replace(b"From: <Saved by Blink>", b"X: y").replace(b"Snapshot-", b"X-")
    assert (mhtml.sniff(source(message(*PARTS))), mhtml.sniff(source(plain))) == (85, 40)
    for other in (b"multipart/related", b"<html>multipart/related", message(*PARTS).replace(b"multipart/related", b"multipart/mixed"),
                  b"X: y\r\n\r\nContent-Type: multipart/related\r\n"):  # fmt: skip
        assert mhtml.sniff(source(other)) == 0


def test_encodings_of_parts() -> None:
    for encoding, defect in (("7bit", None), ("8bit", None), ("BINARY ", None), ("x-uuencode", mime.BAD_ENCODING)):
        data = message(f"Content-Type: text/html\r\nContent-Transfer-Encoding: {encoding}\r\n\r\nbody".encode())
        assert mime.body(data, mime.read(data).parts[0]) == (b"body", defect)


def test_forms_of_a_message() -> None:
    bare = message(*PARTS, head=header(f"\tboundary={MARK}"))
    assert len(mime.read(bare).parts) == 3 and not mime.read(bare).defects
    assert mime.read(b"Content-Type: text/plain; boundary=x\r\n\r\n--x\r\n\r\n--x--").defects == (mime.NOT_MULTIPART,)
    cut = mime.read(message(*PARTS, close=""))
    assert len(cut.parts) == 3 and cut.defects == (mime.NO_CLOSE,), "the last part is there without its end"
    assert mime.read(b"Content-Type: multipart/related; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x--").parts[0].start == 54


def test_where_the_addresses_of_a_page_begin() -> None:
    """Its `<base>`, its own Content-Location, or what the browser wrote at the head of the message."""
    wanted = part("image/png", PIXEL, "Content-Location: https://example.com/a/x.png")
    for page, fields in (
        ("<img src=x.png>", ("Content-Location: https://example.com/a/other.html",)),
        ("<img src=x.png>", ()),
        ("<base href='https://example.com/a/'><img src=x.png>", ("Content-Location: https://example.com/b/",)),
    ):
        assert answer(saved(message(part("text/html", page.encode(), *fields), wanted)), "MHT.RESOURCES") == (PASSED, None)
    other = part("text/html", b"<img src=x.png>", "Content-Location: https://example.com/b/")
    assert answer(saved(message(other, wanted)), "MHT.RESOURCES") == (OPEN, Reason.RESOURCE_MISSING)


def test_moments_west_of_greenwich() -> None:
    moment = mhtml.instant_of("Sun, 22 Nov 2026 07:35 -0330")
    assert moment is not None and moment.isoformat() == "2026-11-22T11:05:00+00:00"


def test_a_saved_page_that_is_a_zip_as_well_and_one_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("x.txt", b"x")
    assert "ALSO_A_ZIP" in notes(verified(("page.html", test_singlefile.page() + out.getvalue())), "SF.COMMENT")
    monkeypatch.setattr(singlefile, "PAGE_MAX", 100)
    found = finding(verified(("page.html", test_singlefile.page())), "SF.SELF_CONTAINED")
    assert (found.outcome, found.reason, found.actual) == (OPEN, Reason.RESOURCE_LIMIT, "PAGE_MAX")


def test_exchanges_without_credentials_are_not_warned_of() -> None:
    plain = {**test_har.entry(), "request": {"url": "https://a.example/", "headers": [{"name": "Accept", "value": "x"}, {"name": 5}, 7]}}
    assert not [n for n in notes(verified(("page.har", test_har.archive(plain))), "HAR.FORM") if n.startswith("CREDENTIALS")]
    cookies = {**plain, "request": {**plain["request"], "cookies": [{"name": "a", "value": "b"}]}}
    assert "CREDENTIALS:1" in notes(verified(("page.har", test_har.archive(cookies))), "HAR.FORM")
    known = test_har.archive({**plain, "startedDateTime": "no time"}, plain)
    assert len(verified(("page.har", known)).stated) == 1, "a time without a zone does not take the place of one with it"


def test_pictures_beside_the_page_change_nothing() -> None:
    verdict = verified(("page.mhtml", message(*PARTS)), ("shot.png", PIXEL))
    assert verdict.overall is Overall.INDETERMINATE
