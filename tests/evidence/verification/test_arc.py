"""ARC files: their records are walked, nothing in them can be compared, and a fault of framing is said."""

import gzip
import random
from datetime import UTC, datetime

import pytest

from evidence.verification.codecs.inflate import Budget
from evidence.verification.codecs.octets import BytesOctets
from evidence.verification.reasons import Reason
from evidence.verification.snapshots import arc, warc_records
from evidence.verification.verdict import Bearing, Overall

from .snapshot_exhibits import (
    FAILED,
    HTTP,
    OPEN,
    PAGE,
    PASSED,
    answer,
    asked,
    finding,
    members,
    notes,
    verified,
)
from .wacz_exhibits import package
from .warc_exhibits import BAD, GOOD, OK, warc

ANSWER = HTTP + b"\r\n" + PAGE
ONE_FIELDS = b"URL IP-address Archive-date Content-type Archive-length\n"
TWO_FIELDS = b"URL IP-address Archive-date Content-type Result-code Checksum Location Offset Filename Archive-length\n"


def version(number: bytes = b"1 0 Court", fields: bytes = ONE_FIELDS, *, length: int | None = None, end: bytes = b"\n") -> bytes:
    """The version block. `length`: as stated; writers disagree about the line ends at its end."""
    block = number + b"\n" + fields
    stated = len(block) if length is None else length
    return b"filedesc://made.arc 192.0.2.1 20261122073500 text/plain %d\n" % stated + block + end


def entry(
    block: bytes = ANSWER, *, url: bytes = b"http://example.com/", date: bytes = b"20261122073524", length: object = None, end: bytes = b"\n"
) -> bytes:
    stated = str(len(block) if length is None else length).encode()
    return url + b" 192.0.2.9 " + date + b" text/html " + stated + b"\n" + block + end


GOOD_ARC = version() + entry() + entry(b"second", url=b"http://example.com/2", date=b"20261122080000")


def test_records_are_walked_and_nothing_is_compared() -> None:
    for data in (GOOD_ARC, gzip.compress(GOOD_ARC), members(version(), entry(), entry(b"second", date=b"20261122080000"))):
        verdict = warc(data)
        found = finding(verdict, "WARC.RECOGNISED")
        assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.NO_DIGEST, Bearing.REFUTING)
        assert {"ARC_WITHOUT_DIGESTS", "RECORDS_READ:3", "INTEGRITY_NOTHING_TO_VERIFY"} <= set(found.notes)
        assert answer(verdict, "WARC.FRAMING") == answer(verdict, "WARC.HEADERS") == OK
        assert not asked(verdict) & {"WARC.BLOCK_DIGEST", "WARC.PAYLOAD_DIGEST", "WARC.COVERAGE"}
        assert verdict.overall is Overall.INDETERMINATE
        assert [t.instant for t in verdict.stated] == [
            datetime(2026, 11, 22, 7, 35, 24, tzinfo=UTC),
            datetime(2026, 11, 22, 8, 0, tzinfo=UTC),
        ]


def test_line_ends_of_the_version_block_are_counted_as_writers_do() -> None:
    block = len(b"1 0 Court\n" + ONE_FIELDS)
    for length, end in ((block - 1, b"\n"), (block, b"\n"), (block, b""), (block - 1, b""), (block, b"\n\n")):
        verdict = warc(version(length=length, end=end) + entry())
        assert answer(verdict, "WARC.FRAMING") == answer(verdict, "WARC.HEADERS") == OK, (length, end)
        assert "RECORDS_READ:2" in notes(verdict, "WARC.HEADERS")


def test_version_two_has_ten_fields() -> None:
    line = b"http://example.com/ 192.0.2.9 20261122073524 text/html 200 - - 0 made.arc %d\n" % len(ANSWER)
    verdict = warc(version(b"2 0 Court", TWO_FIELDS) + line + ANSWER + b"\n")
    assert answer(verdict, "WARC.FRAMING") == OK and "RECORDS_READ:2" in notes(verdict, "WARC.HEADERS")
    assert answer(warc(version(b"2 0 Court", TWO_FIELDS) + entry()), "WARC.FRAMING") == (FAILED, Reason.FORMAT_FAILURE)
    assert answer(warc(version(b"3 0 Court") + entry()), "WARC.HEADERS") == (FAILED, Reason.FORMAT_FAILURE)


def test_addresses_with_blanks_are_read_from_the_end_of_the_line() -> None:
    assert answer(warc(version() + entry(url=b"http://example.com/a b c")), "WARC.FRAMING") == OK


BROKEN: dict[str, tuple[bytes, Reason]] = {
    "a length that is too short": (version() + entry(length=len(ANSWER) - 3) + entry(), Reason.FORMAT_FAILURE),
    "a length that is too long": (version() + entry(length=len(ANSWER) + 30) + entry(), Reason.FORMAT_FAILURE),
    "a length beyond the end": (version() + entry(length=10**17), Reason.TRUNCATED),
    "a length of 19 digits": (version() + entry(length=10**18), Reason.FORMAT_FAILURE),
    "a negative length": (version() + entry(length=-1), Reason.FORMAT_FAILURE),
    "a length that is a word": (version() + entry(length="abc"), Reason.FORMAT_FAILURE),
    "a date of eighteen digits": (version() + entry(date=b"201404010000000000"), Reason.FORMAT_FAILURE),
    "too few fields": (version() + b"http://example.com/ text/html 3\nabc\n", Reason.FORMAT_FAILURE),
    "junk at the end": (GOOD_ARC + b"junk\n", Reason.FORMAT_FAILURE),
    "a line that is cut": (GOOD_ARC + b"http://exam", Reason.TRUNCATED),
    "a block that is cut": (GOOD_ARC[:-4], Reason.TRUNCATED),
    "zeros at the end": (GOOD_ARC + bytes(100), Reason.TRUNCATED),
    "a record of WARC": (GOOD_ARC + GOOD, Reason.FORMAT_FAILURE),
}


@pytest.mark.parametrize("case", BROKEN)
def test_records_that_do_not_follow_each_other(case: str) -> None:
    data, reason = BROKEN[case]
    for made in (data, gzip.compress(data)):
        verdict = warc(made)
        assert answer(verdict, "WARC.FRAMING") == (FAILED, reason)
        assert verdict.overall is Overall.INCONSISTENT


def test_what_stands_behind_the_members_of_an_arc() -> None:
    packed = members(version(), entry())
    for junk in (b"junk", BAD, members(BAD), entry()):
        verdict = warc(packed + junk)
        assert FAILED in {f.outcome for f in verdict.findings}, junk[:20]
    assert "TRAILING_ZERO_PADDING" in notes(warc(packed + bytes(512)), "GZ.ONLY_MEMBERS")
    assert answer(warc(packed[:-3]), "GZ.MEMBERS") == (FAILED, Reason.TRUNCATED)
    split = gzip.compress(GOOD_ARC[:200]) + gzip.compress(GOOD_ARC[200:])
    assert answer(warc(split), "GZ.ALIGNED") == (FAILED, Reason.FORMAT_FAILURE)


def test_an_arc_inside_a_package() -> None:
    verdict = verified(("p.wacz", package({"archive/old.arc": GOOD_ARC})))
    assert answer(verdict, "WARC.RECOGNISED") == (OPEN, Reason.NO_DIGEST)
    assert "INTEGRITY_INTACT" in notes(verdict, "WACZ.CONTAINER")  # the manifest's digests are compared
    cut = verified(("p.wacz", package({"archive/old.arc": GOOD_ARC[:-4]})))
    assert answer(cut, "WARC.FRAMING") == (FAILED, Reason.TRUNCATED)


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    long = warc(version() + entry(url=b"http://example.com/" + b"a" * arc.LINE_MAX))
    assert answer(long, "WARC.HEADERS") == (OPEN, Reason.RESOURCE_LIMIT) and long.overall is Overall.INDETERMINATE
    bomb = warc(gzip.compress(version() + entry(bytes(40 << 20))))
    assert answer(bomb, "WARC.FRAMING") == (OPEN, Reason.RESOURCE_LIMIT)
    monkeypatch.setattr(warc_records, "WHOLE_BLOCK_MAX", 200)
    monkeypatch.setattr(arc, "WHOLE_BLOCK_MAX", 200)
    large = random.Random(1).randbytes(100_000)
    assert "RECORDS_READ:3" in notes(warc(version() + entry(large) + entry()), "WARC.HEADERS")
    monkeypatch.setattr(arc, "RECORDS_MAX", 3)
    assert answer(warc(version() + entry() * 5), "WARC.FRAMING") == (OPEN, Reason.RESOURCE_LIMIT)
    together = verified(("a.arc", GOOD_ARC), ("b.arc", GOOD_ARC))
    assert (OPEN, Reason.RESOURCE_LIMIT) in {(f.outcome, f.reason) for f in together.findings}


def test_fields_as_a_warc_would_give_them() -> None:
    """What the pages show of a capture comes through the reader of WARC records."""
    found = arc.survey(BytesOctets(version() + entry() + entry(b"20261122\n", url=b"dns:example.com")), Budget())
    assert (found.records.count, found.first_date) == (3, b"2026-11-22T07:35:24Z")
    stream = arc.Stream(BytesOctets(version() + entry() + entry(b"20261122\n", url=b"dns:example.com")), Budget())
    _, page, dns = list(arc.ArcRecords(stream))
    assert page.get(b"content-type") == b"application/http; msgtype=response" and bytes(page.block or b"") == ANSWER
    assert (page.get(b"warc-target-uri"), page.get(b"warc-ip-address")) == (b"http://example.com/", b"192.0.2.9")
    assert dns.get(b"content-type") == b"text/html" and page.get(b"warc-type") == b"response"


def test_no_mutation_makes_the_engine_stumble() -> None:
    chance = random.Random(7)
    for data in (GOOD_ARC, members(version(), entry(), entry())):
        for _ in range(150):
            mutated = bytearray(data)
            mutated[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            assert warc(bytes(mutated), runs=1).overall is not Overall.CONSISTENT


def test_passed_is_never_said_of_an_arc() -> None:
    assert PASSED not in {f.outcome for f in warc(GOOD_ARC).findings if f.check == "WARC.RECOGNISED"}
