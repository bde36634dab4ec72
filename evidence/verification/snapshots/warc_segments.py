"""Records that a writer cut into segments (WARC 1.1 §7; spec snapshots §4, step 7): put together while they pass.

The first segment states the payload digest of the whole record; the others name it in `WARC-Segment-Origin-ID` and count on;
the last states the total length. Segments are taken in the order of the files and records, each number once. Where one is
missing, repeated or out of order, what the whole was stays open: nothing was compared.
"""

import hashlib
import re
from dataclasses import dataclass

from .warc_digests import Recorded
from .warc_payload import Passing
from .warc_records import Record

ASSEMBLIES_MAX = 256
"""Records in segments of one exhibit; each keeps two hash states. Writers cut records beyond a gigabyte, so there are few."""

_NUMBER = re.compile(rb"[1-9][0-9]{0,8}")
_LENGTH = re.compile(rb"[0-9]{1,18}")


@dataclass(slots=True)
class Assembly:
    """One record in segments. `length`: bytes of blocks so far; `total`: what its last segment states."""

    payload: Recorded | None
    passing: Passing | None
    recovered: bool
    segments: int = 0
    length: int = 0
    total: int | None = None
    broken: bool = False
    """A segment is missing, repeated, out of order or cut."""
    dechunked: bool = False
    due: int = 0
    """Bytes that the lengths of the segments so far add up to."""

    def feed(self, piece: bytes | memoryview) -> None:
        """A piece of the block of the segment that was taken last."""
        self.length += len(piece)
        if self.passing is not None and not self.broken:
            self.passing.feed(piece)

    def end(self, expected: int) -> None:
        """The block of a segment of `expected` bytes has passed."""
        self.due += expected
        self.broken |= self.length != self.due

    @property
    def contradicted(self) -> bool:
        """All segments are there, and together they are not as long as the last one says."""
        return not self.broken and self.total is not None and self.length != self.total

    @property
    def complete(self) -> bool:
        """The last segment is there, or the digest shows that nothing is missing."""
        matched = self.compared()[0]
        return not self.broken and (matched is True or (self.payload is None and self.total == self.length))

    def compared(self) -> tuple[bool | None, bytes | None]:
        """Does the whole have the digest that the first segment states (None: open), and which has it?"""
        if self.broken or self.payload is None or self.passing is None:
            return None, None
        stored, dechunked = self.passing.end()
        if self.payload.value in (stored, dechunked):
            self.dechunked = self.payload.value != stored
            return True, self.payload.value
        # Without the last segment, or without an end of the HTTP header, what is missing may be what makes it differ.
        return (None, None) if self.total is None or stored is None else (False, stored)


class Assemblies:
    """The records in segments of one exhibit, by the id of their first segment."""

    def __init__(self) -> None:
        self._by_id: dict[bytes, Assembly] = {}

    def take(self, record: Record, payload: Recorded | None, *, http: bool) -> tuple[Assembly | None, bool]:
        """The assembly whose next segment `record` is (None: it fits nowhere), and whether it begins it."""
        number = _NUMBER.fullmatch(record.get(b"warc-segment-number") or b"")
        first = number is not None and number[0] == b"1"
        identity = record.get(b"warc-record-id" if first else b"warc-segment-origin-id")
        if number is None or not identity or record.repeats:
            return None, False
        known = self._by_id.get(place := hashlib.blake2b(identity, digest_size=16).digest())
        if first:
            if known is not None or len(self._by_id) >= ASSEMBLIES_MAX:
                if known is not None:
                    known.broken = True
                return None, False
            passing = Passing(payload, http=http) if payload is not None else None
            known = self._by_id[place] = Assembly(payload, passing, record.recovered)
        if known is None:
            return None, False
        known.segments += 1
        # After the last segment none may follow, and each must be the next.
        known.broken |= known.total is not None or int(number[0]) != known.segments
        known.recovered |= record.recovered
        total = record.get(b"warc-segment-total-length")
        if total is not None:
            known.broken |= first or _LENGTH.fullmatch(total) is None
            known.total = None if known.broken else int(total)
        return known, first
