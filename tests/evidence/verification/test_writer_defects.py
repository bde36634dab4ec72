"""Known defects of writers (spec snapshots §11) are recognised by their exact conditions: one of them missing, and it is a mismatch."""

import gzip

import pytest

from evidence.verification.reasons import Reason

from .snapshot_exhibits import FAILED, HTTP, OPEN, PAGE, answer, record, sha1
from .warc_exhibits import warc

PACKED = gzip.compress(PAGE, mtime=0)
CODED, CHUNKED = b"Content-Encoding: gzip\r\n", b"Transfer-Encoding: chunked\r\n"


def body(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)


def over_payload(head: bytes, content: bytes, *, payload: str | None = "right", kind: str = "response") -> bytes:
    """The block digest is that of the payload."""
    return record(HTTP + head + b"\r\n" + content, block_digest=sha1(content), payload_digest=payload, kind=kind)


def test_the_defect_itself() -> None:
    assert answer(warc(over_payload(CODED + CHUNKED, body(PACKED))), "WARC.BLOCK_DIGEST") == (OPEN, Reason.KNOWN_WRITER_DEFECT)


@pytest.mark.parametrize(
    "data",
    [
        over_payload(CHUNKED, body(PAGE)),
        over_payload(CODED, PACKED),
        over_payload(b"", PAGE),
        over_payload(CODED + CHUNKED, body(PACKED), payload=None),
        over_payload(CODED + CHUNKED, body(PACKED), payload=sha1(b"else")),
        over_payload(CODED + CHUNKED, body(PACKED), kind="request"),
        record(HTTP + b"\r\n", kind="response", block_digest=sha1(b""), payload_digest=None),
    ],
    ids=["not coded", "not chunked", "neither", "no payload digest", "payload digest wrong", "a request", "empty, no revisit"],
)
def test_without_one_of_its_conditions_it_is_a_mismatch(data: bytes) -> None:
    assert answer(warc(data), "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)
