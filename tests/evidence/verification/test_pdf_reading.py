"""The engine's own reading of objects and ways against the library's: same objects, same ways, same faults; and how much it costs.

What the library does is changed in one respect only: deep rings and chains of objects are walked, not given up (`ERRATA.md`).
"""

import hashlib
import importlib.metadata
import inspect
import random
import time
import zlib
from io import BytesIO
from typing import Any

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.sign.diff_analysis import StandardDiffPolicy

from evidence.verification.signatures import pdf_paths, pdf_reader, pdf_tokens
from evidence.verification.verdict import Overall

from .pdf_exhibits import (
    ANNOTS,
    CATALOGUE,
    Document,
    Plan,
    document,
    page,
    sign,
    stream,
    text,
    time_stamped,
    update,
    verdict,
)

DEED = document(text("The price is 100"), text("second page"))
SEALED = sign(DEED)

ORIGINALS = {
    HistoricalResolver._load_reverse_xref_cache: "7a0a27ccb00c0cc0958636117b9165df5be1fd2bed7805219ebc90650b499132",
    HistoricalResolver.get_object: "4d2b19e88804777eaafdae081007cfea443a0dab2819fc62b133309e60bf14da",
    generic.read_object: "90577693a939543fe8a33d77c8a38f7861cf64883d62e68ac7b792f1c5aa5d8f",
    generic.DictionaryObject.read_from_stream: "cd3539c5f3cabe3ebc3badc2193b1401a7017de8e5efcc13b6bd2e5ecfb93590",
    StandardDiffPolicy.apply: "8151331fb16fc7e435a149d6024d14f3194b8387f50269ef5da74998c0600a1a",
    StandardDiffPolicy.review_file: "f125c657b4de171c71eb026bfa88c8ec074104bc32e2808015a8ef88521d0e14",
}
"""Function -> SHA-256 of its source, in the release that the engine's own reading was written beside."""


@pytest.mark.parametrize("function", ORIGINALS, ids=lambda f: f.__qualname__)
def test_the_library_s_own_code_is_the_one_that_was_read(function: Any) -> None:
    """When this fails: read the new source, decide whether ours still gives the same, and only then change the digest."""
    assert hashlib.sha256(inspect.getsource(function).encode()).hexdigest() == ORIGINALS[function]


def test_the_release_is_the_one_that_was_read() -> None:
    assert importlib.metadata.version("pyhanko") == "0.38.0"


# ── objects of an object stream ───────────────────────────────────────────────────────────────────────────────────────

READER = pdf_reader.Reader(DEED.data, strict=True)


def shape(value: Any) -> Any:
    """An object with the types of everything in it and whom it belongs to."""
    owner = value.container_ref and (value.container_ref.idnum, value.container_ref.get_pdf_handler() is READER)
    if isinstance(value, dict):
        return type(value), owner, [(type(k), k, shape(v)) for k, v in value.items()]
    if isinstance(value, list):
        return type(value), owner, [shape(v) for v in list.__iter__(value)]
    if isinstance(value, generic.IndirectObject):
        return type(value), owner, value.idnum, value.generation, value.get_pdf_handler() is READER
    return type(value), owner, None if isinstance(value, generic.NullObject) else str(value)


def both(data: bytes) -> tuple[Any, Any]:
    """(ours or None, the library's or the fault it raises), for an object with another behind it."""
    ours = pdf_tokens.read(data + b" ", 0, len(data) + 1, 7, READER)
    try:
        library = generic.read_object(BytesIO(data + b" "), generic.Reference(7, 0, READER))
    except pdf_reader.FAULTS as fault:
        return ours, fault
    return ours, library


READ = [
    b"<<>>",
    b"[]",
    b"<</Type/StructElem/S/P/P 12 0 R/K[1 2 3]/Pg 4 0 R/A<</O/Layout/W -5>>>>",
    b"<< /A true /B false /C null /D +4 /E /F /G[ 1 0 R 2 0 R[ ] << >> ] >>",
    b"<</A\r\n1/B\t2\0/C\x0c3>>",
    b"<</Empty//Next 0012 003 R>>",
    b"[/A/B[/C 1]2 3 0 R]",
]
LEFT = [
    b"<</A 1.5>>", b"<</A (text)>>", b"<</A <ab>>>", b"<</A#42 1>>", b"<</A 1/A 2>>", b"<</A 1%c\n>>", b"<</A 1  0 R>>", b"12", b"/Name",
    b"1 0 R", b"true", b"<</A 1>", b"<</A>>", b"[1 2", b"<<1 2>>", b"<</A 1]>>", b"[1>>", b"<</A 12 0 Rx>>", b"<</\xe4 1>>", b"<</A 1 2>>",
    b"<</A<</B 1>>stream\nx\nendstream>>", b"<</Length 1>>stream\nx\nendstream", b"<<>>s", b"<</A 9999999999999999>>", b"<</A --1>>",
    b"[" * 45 + b"]" * 45, b"<</A nul>>", b"<</A trues>>", b"<</A 1 0 R 2>>", b"", b"<", b"[1 0 R/A", b"<</A{>>", b"<</A 1>>]", b"[] []",
    b"<</A 0 0 R>>", b"[00 0 R]",
]  # fmt: skip


@pytest.mark.parametrize("data", READ, ids=repr)
def test_usual_objects_are_read_as_the_library_reads_them(data: bytes) -> None:
    ours, library = both(data)
    assert ours is not None and shape(ours) == shape(library)


@pytest.mark.parametrize("data", LEFT, ids=lambda d: repr(d[:30]))
def test_anything_else_is_left_to_the_library(data: bytes) -> None:
    assert both(data)[0] is None


def test_no_object_is_read_otherwise() -> None:
    """Seeded mixtures of tokens, whole and broken: what is read at all is read as the library reads it."""
    random.seed(20261122)
    pieces = [b"<<", b">>", b"[", b"]", b"/A", b"/B", b"/Type", b"/P", b"1", b"-2", b"3 0 R", b"12 0 R", b"0 0 R", b"true", b"null", b" ", b"\n", b"/", b"0", b"R"]
    odd = [b"(a)", b"<41>", b"1.5", b"%x\n", b"#", b"\0", b"s", b"{", b"+", b"  "]
    read = 0
    for _ in range(20_000):
        body = b"".join(random.choice(pieces if random.random() < 0.97 else odd) for _ in range(random.randrange(1, 9)))
        data = b"<<" + b"/K " + body + b">>" if random.random() < 0.5 else b"[" + body + b"]"
        ours, library = both(data)
        if ours is None:
            continue
        read += 1
        assert not isinstance(library, Exception), (data, library)
        assert shape(ours) == shape(library), data
    assert read > 2_000


# ── ways ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def structured(depth: int = 3) -> Document:
    """A tagged file: pages with links to each other, marks, a parent tree, fields in the structure."""
    elements = {
        60 + n: b"<</Type/StructElem/S/Div/P %d 0 R/Pg %d 0 R/K[%s %d]>>" % (59 + n if n else 50, 10, b"%d 0 R" % (61 + n) if n < depth else b"", n)
        for n in range(depth + 1)
    }
    objects = {
        CATALOGUE: DEED.objects[CATALOGUE][:-2] + b"/StructTreeRoot 50 0 R/Outlines 51 0 R/X[[<</Y 4 0 R>>] 5 0 R]>>",
        50: b"<</Type/StructTreeRoot/K[60 0 R<</S/P/P 60 0 R/K 58 0 R>>]/ParentTree<</Nums[0[60 0 R 61 0 R]]>>>>",
        51: b"<</First 52 0 R/Last 53 0 R/Count 2>>",
        52: b"<</Title(a)/Parent 51 0 R/Next 53 0 R/Dest[10 0 R/Fit]>>",
        53: b"<</Title(b)/Parent 51 0 R/Prev 52 0 R/Dest[12 0 R/Fit]/SE 61 0 R>>",
        58: b"<</S/Form/P 50 0 R/K<</Type/OBJR/Obj 4 0 R/Pg 12 0 R>>>>",
        ANNOTS: b"[<</Subtype/Link/Dest[12 0 R/Fit]/P 10 0 R>>]",
        **elements,
    }
    return update(DEED, objects)


def packed(before: Document) -> Document:
    """The same objects in an object stream, behind a table of the newer kind."""
    objects = {n: b for n, b in before.objects.items() if b"stream" not in b}
    body, places = b"", []
    for number, content in objects.items():
        places.append(b"%d %d" % (number, len(body)))
        body += content + b"\n"
    head = b" ".join(places) + b"\n"
    data, rows, holder, table = before.data, {}, before.free, before.free + 1
    rows[holder] = (1, len(data), 0)
    inside = zlib.compress(head + body)
    data += b"%d 0 obj\n%s\nendobj\n" % (
        holder, stream(inside, b"/Type/ObjStm/N %d/First %d/Filter/FlateDecode" % (len(objects), len(head))),
    )  # fmt: skip
    rows |= {number: (2, holder, n) for n, number in enumerate(objects)}
    rows[table] = (1, len(data), 0)
    index = b"".join(b"%d 1 " % n for n in sorted(rows))
    packed_rows = b"".join(bytes([k]) + p.to_bytes(4) + i.to_bytes(2) for _, (k, p, i) in sorted(rows.items()))
    entries = b"/Type/XRef/W[1 4 2]/Size %d/Index[%s]/Root 1 0 R/Prev %d" % (table + 1, index, before.table)
    start = len(data)
    data += b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, stream(packed_rows, entries), start)
    return Document(data, {**before.objects, holder: b"", table: b""}, start)


FILES = {
    "plain": DEED,
    "sealed": SEALED,
    "sealed twice and stamped": time_stamped(sign(SEALED, Plan(name=b"Two"))),
    "tagged": structured(),
    "tagged and sealed": sign(structured()),
    "tagged, deep": structured(120),
    "packed": packed(structured()),
    "packed, changed": update(packed(structured()), {52: b"<</Title(c)/Next 60 0 R>>", 61: b"<</S/P/K[]>>"}),
    "a page below itself": update(DEED, {2: b"<</Type/Pages/Kids[10 0 R 2 0 R]/Count 2>>"}),
    "structure in a ring": update(structured(), {61: b"<</S/P/K[60 0 R]>>"}),
    "structure that is a number": update(structured(), {50: b"7"}),
    "structure of nothing": update(structured(), {50: b"<<>>"}),
    "kids that are a name": update(DEED, {2: b"<</Type/Pages/Kids/None/Count 0>>"}),
    "no pages": update(DEED, {CATALOGUE: b"<</Type/Catalog/AcroForm 3 0 R>>"}),
    "a reference to nothing": update(DEED, {CATALOGUE: DEED.objects[CATALOGUE][:-2] + b"/X 999 0 R>>"}),
    "references to references": update(DEED, {4: b"5 0 R", 80: b"81 0 R", 81: b"80 0 R", CATALOGUE: DEED.objects[CATALOGUE][:-2] + b"/X 80 0 R>>"}),
    "two ways to one": update(DEED, {CATALOGUE: DEED.objects[CATALOGUE][:-2] + b"/X 80 0 R/Y 80 0 R>>", 80: b"<</Z[4 0 R 4 0 R]/Parent 5 0 R>>"}),
    "a page entered from outside": update(DEED, {4: b"[<</Kids[10 0 R 12 0 R]>>]", 12: page(13, annots=4)}),
}


def found(resolver: HistoricalResolver) -> Any:
    try:
        resolver._load_reverse_xref_cache()
    except pdf_reader.FAULTS as fault:
        return type(fault)
    table: Any = resolver._indirect_object_access_cache
    if isinstance(table, pdf_paths.Ways):
        keys = [generic.Reference(*key) for key in table]
        return {key: table[key] for key in keys}
    return table


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])
@pytest.mark.parametrize("made", FILES.values(), ids=FILES)
def test_every_way_of_every_revision_is_the_library_s(made: Document, strict: bool) -> None:
    ours, library = pdf_reader.Reader(made.data, strict=strict), PdfFileReader(BytesIO(made.data), strict=strict)
    for revision in range(ours.xrefs.total_revisions):
        mine, theirs = found(pdf_reader.Revision(ours, revision)), found(HistoricalResolver(library, revision))
        assert mine == theirs
    assert isinstance(ours.get_historical_resolver(0), pdf_reader.Revision)


def test_ways_are_counted() -> None:
    """Sixty objects that all name each other have more ways than there are atoms."""
    dense = {1000 + i: b"<<" + b"".join(b"/K%d %d 0 R" % (j, 1000 + j) for j in range(60)) + b">>" for i in range(60)}
    made = update(DEED, {CATALOGUE: DEED.objects[CATALOGUE][:-2] + b"/X 1000 0 R>>", **dense})
    reader = pdf_reader.Reader(made.data, strict=True)
    with pytest.raises(pdf_reader.Spent):
        pdf_reader.Revision(reader, 1)._load_reverse_xref_cache()


HERE = DEED.objects[CATALOGUE][:-2]
WITHOUT_END = {
    "structure that is its own only kid": update(structured(), {61: b"<</S/P/K 61 0 R>>"}),
    "structure that is twice below itself": update(
        structured(), {50: b"<</Type/StructTreeRoot/K 100 0 R>>", **{100 + i: b"[<</S/P/K %d 0 R>><</S/P/K %d 0 R>>]" % (101 + i, 101 + i) for i in range(45)}, 145: b"[]"}
    ),
    "pages that are twice below themselves": update(
        DEED, {2: b"<</Type/Pages/Kids 100 0 R>>", **{100 + i: b"[<</Type/Pages/Kids %d 0 R>><</Type/Pages/Kids %d 0 R>>]" % (101 + i, 101 + i) for i in range(45)}, 145: b"[]"}
    ),
    "kids that are references to references": update(
        structured(), {50: b"<</Type/StructTreeRoot/K[%s]>>" % (b"100 0 R " * 80_000), **{100 + i: b"%d 0 R" % (101 + i) for i in range(45)}, 145: b"7"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("made", WITHOUT_END.values(), ids=WITHOUT_END)
def test_trees_without_end_are_given_up(made: Document) -> None:
    """Nothing is looked up anew on the way, so that the count of look-ups never ends it."""
    reader, begun = pdf_reader.Reader(made.data, strict=True), time.process_time()
    with pytest.raises((pdf_reader.Spent, *pdf_reader.FAULTS)):
        pdf_reader.Revision(reader, reader.xrefs.total_revisions - 1)._load_reverse_xref_cache()
    assert time.process_time() - begun < 10


def test_an_object_is_gone_through_once_however_many_ways_lead_to_it() -> None:
    made = update(DEED, {900: b"[" + b"[]" * 100_000 + b"]"}, trailer=b"".join(b"/T%d 900 0 R" % n for n in range(20_000)))
    reader, begun = pdf_reader.Reader(made.data, strict=True), time.process_time()
    pdf_reader.Revision(reader, 1)._load_reverse_xref_cache()
    assert time.process_time() - begun < 5


def test_ways_that_are_too_long_are_not_spelled_out() -> None:
    """Two thousand ways of three thousand names each: a larger file would fill the memory."""
    chain = {1000 + i: b"<</N %d 0 R>>" % (1001 + i) for i in range(1500)}
    made = update(DEED, {CATALOGUE: HERE + b"/X 1000 0 R>>", **chain, 2500: b"[" + b"5 0 R " * 2000 + b"]"})
    reader = pdf_reader.Reader(made.data, strict=True)
    revision = pdf_reader.Revision(reader, 1)
    revision._load_reverse_xref_cache()
    with pytest.raises(pdf_reader.Spent):
        revision._get_usages_of_ref(generic.Reference(5, 0, reader))


def test_a_deep_place_of_many_references_is_not_noted() -> None:
    made = update(DEED, {CATALOGUE: HERE + b"/X 900 0 R>>", 900: b"[" * 100 + b"5 0 R " * 40_000 + b"]" * 100})
    with pytest.raises(pdf_reader.Spent):
        pdf_reader.Revision(pdf_reader.Reader(made.data, strict=True), 1)._load_reverse_xref_cache()


def test_an_object_stream_whose_index_another_reader_reads_otherwise() -> None:
    """A vertical tab is no blank in PDF: the index ends there."""
    made = packed(DEED).data
    at = made.index(b"/ObjStm")
    begin, end = made.index(b"stream", at) + 7, made.index(b"\nendstream", at)
    inside = zlib.decompress(made[begin:end])
    bent = zlib.compress(inside.replace(b" ", b"\x0b", 1))
    for strict in (True, False):
        assert len(bent) <= end - begin
        data = made[:begin] + bent.ljust(end - begin, b"\0") + made[end:]
        said = [_first_page(kind, data, strict) for kind in (pdf_reader.Reader, PdfFileReader)]
        assert said[0] == said[1]


def _first_page(kind: Any, data: bytes, strict: bool) -> Any:
    try:
        reader = kind(data if kind is pdf_reader.Reader else BytesIO(data), strict=strict)
        found = reader.get_object(generic.Reference(10, 0, reader))
        return type(found), sorted(found) if isinstance(found, dict) else None
    except pdf_reader.FAULTS as fault:
        return type(fault)


def test_every_number_that_a_revision_refers_to_is_known() -> None:
    """Also those that no way follows, and those that stand for nothing."""
    made = update(DEED, {4: b"[<</Parent 300 0 R/P[<</Q 301 5 R>>]>>]", 80: b"81 0 R"})
    reader = pdf_reader.Reader(made.data, strict=True)
    first, second = (pdf_reader.Revision(reader, n) for n in (0, 1))
    for number, taken in ((300, True), (301, True), (302, False), (5, True)):
        assert second.is_ref_unassignable(generic.Reference(number, 0, reader)) is not taken
    assert first.is_ref_unassignable(generic.Reference(300, 0, reader))


def test_a_long_list_of_bookmarks_is_walked() -> None:
    """The library gives up at a depth of a few hundred; five hundred bookmarks are a long report."""
    marks = {1000 + i: b"<</Title(x)/Next %d 0 R>>" % (1001 + i) for i in range(800)}
    made = update(DEED, {CATALOGUE: DEED.objects[CATALOGUE][:-2] + b"/Outlines 1000 0 R>>", **marks, 1800: b"<<>>"})
    twice = sign(sign(made), Plan(name=b"Two"))
    assert verdict({"deed.pdf": twice.data}).overall is Overall.CONSISTENT
    later = update(twice, {1400: b"<</Title(other)/Next 1401 0 R>>"})
    assert verdict({"deed.pdf": later.data}).overall is Overall.INCONSISTENT
