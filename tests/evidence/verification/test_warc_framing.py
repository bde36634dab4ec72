"""Web archives: headers, lengths, boundaries and gzip members; nothing hides behind a fault."""

import gzip

import pytest

from evidence.verification.reasons import Reason

from .snapshot_exhibits import (
    FAILED,
    HTTP,
    OPEN,
    PASSED,
    answer,
    asked,
    finding,
    members,
    notes,
    record,
    sha1,
)
from .warc_exhibits import BAD, BLOCK, GOOD, OK, ONE, OTHER, warc

# ── headers, lengths, boundaries ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", ["WARC/0.17", "WARC/0.18", "WARC/1.0", "WARC/1.1"])
def test_versions_that_exist(version: str) -> None:
    assert answer(warc(record(version=version)), "WARC.HEADERS") == OK


def changed(old: bytes, new: bytes) -> bytes:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


BAD_HEADERS: dict[str, bytes] = {
    "trailing blank in the version": record(version="WARC/1.1 "),
    "version that does not exist": record(version="WARC/1.2"),
    "version 2": record(version="WARC/2.0"),
    "blank before a colon": changed(b"WARC-Type:", b"WARC-Type :"),
    "line without a colon": changed(b"WARC-Type: response", b"WARC-Type response"),
    "bare line feed": changed(b"WARC-Type: response\r\n", b"WARC-Type: response\n"),
    "bare carriage return": changed(b"WARC-Type: response", b"WARC-Type: res\rponse"),
    "name that is no token": changed(b"WARC-Type:", b"WARC(Type):"),
    "only line feeds": GOOD.replace(b"\r\n", b"\n"),
}


@pytest.mark.parametrize("data", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_malformed_headers_fail_and_what_follows_is_still_read(data: bytes) -> None:
    verdict = warc(data + BAD)
    assert answer(verdict, "WARC.HEADERS") == (FAILED, Reason.FORMAT_FAILURE)
    assert answer(verdict, "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)
    # A record with such a header never counts as passed.
    alone = warc(data)
    assert "RECORDS_MATCHED:1" not in notes(alone, "WARC.BLOCK_DIGEST")


def test_folded_lines_are_unfolded() -> None:
    folded = changed(b"WARC-Block-Digest: ", b"WARC-Block-Digest:\r\n ")
    verdict = warc(folded)
    assert answer(verdict, "WARC.HEADERS") == answer(verdict, "WARC.BLOCK_DIGEST") == OK


def test_names_of_fields_in_any_case() -> None:
    data = GOOD.replace(b"WARC-Block-Digest", b"warc-BLOCK-digest").replace(b"Content-Length", b"CONTENT-length")
    assert answer(warc(data), "WARC.BLOCK_DIGEST") == OK


N = str(len(BLOCK))
BAD_LENGTHS = ["", "+" + N, "-1", "0x10", N + " ", " " + N, N[0] + "_" + N[1:], "1" * 19, "١٢٣", N + ".0", "abc"]


@pytest.mark.parametrize("length", BAD_LENGTHS)
def test_lengths_that_are_not_plain_digits_fail_and_hide_nothing(length: str) -> None:
    verdict = warc(record(length=length) + BAD)
    assert answer(verdict, "WARC.FRAMING") == (FAILED, Reason.FORMAT_FAILURE)
    assert answer(verdict, "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)


def test_a_missing_or_repeated_length_fails_and_hides_nothing() -> None:
    missing = GOOD.replace(b"Content-Length: %d\r\n" % len(BLOCK), b"")
    twice = record(fields=[("Content-Length", N)])
    for data in (missing, twice):
        verdict = warc(data + BAD)
        assert answer(verdict, "WARC.FRAMING") == (FAILED, Reason.FORMAT_FAILURE)
        assert answer(verdict, "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("extra", [10**17, 60, 600])
def test_a_length_that_is_too_long_hides_nothing(compressed: bool, extra: int) -> None:
    """It swallows the next record, all or part of it, and has no digest that would tell."""
    greedy = record(length=str(len(BLOCK) + extra), block_digest=None, payload_digest=None)
    verdict = warc(members(greedy, BAD) if compressed else greedy + BAD)
    assert finding(verdict, "WARC.FRAMING").outcome is FAILED
    assert answer(verdict, "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)


def test_a_record_that_holds_another_exactly_is_one_record() -> None:
    """An archive of an archive: the inner record is content, and nothing is wrong."""
    outer = record(BAD, kind="resource", content_type="application/warc", payload_digest=None)
    verdict = warc(outer + OTHER)
    assert all(f.outcome is PASSED for f in verdict.findings)
    assert "RECORDS_READ:2" in notes(verdict, "WARC.HEADERS")


def test_a_length_that_is_too_short_fails() -> None:
    for digest in ("right", sha1(BLOCK[:-5])):
        verdict = warc(record(length=str(len(BLOCK) - 5), block_digest=digest) + OTHER)
        assert answer(verdict, "WARC.FRAMING") == (FAILED, Reason.FORMAT_FAILURE)
        assert "RECORDS_READ:2" in notes(verdict, "WARC.HEADERS")


def test_every_truncation_of_the_block_is_said() -> None:
    start = GOOD.index(b"\r\n\r\n") + 4
    for cut in range(start, start + len(BLOCK)):
        verdict = warc(GOOD[:cut])
        assert answer(verdict, "WARC.FRAMING") == (FAILED, Reason.TRUNCATED)
        assert answer(verdict, "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)
    for cut in range(5, start):  # within the header of a second record
        assert answer(warc(GOOD + GOOD[:cut]), "WARC.FRAMING") == (FAILED, Reason.TRUNCATED)


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\n\n", b"\r\n\r\n\r\n", b"\r\n" * 50])
def test_other_line_ends_between_records_are_noted(end: bytes) -> None:
    for data in (record(end=end) + OTHER, members(record(end=end), OTHER), OTHER + record(end=end)):
        verdict = warc(data)
        assert answer(verdict, "WARC.FRAMING") == answer(verdict, "WARC.BLOCK_DIGEST") == OK
        assert "IRREGULAR_RECORD_TERMINATOR:1" in notes(verdict, "WARC.FRAMING")


JUNK = [b"junk", b"\0", b"\r\n\r\nx\r\n\r\n", b"WARC", b"WARC/9", b"\x1f\x8b\x08 not gzip"]


@pytest.mark.parametrize("junk", JUNK)
def test_junk_between_records_fails_and_hides_nothing(junk: bytes) -> None:
    verdict = warc(GOOD + junk + BAD)
    assert answer(verdict, "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)
    assert FAILED in {finding(verdict, c).outcome for c in ("WARC.FRAMING", "WARC.HEADERS")}
    trailing = warc(GOOD + junk)
    assert FAILED in {finding(trailing, c).outcome for c in ("WARC.FRAMING", "WARC.HEADERS")}


def test_a_header_that_is_cut_is_told_from_one_that_is_wrong() -> None:
    cut, wrong = warc(GOOD + b"WARC/1.1\r\nWARC-Ty"), warc(GOOD + b"WARC/9\r\nWARC-Ty")
    assert answer(cut, "WARC.FRAMING") == (FAILED, Reason.TRUNCATED) and answer(cut, "WARC.HEADERS") == OK
    assert answer(wrong, "WARC.HEADERS") == (FAILED, Reason.FORMAT_FAILURE) and answer(wrong, "WARC.FRAMING") == OK


def test_what_is_found_behind_junk_never_counts_as_passed() -> None:
    verdict = warc(b"".join((record(block_digest=None, payload_digest=None), b"junk", OTHER)))
    assert "WARC.BLOCK_DIGEST" not in asked(verdict)
    both = warc(GOOD + b"junk" + OTHER)
    assert {"RECORDS_MATCHED:1", "RECORDS_RECOVERED:1"} <= set(notes(both, "WARC.BLOCK_DIGEST"))


# ── gzip ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

BAD_ONE = members(BAD)
FAILS = (FAILED, Reason.FORMAT_FAILURE)
GZIP: dict[str, tuple[bytes, dict[str, tuple[object, object]]]] = {
    "one member, two records": (gzip.compress(GOOD + OTHER), {"GZ.ALIGNED": OK, "WARC.BLOCK_DIGEST": OK}),
    "one record, two members": (
        gzip.compress(GOOD[:300]) + gzip.compress(GOOD[300:]),
        {"GZ.ALIGNED": FAILS, "WARC.BLOCK_DIGEST": OK, "WARC.FRAMING": OK},
    ),
    "empty member in between": (
        ONE + gzip.compress(b"") + BAD_ONE,
        {"GZ.MEMBERS": OK, "GZ.ONLY_MEMBERS": OK, "WARC.BLOCK_DIGEST": (FAILED, Reason.HASH_FAILURE)},
    ),
    "empty member first": (gzip.compress(b"") + ONE, {"GZ.ONLY_MEMBERS": OK, "WARC.BLOCK_DIGEST": OK}),
    "zeros at the end": (ONE + bytes(10_240), {"GZ.ONLY_MEMBERS": OK}),
    "junk at the end": (ONE + b"\0\0junk", {"GZ.ONLY_MEMBERS": FAILS}),
    "junk in between": (
        ONE + b"JUNK" + BAD_ONE,
        {"GZ.ONLY_MEMBERS": FAILS, "WARC.BLOCK_DIGEST": (FAILED, Reason.HASH_FAILURE)},
    ),
    "plain records after members": (
        ONE + BAD,
        {"GZ.ONLY_MEMBERS": FAILS, "WARC.FRAMING": FAILS, "WARC.BLOCK_DIGEST": (FAILED, Reason.HASH_FAILURE)},
    ),
    "members after plain records": (
        GOOD + BAD_ONE,
        {"GZ.ONLY_MEMBERS": FAILS, "WARC.FRAMING": FAILS, "WARC.BLOCK_DIGEST": (FAILED, Reason.HASH_FAILURE)},
    ),
    "check sum wrong": (
        ONE[:-8] + b"\0\0\0\0" + ONE[-4:] + BAD_ONE,
        {
            "GZ.MEMBERS": (FAILED, Reason.GZIP_CHECK_FAILURE),
            "WARC.BLOCK_DIGEST": (FAILED, Reason.HASH_FAILURE),
        },
    ),
    "length wrong": (ONE[:-1] + b"\1", {"GZ.MEMBERS": (FAILED, Reason.GZIP_CHECK_FAILURE)}),
    "trailer cut": (ONE[:-3], {"GZ.MEMBERS": (FAILED, Reason.TRUNCATED), "WARC.BLOCK_DIGEST": OK}),
    "data cut": (
        ONE + members(OTHER)[:-60],
        {"GZ.MEMBERS": (FAILED, Reason.TRUNCATED), "WARC.FRAMING": (FAILED, Reason.TRUNCATED)},
    ),
    "a broken member hides the next": (
        ONE + ONE[:40] + bytes([ONE[40] ^ 0xFF]) + ONE[41:120] + BAD_ONE,
        {
            "GZ.MEMBERS": (FAILED, Reason.GZIP_CHECK_FAILURE),
            "WARC.BLOCK_DIGEST": (FAILED, Reason.HASH_FAILURE),
        },
    ),
}


@pytest.mark.parametrize("case", GZIP)
def test_gzip_framing(case: str) -> None:
    data, wanted = GZIP[case]
    verdict = warc(data)
    assert {check: answer(verdict, check) for check in wanted} == wanted


def test_notes_of_gzip_framing() -> None:
    assert "GZIP_NOT_PER_RECORD" in notes(warc(GZIP["one member, two records"][0]), "GZ.ALIGNED")
    assert "EMPTY_MEMBER:1" in notes(warc(GZIP["empty member in between"][0]), "GZ.ONLY_MEMBERS")
    assert "TRAILING_ZERO_PADDING" in notes(warc(GZIP["zeros at the end"][0]), "GZ.ONLY_MEMBERS")


def test_double_compression_is_said_and_not_opened() -> None:
    verdict = warc(gzip.compress(ONE))
    assert answer(verdict, "WARC.RECOGNISED") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert "DOUBLE_COMPRESSION" in notes(verdict, "WARC.RECOGNISED")
    inside = warc(ONE + gzip.compress(BAD_ONE))
    assert answer(inside, "GZ.ONLY_MEMBERS") == (OPEN, Reason.UNSUPPORTED_FORMAT)


def test_compressed_content_that_looks_like_a_member_is_not_taken_for_one() -> None:
    """Behind a fault the search meets gzip bodies: none of them is a record."""
    body = b"".join(gzip.compress(b"script %d" % i) for i in range(50))
    head = HTTP + b"Content-Encoding: gzip\r\n\r\n"
    broken = record(head + body, length="nonsense")
    verdict = warc(broken + BAD)
    assert answer(verdict, "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)
    assert "GZ.ONLY_MEMBERS" not in asked(verdict)


