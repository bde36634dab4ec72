"""Platform certificates as PDF: what is read from the page, what is not shown, whose seal it is, and that it stays a statement."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from evidence.verification import Verdict
from evidence.verification.reasons import Reason
from evidence.verification.signatures import pdf_text
from evidence.verification.verdict import Grade, Outcome, Overall, ProofState

from .authority import WHEN, TokenPlan, issue, token
from .pdf_exhibits import (
    ANNOTS,
    AT,
    LISTS,
    MIDDLE,
    ROOT,
    SEAL,
    SIGNED,
    SM2_SEAL,
    STRANGER,
    TSA,
    Document,
    Plan,
    crl,
    document,
    platform,
    sign,
    stream,
    text,
    time_stamped,
    trust,
    update,
    verdict,
)

PAGE = b"the page as captured\n"
SHA256 = hashlib.sha256(PAGE).hexdigest()
TX = "0x" + "ab" * 32


def lines(digest: str = SHA256, *, number: str = "ZX-2026-000123") -> tuple[str, ...]:
    return (
        "Certificate of storage",
        f"Certificate No.: {number}",
        "File name: page.html",
        "Hash algorithm: SHA-256",
        f"File hash: {digest}",
        f"Transaction hash: {TX}",
        "Block height: 12345",
    )


CHINESE = (
    "区块链存证证书",
    "存证编号：ZX-2026-000123",
    "文件名称：page.html",
    "哈希算法：SHA-256",
    f"文件哈希值：{SHA256}",
    f"交易哈希：{TX}",
    "区块高度：12345",
)
CERTIFICATE = document(text(*lines()))


def found(result: Verdict, check: str) -> list[tuple[Outcome, Reason | None]]:
    return [(f.outcome, f.reason) for f in result.findings if f.check == check]


PASSED = (Outcome.PASSED, None)


def asked(certificate: bytes, **files: bytes) -> Verdict:
    return verdict({"certificate.pdf": certificate, "page.html": PAGE, **files})


@pytest.mark.parametrize("written", [lines(), CHINESE], ids=["English", "Chinese, by predefined CMap"])
def test_a_sealed_certificate_is_a_statement_of_grade_d(written: tuple[str, ...]) -> None:
    result = asked(sign(document(text(*written, size=6))).data)
    assert {s.name: s.format for s in result.sources} == {"certificate.pdf": "pdf-certificate", "page.html": "unknown"}
    assert found(result, "DIGEST.MATCH") == [PASSED]
    assert found(result, "CERT.SIG") == [PASSED]
    assert found(result, "PDF.TEXT") == [PASSED]
    assert (result.overall, result.grade) == (Overall.INDETERMINATE, Grade.D)
    assert result.reasons == (Reason.PLATFORM_ASSERTION_ONLY,)
    (walk,) = result.walks
    assert walk.state is ProofState.ASSERTED
    assert result.time is None
    (read,) = [f for f in result.findings if f.check == "CERT.READ"]
    assert "READ_FROM_TEXT" in read.notes
    assert {"NOT_PROVEN.CERTIFICATE", "NOT_PROVEN.SEAL"} <= set(result.not_proven)


def test_without_a_seal() -> None:
    result = asked(CERTIFICATE.data)
    assert found(result, "CERT.SIG") == [(Outcome.INDETERMINATE, Reason.SIGNED_DATA_NOT_FOUND)]
    assert found(result, "DIGEST.MATCH") == [PASSED]
    assert (result.overall, result.grade) == (Overall.INDETERMINATE, Grade.E)


def test_of_another_file() -> None:
    result = verdict({"certificate.pdf": sign(CERTIFICATE).data, "page.html": PAGE + b"!"})
    assert found(result, "DIGEST.MATCH") == [(Outcome.FAILED, Reason.HASH_FAILURE)]
    assert result.overall is Overall.INCONSISTENT


def test_of_something_that_is_not_there() -> None:
    """Pages that speak of no file of the exhibit stay open, though everything else is proven."""
    stamp = token(TokenPlan(PAGE, TSA, embed=(TSA.der,), when=WHEN))
    alone = verdict({"page.html": PAGE, "page.tsr": stamp})
    assert alone.overall is Overall.CONSISTENT
    empty = tuple(line for line in lines() if not line.startswith("File"))
    result = verdict({"page.html": PAGE, "page.tsr": stamp, "certificate.pdf": sign(document(text(*empty))).data})
    assert result.overall is Overall.INDETERMINATE
    assert Reason.SIGNED_DATA_NOT_FOUND in result.reasons
    fitting = verdict({"page.html": PAGE, "page.tsr": stamp, "certificate.pdf": sign(CERTIFICATE).data})
    assert (fitting.overall, fitting.grade) == (Overall.CONSISTENT, Grade.A)


def test_alone() -> None:
    result = verdict({"certificate.pdf": sign(CERTIFICATE).data})
    assert (result.overall, result.grade) == (Overall.INDETERMINATE, Grade.E)
    assert Reason.SIGNED_DATA_NOT_FOUND in result.reasons


# ── the seal ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def altered() -> bytes:
    data = bytearray(sign(CERTIFICATE).data)
    data[data.index(b"Block height: 12345") + 14] ^= 1
    return bytes(data)


def extended() -> bytes:
    sealed = sign(CERTIFICATE)
    return update(sealed, {11: stream(text(*lines("22" * 32)))}).data


SEALS = {
    "altered": (altered(), Outcome.FAILED, Reason.HASH_FAILURE),
    "extended": (extended(), Outcome.FAILED, Reason.MODIFIED_AFTER_SIGNING),
    "by a stranger": (
        sign(CERTIFICATE, Plan(signer=STRANGER, embed=(STRANGER.der,))).data,
        Outcome.INDETERMINATE,
        Reason.NO_CERTIFICATE_CHAIN_FOUND,
    ),
    "a time-stamp and no seal": (time_stamped(CERTIFICATE).data, Outcome.INDETERMINATE, Reason.SIGNED_DATA_NOT_FOUND),
    "empty": (sign(CERTIFICATE, Plan(value=lambda _: b"")).data, Outcome.FAILED, Reason.FORMAT_FAILURE),
    "of an unknown kind": (
        sign(CERTIFICATE, Plan(subfilter=b"SES.SM2")).data,
        Outcome.INDETERMINATE,
        Reason.UNSUPPORTED_FORMAT,
    ),
}


@pytest.mark.parametrize(("data", "outcome", "reason"), SEALS.values(), ids=SEALS)
def test_a_seal_that_does_not_pass(data: bytes, outcome: Outcome, reason: Reason) -> None:
    result = asked(data)
    assert found(result, "CERT.SIG") == [(outcome, reason)]
    assert result.grade is Grade.E
    assert (result.overall is Overall.INCONSISTENT) == (outcome is Outcome.FAILED)


def test_revoked_and_without_lists() -> None:
    files = {"certificate.pdf": sign(CERTIFICATE).data, "page.html": PAGE}
    revoked = trust(lists=(LISTS[0], crl(MIDDLE, revoked=[(SEAL, SIGNED - timedelta(days=1))])))
    assert found(verdict(files, revoked), "CERT.SIG") == [(Outcome.INDETERMINATE, Reason.REVOKED_NO_POE)]
    assert found(verdict(files, trust(lists=())), "CERT.SIG") == [(Outcome.INDETERMINATE, Reason.TRY_LATER)]


def test_a_seal_in_sm2() -> None:
    data = sign(CERTIFICATE, Plan(signer=SM2_SEAL, embed=(SM2_SEAL.der,), subfilter=b"adbe.pkcs7.detached")).data
    result = verdict({"certificate.pdf": data, "page.html": PAGE}, trust(SM2_SEAL.der))
    assert found(result, "CERT.SIG") == [PASSED]
    assert result.grade is Grade.D


def test_a_policy_that_lists_the_platform_does_not_make_a_statement_a_proof() -> None:
    store = trust(platforms=[platform("zx", SEAL.der)], accept_d=["zx"])
    result = verdict({"certificate.pdf": sign(CERTIFICATE).data, "page.html": PAGE}, store)
    (seal,) = [f for f in result.findings if f.check == "CERT.SIG"]
    assert seal.notes == ("PLATFORM_SEAL:zx",)
    assert (result.overall, result.grade) == (Overall.INDETERMINATE, Grade.D)


def test_a_seal_that_is_registered_for_nobody() -> None:
    result = verdict({"certificate.pdf": sign(CERTIFICATE).data, "page.html": PAGE}, trust(platforms=[platform("zx", ROOT.der)]))
    (seal,) = [f for f in result.findings if f.check == "CERT.SIG"]
    assert (seal.outcome, seal.notes) == (Outcome.PASSED, ("SEAL_OF_NO_PLATFORM",))


def test_the_address_of_one_platform_under_the_seal_of_another() -> None:
    known = replace(platform("zx", ROOT.der), hosts=("zx.example",))
    other = platform("other", SEAL.der)
    data = sign(document(text(*lines(), "Verify at: https://zx.example/check"))).data
    files = {"certificate.pdf": data, "page.html": PAGE}
    wrong = verdict(files, trust(platforms=[known, other]))
    assert found(wrong, "CERT.SIG") == [(Outcome.INDETERMINATE, Reason.PLATFORM_NOT_IN_POLICY)]
    assert wrong.grade is Grade.E
    right = verdict(files, trust(platforms=[replace(known, seals=other.seals)]))
    assert found(right, "CERT.SIG") == [PASSED]


def test_certificates_beside_the_file_complete_the_path() -> None:
    data = sign(CERTIFICATE, Plan(embed=(SEAL.der,))).data
    assert found(asked(data), "CERT.SIG") == [(Outcome.INDETERMINATE, Reason.NO_CERTIFICATE_CHAIN_FOUND)]
    assert found(asked(data, **{"chain.pem": MIDDLE.pem}), "CERT.SIG") == [PASSED]


# ── text that is not shown ────────────────────────────────────────────────────────────────────────────────────────────

OTHER = hashlib.sha256(PAGE + b"!").hexdigest()
HIDDEN_LINES = lines(OTHER)


HIDDEN = {
    "rendering mode 3": document(text(*HIDDEN_LINES, mode=3)),
    "off the page": document(text(*HIDDEN_LINES, x=5000)),
    "above the page": document(text(*HIDDEN_LINES, y=5000)),
}


@pytest.mark.parametrize("certificate", HIDDEN.values(), ids=HIDDEN)
def test_text_that_is_not_shown_is_no_certificate(certificate: Document) -> None:
    result = verdict({"certificate.pdf": sign(certificate).data, "page.html": PAGE})
    assert {s.name: s.format for s in result.sources}["certificate.pdf"] == "signed-pdf"
    assert not found(result, "DIGEST.MATCH")


@pytest.mark.parametrize("hide", [{"mode": 3}, {"x": 5000}])
def test_hidden_text_beside_visible_text(hide: dict[str, int]) -> None:
    """A second certificate under the visible one changes nothing that is read, and is reported."""
    both = document(text(*HIDDEN_LINES, **hide) + b"\n" + text(*lines()))  # type: ignore[arg-type]
    result = asked(sign(both).data)
    assert found(result, "DIGEST.MATCH") == [PASSED]
    (layer,) = [f for f in result.findings if f.check == "PDF.TEXT"]
    assert (layer.outcome, layer.notes) == (Outcome.INDETERMINATE, ("HIDDEN_TEXT:1",))


def test_annotations_are_named_and_not_read() -> None:
    note = b"<</Type/Annot/Subtype/FreeText/Rect[40 100 300 160]/Contents(File hash: %s)/F 4>>" % OTHER.encode()
    certificate = update(CERTIFICATE, {20: note, ANNOTS: b"[20 0 R]"})
    result = asked(sign(certificate).data)
    assert found(result, "DIGEST.MATCH") == [PASSED]
    (layer,) = [f for f in result.findings if f.check == "PDF.TEXT"]
    assert "ANNOTATION_TEXT:1" in layer.notes


def test_replacement_text_is_not_read() -> None:
    """/ActualText says what a reader should copy: not what is shown."""
    spoken = b"/Span<</ActualText(File hash: %s)>>BDC\n%s\nEMC" % (OTHER.encode(), text("x", y=300))
    result = asked(sign(document(text(*lines()) + b"\n" + spoken)).data)
    assert found(result, "DIGEST.MATCH") == [PASSED]
    (layer,) = [f for f in result.findings if f.check == "PDF.TEXT"]
    assert layer.notes == ("HIDDEN_TEXT:1",)


def test_a_picture_set_is_content() -> None:
    """Screenshots in a PDF are evidence, not a statement about it."""
    result = verdict({"screens.pdf": document(b"0.3 g 0 0 200 200 re f").data})
    assert [s.format for s in result.sources] == ["unknown"]
    assert (result.overall, result.grade) == (Overall.INDETERMINATE, Grade.E)


def test_a_page_with_certificate_words_stays_open_in_a_proven_exhibit() -> None:
    """Words that make a file a certificate excuse it from a walk of its own, and so it must speak of a file that is there."""
    stamp = token(TokenPlan(PAGE, TSA, embed=(TSA.der,), when=WHEN))
    screens = document(text("Certificate No.: A-1", "Block height: 12", "what I saw") + b" 0.3 g 0 0 200 200 re f")
    result = verdict({"page.html": PAGE, "page.tsr": stamp, "screens.pdf": screens.data})
    assert result.overall is Overall.INDETERMINATE


# ── bounds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_many_pages_are_read_up_to_a_number() -> None:
    read = pdf_text.read(document(*[text("page")] * 130).data)
    assert (read.limit, read.text.count("page")) == (True, 120)
    assert "120 of 130" in (read.unread or "")


def test_much_text_ends_the_reading() -> None:
    read = pdf_text.read(document(*[text(*["x" * 900] * 60)] * 8).data)
    assert read.unread is not None
    assert "characters" in read.unread


def test_no_pdf_at_all() -> None:
    assert pdf_text.read(b"%PDF-1.7\nnothing").text == ""
    assert asked(b"%PDF-1.7\n" + b"\0" * 5000).overall is Overall.INDETERMINATE


def test_expired_seal_as_of_now_and_as_of_receipt() -> None:
    seal = issue("Old seal", by=MIDDLE, end=AT + timedelta(days=10))
    data = sign(CERTIFICATE, Plan(signer=seal, embed=(seal.der, MIDDLE.der), stamped=None)).data
    files = {"certificate.pdf": data, "page.html": PAGE}
    assert found(verdict(files), "CERT.SIG") == [PASSED]
    late = verdict(files, at=AT + timedelta(days=20))
    assert found(late, "CERT.SIG") == [(Outcome.INDETERMINATE, Reason.OUT_OF_BOUNDS_NO_POE)]


# ── a font of one's own ───────────────────────────────────────────────────────────────────────────────────────────────

BOX_FONT = 8


def boxes(*drawn: bytes) -> Document:
    """Pages whose font /F1 is embedded: every letter is drawn as a box, so that it is looked for on the page."""
    codes = range(32, 127)
    differences = b" ".join(b"/g%d" % code for code in codes)
    glyphs = b" ".join(b"/g%d 9 0 R" % code for code in codes)
    unicode_map = (
        b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00><ff> endcodespacerange "
        b"1 beginbfrange <20><7e><0020> endbfrange endcmap end"
    )
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 600 700]/FontMatrix[.001 0 0 .001 0 0]/FirstChar 32/LastChar 126"
        b"/Widths[%s]/Encoding<</Type/Encoding/Differences[32 %s]>>/CharProcs<<%s>>/ToUnicode 8 0 R/Resources<<>>>>"
        % (b" ".join([b"600"] * len(codes)), differences, glyphs)
    )
    before = document(*drawn)
    return update(
        before,
        {5: font, 8: stream(unicode_map), 9: stream(b"600 0 0 0 500 700 d1 50 0 400 600 re f")},
    )


COVERED = b"\nq 1 g 0 560 595 282 re f Q\n"
UNSEEN = {
    "white on white": text(*HIDDEN_LINES, size=8, colour="1 g"),
    "almost white": text(*HIDDEN_LINES, size=8, colour="0.95 g"),
    "covered": text(*HIDDEN_LINES, size=8) + COVERED,
    "as large as a point of dust": text(*HIDDEN_LINES, size=8).replace(b" 8 Tf", b" 0.01 Tf"),
    "transparent by clipping": b"q 0 0 1 1 re W n " + text(*HIDDEN_LINES, size=8) + b" Q",
}


@pytest.mark.parametrize("drawn", UNSEEN.values(), ids=UNSEEN)
def test_text_that_nobody_sees(drawn: bytes) -> None:
    read = pdf_text.read(boxes(drawn).data)
    assert "hash" not in read.text
    assert read.hidden == (1,)
    assert [s.format for s in verdict({"certificate.pdf": boxes(drawn).data}).sources] == ["unknown"]


def test_text_that_everybody_sees() -> None:
    read = pdf_text.read(boxes(text(*lines(), size=8)).data)
    assert f"File hash: {SHA256}" in read.text
    assert read.hidden == ()


def test_text_behind_a_note() -> None:
    """An annotation that covers the page is drawn before the letters are looked for."""
    cover = b"<</Type/Annot/Subtype/Stamp/Rect[0 500 595 842]/F 4/AP<</N 21 0 R>>>>"
    drawing = stream(b"1 g 0 0 595 342 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 595 342]")
    covered = update(boxes(text(*lines(), size=8)), {20: cover, 21: drawing, ANNOTS: b"[20 0 R]"})
    read = pdf_text.read(covered.data)
    assert (read.text.strip(), read.hidden, read.annotated) == ("", (1,), (1,))


def test_replacement_text_by_a_named_list() -> None:
    certificate = document(text(*lines()) + b"\n/Span/M0 BDC " + text("x", y=300) + b" EMC")
    named = certificate.objects[10].replace(b"/Font<<", b"/Properties<</M0<</ActualText(File hash: %s)>>>>/Font<<" % OTHER.encode())
    read = pdf_text.read(update(certificate, {10: named}).data)
    assert OTHER not in read.text
    assert SHA256 in read.text
