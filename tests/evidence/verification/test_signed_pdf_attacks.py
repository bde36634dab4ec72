"""Attacks on signed PDF files, each made by hand: what follows the signature, what it covers, what its container holds.

None may be CONSISTENT, and each must be caught at the check that names it (spec signed-report §14; ISO 32000-2 §12.8).
"""

import random
import zlib
from collections.abc import Callable

import pytest

from evidence.verification import Verdict
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Outcome, Overall

from .authority import Holder, issue
from .pdf_exhibits import (
    ANNOTS,
    CATALOGUE,
    CONTAINER,
    FORM,
    MIDDLE,
    PAGES,
    PLAIN,
    SEAL,
    STRANGER,
    Document,
    Plan,
    document,
    page,
    sign,
    stream,
    text,
    time_stamped,
    trust,
    update,
    verdict,
)

DEED = document(text("The price is 100", "to be paid at once"), text("second page"))
SEALED = sign(DEED)
FIRST, DRAWN = 10, 11


def reasons(result: Verdict, check: str) -> set[tuple[Outcome, Reason | None]]:
    return {(f.outcome, f.reason) for f in result.findings if f.check == check}


def refuted(data: bytes, check: str, reason: Reason) -> None:
    result = verdict({"deed.pdf": data})
    assert (Outcome.FAILED, reason) in reasons(result, check)
    assert result.overall is Overall.INCONSISTENT


def changed(data: bytes) -> None:
    refuted(data, "SIG.MODIFIED", Reason.MODIFIED_AFTER_SIGNING)
    refuted(data, "SIG.DOCMDP", Reason.MODIFIED_AFTER_SIGNING)


# ── revisions after the signature ─────────────────────────────────────────────────────────────────────────────────────


def other_content(before: Document) -> Document:
    return update(before, {DRAWN: stream(text("The price is 900", "to be paid at once"))})


def overlay(before: Document) -> Document:
    new = before.free
    two = page(DRAWN, annots=ANNOTS).replace(b"/Contents 11 0 R", b"/Contents[11 0 R %d 0 R]" % new)
    return update(before, {FIRST: two, new: stream(b"1 g 0 700 600 60 re f " + text("The price is 900"))})


def annotation(kind: bytes, look: bool) -> Callable[[Document], Document]:
    def attack(before: Document) -> Document:
        note, drawing = before.free, before.free + 1
        body = b"<</Type/Annot/Subtype/%s/Rect[40 700 300 760]/Contents(paid)/F 4%s>>" % (
            kind,
            b"/AP<</N %d 0 R>>" % drawing if look else b"",
        )
        objects = {note: body, ANNOTS: before.objects[ANNOTS][:-1] + b" %d 0 R]" % note}
        if look:
            objects[drawing] = stream(b"1 g 0 0 300 100 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 300 100]")
        return update(before, objects)

    return attack


def catalogue(entry: bytes) -> Callable[[Document], Document]:
    return lambda before: update(before, {CATALOGUE: before.objects[CATALOGUE][:-2] + entry + b">>"})


def further_page(before: Document) -> Document:
    new = before.free
    pages = before.objects[PAGES].replace(b"]/Count 2", b" %d 0 R]/Count 3" % new)
    return update(before, {PAGES: pages, new: page(new + 1), new + 1: stream(text("annex"))})


def page_taken_away(before: Document) -> Document:
    return update(before, {PAGES: b"<</Type/Pages/Kids[10 0 R]/Count 1>>"})


def pages_swapped(before: Document) -> Document:
    return update(before, {PAGES: b"<</Type/Pages/Kids[12 0 R 10 0 R]/Count 2>>"})


def another_font(before: Document) -> Document:
    return update(before, {5: b"<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"})


def another_root(before: Document) -> Document:
    """A catalogue of its own, named by the new trailer."""
    start = before.free
    objects = {
        start: b"<</Type/Catalog/Pages %d 0 R/AcroForm 3 0 R>>" % (start + 1),
        start + 1: b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (start + 2),
        start + 2: page(start + 3, annots=ANNOTS).replace(b"/Parent 2 0 R", b"/Parent %d 0 R" % (start + 1)),
        start + 3: stream(text("The price is 900")),
    }
    after = update(before, objects)
    place = after.data.rindex(b"/Root 1 0 R")
    return Document(after.data[:place] + b"/Root %d 0 R" % start + after.data[place + 11 :], after.objects, after.table)


UPDATES: dict[str, Callable[[Document], Document]] = {
    "content replaced": other_content,
    "content laid over": overlay,
    "text note without a look": annotation(b"FreeText", look=False),
    "text note with a look": annotation(b"FreeText", look=True),
    "stamp": annotation(b"Stamp", look=True),
    "highlight": annotation(b"Highlight", look=False),
    "action on opening": catalogue(b"/OpenAction<</S/JavaScript/JS(app.alert(1))>>"),
    "additional actions": catalogue(b"/AA<</WC<</S/JavaScript/JS(1)>>>>"),
    "names with scripts": catalogue(b"/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(1)>>]>>>>"),
    "attachment": catalogue(b"/Names<</EmbeddedFiles<</Names[(a)<</Type/Filespec/F(a)>>]>>>>"),
    "layers": catalogue(b"/OCProperties<</OCGs[]/D<<>>>>"),
    "further page": further_page,
    "page taken away": page_taken_away,
    "pages swapped": pages_swapped,
    "font replaced": another_font,
    "another root": another_root,
}


@pytest.mark.parametrize("attack", UPDATES.values(), ids=UPDATES)
def test_an_update_after_the_signature(attack: Callable[[Document], Document]) -> None:
    changed(attack(SEALED).data)


@pytest.mark.parametrize("attack", [other_content, overlay, further_page, page_taken_away, pages_swapped, another_root])
def test_what_is_seen_differs_too(attack: Callable[[Document], Document]) -> None:
    refuted(attack(SEALED).data, "SIG.VISUAL", Reason.MODIFIED_AFTER_SIGNING)


def test_an_update_that_is_taken_back_again() -> None:
    """Each revision is looked at, not only the last."""
    there_and_back = update(other_content(SEALED), {DRAWN: SEALED.objects[DRAWN]})
    result = verdict({"deed.pdf": there_and_back.data})
    assert result.overall is Overall.INCONSISTENT


def test_an_attack_hidden_behind_a_second_signature() -> None:
    second = sign(other_content(SEALED), Plan(name=b"Second"))
    changed(second.data)


def test_an_attack_hidden_behind_a_time_stamp() -> None:
    changed(time_stamped(other_content(SEALED)).data)


@pytest.mark.parametrize(("level", "allowed"), [(1, False), (2, True), (3, True)])
def test_permissions_of_the_first_signer(level: int, allowed: bool) -> None:
    second = sign(sign(DEED, Plan(docmdp=level)), Plan(name=b"Second"))
    result = verdict({"deed.pdf": second.data})
    assert (result.overall is Overall.CONSISTENT) == allowed
    if not allowed:
        assert (Outcome.FAILED, Reason.MODIFIED_AFTER_SIGNING) in reasons(result, "SIG.DOCMDP")


def test_the_signature_taken_out_of_the_form() -> None:
    """Then nothing leads to it any more: the file is one without a signature, and says that it held one."""
    data = update(SEALED, {FORM: b"<</Fields[]/SigFlags 3>>", ANNOTS: b"[]"}).data
    result = verdict({"deed.pdf": data})
    assert result.overall is Overall.INDETERMINATE
    (listed,) = [f for f in result.findings if f.check == "SIG.ENUMERATED"]
    assert (listed.reason, listed.notes) == (Reason.NOT_SIGNED, ("SIGNATURE_NOT_LISTED:1",))


def test_a_later_stamp_that_covers_print() -> None:
    """A second signature with a white picture over the price: permitted by the rules of forms, and never passed."""
    cover = Plan(name=b"Second", appearance=b"1 g 0 0 200 100 re f", rect=b"30 700 300 760")
    result = verdict({"deed.pdf": sign(SEALED, cover).data})
    assert (Outcome.INDETERMINATE, Reason.MODIFIED_AFTER_SIGNING) in reasons(result, "SIG.VISUAL")
    assert [f.notes for f in result.findings if f.check == "SIG.VISUAL"][0] == ("LATER_STAMP:1",)


def test_a_later_stamp_on_blank_ground() -> None:
    stamp = Plan(name=b"Second", appearance=b"0.5 g 0 0 200 100 re f", rect=b"300 100 400 150")
    result = verdict({"deed.pdf": sign(SEALED, stamp).data})
    assert result.overall is Overall.CONSISTENT
    assert any(f.notes == ("LATER_STAMP:1",) for f in result.findings if f.check == "SIG.VISUAL")


def test_a_stamp_of_a_stranger() -> None:
    """Who adds something to see must answer for it."""
    stamp = Plan(
        name=b"Second", appearance=b"0.5 g 0 0 200 100 re f", rect=b"300 100 400 150", signer=STRANGER, embed=(STRANGER.der,)
    )
    result = verdict({"deed.pdf": sign(SEALED, stamp).data})
    assert (Outcome.INDETERMINATE, Reason.MODIFIED_AFTER_SIGNING) in reasons(result, "SIG.VISUAL")
    assert result.overall is Overall.INDETERMINATE


FORM_FIELD = {
    FORM: b"<</Fields[30 0 R]/SigFlags 3/DA(/F1 10 Tf 0 g)/DR<</Font<</F1 5 0 R>>>>>>",
    30: b"<</Type/Annot/Subtype/Widget/FT/Tx/T(price)/V()/Rect[100 600 300 620]/F 4/DA(/F1 10 Tf 0 g)/P 10 0 R>>",
    ANNOTS: b"[30 0 R]",
}


def filled(before: Document) -> Document:
    look = stream(
        b"/Tx BMC BT /F1 10 Tf 0 g 2 4 Td (900) Tj ET EMC",
        b"/Type/XObject/Subtype/Form/BBox[0 0 200 20]/Resources<</Font<</F1 5 0 R>>>>",
    )
    new = before.free
    field = before.objects[30].replace(b"/V()", b"/V(900)/AP<</N %d 0 R>>" % new)
    return update(before, {30: field, new: look})


def test_a_form_filled_after_the_signature() -> None:
    """Permitted by the format: nobody answers for it until a seal that passes covers it."""
    sealed = sign(update(DEED, FORM_FIELD))
    assert verdict({"deed.pdf": sealed.data}).overall is Overall.CONSISTENT
    by_nobody = verdict({"deed.pdf": filled(sealed).data})
    assert reasons(by_nobody, "SIG.MODIFIED") == {(Outcome.PASSED, None)}
    assert reasons(by_nobody, "SIG.VISUAL") == {(Outcome.INDETERMINATE, Reason.MODIFIED_AFTER_SIGNING)}
    assert by_nobody.overall is Overall.INDETERMINATE
    assert verdict({"deed.pdf": sign(filled(sealed), Plan(name=b"Second")).data}).overall is Overall.CONSISTENT


# ── bytes behind the end, and the range ───────────────────────────────────────────────────────────────────────────────


def test_bytes_behind_the_end() -> None:
    result = verdict({"deed.pdf": SEALED.data + b"% remark\n"})
    assert reasons(result, "SIG.TRAILING") == {(Outcome.INDETERMINATE, Reason.MODIFIED_AFTER_SIGNING)}
    assert result.overall is Overall.CONSISTENT
    assert not reasons(verdict({"deed.pdf": SEALED.data + b"\r\n"}), "SIG.TRAILING")


@pytest.mark.parametrize(
    "tail",
    [b"11 0 obj\n%s\nendobj\n" % stream(text("The price is 900")), b"trailer<</Root 1 0 R>>", b"xref\n0 0\n", b"startxref\n0\n"],
)
def test_objects_behind_the_end(tail: bytes) -> None:
    """Readers that rebuild a file take objects wherever they stand."""
    refuted(SEALED.data + tail, "SIG.TRAILING", Reason.MODIFIED_AFTER_SIGNING)


def test_objects_behind_the_end_with_an_end_of_their_own() -> None:
    """The old table named once more: no reader that follows it sees the objects, and one that rebuilds the file does."""
    place = SEALED.data.rindex(b"startxref")
    tail = b"11 0 obj\n%s\nendobj\n" % stream(text("The price is 900")) + SEALED.data[place:]
    refuted(SEALED.data + tail, "SIG.TRAILING", Reason.MODIFIED_AFTER_SIGNING)


RANGES: dict[str, Callable[[int, int, int], list[int]]] = {
    "not from the start": lambda gap, end, size: [1, gap - 1, end, size - end],
    "gap too early": lambda gap, end, size: [0, gap - 40, end, size - end],
    "gap too late": lambda gap, end, size: [0, gap, end + 40, size - end - 40],
    "overlap": lambda gap, end, size: [0, end, gap, size - gap],
    "inside the container": lambda gap, end, size: [0, gap + 1, end - 1, size - end + 1],
    "end left open": lambda gap, end, size: [0, gap, end, size - end - 30],
    "beyond the file": lambda gap, end, size: [0, gap, end, size],
    "second part empty": lambda gap, end, size: [0, gap, end, 0],
    "negative": lambda gap, end, size: [0, gap, end, -1],
    "three numbers": lambda gap, end, size: [0, gap, end],
    "six numbers": lambda gap, end, size: [0, 10, 20, gap - 20, end, size - end],
    "nothing": lambda gap, end, size: [],
    "everything, container too": lambda gap, end, size: [0, size, size, 0],
    "enormous": lambda gap, end, size: [0, gap, end, 2**62],
}


@pytest.mark.parametrize("numbers", RANGES.values(), ids=RANGES)
def test_another_range(numbers: Callable[[int, int, int], list[int]]) -> None:
    refuted(sign(DEED, Plan(byte_range=numbers)).data, "SIG.BYTERANGE", Reason.FORMAT_FAILURE)


def signed_elsewhere(covered: bytes) -> bytes:
    """The signature of another file."""
    at = SEALED.data.index(b"/Contents <") + 11
    return bytes.fromhex(SEALED.data[at : at + 2 * CONTAINER].decode()).rstrip(b"\0")


VALUES: dict[str, tuple[Plan, str, Reason]] = {
    "of another file": (Plan(value=signed_elsewhere, name=b"X"), "SIG.INTACT", Reason.HASH_FAILURE),
    "zeros": (Plan(value=lambda _: b""), "SIG.ENUMERATED", Reason.FORMAT_FAILURE),
    "rubbish": (Plan(value=lambda _: b"\x30\x03abc"), "SIG.ENUMERATED", Reason.FORMAT_FAILURE),
    "cut off": (Plan(value=lambda _: b"\x30\x82\xff\xff"), "SIG.ENUMERATED", Reason.FORMAT_FAILURE),
    "nested without end": (Plan(value=lambda _: b"\x30\x80" * 2000), "SIG.ENUMERATED", Reason.FORMAT_FAILURE),
    "something behind it": (Plan(padding=b"A"), "SIG.ENUMERATED", Reason.FORMAT_FAILURE),
}


@pytest.mark.parametrize(("plan", "check", "reason"), VALUES.values(), ids=VALUES)
def test_another_value(plan: Plan, check: str, reason: Reason) -> None:
    refuted(sign(DEED, plan).data, check, reason)


OPEN: dict[str, tuple[Plan, str, Reason]] = {
    "unknown format": (Plan(subfilter=b"GM.SealSign"), "SIG.ENUMERATED", Reason.UNSUPPORTED_FORMAT),
    "SHA-1 of its own": (Plan(subfilter=b"adbe.pkcs7.sha1"), "SIG.ENUMERATED", Reason.UNSUPPORTED_FORMAT),
    "SHA-1 inside": (Plan(digest="sha1"), "SIG.ALG_STRENGTH", Reason.CRYPTO_CONSTRAINTS_FAILURE),
    "no signed attributes": (Plan(attributes=False), "SIG.CONSTRAINTS", Reason.SIG_CONSTRAINTS_FAILURE),
    "two signers": (Plan(signers=2), "SIG.CONSTRAINTS", Reason.SIG_CONSTRAINTS_FAILURE),
    "content inside": (Plan(inside=b"other bytes"), "SIG.CONSTRAINTS", Reason.SIG_CONSTRAINTS_FAILURE),
    "content of another type": (Plan(content_type="1.2.840.113549.1.7.5"), "SIG.CONSTRAINTS", Reason.SIG_CONSTRAINTS_FAILURE),
    "a time-stamp's type": (Plan(kind=b"DocTimeStamp", subfilter=b"ETSI.RFC3161"), "SIG.LONG_TERM", Reason.FORMAT_FAILURE),
}


@pytest.mark.parametrize(("plan", "check", "reason"), OPEN.values(), ids=OPEN)
def test_what_is_not_read_is_listed_and_open(plan: Plan, check: str, reason: Reason) -> None:
    result = verdict({"deed.pdf": sign(DEED, plan).data})
    assert reason in {r for _, r in reasons(result, check)}
    assert result.overall is not Overall.CONSISTENT


def test_a_signature_by_another_key_under_the_same_name() -> None:
    impostor = Holder(issue("Platform seal", by=MIDDLE).key, SEAL.certificate)
    refuted(sign(DEED, Plan(signer=impostor)).data, "SIG.INTACT", Reason.SIG_CRYPTO_FAILURE)


def test_two_fields_that_share_one_signature() -> None:
    place, value = SEALED.free, SEALED.free - 2
    assert b"/ByteRange" in SEALED.objects[value]
    twin = b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Twin)/V %d 0 R/F 132/Rect[0 0 0 0]/P 10 0 R>>" % value
    fields = SEALED.objects[FORM].replace(b"]", b" %d 0 R]" % place, 1)
    result = verdict({"deed.pdf": update(SEALED, {place: twin, FORM: fields}).data})
    assert result.overall is not Overall.CONSISTENT


def test_two_fields_of_one_name() -> None:
    twice = sign(sign(DEED), Plan(signer=STRANGER, embed=(STRANGER.der,)))
    result = verdict({"deed.pdf": twice.data})
    # Each is listed and judged by itself; nothing of the one passes on to the other.
    assert len([f for f in result.findings if f.check == "SIG.CHAIN"]) == 2


def test_a_broken_signature_beside_a_good_one() -> None:
    both = sign(sign(DEED), Plan(name=b"Broken", value=lambda _: b""))
    refuted(both.data, "SIG.ENUMERATED", Reason.FORMAT_FAILURE)


# ── every byte ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_changed_bit_of_the_covered_bytes_passes() -> None:
    data = SEALED.data
    gap = data.index(b"/Contents <") + 10
    behind = gap + 2 * CONTAINER + 2
    random.seed(20261122)
    places = random.sample([*range(10, gap), *range(behind, len(data))], 150)
    for place in places:
        bent = bytearray(data)
        bent[place] ^= 1 << random.randrange(8)
        result = verdict({"deed.pdf": bytes(bent)})
        assert result.overall is not Overall.CONSISTENT, place


def test_no_cut_file_passes() -> None:
    for size in range(0, len(SEALED.data) - 1, 997):
        result = verdict({"deed.pdf": SEALED.data[:size] or b"%PDF-"})
        assert result.overall is not Overall.CONSISTENT, size


def test_a_file_before_the_signed_one() -> None:
    """Bytes in front shift every place of the file."""
    result = verdict({"deed.pdf": b"GIF89a" + SEALED.data})
    assert result.overall is not Overall.CONSISTENT


def test_a_compressed_page_is_read_like_any_other() -> None:
    squeezed = zlib.compress(text("The price is 100"))
    deed = document(text("x"))
    deed = update(deed, {DRAWN: stream(squeezed, b"/Filter/FlateDecode")})
    assert verdict({"deed.pdf": sign(deed).data}).overall is Overall.CONSISTENT
    attacked = update(sign(deed), {DRAWN: stream(zlib.compress(text("The price is 900")), b"/Filter/FlateDecode")})
    changed(attacked.data)


def test_trust_is_asked_for_every_time() -> None:
    assert verdict({"deed.pdf": SEALED.data}, trust(STRANGER.der)).overall is Overall.INDETERMINATE
    assert verdict({"deed.pdf": sign(DEED, PLAIN).data}).overall is Overall.CONSISTENT
