"""Pages saved as MHTML, built line by line; what the standard library says of the same message stands beside."""

import base64
import email
import email.policy
import hashlib
import io
import quopri
import random
import time
import zipfile
from datetime import UTC, datetime

import pytest

from evidence.verification import Verdict
from evidence.verification.codecs import mime
from evidence.verification.reasons import Reason
from evidence.verification.snapshots import mhtml, references
from evidence.verification.verdict import Outcome, Overall
from tests.evidence.verification.snapshot_exhibits import answer, finding, notes, verified

PASSED, FAILED, OPEN = Outcome.PASSED, Outcome.FAILED, Outcome.INDETERMINATE
OK = (PASSED, None)
MARK = "----MultipartBoundary--abc----"
PIXEL = b"\x89PNG\r\n\x1a\n pixel"
PAGE = (
    '<!doctype html><title>侵权</title><link rel="stylesheet" href="cid:css@x"><img src="/p.png?a=1&amp;b=2">'
    "<a href='https://elsewhere.example/'>link</a>"
).encode()
STYLE = b"body{color:#123}"


def part(kind: str, content: bytes, *fields: str, encoding: str = "base64") -> bytes:
    packed = base64.encodebytes(content) if encoding == "base64" else quopri.encodestring(content)
    lines = [f"Content-Type: {kind}", f"Content-Transfer-Encoding: {encoding}", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + packed.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def header(boundary: str = f'\tboundary="{MARK}"', *, date: str = "Sun, 22 Nov 2026 07:35:57 GMT", more: str = "") -> bytes:
    lines = [
        "From: <Saved by Blink>",
        "Snapshot-Content-Location: https://example.com/a/index.html",
        f"Date: {date}",
        "MIME-Version: 1.0",
        *([more] if more else []),
        "Content-Type: multipart/related;",
        '\ttype="text/html";',
        boundary,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n\r\n"


PARTS = (
    part("text/html", PAGE, "Content-Location: https://example.com/a/index.html", encoding="quoted-printable"),
    part("image/png", PIXEL, "Content-Location: https://example.com/p.png?a=1&b=2"),
    part("text/css", STYLE, "Content-ID: <css@x>"),
)


def message(*parts: bytes, head: bytes | None = None, close: str = "--") -> bytes:
    opened = b"".join(b"--" + MARK.encode() + b"\r\n" + p + b"\r\n" for p in parts)
    return (header() if head is None else head) + opened + (f"--{MARK}{close}\r\n".encode() if close else b"")


def saved(data: bytes, *, runs: int = 2) -> Verdict:
    return verified(("page.mhtml", data), runs=runs)


def test_a_whole_message_states_facts_and_binds_nothing() -> None:
    verdict = saved(message(*PARTS))
    assert verdict.sources[0].format == "mhtml"
    assert answer(verdict, "MHT.FORM") == answer(verdict, "MHT.RESOURCES") == OK
    assert answer(verdict, "MHT.BINDING") == (OPEN, Reason.NO_POE)
    assert (verdict.overall, verdict.grade.value, verdict.reasons) == (Overall.INDETERMINATE, "E", (Reason.NO_POE,))
    said = notes(verdict, "MHT.FORM")
    assert said[0] == "PARTS:3"
    for kind, place, content in (
        ("text/html", "https://example.com/a/index.html", PAGE),
        ("image/png", "https://example.com/p.png?a=1&b=2", PIXEL),
        ("text/css", "<css@x>", STYLE),
    ):
        assert f"PART:{kind} {place} SHA-256 {hashlib.sha256(content).hexdigest()}" in said
    assert [(t.what.value, t.instant) for t in verdict.stated] == [("CAPTURED", datetime(2026, 11, 22, 7, 35, 57, tzinfo=UTC))]


def test_the_standard_library_reads_the_same_parts() -> None:
    data = message(*PARTS)
    theirs = [p for p in email.message_from_bytes(data, policy=email.policy.default).walk() if not p.is_multipart()]
    ours = mime.read(data)
    assert [mime.body(data, p)[0] for p in ours.parts] == [p.get_payload(decode=True) for p in theirs]
    assert [p.header.content_type for p in ours.parts] == [p.get_content_type() for p in theirs]


@pytest.mark.parametrize(
    ("data", "reason", "defect"),
    [
        (message(*PARTS, close=""), Reason.TRUNCATED, mime.NO_CLOSE),
        (message(*PARTS)[:-60], Reason.TRUNCATED, mime.NO_CLOSE),
        (header() + b"nothing here", Reason.FORMAT_FAILURE, mime.NO_START),
        (message(*PARTS, head=header("\tx=y")), Reason.FORMAT_FAILURE, mime.NO_BOUNDARY),
        (message(*PARTS, head=header(f'\tboundary="{"b" * 71}"')), Reason.FORMAT_FAILURE, mime.NO_BOUNDARY),
        (message(*PARTS, head=header(more="this is no field")), Reason.FORMAT_FAILURE, mime.MISSING_SEPARATOR),
        (message(*PARTS, head=header(more="Content-Type: text/plain")), Reason.FORMAT_FAILURE, mime.REPEATED),
        (message(part("image/png", PIXEL).replace(b"=", b"!")), Reason.FORMAT_FAILURE, mime.BAD_ENCODING),
        (message(part("image/png", PIXEL)[:-4] + b"*"), Reason.FORMAT_FAILURE, mime.BAD_BASE64),
        (message(part("text/html", b"a=b", encoding="quoted-printable") + b"=GG"), Reason.FORMAT_FAILURE, mime.BAD_QUOTED),
    ],
)  # fmt: skip
def test_defects_are_named_and_decide_nothing(data: bytes, reason: Reason, defect: str) -> None:
    if defect == mime.BAD_ENCODING:
        data = data.replace(b"Encoding: base64", b"Encoding: x-uuencode")
    verdict = saved(data)
    assert answer(verdict, "MHT.FORM") == (FAILED, reason)
    assert f"DEFECT:{defect}" in notes(verdict, "MHT.FORM")
    assert verdict.overall is Overall.INDETERMINATE, "facts about the form refute no evidence"


def test_what_is_missing_is_named() -> None:
    verdict = saved(message(*PARTS[:1]))
    assert answer(verdict, "MHT.RESOURCES") == (OPEN, Reason.RESOURCE_MISSING)
    assert notes(verdict, "MHT.RESOURCES") == ["NEEDED:cid:css@x", "NEEDED:/p.png?a=1&b=2"]
    assert (finding(verdict, "MHT.RESOURCES").expected, finding(verdict, "MHT.RESOURCES").actual) == ("2", "0")
    assert answer(saved(message(PARTS[1])), "MHT.RESOURCES") == (OPEN, Reason.SIGNED_DATA_NOT_FOUND)


def test_data_after_the_end_and_messages_inside_are_noted() -> None:
    verdict = saved(message(*PARTS) + b"<html>hidden</html>")
    assert "AFTER_THE_END:19" in notes(verdict, "MHT.FORM")
    inner = b'Content-Type: multipart/alternative; boundary="q"\r\n\r\n--q--\r\n'
    assert "NESTED_MESSAGE:1" in notes(saved(message(PARTS[0], inner)), "MHT.FORM")
    assert "LINE_FEEDS" in notes(saved(message(*PARTS).replace(b"\r\n", b"\n")), "MHT.FORM")


def test_a_boundary_inside_a_line_parts_nothing() -> None:
    text = f"see --{MARK} here\r\n x--{MARK}--\r\n--{MARK}tail\r\n".encode()
    inner = b"Content-Type: text/plain\r\n\r\n" + text
    data = message(PARTS[0], inner)
    read = mime.read(data)
    assert len(read.parts) == 2 and not read.defects
    assert mime.body(data, read.parts[1])[0].strip() == text.strip()


@pytest.mark.parametrize("field", ["Received: from x", "To: a@example.com", "Message-ID: <1@x>"])
def test_mail_is_not_a_saved_page(field: str) -> None:
    assert saved(message(*PARTS, head=header(more=field).replace(b"From:", b"X:"))).sources[0].format == "unknown"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sun, 22 Nov 2026 07:35:57 GMT", datetime(2026, 11, 22, 7, 35, 57, tzinfo=UTC)),
        ("22 Nov 2026 15:35:57 +0800", datetime(2026, 11, 22, 7, 35, 57, tzinfo=UTC)),
        ("Sun, 22 Nov 2026 07:35:57 -0000", datetime(2026, 11, 22, 7, 35, 57, tzinfo=UTC)),
        ("Sun, 22 Nov 2026 07:35:57", None),
        ("Sun, 31 Feb 2026 07:35:57 GMT", None),
        ("Sat, 1 Jan 0001 00:00:00 +2359", None),
        ("Sun, 22 Foo 2026 07:35:57 GMT", None),
    ],
)
def test_the_date_field(text: str, moment: datetime | None) -> None:
    assert mhtml.instant_of(text) == moment


def test_every_cut_and_many_changes_are_answered() -> None:
    data = message(*PARTS)
    chance = random.Random(5)
    for n in [*range(0, len(data), 97), *range(150)]:
        changed = bytearray(data[:n] if n < len(data) and n % 2 else data)
        for _ in range(n % 4):
            if changed:
                changed[chance.randrange(len(changed))] = chance.randrange(256)
        verdict = saved(bytes(changed) or b"x", runs=1)
        assert verdict.overall is Overall.INDETERMINATE


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("tags", b"<a " * 3_000_000),
        ("less than", b"<" * 12_000_000),
        ("comments", b"<!--" * 3_000_000),
        ("closed comments", b"<!---->" * 2_000_000),
        ("quotes", b"<a x=\"<a y='" * 1_000_000),
        ("equals", b"<a " + b"= " * 5_000_000),
        ("styles", b"<style>" + b"url('/*" * 1_500_000),
        ("imports", b"<style>@import " + b" " * 8_000_000),
        ("addresses", b"".join(b"<img src=a%d>" % n for n in range(300_000))),
        ("frames", b"<iframe srcdoc='" + b"<iframe srcdoc=" * 1000 + b"'>"),
        ("candidates", b"<img srcset='" + b"a, " * 4_000_000 + b"'>"),
        ("style comments", b"<style>" + b"/**/" * 3_000_000),
        ("same attribute", b"<img " + b"src=x " * 3_000_000 + b">"),
        ("attributes", b"<a " + b"".join(b"x%d " % n for n in range(1_200_000)) + b">"),
    ],
)
def test_hostile_markup_is_read_in_bounded_time(name: str, page: bytes) -> None:
    began = time.process_time()
    try:
        references.of_page(page)
    except references.LimitReached:
        pass
    assert time.process_time() - began < 20, name


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("boundaries", header() + (b"--" + MARK.encode() + b" ") * 200_000),
        ("parts", header() + (b"--" + MARK.encode() + b"\r\n") * 200_000),
        ("fields", b"From: <Saved by Blink>\r\nContent-Type: multipart/related\r\n" + b"a: b\r\n" * 5_000),
        ("one line", b"From: <Saved by Blink>\r\nContent-Type: multipart/related; " + b"x" * 5_000_000),
        ("parameters", header("\t" + "; a=b" * 10_000)),
    ],
)
def test_hostile_messages_are_read_in_bounded_time(name: str, data: bytes) -> None:
    began = time.process_time()
    assert saved(data, runs=1).overall is Overall.INDETERMINATE
    assert time.process_time() - began < 10, name


def test_a_hostile_base_address_is_read_in_bounded_time() -> None:
    page = "".join(f"<img src='../{n}.png'>" for n in range(19_000)).encode()
    long = "/".join(["https://example.com"] + ["x"] * 25_000)
    data = message(part("text/html", page, f"Content-Location: {long}"))
    began = time.process_time()
    assert answer(saved(data, runs=1), "MHT.RESOURCES") == (OPEN, Reason.RESOURCE_MISSING)
    assert time.process_time() - began < 10


def test_a_page_that_is_a_zip_as_well_is_said_to_be() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x.txt", b"x")
    assert "ALSO_A_ZIP" in notes(saved(message(*PARTS) + out.getvalue()), "MHT.FORM")


def needed(page: str) -> list[str]:
    return list(references.of_page(page.encode()).needed)


def test_what_a_page_needs() -> None:
    assert needed(
        "<IMG SRC=a.png srcset='b.png 1x, c.png 2x'><script src=s.js></script><link rel='shortcut icon' href=i.ico>"
        "<video poster=v.jpg><source src=v.mp4></video><object data=o.swf></object><body background=bg.gif>"
        "<div style='background:url(&quot;d.png&quot;)'><style>@import 'e.css';@import url(f.css);/* url(no.png) */"
        "a{b:url( 'g.png' )}</style><svg><image xlink:href=h.png /></svg><iframe srcdoc='&lt;img src=j.png&gt;'></iframe>"
    ) == ["a.png", "b.png", "c.png", "s.js", "i.ico", "v.jpg", "v.mp4", "o.swf", "bg.gif", "d.png", "e.css", "f.css",
          "g.png", "h.png", "j.png"]  # fmt: skip


def test_what_a_page_does_not_need() -> None:
    assert needed(
        "<a href=x.html>x</a><link rel=canonical href=y><!-- <img src=n.png> --><script>'<img src=n.png>'</script>"
        "<img src=data:image/png;base64,AA><img src='#f'><img src=''><title><img src=t.png></title><img src=\"unfinished"
    ) == []  # fmt: skip
    assert references.of_page(b"<base href=/b/><base href=/c/>").base == "/b/"
