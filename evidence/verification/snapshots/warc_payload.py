"""What the bytes of a record hash to: its block, and its payload in every reading (spec snapshots §4, step 6).

A block in memory is read once for each reading that is needed; a large one, or one that comes in segments, passes by once.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .warc_digests import (
    HTTP_HEADER_MAX,
    Dechunker,
    Hasher,
    HttpHead,
    Recorded,
    content_decoded,
    http_head,
)
from .warc_records import Records


@dataclass(slots=True)
class Hashed:
    """Digests of a record's bytes. `stored` is None when the record holds no payload that could be told apart."""

    block: bytes = b""
    stored: bytes | None = None
    dechunked: bytes | None = None
    decoded: bytes | None = None
    head: HttpHead | None = None
    limited: bool = False


def whole(block: memoryview, due: Recorded | None, payload: Recorded | None, *, http: bool) -> Hashed:
    """Step 6 for a block in memory. Readings after the first are only tried when it does not match."""
    found = Hashed()
    if due is not None:
        found.block = digest(due, block)
    if payload is None:
        if http and due is not None and found.block != due.value:
            found.head = http_head(block)
        return found
    if not http:
        same = due is not None and due.algorithm == payload.algorithm
        found.stored = found.block if same else digest(payload, block)
        return found
    head = found.head = http_head(block)
    if head is None:
        found.limited = len(block) > HTTP_HEADER_MAX
        return found
    body = block[len(head.text) :]
    found.stored = digest(payload, body)
    if found.stored != payload.value:
        plain: bytes | memoryview = body
        if head.chunked:
            dechunker = Dechunker()
            content = b"".join(dechunker.feed(body))
            if dechunker.complete:
                found.dechunked, plain = digest(payload, content), content
        if found.dechunked != payload.value and head.coding:
            decoded = content_decoded(plain, head.coding)
            found.decoded = None if decoded is None else digest(payload, decoded)
    return found


class Passing:
    """A payload while it passes: both readings at once. Content coding is not tried, it would explain but decide nothing."""

    def __init__(self, payload: Recorded, *, http: bool) -> None:
        self._payload = payload
        self._of_stored = payload.hasher()
        self._of_dechunked: Hasher | None = None
        self._dechunker = Dechunker()
        self._waiting = bytearray()
        self._head_found = not http
        self.head: HttpHead | None = None
        self.limited = False

    def feed(self, piece: bytes | memoryview) -> None:
        body = piece
        if not self._head_found:
            if self.limited:
                return
            self._waiting += piece
            self.head = http_head(memoryview(bytes(self._waiting)))
            if self.head is None:
                self.limited = len(self._waiting) > HTTP_HEADER_MAX
                return
            self._head_found = True
            body = bytes(self._waiting[len(self.head.text) :])
            self._waiting.clear()
            if self.head.chunked:
                self._of_dechunked = self._payload.hasher()
        self._of_stored.update(body)
        if self._of_dechunked is not None:
            for content in self._dechunker.feed(body):
                self._of_dechunked.update(content)

    def end(self) -> tuple[bytes | None, bytes | None]:
        """The digest as stored and that without the chunks; None for a reading that there is not."""
        if not self._head_found:
            return None, None
        removed = self._of_dechunked if self._dechunker.complete else None
        return self._of_stored.digest(), removed.digest() if removed is not None else None


def in_pieces(
    records: Records,
    due: Recorded | None,
    payload: Recorded | None,
    *,
    http: bool,
    beside: Callable[[memoryview], None] | None = None,
) -> Hashed:
    """For a block that is not in memory. `beside` is given every piece, too."""
    found = Hashed()
    of_block = due.hasher() if due is not None else None
    passing = Passing(payload, http=http) if payload is not None else None
    for piece in records.pieces():
        if of_block is not None:
            of_block.update(piece)
        if passing is not None:
            passing.feed(piece)
        if beside is not None:
            beside(piece)
    if of_block is not None:
        found.block = of_block.digest()
    if passing is not None:
        found.head, found.limited = passing.head, passing.limited
        found.stored, found.dechunked = passing.end()
    return found


def digest(recorded: Recorded, data: bytes | memoryview) -> bytes:
    h = recorded.hasher()
    h.update(data)
    return h.digest()
