"""An HTTP message as a record holds it: facts of its header, secrets masked, and its payload with every coding removed."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

import brotli

from evidence.verification.snapshots.warc_digests import Dechunker, http_head

from ..capture import HEADERS_MAX, cut

PAYLOAD_MAX = 32 << 20
"""Bytes of one payload that is looked into, coded or decoded."""
MASKED = "〔已遮盖 masked〕"
SECRET = re.compile(r"(?i)cookie|authorization|token|api-?key|secret|password|session")
_STATUS = re.compile(rb"HTTP/[0-9.]{1,5} ([0-9]{3})")


@dataclass(frozen=True, slots=True)
class Message:
    """`payload`: None when its coding could not be removed; then `note` says why. `stored`, `plain`: the body before and after
    the transfer coding."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    stored: bytes
    plain: bytes
    payload: bytes | None
    note: str | None = None

    def get(self, name: str) -> str:
        return next((v for n, v in self.headers if n.lower() == name), "")


def message(block: bytes) -> Message | None:
    """The message in a block, None when it has no end of header."""
    head = http_head(block)
    if head is None:
        return None
    first, *rest = head.text.split(b"\n")
    status = _STATUS.match(first)
    headers = []
    for line in rest[:HEADERS_MAX]:
        name, colon, value = line.rstrip(b"\r").partition(b":")
        if colon:
            headers.append((cut(_text(name), 200) or "", _value(_text(name), _text(value))))
    stored = plain = bytes(block[len(head.text) :])
    if head.chunked:
        dechunker = Dechunker()
        content = b"".join(dechunker.feed(stored))
        if dechunker.complete:
            plain = content
    payload, note = decoded(plain, head.coding.decode("latin-1"))
    return Message(int(status[1]) if status else None, tuple(headers), stored, plain, payload, note)


def masked(name: str, value: str) -> str:
    """The value of a header as it may be shown: what opens somebody's account is not."""
    return MASKED if SECRET.search(name) else value


def decoded(body: bytes, codings: str) -> tuple[bytes | None, str | None]:
    """The body with its content codings removed, last applied first; or None and why."""
    for coding in reversed([c.strip() for c in codings.split(",") if c.strip() not in ("", "identity")][:4]):
        if not body:
            return body, None
        if coding in ("gzip", "x-gzip", "deflate"):
            made = _inflated(body, (31,) if "gzip" in coding else (15, -15))
        elif coding == "br":
            made = _brotli(body)
        else:
            return None, "CONTENT_CODING_UNREAD"
        if made is None:
            # Some recorders store the decoded body under the header of the coded one.
            return body, "CONTENT_CODING_ABSENT"
        if len(made) > PAYLOAD_MAX:
            return None, "PAYLOAD_MAX"
        body = made
    return body, None


def _inflated(body: bytes, forms: tuple[int, ...]) -> bytes | None:
    for form in forms:
        inflater = zlib.decompressobj(form)
        try:
            made = inflater.decompress(body, PAYLOAD_MAX + 1)
        except zlib.error:
            continue
        if inflater.eof or len(made) > PAYLOAD_MAX:
            return made
    return None


def _brotli(body: bytes) -> bytes | None:
    decoder = brotli.Decompressor()
    parts, size = [], 0
    try:
        piece = decoder.process(body, output_buffer_limit=1 << 20)
        while True:
            parts.append(piece)
            size += len(piece)
            if decoder.is_finished() or size > PAYLOAD_MAX:
                return b"".join(parts)
            if decoder.can_accept_more_data():
                return None
            piece = decoder.process(b"", output_buffer_limit=1 << 20)
    except brotli.error:
        return None


def _text(data: bytes) -> str:
    """Header text: UTF-8 where it reads as such, else byte by byte."""
    try:
        return data.strip().decode("utf-8")
    except UnicodeDecodeError:
        return data.strip().decode("latin-1")


def _value(name: str, value: str) -> str:
    return cut(masked(name, value)) or ""
