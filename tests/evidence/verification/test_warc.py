"""Web archives: what warcio writes passes; digests, payloads and references are each what they say."""

import base64
import gzip
import hashlib
import random
import zlib

import pytest

from evidence.verification.reasons import Reason
from evidence.verification.snapshots import warc_digests, warc_records
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
    trust,
    verified,
)
from .warc_exhibits import BLOCK, GOOD, OK, OTHER, made, warc

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


