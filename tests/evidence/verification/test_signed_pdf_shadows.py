"""Shadow attacks and other ways to show something else than what was signed, or to seem signed: none passes, each is named.

What stands here is prepared before the signature (hidden objects, switches, glyphs) or hides the signature itself; updates that simply
replace something are in `test_signed_pdf_attacks`. (Mladenov et al., "Shadow Attacks", NDSS 2021; "1 Trillion Dollar Refund", CCS 2019.)
"""

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from evidence.runs.jail import Jail
from evidence.verification import TrustStore, Verdict
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Outcome, Overall
from tests.anchor_packs import write_pack

from .pdf_exhibits import (
    ANNOTS,
    AT,
    CATALOGUE,
    FONT,
    FORM,
    LISTS,
    PAGES,
    ROOT,
    TSA_ROOT,
    Document,
    Plan,
    document,
    page,
    sign,
    stream,
    text,
    update,
    verdict,
)
from .test_pdf_reading import packed

DEED = document(text("The price is 100", "to be paid at once"), text("second page"))
SEALED = sign(DEED)
FIRST, DRAWN, SECOND = 10, 11, 12
VALUE, WIDGET = SEALED.free - 2, SEALED.free - 1
RANGE = b"/ByteRange [0 0000000000 0000000000 0000000000]"


def adding(before: Document, entry: bytes, objects: dict[int, bytes] | None = None) -> Document:
    return update(before, {CATALOGUE: before.objects[CATALOGUE][:-2] + entry + b">>", **(objects or {})})


def table(before: Document, rows: bytes, *, root: int = CATALOGUE, more: bytes = b"") -> bytes:
    """A revision without any object: only a table that says where objects are."""
    return before.data + b"xref\n%strailer\n<</Size %d/Root %d 0 R/Prev %d%s>>\nstartxref\n%d\n%%%%EOF\n" % (
        rows, before.free, root, before.table, more, len(before.data),
    )  # fmt: skip


def row(number: int, place: int) -> bytes:
    return b"%d 1\n%010d 00000 n \n" % (number, place)


# ── prepared before the signature ─────────────────────────────────────────────────────────────────────────────────────


def hidden(body: bytes, number: int) -> tuple[Document, int]:
    """A signed file that holds a second body of an object which no table names, and where it stands."""
    before = Document(DEED.data + b"%d 0 obj\n%s\nendobj\n" % (number, body), DEED.objects, DEED.table)
    return sign(update(before, {90: b"1"})), len(DEED.data)


def shown_by_a_table() -> bytes:
    """Hide and replace: the other page content is covered by the signature; the update only points at it."""
    before, place = hidden(stream(text("The price is 900", "to be paid at once")), DRAWN)
    return table(before, row(DRAWN, place))


def another_catalogue_by_a_table() -> bytes:
    before, place = hidden(b"<</Type/Catalog/Pages 2 0 R/AcroForm 3 0 R/PageMode/FullScreen>>", 95)
    return table(before, row(95, place), root=95)


LAYERED = adding(
    update(
        DEED,
        {
            DRAWN: stream(b"/OC /A BDC " + text("The price is 100") + b" EMC /OC /B BDC " + text("The price is 900") + b" EMC"),
            FIRST: page(DRAWN, annots=ANNOTS).replace(b"/Font<<", b"/Properties<</A 90 0 R/B 91 0 R>>/Font<<"),
            90: b"<</Type/OCG/Name(a)>>",
            91: b"<</Type/OCG/Name(b)>>",
            92: b"<</OCGs[90 0 R 91 0 R]/D<</ON[90 0 R]/OFF[91 0 R]>>>>",
        },
    ),
    b"/OCProperties 92 0 R",
)
GLYPHS = update(
    DEED,
    {
        FONT: b"<</Type/Font/Subtype/Type3/FontBBox[0 0 10 10]/FontMatrix[.1 0 0 .1 0 0]/CharProcs<</one 95 0 R/nine 96 0 R>>"
        b"/Encoding 97 0 R/FirstChar 49/LastChar 49/Widths[10]>>",
        95: stream(b"10 0 0 0 10 10 d1 4 0 2 9 re f"),
        96: stream(b"10 0 0 0 10 10 d1 0 0 9 9 re f"),
        97: b"<</Differences[49/one]>>",
        DRAWN: stream(b"BT /F1 30 Tf 40 700 Td (11) Tj ET"),
    },
)
PICTURE = b"/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8"
COVERED = update(
    DEED,
    {
        FIRST: page(DRAWN, annots=ANNOTS).replace(b"/Font<<", b"/XObject<</I 95 0 R>>/Font<<"),
        DRAWN: stream(text("The price is 900") + b" q 300 0 0 40 30 730 cm /I Do Q " + text("The price is 100", y=600)),
        95: stream(b"\xff", PICTURE),
    },
)
CARRYING = adding(
    DEED,
    b"/Names<</EmbeddedFiles<</Names[(a)70 0 R]>>>>",
    {70: b"<</Type/Filespec/F(a)/EF<</F 71 0 R>>>>", 71: stream(b"one", b"/Type/EmbeddedFile")},
)
FIELD = update(
    DEED,
    {
        FORM: b"<</Fields[30 0 R]/SigFlags 3/DA(/F1 10 Tf 0 g)/DR<</Font<</F1 5 0 R>>>>>>",
        30: b"<</Type/Annot/Subtype/Widget/FT/Tx/T(note)/V()/Rect[30 700 400 760]/F 4/DA(/F1 10 Tf 0 g)/P 10 0 R/MK<<>>>>",
        ANNOTS: b"[30 0 R]",
    },
)


def overlaid_field(before: Document) -> Document:
    """A field that lies over the price is filled: its look is white with another price on it."""
    look = stream(b"1 g 0 0 370 60 re f " + text("The price is 900", x=10, y=40), b"/Type/XObject/Subtype/Form/BBox[0 0 370 60]/Resources<</Font<</F1 5 0 R>>>>")
    return update(before, {30: before.objects[30].replace(b"/V()", b"/V(900)/AP<</N 99 0 R>>"), 99: look})


VALUED = update(
    FIELD,
    {
        30: FIELD.objects[30].replace(b"/V()", b"/V(The price is 900)/AP<</N 31 0 R>>"),
        31: stream(text("The price is 100", x=10, y=40), b"/Type/XObject/Subtype/Form/BBox[0 0 370 60]/Resources<</Font<</F1 5 0 R>>>>"),
    },
)
SCRIPT = b"<</S/JavaScript/JS(1)>>"


def gap(before: Document, number: int, body: bytes) -> bytes:
    """The signed revision refers to an object that it does not have; the update is nothing but that object. A table with a row of no
    known kind has the file read leniently: strictly, a reference to nothing is a fault and leaves the comparison open."""
    loose = Document(table(before, b"%d 1\n0000000000 00000 x \n" % CATALOGUE), before.objects, len(before.data))
    return update(sign(loose), {number: body}).data


def field_added(more: bytes, objects: dict[int, bytes] | None = None) -> bytes:
    """An empty signature field that shows nothing: signers add such fields, and nobody sees them."""
    number = SEALED.free
    widget = b"<</Type/Annot/Subtype/Widget/FT/Sig/T(More)/Rect[0 0 0 0]/P 10 0 R%s>>" % more
    form = SEALED.objects[FORM].replace(b"/Fields[", b"/Fields[%d 0 R " % number)
    annotations = SEALED.objects[ANNOTS].replace(b"[", b"[%d 0 R " % number)
    return update(SEALED, {number: widget, FORM: form, ANNOTS: annotations, **(objects or {})}).data


CHANGED: dict[str, tuple[Callable[[], bytes], str]] = {
    # name -> (file, the check that must be FAILED with MODIFIED_AFTER_SIGNING)
    "hidden content, shown by a table": (shown_by_a_table, "SIG.VISUAL"),
    "hidden catalogue, shown by a table": (another_catalogue_by_a_table, "SIG.MODIFIED"),
    "a layer switched": (
        lambda: update(sign(LAYERED), {92: b"<</OCGs[90 0 R 91 0 R]/D<</ON[91 0 R]/OFF[90 0 R]>>>>"}).data, "SIG.VISUAL",
    ),
    "a glyph drawn otherwise": (lambda: update(sign(GLYPHS), {95: stream(b"10 0 0 0 10 10 d1 0 0 9 9 re f")}).data, "SIG.VISUAL"),
    "letters assigned to other glyphs": (lambda: update(sign(GLYPHS), {97: b"<</Differences[49/nine]>>"}).data, "SIG.VISUAL"),
    "a covering picture taken away": (lambda: update(sign(COVERED), {95: b"null"}).data, "SIG.MODIFIED"),
    "a covering picture made see-through": (lambda: update(sign(COVERED), {95: stream(b"\xff", PICTURE + b"/ImageMask true")}).data, "SIG.MODIFIED"),
    "an attachment swapped": (lambda: update(sign(CARRYING), {71: stream(b"two", b"/Type/EmbeddedFile")}).data, "SIG.MODIFIED"),
    "a page freed": (lambda: table(SEALED, b"%d 1\n0000000000 00001 f \n" % SECOND), "SIG.MODIFIED"),
    "the seal's page taken away": (lambda: update(SEALED, {PAGES: b"<</Type/Pages/Kids[12 0 R]/Count 1>>"}).data, "SIG.VISUAL"),
    "a form of another kind": (
        lambda: update(SEALED, {FORM: SEALED.objects[FORM][:-2] + b"/XFA 96 0 R>>", 96: stream(b"<xdp/>")}).data, "SIG.MODIFIED",
    ),
    "a script on a page": (
        lambda: update(SEALED, {FIRST: SEALED.objects[FIRST][:-2] + b"/AA<</O<</S/JavaScript/JS(1)>>>>>>"}).data, "SIG.MODIFIED",
    ),
    "a number used again": (lambda: update(SEALED, {VALUE: SEALED.objects[DRAWN]}).data, "SIG.ENUMERATED"),
    "the catalogue frees its form": (lambda: update(SEALED, {CATALOGUE: b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%d 0 R]>>/OpenAction[10 0 R/Fit]>>" % WIDGET}).data, "SIG.MODIFIED"),
    "the page turned": (lambda: update(SEALED, {FIRST: SEALED.objects[FIRST][:-2] + b"/Rotate 180>>"}).data, "SIG.VISUAL"),
    "a script where there was nothing": (lambda: gap(adding(DEED, b"/OpenAction 150 0 R"), 150, SCRIPT), "SIG.MODIFIED"),
    "a script where there was nothing, of another generation": (lambda: gap(adding(DEED, b"/OpenAction 150 7 R"), 150, SCRIPT), "SIG.MODIFIED"),
    "a script where there was nothing, below": (
        lambda: gap(adding(DEED, b"/Outlines 90 0 R", {90: b"<</First 91 0 R>>", 91: b"<</Title(a)/Parent 90 0 R/A 150 0 R>>"}), 150, SCRIPT), "SIG.MODIFIED",
    ),
    "a parent where there was none": (
        lambda: gap(update(FIELD, {30: FIELD.objects[30].replace(b"/P 10", b"/Parent 150 0 R/P 10")}), 150, b"<</FT/Tx/T(up)/AA<</C%s>>>>" % SCRIPT), "SIG.MODIFIED",
    ),
    "an attachment where there was nothing": (
        lambda: gap(update(CARRYING, {70: b"<</Type/Filespec/F(a)/EF<</F 171 0 R>>>>"}), 171, stream(b"two", b"/Type/EmbeddedFile")), "SIG.MODIFIED",
    ),
    "an attachment beyond the size that was signed": (
        # The table of the signature says that it ends before the attachment, which an older table has.
        lambda: update(sign(Document(CARRYING.data, {n: b for n, b in CARRYING.objects.items() if n < 70}, CARRYING.table)), {71: stream(b"two", b"/Type/EmbeddedFile")}).data,
        "SIG.MODIFIED",
    ),
    "a script where there was nothing, within the table": (lambda: gap(adding(DEED, b"/OpenAction 150 0 R", {200: b"1"}), 150, SCRIPT), "SIG.MODIFIED"),
    "content where there was nothing": (
        lambda: gap(update(DEED, {FIRST: DEED.objects[FIRST].replace(b"/Contents 11 0 R", b"/Contents[11 0 R 150 0 R]")}), 150, stream(text("The price is 900"))),
        "SIG.MODIFIED",
    ),
    "a script in a field that shows nothing": (lambda: field_added(b"/AA<</PO%s>>" % SCRIPT), "SIG.MODIFIED"),
    "an action of a field that shows nothing": (lambda: field_added(b"/A%s" % SCRIPT), "SIG.MODIFIED"),
    "a script in a widget of such a field": (
        lambda: field_added(b"/Kids[95 0 R]", {95: b"<</Type/Annot/Subtype/Widget/Rect[0 0 0 0]/P 10 0 R/Parent %d 0 R/AA<</PO%s>>>>" % (SEALED.free, SCRIPT)}), "SIG.MODIFIED",
    ),
    "the page cropped": (lambda: update(SEALED, {FIRST: SEALED.objects[FIRST][:-2] + b"/CropBox[0 0 595 700]>>"}).data, "SIG.VISUAL"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "check"), CHANGED.values(), ids=CHANGED)
def test_what_was_prepared_and_shown_later(make: Callable[[], bytes], check: str) -> None:
    result = verdict({"deed.pdf": make()})
    assert result.overall is Overall.INCONSISTENT, [(f.check, f.outcome, f.actual) for f in result.findings]
    assert [f for f in result.findings if f.check == check and f.outcome is Outcome.FAILED]


@pytest.mark.parametrize("made", [LAYERED, GLYPHS, COVERED, CARRYING, FIELD], ids=["layers", "glyphs", "picture", "attachment", "field"])
def test_without_the_update_each_is_what_was_signed(made: Document) -> None:
    """The attack is what refutes, not the preparation."""
    assert verdict({"deed.pdf": sign(made).data}).overall is Overall.CONSISTENT


def test_a_field_that_shows_nothing_and_does_nothing() -> None:
    """The same update without its script: what is refuted is the script."""
    assert verdict({"deed.pdf": field_added(b"")}).overall is Overall.CONSISTENT


def test_fields_that_each_program_draws_as_it_likes() -> None:
    """The price of the value is not the price that was drawn; later every program is asked to draw the value."""
    assert verdict({"deed.pdf": sign(VALUED).data}).overall is Overall.CONSISTENT
    sealed = sign(VALUED)
    asked = update(sealed, {FORM: sealed.objects[FORM][:-2] + b"/NeedAppearances true>>"})
    for made in (asked, sign(asked, Plan(name=b"Second"))):
        result = verdict({"deed.pdf": made.data})
        first = next(f for f in result.findings if f.check == "SIG.VISUAL")
        assert (first.outcome, first.reason, first.actual) == (Outcome.INDETERMINATE, Reason.MODIFIED_AFTER_SIGNING, "NeedAppearances")
    # Without a second signer, who answers for what was asked, nobody does.
    assert verdict({"deed.pdf": asked.data}).overall is Overall.INDETERMINATE
    # Where there is nothing but signatures to draw, or where it was asked for before, nothing changed.
    bare = update(SEALED, {FORM: SEALED.objects[FORM][:-2] + b"/NeedAppearances true>>"})
    before = sign(update(VALUED, {FORM: VALUED.objects[FORM][:-2] + b"/NeedAppearances true>>"}))
    for made in (bare, sign(before, Plan(name=b"Second"))):
        assert verdict({"deed.pdf": made.data}).overall is Overall.CONSISTENT


def test_a_field_over_print_that_is_filled_later() -> None:
    result = verdict({"deed.pdf": overlaid_field(sign(FIELD)).data})
    seen = [f for f in result.findings if f.check == "SIG.VISUAL"]
    assert result.overall is not Overall.CONSISTENT
    assert [(f.outcome, f.reason) for f in seen] == [(Outcome.INDETERMINATE, Reason.MODIFIED_AFTER_SIGNING)]
    assert [f.actual for f in seen] == ["1"]
    # Nor when a later seal covers it: print that stood there is no longer seen.
    second = verdict({"deed.pdf": sign(overlaid_field(sign(FIELD)), Plan(name=b"Second")).data})
    first, _ = [f for f in second.findings if f.check == "SIG.VISUAL"]
    assert first.outcome is Outcome.INDETERMINATE


@pytest.mark.parametrize(
    ("made", "noted"),
    [
        (update(DEED, {FORM: b"<</Fields[]/SigFlags 3/XFA 96 0 R>>", 96: stream(b"<xdp/>")}), "XFA"),
        (document(text("a"), catalogue=b"/OpenAction<</S/JavaScript/JS(1)>>"), "OpenAction"),
        (document(text("a"), catalogue=b"/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(1)>>]>>>>"), "JavaScript"),
        (CARRYING, "EmbeddedFiles"),
    ],
    ids=["XFA", "action on opening", "scripts", "attachment"],
)
def test_what_acts_by_itself_is_said_even_when_it_was_signed(made: Document, noted: str) -> None:
    (listed,) = [f for f in verdict({"deed.pdf": sign(made).data}).findings if f.check == "SIG.ENUMERATED"]
    assert listed.notes == (f"ACTIVE_CONTENT:{noted}",)


# ── universal signature forgery ───────────────────────────────────────────────────────────────────────────────────────


def damaged(contents: bytes | None = b"<30>", numbers: bytes | None = b"[0 10 20 30]") -> bytes:
    """A field with a signature dictionary in which the container or the range is not what it should be."""
    body = SEALED.objects[VALUE]
    start = body.index(b"/Contents <")
    body = body[:start] + (b"" if contents is None else b"/Contents " + contents) + body[body.index(b">", start) + 1 :]
    body = body.replace(RANGE, b"" if numbers is None else b"/ByteRange " + numbers)
    widget = SEALED.objects[WIDGET].replace(b"/V %d 0 R" % VALUE, b"/V 20 0 R")
    return update(DEED, {20: body, 21: widget, FORM: b"<</Fields[21 0 R]/SigFlags 3>>", ANNOTS: b"[21 0 R]"}).data


def written(number: int) -> bytes:
    """An object as it stands in the sealed file, the container filled."""
    start = SEALED.data.index(b"%d 0 obj\n" % number) + len(b"%d 0 obj\n" % number)
    return SEALED.data[start : SEALED.data.index(b"\nendobj", start)]


def packed_forgery() -> bytes:
    """Nothing of a signature is written bare: only a reader that opens object streams sees the field."""
    widget = SEALED.objects[WIDGET].replace(b"/V %d 0 R" % VALUE, b"/V 20 0 R")
    extra = {20: written(VALUE), 21: widget, FORM: b"<</Fields[21 0 R]/SigFlags 3>>", ANNOTS: b"[21 0 R]"}
    made = packed(Document(DEED.data, {**DEED.objects, **extra}, DEED.table)).data
    assert b"/ByteRange" not in made and b"/SubFilter" not in made
    return made


FORGED: dict[str, Callable[[], bytes]] = {
    "container: null": lambda: damaged(b"null"),
    "container: missing": lambda: damaged(None),
    "container: a name": lambda: damaged(b"/X"),
    "container: a number": lambda: damaged(b"7"),
    "container: elsewhere": lambda: damaged(b"9 0 R"),
    "container: empty": lambda: damaged(b"<>"),
    "container: zero": lambda: damaged(b"<00>"),
    "container: a text": lambda: damaged(b"(abc)"),
    "container: two": lambda: sign(DEED, Plan(fields=b"/Contents <3003020101>")).data,
    "range: null": lambda: damaged(numbers=b"null"),
    "range: missing": lambda: damaged(numbers=None),
    "range: fractions": lambda: damaged(numbers=b"[0 10.5 20 30]"),
    "range: elsewhere": lambda: damaged(numbers=b"[0 9 0 R 20 30]"),
    "range: a dictionary": lambda: damaged(numbers=b"<<>>"),
    "range: negative": lambda: damaged(numbers=b"[0 -10 20 30]"),
    "range: beyond all numbers": lambda: damaged(numbers=b"[0 99999999999999999999 20 30]"),
    "range: two": lambda: sign(DEED, Plan(fields=b"/ByteRange[0 1 2 3]")).data,
    "neither": lambda: damaged(None, None),
    "packed": lambda: packed_forgery(),
    "moved into an object stream later": lambda: packed(Document(SEALED.data, {**SEALED.objects, VALUE: written(VALUE)}, SEALED.table)).data,
}  # fmt: skip


@pytest.mark.parametrize("make", FORGED.values(), ids=FORGED)
def test_a_container_or_range_that_is_none(make: Callable[[], bytes]) -> None:
    """Listed and refuted: a reader that lists the field would say that somebody signed."""
    result = verdict({"deed.pdf": make()})
    assert result.sources[0].format == "signed-pdf"
    assert result.overall is Overall.INCONSISTENT
    named = {(f.check, f.reason) for f in result.findings if f.outcome is Outcome.FAILED}
    assert named & {("SIG.ENUMERATED", Reason.FORMAT_FAILURE), ("SIG.BYTERANGE", Reason.FORMAT_FAILURE)}


def test_an_unsigned_form_is_no_signed_file() -> None:
    made = update(DEED, {FORM: b"<</Fields[21 0 R]/SigFlags 1>>", 21: b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal)/Rect[0 0 0 0]>>", ANNOTS: b"[21 0 R]"})
    for data in (made.data, packed(made).data):
        assert verdict({"deed.pdf": data}).sources[0].format == "unknown"


# ── structure ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def hybrid(before: Document, number: int, body: bytes) -> bytes:
    """ISO 32000-1 §7.5.8.4: a table for old readers, and a stream with other places for new ones."""
    data = before.data
    place = len(data)
    data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    rows = bytes([1]) + place.to_bytes(4) + b"\0\0"
    index = len(data)
    data += b"%d 0 obj\n%s\nendobj\n" % (before.free, stream(rows, b"/Type/XRef/W[1 4 2]/Size %d/Index[%d 1]/Root 1 0 R" % (before.free + 1, number)))
    after = Document(data, before.objects, before.table)
    return table(after, row(before.free, index), more=b"/XRefStm %d" % index)


def encrypted(opens: str) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(SEALED.data)) as file:
        file.save(out, encryption=pikepdf.Encryption(owner="owner", user=opens, R=6), object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return out.getvalue()


NEVER: dict[str, Callable[[], bytes]] = {
    "two tables, another content for new readers": lambda: hybrid(SEALED, DRAWN, stream(text("The price is 900"))),
    "encrypted afterwards": lambda: encrypted(""),
    "encrypted with a password": lambda: encrypted("secret"),
    "bytes before the header": lambda: b"PK\3\4" + SEALED.data,
    "signed with bytes before the header": lambda: sign(update(Document(b"PK\3\4 polyglot\n%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), DEED.objects)).data,
    "a table that is its own past": lambda: SEALED.data + b"xref\n0 0\ntrailer\n<</Size 30/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (len(SEALED.data), len(SEALED.data)),
    "damaged Flate": lambda: update(SEALED, {DRAWN: stream(b"x\x9c damaged", b"/Filter/FlateDecode")}).data,
    "chain of 5,000": lambda: adding(SEALED, b"/X 1000 0 R", {1000 + i: b"<</Next %d 0 R>>" % (1001 + i) for i in range(5000)} | {6000: b"<<>>"}).data,
    "a script where there was nothing, read strictly": lambda: update(sign(adding(DEED, b"/OpenAction 150 0 R")), {150: SCRIPT}).data,
    "a parent where there was none, read strictly": lambda: update(
        sign(update(FIELD, {30: FIELD.objects[30].replace(b"/P 10", b"/Parent 150 0 R/P 10")})), {150: b"<</FT/Tx/T(up)/AA<</C%s>>>>" % SCRIPT}
    ).data,
    "two files in one": lambda: SEALED.data + DEED.data,
    "another file's end": lambda: SEALED.data + DEED.data[DEED.data.rindex(b"xref\n0") :],
}  # fmt: skip


@pytest.mark.parametrize("make", NEVER.values(), ids=NEVER)
def test_never_passed_and_always_answered(make: Callable[[], bytes]) -> None:
    result = verdict({"deed.pdf": make()})
    assert result.overall is not Overall.CONSISTENT
    assert Reason.INTERNAL_ERROR not in {f.reason for f in result.findings}
    assert [f for f in result.findings if f.outcome is not Outcome.PASSED] or result.reasons


# ── mutations of every region ─────────────────────────────────────────────────────────────────────────────────────────


def regions(data: bytes) -> dict[str, range]:
    def piece(begin: bytes, end: bytes, *, last: bool = False) -> range:
        start = data.rindex(begin) if last else data.index(begin)
        return range(start, data.index(end, start) + len(end))

    gap = data.index(b"/Contents <")
    return {
        "header": range(0, 9),
        "catalogue": piece(b"1 0 obj", b"endobj"),
        "tree of pages": piece(b"2 0 obj", b"endobj"),
        "page": piece(b"10 0 obj", b"endobj"),
        "content": piece(b"11 0 obj", b"endobj"),
        "font": piece(b"5 0 obj", b"endobj"),
        "first table": piece(b"xref", b"trailer"),
        "first trailer": piece(b"trailer", b"%%EOF"),
        "signature before its range": range(data.index(b"%d 0 obj" % VALUE), data.index(b"/ByteRange")),
        "range": piece(b"/ByteRange", b"]"),
        "between range and container": range(data.index(b"]", data.index(b"/ByteRange")), gap + 10),
        "behind the container": range(gap + 12 + 12000, data.index(b"endobj", gap)),
        "field": piece(b"%d 0 obj" % WIDGET, b"endobj"),
        "form": range(data.rindex(b"\n3 0 obj"), data.index(b"endobj", data.rindex(b"\n3 0 obj"))),
        "last table": piece(b"xref\n3 1", b"trailer"),
        "last trailer": piece(b"trailer", b"startxref", last=True),
        "end": range(data.rindex(b"startxref"), len(data) - 1),
    }


REGIONS = regions(SEALED.data)


@pytest.mark.parametrize("region", REGIONS)
def test_no_changed_byte_of_a_region_passes(region: str) -> None:
    """Twenty-five places spread over each region, more than 400 in all; three other values each."""
    places = REGIONS[region]
    for place in list(places)[:: max(1, len(places) // 25)]:
        for other in {SEALED.data[place] ^ 1, SEALED.data[place] ^ 0x20, ord(" ")} - {SEALED.data[place]}:
            bent = bytearray(SEALED.data)
            bent[place] = other
            result = verdict({"deed.pdf": bytes(bent)})
            assert result.overall is not Overall.CONSISTENT, (place, other)
            assert Reason.INTERNAL_ERROR not in {f.reason for f in result.findings}


def test_no_changed_container_passes() -> None:
    gap = SEALED.data.index(b"/Contents <") + 11
    for place in range(gap, gap + 12000, 97):
        bent = bytearray(SEALED.data)
        bent[place] = ord("0") if bent[place] != ord("0") else ord("1")
        result = verdict({"deed.pdf": bytes(bent)})
        # Nothing in it is idle: each certificate is needed for the path, and what pads it is zero.
        assert result.overall is not Overall.CONSISTENT, place


# ── no network, and in the jail ───────────────────────────────────────────────────────────────────────────────────────

OPENED: list[str] = []
LISTENING = [False]


def heard(event: str, arguments: tuple[Any, ...]) -> None:
    if LISTENING[0] and event.startswith(("socket.", "urllib.", "http.", "subprocess.", "os.system", "os.exec", "ftplib.")):
        OPENED.append(event)


sys.addaudithook(heard)
ALL = {**{n: make for n, (make, _) in CHANGED.items()}, **FORGED, **NEVER, "sealed": lambda: SEALED.data}


@pytest.fixture
def listening() -> Iterator[list[str]]:
    OPENED.clear()
    LISTENING[0] = True
    yield OPENED
    LISTENING[0] = False


def test_nothing_is_opened(listening: list[str]) -> None:
    """No socket, no program, whatever addresses the file and its certificates name."""
    calling = document(text("a"), catalogue=b"/OpenAction<</S/URI/URI(http://127.0.0.1:1/)>>/URI<</Base(http://127.0.0.1:1/)>>")
    seal = sign(calling, Plan(fields=b"/Prop_Build<</App<</Name/x>>>>/Cert(http://127.0.0.1:1/)"))
    for make in (*ALL.values(), lambda: seal.data):
        verdict({"deed.pdf": make()})
    assert listening == []


def test_the_same_answers_in_the_jail(tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "pack", seal_roots=[ROOT.pem], tsa_roots=[TSA_ROOT.pem], revocation_lists=LISTS)
    store = TrustStore.load(pack)
    with Jail() as jail:
        for name, make in ALL.items():
            file = tmp_path / "deed.pdf"
            file.write_bytes(make())
            inside = jail.run([("deed.pdf", file)], trust_dir=pack, at=AT)
            outside: Verdict = verdict({"deed.pdf": file.read_bytes()}, store)
            assert inside.killed is None, (name, inside.detail)
            assert inside.verdict_json == outside.to_json(), name
