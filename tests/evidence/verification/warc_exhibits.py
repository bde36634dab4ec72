"""WARC archives for tests: by warcio, and of records built byte by byte."""

import io
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from evidence.verification import Verdict

from .snapshot_exhibits import HTTP, PAGE, PASSED, members, record, sha1, verified

OK = (PASSED, None)
BLOCK = HTTP + b"\r\n" + PAGE
GOOD = record()
OTHER = record(HTTP + b"\r\nother page", number=2, uri="https://example.com/other")
BAD = record(block_digest=sha1(b"something else"), number=3)
"""A record whose block digest is of something else."""
ONE = members(GOOD)


def warc(data: bytes, **options: Any) -> Verdict:
    return verified(("page.warc", data), **options)


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


