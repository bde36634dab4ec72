"""PDF files made to exhaust or confuse a reader: nothing raises, nothing passes that was not read, time and memory are bounded.

The bounds are counts, not clocks; the processor time asserted here is far above what they allow and far below the jail's own.
"""

import struct
import time
import zlib
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path

import pytest

from evidence.runs.jail import Jail, Limits
from evidence.verification import TrustStore, Verdict
from evidence.verification.reasons import Reason
from evidence.verification.signatures import pdf_weight
from evidence.verification.verdict import Outcome, Overall
from tests.anchor_packs import write_pack

from .pdf_exhibits import (
    AT,
    CATALOGUE,
    LISTS,
    PAGES,
    ROOT,
    TSA_ROOT,
    Document,
    Plan,
    document,
    sign,
    stream,
    text,
    update,
    verdict,
)

DEED = document(text("The price is 100"), text("second page"))
SEALED = sign(DEED)
DRAWN, FIRST = 11, 10
CPU_MAX = 12


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    begun = time.process_time()
    yield
    assert time.process_time() - begun < CPU_MAX


def asked(data: bytes) -> Verdict:
    """Every finding is an answer: an internal error would be a fault of the engine."""
    result = verdict({"deed.pdf": data})
    assert Reason.INTERNAL_ERROR not in {f.reason for f in result.findings}
    return result


def root(before: Document, entry: bytes, objects: dict[int, bytes] | None = None) -> Document:
    return update(before, {CATALOGUE: before.objects[CATALOGUE][:-2] + entry + b">>", **(objects or {})})


def zeros(size: int) -> bytes:
    """So many MiB of zeros as zlib has them (RFC 1950, 1951), deflated once: the others are copies of the first."""
    deflate = zlib.compressobj(9, wbits=-15)
    one = deflate.compress(bytes(1 << 20)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return b"\x78\xda" + one * size + b"\x03\x00" + struct.pack(">HH", (size << 20) % 65521, 1)


DEEP = b"[" * 3000 + b"]" * 3000
LONG = {1000 + i: b"<</Next %d 0 R>>" % (1001 + i) for i in range(5000)}
DENSE = {1000 + i: b"<<" + b"".join(b"/K%d %d 0 R" % (j, 1000 + j) for j in range(60)) + b">>" for i in range(60)}
BOMB = zeros(200)
TWICE = zlib.compress(zeros(600), 9)
ENTITIES = b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10 if i else b"aaaaaaaaaa") for i in range(9))


def many_objects(count: int) -> bytes:
    body = b"".join(b"%d 0 obj\n1\nendobj\n" % (1000 + i) for i in range(count))
    return update(Document(DEED.data + body, DEED.objects, DEED.table), {900: b"1"}).data


def long_table(count: int) -> bytes:
    rows = zlib.compress(b"\x01\x00\x00\x00\x10\x00" * count, 9)
    head = b"/Type/XRef/Size %d/Index[1000 %d]/W[1 4 1]/Root 1 0 R/Prev %d" % (1000 + count, count, SEALED.table)
    body = b"900 0 obj\n" + stream(rows, head + b"/Filter/FlateDecode") + b"\nendobj\n"
    return SEALED.data + body + b"startxref\n%d\n%%%%EOF\n" % len(SEALED.data)


OPEN: dict[str, Callable[[], bytes]] = {
    "objects nested 3,000 deep, later": lambda: root(SEALED, b"/X 100 0 R", {100: DEEP}).data,
    "catalogue nested 100,000 deep": lambda: sign(root(DEED, b"/X " + b"[" * 100_000 + b"]" * 100_000)).data,
    "chain of 5,000": lambda: root(SEALED, b"/X 1000 0 R", {**LONG, 6000: b"<<>>"}).data,
    "everything names everything": lambda: root(SEALED, b"/X 1000 0 R", DENSE).data,
    "a million objects": lambda: many_objects(1_000_000),
    "a table of millions": lambda: long_table(3_000_000),
    "a bomb, later": lambda: update(SEALED, {DRAWN: stream(BOMB, b"/Filter/FlateDecode")}).data,
    "a bomb in a bomb, later": lambda: update(SEALED, {DRAWN: stream(TWICE, b"/Filter[/FlateDecode/FlateDecode]")}).data,
    "metadata of entities": lambda: root(
        SEALED, b"/Metadata 90 0 R", {90: stream(b"<!DOCTYPE a [" + ENTITIES + b"]><a>&a8;</a>", b"/Type/Metadata/Subtype/XML")}
    ).data,
    "pages in a ring": lambda: update(SEALED, {PAGES: b"<</Type/Pages/Kids[2 0 R 10 0 R]/Count 2>>"}).data,
    "a billion pages": lambda: update(SEALED, {PAGES: b"<</Type/Pages/Kids[10 0 R 12 0 R]/Count 1000000000>>"}).data,
    "tables in a ring": lambda: _previous(b"%d" % SEALED.table),
    "a table outside": lambda: _previous(b"99999999"),
    "200 revisions": lambda: reduce(lambda d, i: update(d, {500 + i: b"1"}), range(200), SEALED).data,
    "structure that is its own only kid": lambda: update(
        sign(root(DEED, b"/StructTreeRoot 90 0 R", {90: b"<</Type/StructTreeRoot/K 91 0 R>>", 91: b"<</S/P/K 91 0 R>>"})), {500: b"1"}
    ).data,
    "60 signatures": lambda: reduce(lambda d, i: sign(d, Plan(name=b"S%d" % i)), range(60), DEED).data,
    "a password": lambda: SEALED.data.replace(b"/Size", b"/Encrypt<</Filter/Standard/V 1/R 2/O<00>/U<00>/P 0>>/Size"),
    "nothing but a header": lambda: b"%PDF-1.7\n/ByteRange",
    "no catalogue": lambda: SEALED.data.replace(b"/Root 1 0 R", b"/Root 9 9 R"),
    "fields that are none": lambda: update(SEALED, {3: b"<</Fields 7/SigFlags 3>>"}).data,
    "fields of fields": lambda: update(SEALED, {3: b"<</Fields[300 0 R]>>", 300: b"<</T(a)/Kids[300 0 R]>>"}).data,
    "a signature that is a number": lambda: update(
        SEALED, {3: b"<</Fields[300 0 R]>>", 300: b"<</FT/Sig/T(a)/V 7>>"}
    ).data,
    "a name with steering characters": lambda: sign(DEED, Plan(name=b"\xfe\xff\x20\x2e\x00a\x00\n", value=lambda _: b"")).data,
}


def _previous(place: bytes) -> bytes:
    at = SEALED.data.rindex(b"/Prev ")
    end = SEALED.data.index(b">>", at)
    return SEALED.data[:at] + (b"/Prev " + place).ljust(end - at) + SEALED.data[end:]


@pytest.mark.parametrize("make", OPEN.values(), ids=OPEN)
def test_never_passed_and_never_without_an_answer(make: Callable[[], bytes]) -> None:
    result = asked(make())
    assert result.overall is not Overall.CONSISTENT
    assert [f for f in result.findings if f.outcome is not Outcome.PASSED] or result.sources[0].format == "unknown"


SIGNED_ALREADY: dict[str, Callable[[], bytes]] = {
    "nested": lambda: sign(update(DEED, {100: DEEP})).data,
    "a bomb": lambda: sign(update(DEED, {DRAWN: stream(BOMB, b"/Filter/FlateDecode")})).data,
    "a bomb in the metadata": lambda: sign(
        root(DEED, b"/Metadata 90 0 R", {90: stream(BOMB, b"/Type/Metadata/Subtype/XML/Filter/FlateDecode")})
    ).data,
    "a page without measure": lambda: sign(
        update(DEED, {FIRST: DEED.objects[FIRST].replace(b"0 0 595 842", b"0 0 1e30 1e30")})
    ).data,
}


@pytest.mark.parametrize("make", SIGNED_ALREADY.values(), ids=SIGNED_ALREADY)
def test_what_was_signed_as_it_is_remains_signed(make: Callable[[], bytes]) -> None:
    """A bomb under a good signature is what was signed: nothing is drawn, since nothing came later."""
    assert asked(make()).overall is Overall.CONSISTENT


def deeper(frames: int, work: Callable[[], Verdict]) -> Verdict:
    return deeper(frames - 1, work) if frames else work()


def test_whoever_asks_gets_the_same_bytes() -> None:
    """The limit of recursion is counted from where the file is opened, not from where the program began."""
    seen = set()
    for depth in range(955, 985, 3):
        data = root(SEALED, b"/X 1000 0 R", {**{1000 + i: b"<</Next %d 0 R>>" % (1001 + i) for i in range(depth)}, 1000 + depth: b"1"}).data
        first = asked(data)
        assert first.to_json() == deeper(300, lambda data=data: asked(data)).to_json()  # type: ignore[misc]
        seen.add(first.reasons)
    assert len(seen) == 2, "the limit lies among these depths"


LARGE = {
    "one line": b"%PDF-1.7\n/ByteRange" + b"A" * (20 << 20),
    "one line behind the end": SEALED.data + b"A" * (20 << 20),
    "an end mark far from its place": SEALED.data.replace(b"\n%%EOF", b" " * (20 << 20) + b"\n%%EOF"),
    "nothing but streams": b"%PDF-1.7\n/ByteRange" + b"stream\n" * (3 << 20),
    "nothing but sizes": b"%PDF-1.7\n/ByteRange" + b"/Size 1 " * (3 << 20),
    "nothing but tables": b"%PDF-1.7\n/ByteRange" + b"/Type/XRef " * (2 << 20),
    "a number of millions of digits": b"%PDF-1.7\n/ByteRange 1 0 obj\n" + b"9" * (20 << 20) + b"\nstartxref\n20\n%%EOF\n",
}


@pytest.mark.parametrize("data", LARGE.values(), ids=LARGE)
def test_large_files_of_nothing(data: bytes) -> None:
    assert asked(data).overall is not Overall.CONSISTENT


# ── what a file inflates to ───────────────────────────────────────────────────────────────────────────────────────────


def weighed(content: bytes, entries: bytes) -> str | None:
    try:
        pdf_weight.check(update(DEED, {DRAWN: stream(content, entries)}).data)
    except pdf_weight.TooHeavy as fault:
        return str(fault)
    return None


MEDIUM = zeros(20)
HEAVY = {
    "flate": (BOMB, b"/Filter/FlateDecode"),
    "flate by its short name": (BOMB, b"/Filter/Fl"),
    "flate in other letters": (BOMB, b"/Filter/#46lateDecode"),
    "flate named elsewhere": (BOMB, b"/Filter 99 0 R"),
    "flate not named": (BOMB, b""),
    "stacked": (TWICE, b"/Filter[/FlateDecode/FlateDecode]"),
    "stacked otherwise": (TWICE, b"/Filter[/FlateDecode/LZWDecode]"),
    "written as hexadecimal": (BOMB.hex().encode() + b">", b"/Filter[/ASCIIHexDecode/FlateDecode]"),
    "run lengths": (b"\x81\0" * 300_000, b"/Filter/RunLengthDecode"),
    "LZW": (b"\x80" * 30_000, b"/Filter/LZWDecode"),
    "a picture": (zeros(140), b"/Subtype/Image/Width 9/Height 9/Filter/FlateDecode"),
    "a picture of many points": (b"x", b"/Subtype/Image/Width 100000/Height 100000/BitsPerComponent 1/Filter/CCITTFaxDecode"),
}


@pytest.mark.parametrize(("content", "entries"), HEAVY.values(), ids=HEAVY)
def test_too_heavy(content: bytes, entries: bytes) -> None:
    assert weighed(content, entries) is not None


LIGHT = {
    "text": (b"0 0 m", b""),
    "flate": (MEDIUM, b"/Filter/FlateDecode"),
    "written as hexadecimal": (zlib.compress(b"0 0 m").hex().encode(), b"/Filter[/ASCIIHexDecode/FlateDecode]"),
    "a page as a picture": (zeros(100), b"/Subtype/Image/Width 5000/Height 7000/Filter/FlateDecode"),
    "damaged": (b"x\x9c" + bytes(100), b"/Filter/FlateDecode"),
}


@pytest.mark.parametrize(("content", "entries"), LIGHT.values(), ids=LIGHT)
def test_light_enough(content: bytes, entries: bytes) -> None:
    assert weighed(content, entries) is None


def test_what_is_heavy_here_is_as_heavy_as_it_says() -> None:
    assert (zlib.decompress(zeros(3)), zlib.decompress(zlib.decompress(TWICE))[:1]) == (bytes(3 << 20), b"\0")
    assert len(zlib.decompress(BOMB)) == 200 << 20


def test_many_that_are_light() -> None:
    many = update(DEED, {200 + i: stream(MEDIUM, b"/Filter/FlateDecode") for i in range(6)})
    with pytest.raises(pdf_weight.TooHeavy):
        pdf_weight.check(many.data)


def test_bytes_of_every_kind() -> None:
    """Seeded damage all over a file: an answer each time."""
    import random

    random.seed(20261122)
    for _ in range(60):
        data = bytearray(SEALED.data)
        for _ in range(random.randrange(1, 30)):
            place = random.randrange(len(data))
            if random.random() < 0.5:
                data[place : place + random.randrange(20)] = random.randbytes(random.randrange(20))
            else:
                data[place] = random.choice(b"<>[]()/%0 \n")
        if bytes(data) != SEALED.data:
            assert asked(bytes(data)).overall is not Overall.CONSISTENT


# ── in the jail ───────────────────────────────────────────────────────────────────────────────────────────────────────


def halves(depth: int) -> bytes:
    """A drawing that calls a drawing twice, which calls a drawing twice: 2^depth in all, and nothing to weigh."""
    forms = {
        1000 + i: stream(
            b"/X Do /X Do" if i < depth - 1 else b"0 0 1 1 re f",
            b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X %d 0 R>>>>" % (1001 + i),
        )
        for i in range(depth)
    }
    first = DEED.objects[FIRST].replace(b"/Font<<", b"/XObject<</X 1000 0 R>>/Font<<")
    return update(DEED, {**forms, FIRST: first, DRAWN: stream(b"/X Do")}).data


def test_in_the_jail(tmp_path: Path) -> None:
    """What no count bounds ends with the jail's processor time; what is sound gives the same bytes as outside."""
    pack = write_pack(
        tmp_path / "pack", seal_roots=[ROOT.pem], tsa_roots=[TSA_ROOT.pem], revocation_lists=LISTS
    )
    sound, endless = tmp_path / "deed.pdf", tmp_path / "endless.pdf"
    sound.write_bytes(SEALED.data)
    endless.write_bytes(halves(34))
    with Jail() as jail:
        inside = jail.run([("deed.pdf", sound)], trust_dir=pack, at=AT)
        assert inside.killed is None
        assert inside.verdict_json == verdict({"deed.pdf": SEALED.data}, TrustStore.load(pack)).to_json()
        ended = jail.run([("endless.pdf", endless)], trust_dir=pack, at=AT, limits=Limits(cpu_seconds=3))
        # The native library ends the process when it gets no more memory, if its time was not up before.
        assert ended.verdict_json is None
        assert ended.killed in ("RESOURCE_LIMIT", "CRASH")
