"""Inflating hostile data: one deflate stream (RFC 1951) at a time, piece by piece, under named limits.

The engine is zlib-ng where it is installed and zlib where not. Both refuse the same streams; ISA-L does not (it takes
incomplete Huffman code sets that zlib refuses), and a verdict must not depend on what is installed beside the product.
A stream that does not end well is read again with zlib alone, so that what was salvaged is the same everywhere.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Any

from .octets import Octets

_engine: ModuleType
try:
    from zlib_ng import zlib_ng as _engine
except ImportError:
    _engine = zlib

crc32 = _engine.crc32
ENGINE = "zlib" if _engine is zlib else "zlib-ng"

MEMBER_MAX = 256 << 20
"""Inflated bytes of one zip or gzip member. Perma's largest capture is 200 MiB; larger ones come as several members."""
LEAN = 2
"""Up to this many times its own size a member may inflate beyond MEMBER_MAX: what is stored, or hardly shrinks (an archive of
compressed records in a WACZ, a film in one record), is bounded by the file that holds it, and is read like any file of its size."""
INFLATED_TOTAL_MAX = 2 << 30
"""Inflated (or read again) bytes of one exhibit: about five seconds of work, four times the largest upload."""
RATIO_MAX = 200
"""Inflated : compressed. Text of web pages reaches 20 : 1, logs 60 : 1; bombs start near 1000 : 1."""
RATIO_FLOOR = 16 << 20
"""Bytes below which the ratio is not asked: a small page of zeros harms nobody."""
PIECE = 1 << 20
"""Bytes handed out at once."""
FIRST_SLICE, SLICE = 16 << 10, 64 << 10
"""Compressed bytes fed at once; the first slice is small because most records are."""


class LimitReached(Exception):
    """A named bound was exceeded; `limit` is its name. Becomes RESOURCE_LIMIT, never a failure."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


class Budget:
    """What one exhibit may cost. Shared by every reader of it."""

    def __init__(self, total: int = INFLATED_TOTAL_MAX) -> None:
        self._left = total

    def charge(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise LimitReached("INFLATED_TOTAL_MAX")


def oversized(made: int, occupied: int) -> bool:
    """Are `made` bytes more than a member may inflate to that occupies `occupied` bytes (as far as it was read)?"""
    return made > MEMBER_MAX and made > LEAN * occupied


class Ending(Enum):
    COMPLETE = "complete"
    TRUNCATED = "truncated"
    DAMAGED = "damaged"
    OVERLONG = "overlong"


def fresh() -> Any:
    """A raw inflater of the engine in use (no header, no check sum)."""
    return _engine.decompressobj(-15)


@dataclass(slots=True)
class Stream:
    """One deflate stream in `octets[start:end]` while it is read; the last four fields are final once `pieces` is exhausted.

    output_max   bytes it may inflate to by declaration; the first byte beyond makes it OVERLONG
    consumed     compressed bytes that belong to the stream
    produced     inflated bytes handed out, `crc` their CRC-32
    """

    octets: Octets
    start: int
    end: int
    budget: Budget
    output_max: int = INFLATED_TOTAL_MAX
    ending: Ending = Ending.TRUNCATED
    consumed: int = 0
    produced: int = 0
    crc: int = 0

    def pieces(self) -> Iterator[bytes]:
        """Raises LimitReached. Every piece is at most PIECE bytes."""
        yield from self._run(_engine)
        if _engine is not zlib and self.ending in (Ending.TRUNCATED, Ending.DAMAGED):
            yield from self._run(zlib)

    def _run(self, engine: ModuleType) -> Iterator[bytes]:
        inflater = engine.decompressobj(-15)
        position, made, size = self.start, 0, FIRST_SLICE
        self.ending = Ending.TRUNCATED
        while True:
            data = inflater.unconsumed_tail
            if not data:
                data = self.octets.read(position, min(size, self.end - position))
                position, size = position + len(data), SLICE
            try:
                piece = inflater.decompress(data, min(PIECE, self.output_max + 1 - made))
            except engine.error:
                self.ending = Ending.DAMAGED
                return
            if piece:
                made += len(piece)
                if oversized(made, position - self.start):
                    raise LimitReached("MEMBER_MAX")
                if made > self.output_max:
                    self.ending = Ending.OVERLONG
                    return
                if made > RATIO_FLOOR and made > RATIO_MAX * (position - self.start):
                    raise LimitReached("RATIO_MAX")
                if made > self.produced:  # a second run is silent until it passes the first
                    piece = piece[self.produced - made :]
                    self.budget.charge(len(piece))
                    self.crc = crc32(piece, self.crc)
                    self.produced = made
                    yield piece
            if inflater.eof:
                self.consumed = position - self.start - len(inflater.unused_data)
                self.ending = Ending.COMPLETE
                return
            if not data and not piece:
                self.consumed = position - self.start
                return
