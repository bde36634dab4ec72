"""Web archives that hide content behind bad records, and honest ones that look as if they did. Both directions are tested: whatever
is put in the way, a record behind it is judged; and content that merely looks like records accuses nobody."""

import gzip
import itertools
import random

import pytest
from backports import zstd

from evidence.verification.reasons import Reason
from evidence.verification.snapshots import warc_records
from evidence.verification.verdict import Overall

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
    record,
    sha1,
    verified,
)
from .wacz_exhibits import package
from .warc_exhibits import BAD, BLOCK, GOOD, OK, ONE, OTHER, warc

WRONG = (FAILED, Reason.HASH_FAILURE)
HIDDEN = members(BAD)
END = b"\r\n\r\n"
HEAD = GOOD[: GOOD.index(END) + 2]
"""The header of a record without its empty line."""
N = len(BLOCK)


def other(old: bytes, new: bytes, data: bytes = OTHER) -> bytes:
    assert data.count(old) >= 1
    return data.replace(old, new, 1)


# ── nothing hides ─────────────────────────────────────────────────────────────────────────────────────────────────────

PLAIN: dict[str, bytes] = {
    "a length one too short": record(length=str(N - 1)),
    "a length one too long": record(length=str(N + 1)),
    "a length that swallows the terminator": record(length=str(N + 4)),
    "a length that swallows half of the hidden record": record(length=str(N + 4 + len(BAD) // 2)),
    "a length that ends inside the hidden block": record(length=str(N + 4 + len(BAD) - 20)),
    "a length of all digits that are allowed": record(length="9" * 18),
    "2^63": record(length=str(1 << 63)),
    "2^64 and the right length": record(length=str((1 << 64) + N)),
    "two lengths, the right one first": record(fields=[("Content-Length", "1")]),
    "two lengths, in one line": other(b"Content-Length: ", b"Content-Length: 1, "),
    "a length folded over two lines": other(b"Content-Length: 54", b"Content-Length: 5\r\n 4"),
    "a length in fullwidth digits": record(length="５４"),
    "CR only": OTHER.replace(b"\r\n", b"\r"),
    "CR only in the header": HEAD.replace(b"\r\n", b"\r") + b"\r" + BLOCK + END,
    "LF then CR": OTHER.replace(b"\r\n", b"\n\r"),
    "a lower-case version": other(b"WARC/1.1", b"warc/1.1"),
    "a blank after the version": record(version="WARC/1.0 "),
    "a blank before the version": b" " + OTHER,
    "a version with a NUL": record(version="WARC/1.0\0"),
    "a version of two lines": record(version="WARC/1.0\r\nWARC/1.1"),
    "a header that does not end": HEAD,
    "a header that does not end and has no length": other(b"Content-Length", b"X-Length", HEAD),
    "a version line alone": b"WARC/1.0\r\n",
    "a NUL in a field": other(b"WARC-Type: response", b"WARC-Type: resp\0onse"),
    "a NUL in a name": other(b"WARC-Type:", b"WARC-Type\0:"),
    "a form feed in a field": other(b"example.com", b"exam\x0cple.com"),
    "a byte-order mark": b"\xef\xbb\xbf" + OTHER,
    "a byte-order mark alone": b"\xef\xbb\xbf",
    "UTF-16": OTHER.decode("latin-1").encode("utf-16-le"),
    "half a record": OTHER[:-60],
    "a comment": b"# nothing to see here\r\n",
    "zeros": bytes(4096),
    "the magic of gzip": b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
    "the magic of zstd": b"\x28\xb5\x2f\xfd\x24",
    "a member that is no record": gzip.compress(b"hello"),
    "a member that was cut": ONE[:-30],
    "an ARC": b"filedesc://a.arc 192.0.2.1 20261122073524 text/plain 75\n1 0 X\n",
    "two kinds": other(b"WARC-Type: response\r\n", b"WARC-Type: response\r\nWARC-Type: metadata\r\n"),
    "two addresses": other(b"WARC-Date", b"WARC-Target-URI: https://other.example/\r\nWARC-Date"),
    "a field without a name": other(b"WARC-Date", b": x\r\nWARC-Date"),
}


NOTED = {"a length one too long", "a length that swallows the terminator"}
"""Line ends are counted as part of the block: the specification lets other line ends between records pass with a note, because
real writers do that; the digest of the block tells."""


@pytest.mark.parametrize("case", PLAIN)
def test_nothing_hides_behind(case: str) -> None:
    """The record behind is judged, whatever stands before it, plain or packed; and what stands before it is a fault itself."""
    for hidden in (BAD, HIDDEN, zstd.compress(BAD)):
        verdict = warc(GOOD + PLAIN[case] + hidden)
        assert answer(verdict, "WARC.BLOCK_DIGEST") == WRONG, hidden[:10]
    fine = warc(GOOD + PLAIN[case] + OTHER)
    if case in NOTED:
        assert "IRREGULAR_RECORD_TERMINATOR:1" in notes(fine, "WARC.FRAMING")
        assert answer(fine, "WARC.BLOCK_DIGEST") == WRONG
        return
    assert FAILED in {finding(fine, c).outcome for c in ("WARC.FRAMING", "WARC.HEADERS")}
    # What is found behind it never counts as passed.
    assert "RECORDS_MATCHED:3" not in notes(fine, "WARC.BLOCK_DIGEST")


def test_the_hidden_record_is_named_at_its_place() -> None:
    """A header that has no end takes the next one's lines for its own in a careless reader, and that record is gone."""
    verdict = warc(GOOD + HEAD + BAD)
    at = len(GOOD + HEAD)
    assert any(n.startswith(f"RECORD:{at} ") for n in notes(verdict, "WARC.BLOCK_DIGEST"))


PACKED: dict[str, tuple[bytes, tuple[object, object] | None]] = {
    "a member that was compressed twice": (gzip.compress(members(OTHER)), None),
    "a member that begins like gzip": (gzip.compress(b"\x1f\x8b and more"), None),
    "three of them": (gzip.compress(members(OTHER)) * 3, None),
    "a frame of zstd in a member": (gzip.compress(zstd.compress(OTHER)), None),
    "a large one": (gzip.compress(b"\x1f\x8b" + random.Random(1).randbytes(3 << 20)), None),
    "a member that is no record": (gzip.compress(b"hello"), (FAILED, Reason.FORMAT_FAILURE)),
    "a member of zeros": (gzip.compress(bytes(2 << 20)), (FAILED, Reason.FORMAT_FAILURE)),
    "a record and compressed bytes in one member": (gzip.compress(OTHER + members(OTHER)), (FAILED, Reason.FORMAT_FAILURE)),
    "a member that begins inside a record": (
        gzip.compress(OTHER[:200]) + gzip.compress(OTHER[200:]),
        None,  # said by GZ.ALIGNED
    ),
}


@pytest.mark.parametrize("case", PACKED)
def test_nothing_hides_behind_a_member(case: str) -> None:
    """A member compressed twice is not opened; the members behind it are read all the same."""
    before, framing = PACKED[case]
    verdict = warc(ONE + before + HIDDEN)
    assert answer(verdict, "WARC.BLOCK_DIGEST") == WRONG
    if framing is not None:
        assert answer(verdict, "WARC.FRAMING") == framing
    else:
        assert {answer(verdict, c)[0] for c in ("GZ.ONLY_MEMBERS", "GZ.ALIGNED")} & {OPEN, FAILED}


@pytest.mark.parametrize("first", [b"\x1f\x8b...", b"hello", members(GOOD), b"\r\n" + GOOD])
def test_nothing_hides_behind_a_first_member_that_is_no_record(first: bytes) -> None:
    """In a package, where the name alone says that it is an archive."""
    verdict = verified(("p.wacz", package({"archive/data.warc.gz": gzip.compress(first) + HIDDEN})))
    assert answer(verdict, "WARC.BLOCK_DIGEST") == WRONG
    twice = first.startswith(b"\x1f\x8b")
    assert answer(verdict, "WARC.FRAMING") == (OK if twice else (FAILED, Reason.FORMAT_FAILURE))
    assert (answer(verdict, "GZ.ONLY_MEMBERS") == (OPEN, Reason.UNSUPPORTED_FORMAT)) is twice
    fine = verified(("p.wacz", package({"archive/data.warc.gz": gzip.compress(first) + members(OTHER)})))
    assert ("RECORDS_MATCHED:1" in notes(fine, "WARC.BLOCK_DIGEST")) is twice
    alone = verified(("p.wacz", package({"archive/data.warc.gz": gzip.compress(first)})))
    assert answer(alone, "WARC.RECOGNISED") == (OPEN, Reason.UNSUPPORTED_FORMAT)


@pytest.mark.parametrize("before", [b"\r\n", b"x", b"junk\r\n\r\n", b"\0" * 4000, b"WARC/9\r\n"], ids=repr)
@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_a_record_behind_junk_within_a_member_behind_junk(before: bytes, pack: object) -> None:
    """What the search meets is looked into, not only at."""
    verdict = warc(ONE + b"JUNK" + pack(before + BAD))  # type: ignore[operator]
    assert answer(verdict, "WARC.BLOCK_DIGEST") == WRONG
    assert answer(verdict, "GZ.ONLY_MEMBERS") == (FAILED, Reason.FORMAT_FAILURE)


@pytest.mark.parametrize("junk", [b"x", b"\r\n", b"\xef\xbb\xbf", b"On WARC/1.0\r\n" * 3], ids=repr)
def test_nothing_hides_behind_junk_at_the_beginning_of_a_packaged_archive(junk: bytes) -> None:
    """Players find records by the index; what stands before the first one does not keep them from it."""
    hidden = verified(("p.wacz", package({"archive/data.warc": junk + BAD})))
    assert answer(hidden, "WARC.BLOCK_DIGEST") == WRONG
    assert answer(hidden, "WARC.FRAMING") == (FAILED, Reason.FORMAT_FAILURE)
    text = verified(("p.wacz", package({"archive/notes.txt": junk + b"WARC/1.0\r\nis how a record begins\r\n\r\n"})))
    assert answer(text, "WARC.RECOGNISED") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert FAILED not in {f.outcome for f in text.findings}


def test_large_records_hide_nothing_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that pass in pieces take the same ways out."""
    monkeypatch.setattr(warc_records, "WHOLE_BLOCK_MAX", 50)
    for case in ("a length one too long", "a length that swallows half of the hidden record", "2^63", "half a record"):
        for hidden in (BAD, HIDDEN):
            assert answer(warc(GOOD + PLAIN[case] + hidden), "WARC.BLOCK_DIGEST") == WRONG


def test_a_large_record_without_digests_is_passed_over_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads its block, and the next record begins where it ends."""
    monkeypatch.setattr(warc_records, "WHOLE_BLOCK_MAX", 50)
    silent = record(HTTP + b"\r\n" + BAD * 3, block_digest=None, payload_digest=None)
    verdict = warc(silent + BAD)
    assert answer(verdict, "WARC.FRAMING") == OK and answer(verdict, "WARC.BLOCK_DIGEST") == WRONG
    assert {"RECORDS_READ:2", "RECORDS_MISMATCHED:1"} <= {*notes(verdict, "WARC.HEADERS"), *notes(verdict, "WARC.BLOCK_DIGEST")}
    assert answer(warc(silent[:-60]), "WARC.FRAMING") == (FAILED, Reason.TRUNCATED)


def test_any_two_obstacles_in_a_row_hide_nothing() -> None:
    chance = random.Random(20261122)
    pairs = chance.sample(list(itertools.product(PLAIN, PLAIN)), 60)
    for one, two in pairs:
        verdict = warc(GOOD + PLAIN[one] + PLAIN[two] + BAD, runs=1)
        assert answer(verdict, "WARC.BLOCK_DIGEST") == WRONG, (one, two)


# ── nobody is accused ─────────────────────────────────────────────────────────────────────────────────────────────────

LOOKALIKE: dict[str, bytes] = {
    "the text of a record": b"<pre>\r\n" + BAD + b"</pre>",
    "a record and nothing else": BAD,
    "a record that is cut": BAD[:-30],
    "the first line of many records": b"WARC/1.0\r\n" * 50,
    "a packed archive": members(BAD, OTHER),
    "a packed archive that is cut": members(BAD)[:-9],
    "an archive in zstd": zstd.compress(BAD),
    "a terminator and a record": END + BAD,
    "a header without end": b"WARC/1.1\r\nContent-Length: 99999\r\n",
    "zeros": bytes(2000),
    "chunks that are none": b"5\r\nWARC/1.0\r\n\r\n0\r\n",
}


@pytest.mark.parametrize("case", LOOKALIKE)
def test_content_that_looks_like_records_accuses_nobody(case: str) -> None:
    """A page about web archives, or a capture of one, is content: what its record claims is all that counts."""
    block = HTTP + b"\r\n" + LOOKALIKE[case]
    chunked = HTTP + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(LOOKALIKE[case]), LOOKALIKE[case])
    for honest in (record(block), record(chunked), record(LOOKALIKE[case], kind="resource", payload_digest=None)):
        for data in (GOOD + honest + OTHER, members(GOOD, honest, OTHER), zstd.compress(GOOD + honest + OTHER)):
            verdict = warc(data, runs=1)
            assert all(f.outcome is PASSED for f in verdict.findings), (case, verdict.findings)
            assert "RECORDS_READ:3" in notes(verdict, "WARC.HEADERS")


def test_content_that_looks_like_records_in_large_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc_records, "WHOLE_BLOCK_MAX", 50)
    for content in LOOKALIKE.values():
        verdict = warc(GOOD + record(HTTP + b"\r\n" + content) + OTHER, runs=1)
        assert all(f.outcome is PASSED for f in verdict.findings)


def test_honest_oddities_pass() -> None:
    """What real writers do, and what accuses them of nothing."""
    empty = record(b"", kind="metadata", payload_digest=None, content_type="application/warc-fields")
    for data in (
        HEAD.replace(b": ", b":") + GOOD[len(HEAD) :],
        GOOD.replace(b"WARC-Date: ", b"WARC-Date: \t "),
        other(b"WARC-Date", b"WARC-Concurrent-To: <urn:a>\r\nWARC-Concurrent-To: <urn:b>\r\nWARC-Date"),
        other(b"WARC-Date", b"WARC-Protocol: h2\r\nWARC-Protocol: tls/1.3\r\nWARC-Date"),
        other(b"WARC-Date", b"WARC-Target-URI: https://example.com/other\r\nWARC-Date"),
        other(b"WARC-Date", "X-Title: 证据 é\r\nWARC-Date".encode()),
        other(b"WARC-Date", b"X-Empty:\r\nWARC-Date"),
        other(b"WARC-Date: ", b"WARC-Date:\r\n\t "),
        empty + GOOD,
        record(end=b"\r\n") + OTHER,
        record(end=b"") + OTHER,
    ):
        for made in (data, members(data)):
            verdict = warc(made, runs=1)
            assert all(f.outcome is PASSED for f in verdict.findings), (data[:300], verdict.findings)


def test_a_cut_archive_is_cut_and_what_its_last_record_held_is_not_taken_for_good() -> None:
    """The honest case of a fault: a download that broke off inside a captured archive. It fails as cut; what the search finds
    in it stands as recovered and is never counted as passed."""
    data = GOOD + record(HTTP + b"\r\n" + OTHER + b"tail")[:-6]
    verdict = warc(data)
    assert answer(verdict, "WARC.FRAMING") == (FAILED, Reason.TRUNCATED)
    assert {"RECORDS_MATCHED:1", "RECORDS_RECOVERED:1"} <= set(notes(verdict, "WARC.BLOCK_DIGEST"))


# ── fields that say two things ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WARC-Type", "metadata"),
        ("warc-record-id", "<urn:uuid:00000000-0000-4000-8000-000000000777>"),
        ("WARC-Date", "2026-11-22T07:35:25Z"),
        ("WARC-Target-URI", "https://example.org/"),
        ("Content-Type", "text/plain"),
    ],
)
def test_a_field_with_two_values_is_a_fault_whichever_comes_first(name: str, value: str) -> None:
    """Of two values some readers take the first, others the last: a page would be shown that is not the one that was checked."""
    line = f"{name}: {value}\r\n".encode()
    head, rest = GOOD.split(b"\r\n", 1)
    for data in (head + b"\r\n" + line + rest, GOOD.replace(END, b"\r\n" + line + b"\r\n", 1)):
        verdict = warc(data)
        assert answer(verdict, "WARC.HEADERS") == (FAILED, Reason.FORMAT_FAILURE)
        assert "RECORDS_MATCHED:1" not in notes(verdict, "WARC.BLOCK_DIGEST")
        assert verdict.overall is Overall.INCONSISTENT


def test_a_member_compressed_twice_cannot_carry_a_pass() -> None:
    """Before, everything behind it was left unread, and the archive had nothing against it."""
    verdict = warc(ONE + gzip.compress(members(OTHER)) + members(record(block_digest=sha1(PAGE))))
    assert verdict.overall is Overall.INCONSISTENT and "WARC.BLOCK_DIGEST" in asked(verdict)
    fine = warc(ONE + gzip.compress(members(OTHER)) + members(OTHER))
    assert answer(fine, "WARC.BLOCK_DIGEST") == OK
    assert answer(fine, "GZ.ONLY_MEMBERS") == (OPEN, Reason.UNSUPPORTED_FORMAT)
