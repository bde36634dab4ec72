"""The engine beside warcio and FastWARC on archives made here: every difference is one that is explained (spec snapshots §17)."""

import base64
import gzip
import hashlib
from pathlib import Path

import pytest

from .snapshot_exhibits import HTTP, PAGE, members, record, sha1, sha256, verified
from .warc_differences import CAUSES, CRASHES, EDGES, WORLD, Row, differences, frozen, rows
from .warc_exhibits import BAD, BLOCK, GOOD, OTHER, made
from .warc_oracles import FAILS, OPEN, PASSES

CHUNKED = HTTP + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n0\r\n\r\n" % (len(PAGE), PAGE)
ZIPPED = gzip.compress(PAGE, mtime=0)
CODED = HTTP + b"Content-Encoding: gzip\r\n\r\n" + ZIPPED
REVISIT = {"kind": "revisit", "block_digest": sha1(HTTP + b"\r\n"), "payload_digest": sha1(PAGE)}
MADE: dict[str, bytes] = {
    "warcio.warc": made(compressed=False),
    "warcio.warc.gz": made(compressed=True),
    "good.warc": GOOD + OTHER,
    "bad_block.warc": GOOD + BAD,
    "bad_block.warc.gz": members(GOOD, BAD),
    "bad_payload.warc": record(payload_digest=sha1(b"else")),
    "no_digest.warc": record(block_digest=None, payload_digest=None),
    "sha256.warc": record(block_digest=sha256(BLOCK), payload_digest=sha256(PAGE)),
    "label.warc": record(block_digest=sha256(BLOCK).replace("sha256", "sha-256"), payload_digest=None),
    "base32_lower.warc": record(block_digest=sha1(BLOCK).lower(), payload_digest=None),
    "base64.warc": record(
        block_digest="sha1:" + base64.b64encode(hashlib.sha1(BLOCK).digest()).decode(), payload_digest=None
    ),
    "blake2b.warc": record(block_digest="blake2b:" + hashlib.blake2b(BLOCK).hexdigest(), payload_digest=None),
    "md5.warc": record(block_digest="md5:" + hashlib.md5(BLOCK).hexdigest(), payload_digest=None),
    "unknown.warc": record(block_digest="crc:0a0b0c0d", payload_digest=None),
    "malformed.warc": record(block_digest="sha1:1", payload_digest=None),
    "chunked_as_stored.warc": record(CHUNKED),
    "chunked_removed.warc": record(CHUNKED, payload=PAGE),
    "coded_as_stored.warc": record(CODED),
    "coded_removed.warc": record(CODED, payload=PAGE),
    "http_line_feeds.warc": record(b"HTTP/1.1 200 OK\nX: y\n\n" + PAGE, payload=PAGE),
    "http_header_40k.warc": record(HTTP + b"X: " + b"y" * 40_000 + b"\r\n\r\n" + PAGE),
    "http_of_a_file.warc": record(uri="file:///screenshot.png"),
    "resource.warc": record(b"\x89PNG", kind="resource", payload=b"\x89PNG", content_type="image/png"),
    "dns.warc": record(b"20261122\na. 1 IN A 192.0.2.1\n", payload=b"20261122\na. 1 IN A 192.0.2.1\n", content_type="text/dns", uri="dns:a"),
    "revisit.warc": record(HTTP + b"\r\n", **REVISIT),  # type: ignore[arg-type]
    "revisit_bad_block.warc": record(HTTP + b"\r\n", **{**REVISIT, "block_digest": sha1(b"else")}),  # type: ignore[arg-type]
    "empty_block_bad.warc": record(b"", kind="resource", block_digest=sha1(b"else"), payload_digest=None, content_type="text/plain"),
    "cut.warc": GOOD[:-40],
    "cut.warc.gz": members(GOOD, OTHER)[:-60],
    "cut_trailer.warc.gz": members(GOOD, OTHER)[:-4],
    "bit.warc.gz": members(GOOD)[:-6] + bytes([members(GOOD)[-6] ^ 1]) + members(GOOD)[-5:],
    "length_short.warc": record(length=str(len(BLOCK) - 5)),
    "length_huge.warc": record(length=str(10**18)),
    "length_plus.warc": record(length=f"+{len(BLOCK)}"),
    "length_missing.warc": GOOD.replace(f"Content-Length: {len(BLOCK)}\r\n".encode(), b"") + BAD,
    "junk.warc": GOOD + b"junk, and behind it:\r\n" + BAD,
    "two_digests_good_first.warc": record(fields=[("WARC-Block-Digest", sha1(b"else"))]),
    "empty_member.warc.gz": members(GOOD, b"", BAD),
    "one_member.warc.gz": gzip.compress(GOOD + OTHER, mtime=0),
    "zeros.warc.gz": members(GOOD) + bytes(512),
    "plain_behind.warc.gz": members(GOOD) + BAD,
    "twice.warc.gz": gzip.compress(members(GOOD), mtime=0),
    "no_archive.warc": b"<html>",
    "empty.warc": b"",
    "line_feeds.warc": GOOD.removesuffix(BLOCK + b"\r\n\r\n").replace(b"\r\n", b"\n") + BLOCK + b"\r\n\r\n",
    "version_2.warc": record(version="WARC/2.0"),
}
KNOWN: dict[str, Row] = {
    **rows(PASSES, FAILS, FAILS, "base32 by custom", "base32_lower.warc"),
    **rows(PASSES, PASSES, FAILS, "encoding", "base64.warc"),
    **rows(PASSES, PASSES, FAILS, "label", "blake2b.warc", "label.warc"),
    **rows(PASSES, FAILS, FAILS, "de-chunked", "chunked_removed.warc"),
    **rows(FAILS, PASSES, FAILS, "cut", "cut.warc", "cut.warc.gz"),
    **rows(FAILS, PASSES, PASSES, "cut trailer", "cut_trailer.warc.gz"),
    # The archives of warcio hold a resource.
    **rows(PASSES, PASSES, FAILS, "payload is block", "dns.warc", "resource.warc", "warcio.warc", "warcio.warc.gz"),
    **rows(OPEN, PASSES, PASSES, "no archive", "empty.warc"),
    **rows(OPEN, FAILS, FAILS, "no archive", "no_archive.warc"),
    **rows(FAILS, PASSES, FAILS, "empty block", "empty_block_bad.warc"),
    **rows(FAILS, FAILS, PASSES, "empty member", "empty_member.warc.gz"),
    **rows(PASSES, PASSES, FAILS, "HTTP header", "http_header_40k.warc"),
    **rows(PASSES, PASSES, FAILS, "HTTP line feeds", "http_line_feeds.warc"),
    **rows(PASSES, FAILS, PASSES, "HTTP of a file", "http_of_a_file.warc"),
    **rows(FAILS, PASSES, CRASHES, "length abort", "length_huge.warc"),
    **rows(FAILS, PASSES, FAILS, "length", "length_missing.warc"),
    **rows(FAILS, PASSES, PASSES, "length sign", "length_plus.warc"),
    **rows(FAILS, PASSES, FAILS, "line feeds", "line_feeds.warc"),
    **rows(FAILS, CRASHES, FAILS, "crash", "malformed.warc"),
    **rows(OPEN, FAILS, PASSES, "weak", "md5.warc"),
    **rows(OPEN, PASSES, PASSES, "no digest", "no_digest.warc"),
    **rows(PASSES, FAILS, PASSES, "one member", "one_member.warc.gz"),
    **rows(OPEN, PASSES, FAILS, "payload elsewhere", "revisit.warc"),
    **rows(FAILS, PASSES, FAILS, "revisit block", "revisit_bad_block.warc"),
    **rows(OPEN, FAILS, FAILS, "twice packed", "twice.warc.gz"),
    **rows(FAILS, PASSES, PASSES, "ambiguous", "two_digests_good_first.warc"),
    **rows(OPEN, FAILS, FAILS, "unknown algorithm", "unknown.warc"),
    **rows(PASSES, FAILS, FAILS, "zeros", "zeros.warc.gz"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("archives")
    for name, data in MADE.items():
        (place / name).write_bytes(data)
    return place


def test_every_difference_is_explained(folder: Path) -> None:
    paths = sorted(folder.iterdir())
    assert differences(paths, {p.name: verified(p, runs=1) for p in paths}) == frozen(KNOWN)


def test_a_difference_that_nobody_explained_fails() -> None:
    """The comparison can fail: a row whose cause names a tool as right that says otherwise is refused."""
    with pytest.raises(ValueError, match="does not explain"):
        frozen(rows(PASSES, FAILS, FAILS, "one member", "x.warc"))
    with pytest.raises(KeyError):
        frozen(rows(PASSES, FAILS, FAILS, "because", "x.warc"))


def test_every_cause_is_needed() -> None:
    used = {cause for table in (KNOWN, EDGES, WORLD) for *_, causes in table.values() for cause in causes}
    assert used == set(CAUSES)
