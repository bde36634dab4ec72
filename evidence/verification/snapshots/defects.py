"""Known defects of writers: recorded values that are wrong in a way that can be recomputed exactly (spec snapshots §11).

A reproduced value proves that the content is what the writer hashed, so it is no alteration; it is not a pass either unless
the court's policy lists the defect. A value that the formula does not reproduce stays a failure.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defect:
    """`id` is what a court's policy lists in `accept_writer_defects`, and the detail of the note KNOWN_WRITER_DEFECT."""

    id: str
    number: str
    writers: str
    formula: str


DOUBLED_CHUNK = Defect(
    id="js-wacz-doubled-chunk",
    number="WRD-01",
    writers="@harvard-lil/js-wacz 0.0.6 to 0.1.6 (Scoop, Perma)",
    formula="SHA-256 over archive/data.warc.gz with every chunk of 64 KiB fed twice",
)
BLOCK_OVER_PAYLOAD = Defect(
    id="webrecorder-block-over-payload",
    number="WRD-02",
    writers="Webrecorder Platform (seen: 4.4.0, 2019)",
    formula="block digest taken over the payload (chunked and content-coded responses), or over nothing (revisits)",
)
DEFECTS = (DOUBLED_CHUNK, BLOCK_OVER_PAYLOAD)

DOUBLED_PATH = "archive/data.warc.gz"
_CHUNK = 64 << 10
"""`highWaterMark` of Node's file streams: the size of the chunks that were hashed twice."""


def doubled_chunk_sha256(pieces: Iterable[bytes]) -> bytes:
    """WRD-01: `stream.on('data')` and `stream.pipe(hash)` both fed the hash."""
    h = hashlib.sha256()
    rest = b""
    for piece in pieces:
        data = rest + piece
        whole = len(data) - len(data) % _CHUNK
        for at in range(0, whole, _CHUNK):
            chunk = data[at : at + _CHUNK]
            h.update(chunk)
            h.update(chunk)
        rest = data[whole:]
    h.update(rest)
    h.update(rest)
    return h.digest()
