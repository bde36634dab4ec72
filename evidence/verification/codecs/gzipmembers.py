"""Gzip files member by member (RFC 1952; WARC 1.1 Annex D recommends one member per record).

Detection is by magic, never by name. A member is checked whole: header with its optional fields, end of the deflate stream,
CRC-32 and length. Empty members are members, not the end of the file.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ..reasons import Reason
from . import inflate
from .octets import Octets

MAGIC = b"\x1f\x8b\x08"
HEADER_MAX = 256 << 10
"""Bytes of one header: an extra field of 64 KiB, a file name and a comment."""
EMPTY_MEMBERS_MAX = 16
"""Empty members passed over when looking at how a file begins."""
_FHCRC, _FEXTRA, _FNAME, _FCOMMENT, _RESERVED = 2, 4, 8, 16, 0xE0
_PLAIN_HEADER = 10
_TRAILER = 8


@dataclass(slots=True)
class Member:
    """One member from `start` while it is read; `end`, `size` and `fault` are final once `pieces` is exhausted.

    end     offset after the trailer; where reading stopped when there is a fault that hides the end
    ended   the end of the member is known, so that the next one may follow there
    fault   TRUNCATED or GZIP_CHECK_FAILURE
    """

    octets: Octets
    start: int
    budget: inflate.Budget
    end: int = 0
    size: int = 0
    ended: bool = False
    fault: Reason | None = None

    def pieces(self) -> Iterator[bytes]:
        """Raises LimitReached."""
        head = header_size(self.octets, self.start)
        if head is None:
            self.end, self.fault = self.start, Reason.TRUNCATED
            return
        limit = self.octets.size
        stream = inflate.Stream(self.octets, self.start + head, limit, self.budget)
        yield from stream.pieces()
        self.size = stream.produced
        self.end = self.start + head + stream.consumed
        if stream.ending is not inflate.Ending.COMPLETE:
            cut = stream.ending is inflate.Ending.TRUNCATED
            self.fault = Reason.TRUNCATED if cut else Reason.GZIP_CHECK_FAILURE
            return
        trailer = self.octets.read(self.end, _TRAILER)
        self.end += len(trailer)
        if len(trailer) < _TRAILER:
            self.fault = Reason.TRUNCATED
            return
        self.ended = True
        if struct.unpack("<LL", trailer) != (stream.crc, stream.produced & 0xFFFFFFFF):
            self.fault = Reason.GZIP_CHECK_FAILURE


def header_size(octets: Octets, at: int) -> int | None:
    """Bytes of the member header at `at`, or None when there is no complete and valid one."""
    head = octets.read(at, _PLAIN_HEADER)
    if len(head) < _PLAIN_HEADER or not head.startswith(MAGIC) or head[3] & _RESERVED:
        return None
    flags = head[3]
    if not flags:
        return _PLAIN_HEADER
    head = octets.read(at, HEADER_MAX)
    position = _PLAIN_HEADER
    if flags & _FEXTRA:
        if len(head) < position + 2:
            return None
        position += 2 + int.from_bytes(head[position : position + 2], "little")
    for flag in (_FNAME, _FCOMMENT):
        if flags & flag:
            position = head.find(0, position) + 1
            if position == 0:
                return None
    if flags & _FHCRC:
        stated = head[position : position + 2]
        if int.from_bytes(stated, "little") != inflate.crc32(head[:position]) & 0xFFFF:
            return None
        position += 2
    return position if position <= len(head) else None


def beginning(octets: Octets, at: int, count: int) -> bytes:
    """The first `count` bytes to which the members from `at` inflate (fewer when they do not inflate so far). A cheap look:
    a few KiB are read, empty members are passed over, nothing is checked."""
    for _ in range(EMPTY_MEMBERS_MAX):
        head = header_size(octets, at)
        if head is None:
            break
        stream = inflate.Stream(
            octets, at + head, octets.size, inflate.Budget(inflate.PIECE), output_max=inflate.PIECE
        )
        for piece in stream.pieces():
            return piece[:count]
        if stream.ending is not inflate.Ending.COMPLETE:
            break
        at += head + stream.consumed + _TRAILER
    return b""


def exceeds_ratio(octets: Octets) -> bool:
    """Does the first member, as far as `octets` goes, inflate beyond the ratio? Costs at most RATIO_FLOOR bytes of output."""
    head = header_size(octets, 0)
    if head is None:
        return False
    stream = inflate.Stream(octets, head, octets.size, inflate.Budget())
    try:
        for _ in stream.pieces():
            pass
    except inflate.LimitReached as reached:
        return reached.limit == "RATIO_MAX"
    return False


def only_zeros(octets: Octets, start: int) -> bool:
    """Is there nothing but zero bytes from `start` to the end? Tape and block padding, which hides nothing."""
    position = start
    while position < octets.size:
        block = octets.read(position, inflate.PIECE)
        if block.count(0) != len(block):
            return False
        position += len(block)
    return True
