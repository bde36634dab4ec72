"""Web archives: what warcio writes passes, every kind of damage is said, nothing hides behind a fault."""

import base64
import gzip
import hashlib
import io
import os
import random
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from evidence.verification import Verdict
from evidence.verification.codecs import inflate
from evidence.verification.reasons import Reason
from evidence.verification.snapshots import warc_digests, warc_records, warc_stream
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
    record,
    sha1,
    sha256,
    trust,
    verified,
)

OK = (PASSED, None)
GOOD = record()
OTHER = record(HTTP + b"\r\nother page", number=2, uri="https://example.com/other")
BAD = record(block_digest=sha1(b"something else"), number=3)
"""A record whose block digest is of something else."""


def warc(data: bytes, **options: object) -> Verdict:
    return verified(("page.warc", data), **options)  # type: ignore[arg-type]


def made(*, compressed: bool, pages: int = 3) -> bytes:
    """By warcio: an info record, requests, responses and a resource."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=compressed, warc_version="1.1")
    writer.write_record(writer.create_warcinfo_record("made.warc", {"software": "test"}))
    for n in range(pages):
        head = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
        ask = StatusAndHeaders(f"GET /{n} HTTP/1.1", [("Host", "example.com")], is_http_request=True)
        body = io.BytesIO(PAGE * (n + 1))
        writer.write_request_response_pair(
            writer.create_warc_record(f"https://example.com/{n}", "request", http_headers=ask),
            writer.create_warc_record(f"https://example.com/{n}", "response", payload=body, http_headers=head),
        )
    writer.write_record(
        writer.create_warc_record("file:///shot.png", "resource", payload=io.BytesIO(b"\x89PNG"), warc_content_type="image/png")
    )
    return out.getvalue()


# ── what passes ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("compressed", [False, True])
def test_an_archive_of_warcio_passes_every_question_and_proves_nothing(compressed: bool) -> None:
    verdict = warc(made(compressed=compressed))
    assert all(f.outcome is PASSED for f in verdict.findings)
    assert asked(verdict) >= {
        "WARC.RECOGNISED", "WARC.HEADERS", "WARC.FRAMING", "WARC.DIGEST_HEADERS", "WARC.BLOCK_DIGEST",
        "WARC.PAYLOAD_DIGEST", "WARC.COVERAGE",
    }  # fmt: skip
    assert ("GZ.MEMBERS" in asked(verdict)) is compressed
    assert "RECORDS_MATCHED:8" in notes(verdict, "WARC.BLOCK_DIGEST")  # warcio gives the info record one, too
    assert "INTEGRITY_INTACT" in notes(verdict, "WARC.RECOGNISED")
    assert (verdict.overall, verdict.grade.value, verdict.walks) == (Overall.INDETERMINATE, "E", ())


def test_the_builder_of_records_builds_what_passes() -> None:
    for data in (GOOD + OTHER, members(GOOD, OTHER)):
        verdict = warc(data)
        assert all(f.outcome is PASSED for f in verdict.findings), verdict.findings
        assert "SHA1_COLLISION_PRONE" in notes(verdict, "WARC.BLOCK_DIGEST")


def test_the_file_name_says_nothing() -> None:
    for name in ("page.warc", "page.txt", "x"):
        assert answer(verified((name, members(GOOD))), "WARC.BLOCK_DIGEST") == OK
    assert "WARC.RECOGNISED" not in asked(verified(("page.warc", b"<html>")))
    assert verified(("page.warc", b"")).sources[0].format == "unknown"


# ── digest headers ────────────────────────────────────────────────────────────────────────────────────────────────────

BLOCK = HTTP + b"\r\n" + PAGE
D1, D2, D5 = hashlib.sha1(BLOCK).digest(), hashlib.sha256(BLOCK).digest(), hashlib.sha512(BLOCK).digest()
SPELLINGS = {
    "sha1 base32": "sha1:" + base64.b32encode(D1).decode(),
    "sha1 base32 lower case": "sha1:" + base64.b32encode(D1).decode().lower(),
    "SHA1 upper case label": "SHA1:" + D1.hex(),
    "sha-1 with a hyphen": "sha-1:" + D1.hex(),
    "sha1 base64": "sha1:" + base64.b64encode(D1).decode(),
    "sha1 base64 unpadded": "sha1:" + base64.b64encode(D1).decode().rstrip("="),
    "sha256 hex": "sha256:" + D2.hex(),
    "sha256 HEX": "sha256:" + D2.hex().upper(),
    "sha-256 with a hyphen": "sha-256:" + D2.hex(),
    "sha256 base32": "sha256:" + base64.b32encode(D2).decode(),
    "sha256 base32 unpadded": "sha256:" + base64.b32encode(D2).decode().rstrip("="),
    "sha256 base64": "sha256:" + base64.b64encode(D2).decode(),
    "sha256 base64url unpadded": "sha256:" + base64.urlsafe_b64encode(D2).decode().rstrip("="),
    "sha512 hex": "sha512:" + D5.hex(),
    "sha512 base32": "sha512:" + base64.b32encode(D5).decode(),
    "sha512 base64": "sha512:" + base64.b64encode(D5).decode(),
    "sha384": "sha384:" + hashlib.sha384(BLOCK).hexdigest(),
    "sha3-256": "sha3-256:" + hashlib.sha3_256(BLOCK).hexdigest(),
    "blake2b": "blake2b:" + hashlib.blake2b(BLOCK).hexdigest(),
    "blake2s": "blake2s:" + hashlib.blake2s(BLOCK).hexdigest(),
    "sm3": "sm3:" + hashlib.new("sm3", BLOCK).hexdigest(),
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_a_digest_is_read_by_its_length_in_every_encoding(text: str) -> None:
    verdict = warc(record(block_digest=text, payload_digest=None))
    assert answer(verdict, "WARC.BLOCK_DIGEST") == OK
    assert answer(verdict, "WARC.DIGEST_HEADERS") == OK
    other = warc(record(BLOCK + b"!", block_digest=text, payload_digest=None))
    assert answer(other, "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)


B32 = base64.b32encode(D2).decode()
MALFORMED = {
    "too short": "sha1:" + D1.hex()[:-2],
    "too long": "sha256:" + D2.hex() + "00",
    "foreign character in hex": "sha1:" + "g" + D1.hex()[1:],
    "digit 1 in base32": "sha1:" + "1" * 32,
    "spare bits in base32": "sha256:" + B32.rstrip("=")[:-1] + "B",
    "spare bits in base64": "sha256:" + base64.b64encode(D2).decode()[:-2] + "B=",
    "two base64 alphabets": "sha512:+" + "_" + "A" * 86,
    "padding alone": "sha1:" + "=" * 32,
    "empty": "sha1:",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_digest_that_cannot_be_one_is_malformed(text: str) -> None:
    verdict = warc(record(block_digest=text, payload_digest=None))
    assert answer(verdict, "WARC.DIGEST_HEADERS") == (FAILED, Reason.DIGEST_MALFORMED)
    assert verdict.overall is Overall.INCONSISTENT


@pytest.mark.parametrize("text", ["xyz:" + D1.hex(), D1.hex(), "sha224:" + "0" * 56, ":" + D1.hex()])
def test_an_unknown_algorithm_decides_nothing(text: str) -> None:
    verdict = warc(record(block_digest=text, payload_digest=None))
    found = finding(verdict, "WARC.DIGEST_HEADERS")
    assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.DIGEST_ALGORITHM_UNKNOWN, Bearing.REFUTING)
    assert answer(verdict, "WARC.COVERAGE") == (OPEN, Reason.NO_DIGEST)


def test_md5_is_weak_in_hex_and_in_base32() -> None:
    md5 = hashlib.md5(BLOCK).digest()
    for text in (md5.hex(), base64.b32encode(md5).decode(), base64.b64encode(md5).decode()):
        verdict = warc(record(block_digest="md5:" + text, payload_digest=None))
        found = finding(verdict, "WARC.BLOCK_DIGEST")
        assert (found.outcome, found.reason) == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)
        assert found.bearing is Bearing.DECISIVE
    wrong = warc(record(block_digest="md5:" + hashlib.md5(b"x").hexdigest(), payload_digest=None))
    assert answer(wrong, "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)


def test_two_digests_of_one_kind_are_ambiguous_whichever_is_right() -> None:
    for texts in ((sha1(BLOCK), sha1(b"x")), (sha1(b"x"), sha1(BLOCK))):
        fields = [("WARC-Block-Digest", t) for t in texts]
        verdict = warc(record(block_digest=None, payload_digest=None, fields=fields))
        assert answer(verdict, "WARC.DIGEST_HEADERS") == (FAILED, Reason.DIGEST_AMBIGUOUS)
        assert "WARC.BLOCK_DIGEST" not in asked(verdict)
    same = [("WARC-Block-Digest", sha1(BLOCK)), ("warc-block-digest", sha1(BLOCK))]
    assert answer(warc(record(block_digest=None, fields=same)), "WARC.BLOCK_DIGEST") == OK


def test_no_digest_is_its_own_result() -> None:
    verdict = warc(record(block_digest=None, payload_digest=None) + OTHER)
    found = finding(verdict, "WARC.COVERAGE")
    assert (found.outcome, found.reason, found.expected, found.actual) == (OPEN, Reason.NO_DIGEST, "2", "1")
    none = warc(record(block_digest=None, payload_digest=None))
    assert not {"WARC.BLOCK_DIGEST", "WARC.PAYLOAD_DIGEST"} & asked(none)
    assert "INTEGRITY_NOTHING_TO_VERIFY" in notes(none, "WARC.RECOGNISED")


# ── the payload and its readings ──────────────────────────────────────────────────────────────────────────────────────

CHUNKED = b"5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\n\r\n"
PLAIN = b"hello world"
CHUNKED_HEAD = HTTP + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("digest", "note"), [(sha1(CHUNKED), ""), (sha1(PLAIN), "PAYLOAD_DECHUNKED:1")], ids=["as stored", "de-chunked"]
)
def test_both_readings_of_a_chunked_payload_pass_and_are_named(digest: str, note: str) -> None:
    verdict = warc(record(CHUNKED_HEAD + CHUNKED, payload_digest=digest))
    assert answer(verdict, "WARC.PAYLOAD_DIGEST") == OK
    assert note in [*notes(verdict, "WARC.PAYLOAD_DIGEST"), ""]


BROKEN_CHUNKS = {
    "no last chunk": b"5\r\nhello\r\n",
    "size with a sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "size with 16 digits": b"0000000000000005\r\nhello\r\n0\r\n\r\n",
    "no line end after a chunk": b"5\r\nhello0\r\n\r\n",
    "line feeds only": b"5\nhello\n0\n\n",
    "bytes after the end": b"5\r\nhello\r\n0\r\n\r\nx",
    "chunk longer than the body": b"ff\r\nhello\r\n0\r\n\r\n",
    "size line without end": b"5" * 5000,
}


@pytest.mark.parametrize("body", BROKEN_CHUNKS.values(), ids=BROKEN_CHUNKS)
def test_chunks_that_are_not_exact_are_not_removed(body: bytes) -> None:
    verdict = warc(record(CHUNKED_HEAD + body, payload_digest=sha1(b"hello")))
    assert answer(verdict, "WARC.PAYLOAD_DIGEST") == (FAILED, Reason.HASH_FAILURE)
    assert answer(warc(record(CHUNKED_HEAD + body, payload_digest=sha1(body))), "WARC.PAYLOAD_DIGEST") == OK


def test_chunks_are_only_removed_where_the_header_says_so() -> None:
    verdict = warc(record(HTTP + b"\r\n" + CHUNKED, payload_digest=sha1(PLAIN)))
    assert answer(verdict, "WARC.PAYLOAD_DIGEST") == (FAILED, Reason.HASH_FAILURE)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw deflate"])
def test_a_digest_over_decoded_content_fails_and_says_so(coding: str) -> None:
    packed = {"gzip": gzip.compress, "deflate": zlib.compress, "raw deflate": lambda d: zlib.compress(d)[2:-4]}[coding](PAGE)
    head = HTTP + f"Content-Encoding: {coding.split()[-1]}\r\n\r\n".encode()
    verdict = warc(record(head + packed, payload_digest=sha1(PAGE)))
    assert answer(verdict, "WARC.PAYLOAD_DIGEST") == (FAILED, Reason.HASH_FAILURE)
    assert "PAYLOAD_OVER_DECODED_CONTENT:1" in notes(verdict, "WARC.PAYLOAD_DIGEST")
    assert answer(warc(record(head + packed, payload_digest=sha1(packed))), "WARC.PAYLOAD_DIGEST") == OK


def test_records_that_are_not_http_have_their_block_as_payload() -> None:
    block = b"20261122073524\nexample.com. IN A 192.0.2.1\n"
    for kind, content_type in (("response", "text/dns"), ("resource", "image/png"), ("conversion", "text/plain")):
        right = record(block, kind=kind, content_type=content_type, payload_digest=sha1(block))
        assert answer(warc(right), "WARC.PAYLOAD_DIGEST") == OK
        wrong = record(block, kind=kind, content_type=content_type, payload_digest=sha1(b"x"))
        assert answer(warc(wrong), "WARC.PAYLOAD_DIGEST") == (FAILED, Reason.HASH_FAILURE)
    # A resource is its block even when it looks like HTTP; a response of `file:` over HTTP is HTTP.
    assert answer(warc(record(kind="resource", payload_digest=sha1(BLOCK))), "WARC.PAYLOAD_DIGEST") == OK
    assert answer(warc(record(uri="file:///screenshot.png")), "WARC.PAYLOAD_DIGEST") == OK


def test_http_headers_with_line_feeds_only_are_read_with_a_note() -> None:
    block = b"HTTP/1.1 200 OK\nContent-Type: text/html\n\n" + PAGE
    verdict = warc(record(block, payload_digest=sha1(PAGE)))
    assert answer(verdict, "WARC.PAYLOAD_DIGEST") == OK
    assert "HTTP_LF_HEADERS:1" in notes(verdict, "WARC.PAYLOAD_DIGEST")


def test_without_an_empty_line_there_is_no_payload() -> None:
    verdict = warc(record(b"HTTP/1.1 200 OK\r\nX: y\r\n", payload_digest=sha1(b"")))
    assert answer(verdict, "WARC.BLOCK_DIGEST") == OK and "WARC.PAYLOAD_DIGEST" not in asked(verdict)


def test_an_endless_http_header_is_a_limit_and_the_block_is_still_hashed() -> None:
    block = b"HTTP/1.1 200 OK\r\nX: " + b"y" * warc_digests.HTTP_HEADER_MAX + b"\r\n\r\nbody"
    verdict = warc(record(block, payload_digest=sha1(b"body")))
    assert answer(verdict, "WARC.BLOCK_DIGEST") == OK
    found = finding(verdict, "WARC.PAYLOAD_DIGEST")
    assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.RESOURCE_LIMIT, Bearing.DECISIVE)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("reading", ["stored", "dechunked", "wrong"])
def test_large_blocks_are_hashed_as_they_pass(compressed: bool, reading: str) -> None:
    """A block beyond what is held in memory, chunked, under each reading."""
    body = random.Random(5).randbytes(warc_records.WHOLE_BLOCK_MAX + 100_000)
    parts = [body[i : i + 65_536] for i in range(0, len(body), 65_536)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"
    digest = {"stored": sha1(chunks), "dechunked": sha1(body), "wrong": sha1(b"")}[reading]
    data = [record(CHUNKED_HEAD + chunks, payload_digest=digest), OTHER]
    verdict = warc(members(*data) if compressed else b"".join(data))
    assert answer(verdict, "WARC.BLOCK_DIGEST") == OK
    expected = (FAILED, Reason.HASH_FAILURE) if reading == "wrong" else OK
    assert answer(verdict, "WARC.PAYLOAD_DIGEST") == expected


# ── revisits and segments ─────────────────────────────────────────────────────────────────────────────────────────────


def revisit(digest: str, **fields: str) -> bytes:
    return record(
        HTTP + b"\r\n",
        kind="revisit",
        number=9,
        payload_digest=digest,
        fields=[(k.replace("_", "-"), v) for k, v in fields.items()],
    )


FIRST = "<urn:uuid:00000000-0000-4000-8000-000000000001>"


def test_a_revisit_finds_its_original_by_id_or_by_place_and_digest() -> None:
    by_id = revisit(sha1(PAGE), WARC_Refers_To=FIRST)
    by_place = revisit(
        sha1(PAGE),
        WARC_Refers_To_Target_URI="https://example.com/",
        WARC_Refers_To_Date="2026-11-22T07:35:24Z",
    )
    for data in (GOOD + by_id, by_id + GOOD, GOOD + by_place):
        assert answer(warc(data), "WARC.REVISITS") == OK
    apart = verified(("a.warc", GOOD), ("b.warc", by_id))
    assert answer(apart, "WARC.REVISITS", subject="b.warc") == OK


def test_a_revisit_whose_original_is_elsewhere_stays_open() -> None:
    verdict = warc(OTHER + revisit(sha1(PAGE), WARC_Refers_To=FIRST))
    found = finding(verdict, "WARC.REVISITS")
    assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.NOT_CONTAINED, Bearing.REFUTING)
    assert "PAYLOAD_NOT_CONTAINED:1" in notes(verdict, "WARC.PAYLOAD_DIGEST")


def test_a_revisit_that_contradicts_its_original_fails() -> None:
    verdict = warc(GOOD + revisit(sha1(b"other"), WARC_Refers_To=FIRST))
    assert answer(verdict, "WARC.REVISITS") == (FAILED, Reason.HASH_FAILURE)
    by_place = revisit(
        sha1(b"other"),
        WARC_Refers_To_Target_URI="https://example.com/",
        WARC_Refers_To_Date="2026-11-22T07:35:24Z",
    )
    # Another capture of the same second may have had this digest: missing, not contradicted.
    assert answer(warc(GOOD + by_place), "WARC.REVISITS") == (OPEN, Reason.NOT_CONTAINED)


def test_the_block_of_a_revisit_is_checked() -> None:
    bad = record(HTTP + b"\r\n", kind="revisit", block_digest=sha1(b"x"), payload_digest=sha1(PAGE))
    assert answer(warc(bad), "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)


def test_segments_are_not_put_together() -> None:
    whole = record(payload_digest=sha1(b"the whole record"), fields=[("WARC-Segment-Number", "1")])
    verdict = warc(whole)
    assert answer(verdict, "WARC.BLOCK_DIGEST") == OK
    assert answer(verdict, "WARC.REVISITS") == (OPEN, Reason.NOT_CONTAINED)
    assert "WARC.PAYLOAD_DIGEST" not in asked(verdict)


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


def test_what_is_found_behind_junk_never_counts_as_passed() -> None:
    verdict = warc(b"".join((record(block_digest=None, payload_digest=None), b"junk", OTHER)))
    assert "WARC.BLOCK_DIGEST" not in asked(verdict)
    both = warc(GOOD + b"junk" + OTHER)
    assert {"RECORDS_MATCHED:1", "RECORDS_RECOVERED:1"} <= set(notes(both, "WARC.BLOCK_DIGEST"))


# ── gzip ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

ONE, BAD_ONE = members(GOOD), members(BAD)
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


# ── known defects, other kinds ────────────────────────────────────────────────────────────────────────────────────────


def test_the_block_defect_of_webrecorder_is_recognised_only_when_exact() -> None:
    packed = gzip.compress(PAGE)
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed)
    head = HTTP + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    exact = record(head + chunks, block_digest=sha1(chunks), payload_digest=sha1(chunks))
    empty = record(HTTP + b"\r\n", kind="revisit", block_digest=sha1(b""), payload_digest=sha1(PAGE))
    for data in (exact, empty):
        found = finding(warc(data), "WARC.BLOCK_DIGEST")
        assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.KNOWN_WRITER_DEFECT, Bearing.DECISIVE)
        assert {"KNOWN_WRITER_DEFECT:webrecorder-block-over-payload", "HTTP_HEADERS_UNPROTECTED"} <= set(found.notes)
    plain = record(block_digest=sha1(PAGE), payload_digest=sha1(PAGE))
    wrong = record(head + chunks, block_digest=sha1(b"x"), payload_digest=sha1(chunks))
    for data in (plain, wrong, exact + wrong):
        assert answer(warc(data), "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)
    court = trust(policy={"accept_writer_defects": ["webrecorder-block-over-payload"]})
    accepted = finding(warc(exact, store=court), "WARC.BLOCK_DIGEST")
    assert accepted.outcome is PASSED
    assert "KNOWN_WRITER_DEFECT_ACCEPTED:webrecorder-block-over-payload" in accepted.notes
    assert answer(warc(wrong, store=court), "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)


def test_arc_and_zstd_are_recognised_and_not_read() -> None:
    arc = b"filedesc://a.arc 192.0.2.1 20261122073524 text/plain 75\n1 0 X\n"
    for data in (arc, gzip.compress(arc)):
        assert answer(warc(data), "WARC.RECOGNISED") == (OPEN, Reason.NO_DIGEST)
    assert answer(warc(arc.replace(b" 75\n", b" -1\n")), "WARC.RECOGNISED") == (FAILED, Reason.FORMAT_FAILURE)
    for magic in (b"\x28\xb5\x2f\xfd", b"\x5d\x2a\x4d\x18"):
        assert answer(warc(magic + bytes(100)), "WARC.RECOGNISED") == (OPEN, Reason.UNSUPPORTED_FORMAT)


def test_names_from_the_archive_are_shown_safely() -> None:
    verdict = warc(record(uri="https://example.com/\u202egpj\x1b[31m" + "a" * 500, block_digest=sha1(b"x")))
    shown = next(n for n in notes(verdict, "WARC.BLOCK_DIGEST") if n.startswith("RECORD:"))
    assert len(shown) < 250 and "\u202e" not in shown and "\x1b" not in shown and "\\u202e" in shown


# ── limits ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def limited(verdict: Verdict) -> set[str]:
    found = [f for f in verdict.findings if f.reason is Reason.RESOURCE_LIMIT]
    assert all(f.bearing is Bearing.DECISIVE for f in found)
    assert verdict.overall is Overall.INDETERMINATE
    return {f.check for f in found}


def test_headers_beyond_the_limits() -> None:
    many = record(fields=[(f"X-{n}", "y") for n in range(warc_records.FIELDS_MAX)])
    assert limited(warc(many)) == {"WARC.HEADERS"}
    for fields in ([(f"X-{n}", "y") for n in range(100_000)], [("X", "y" * 100_000)]):
        verdict = warc(record(fields=fields) + OTHER)
        assert "WARC.HEADERS" in limited(verdict)
        assert "RECORDS_READ:1" in notes(verdict, "WARC.HEADERS")  # the other one is found behind it


def test_a_bomb_leaves_every_question_open() -> None:
    verdict = warc(members(GOOD, record(HTTP + b"\r\n" + bytes(64 << 20))))
    assert limited(verdict) >= {"WARC.FRAMING", "WARC.BLOCK_DIGEST", "GZ.MEMBERS"}
    assert PASSED not in {f.outcome for f in verdict.findings if f.check != "WARC.RECOGNISED"}
    assert "INTEGRITY_INCOMPLETE" in notes(verdict, "WARC.RECOGNISED")


def test_too_many_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evidence.verification.snapshots.warc_survey.RECORDS_MAX", 3)
    assert "WARC.FRAMING" in limited(warc(GOOD * 4))
    together = verified(("a.warc", GOOD * 2), ("b.warc", GOOD * 2))
    assert "WARC.FRAMING" in limited(together)
    assert not limited(verified(("a.warc", GOOD * 2), ("b.warc", GOOD)))


def test_records_nested_in_lengths_cannot_cost_more_than_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every header claims all that follows: without a budget the work would grow with the square of their number."""
    greedy = record(b"", length="9" * 17, block_digest=None, payload_digest=None, end=b"\r\n")
    monkeypatch.setattr(inflate.Budget.__init__, "__defaults__", (1 << 20,))
    verdict = warc(greedy * 2000)
    assert answer(verdict, "WARC.FRAMING") == (FAILED, Reason.TRUNCATED)


def test_places_that_look_like_members_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc_stream, "CANDIDATES_MAX", 20)
    verdict = warc(GOOD + b"junk" + b"\x1f\x8b\x08" * 30)
    assert finding(verdict, "WARC.FRAMING").outcome is FAILED


CONFINED = """
import resource, sys
from datetime import datetime, UTC
from pathlib import Path
import evidence.verification as core
from evidence.verification.snapshots import wacz, warc, hashlist  # what the jail loads before it is closed
from evidence.verification.registry import FORMATS
for f in FORMATS: f.load()
resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
v = core.verify(core.Exhibit.from_paths([Path(sys.argv[1])]), core.TrustStore.empty(), datetime(2026, 11, 22, tzinfo=UTC))
print(v.overall.value, ",".join(r.value for r in v.reasons))
peak = next(l for l in open("/proc/self/status") if l.startswith("VmHWM:"))
print(int(peak.split()[1]) >> 10, file=sys.stderr)
"""


def confined(path: Path) -> tuple[str, int]:
    """The verdict within the limits of the jail (512 MiB of address space, 20 s), and the peak resident set in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", CONFINED, str(path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), int(done.stderr.strip().splitlines()[-1])


def test_bombs_and_large_archives_stay_within_the_jail(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.warc.gz"
    with bomb.open("wb") as out, gzip.GzipFile(fileobj=out, mode="wb") as stream:
        stream.write(record(HTTP + b"\r\n", length=str(1 << 30), block_digest=sha1(b""))[:-4])
        for _ in range(600):
            stream.write(bytes(1 << 20))
    said, _ = confined(bomb)
    assert said.startswith("INDETERMINATE RESOURCE_LIMIT")
    large = tmp_path / "large.warc"
    body = random.Random(3).randbytes(1 << 20)
    with large.open("wb") as out:
        for n in range(60):
            out.write(record(HTTP + b"\r\n" + body * (1 + n % 6), number=n))
    said, peak = confined(large)
    assert said == "INDETERMINATE PROOF_NOT_SUPPLIED"
    assert peak < 64, f"{peak} MiB"


# ── mutations ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def sampled(data: bytes, count: int) -> list[bytes]:
    chance = random.Random(20261122)
    found = []
    for bit in chance.sample(range(8 * len(data)), count):
        mutated = bytearray(data)
        mutated[bit // 8] ^= 1 << bit % 8
        found.append(bytes(mutated))
    return found


def test_no_bit_of_a_block_can_change_unseen() -> None:
    start = GOOD.index(b"\r\n\r\n") + 4
    for bit in range(8 * start, 8 * (start + len(BLOCK))):
        mutated = bytearray(GOOD)
        mutated[bit // 8] ^= 1 << bit % 8
        assert answer(warc(bytes(mutated), runs=1), "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)


@pytest.mark.parametrize("build", [lambda: made(compressed=True), lambda: made(compressed=False)], ids=["gzip", "plain"])
def test_no_mutation_makes_the_engine_stumble(build: Callable[[], bytes]) -> None:
    """Flipped bits and cut ends anywhere: an answer, never an internal error, and CONSISTENT never."""
    data = build()
    for mutated in [*sampled(data, 400), *(data[:n] for n in range(0, len(data), 97))]:
        assert warc(mutated, runs=1).overall is not Overall.CONSISTENT


def test_every_bit_of_a_compressed_archive_counts() -> None:
    """Behind the member's own header no bit can change without a failed question."""
    for bit in range(80, 8 * len(ONE)):
        mutated = bytearray(ONE)
        mutated[bit // 8] ^= 1 << bit % 8
        verdict = warc(bytes(mutated), runs=1)
        if verdict.overall is not Overall.INCONSISTENT:
            # Recognised by nobody any more, or one of the bits that fill the last byte of a deflate stream.
            assert verdict.sources[0].format == "unknown" or gzip.decompress(bytes(mutated)) == GOOD, bit


def test_sha256_digests_do_not_carry_the_note_of_sha1() -> None:
    verdict = warc(record(block_digest=sha256(BLOCK), payload_digest=sha256(PAGE)))
    assert answer(verdict, "WARC.BLOCK_DIGEST") == OK
    assert "SHA1_COLLISION_PRONE" not in notes(verdict, "WARC.BLOCK_DIGEST")
