"""The bytes of a web archive after decompression, read forward, with everything that could hide between the pieces.

An archive is a row of *segments*: gzip members (or Zstandard frames) one after another, or plain bytes. A proper archive has one segment. Where
one breaks off (junk between members, a damaged member, plain records appended to compressed ones) the next is searched
for, so that nothing can hide behind a fault; what is found there is marked `recovered`.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ..codecs import gzipmembers, inflate
from ..codecs.octets import Octets, blocks
from ..reasons import Reason

if TYPE_CHECKING:
    from ..codecs import zstdframes

RECORD_MAGIC = re.compile(rb"WARC/(?:1\.|0\.1)")
CANDIDATES_MAX = 10_000
"""Places tried for a hidden member while searching; false ones come from compressed content, about one in 16 MiB."""
MEMBERS_MAX = 400_000
"""Gzip members of one archive: twice the records, so that empty ones cannot fill the time."""
FAULTS_MAX = 5
"""Places named one by one; the rest are counted."""
BLOCK = 1 << 20
"""Plain bytes read at once."""
_ANY_MAGIC = re.compile(rb"WARC/(?:1\.|0\.1)|\x1f\x8b\x08|\x28\xb5\x2f\xfd")
ZSTD_MAGICS = (b"\x28\xb5\x2f\xfd", b"\x5d\x2a\x4d\x18")
"""A frame, and the frame that holds the dictionary of the others."""
_OVERLAP = 8


class Mark(NamedTuple):
    """A place that can be returned to: raw offset of the plain byte, or of the gzip member and the bytes to skip in it."""

    compressed: bool
    raw: int
    skip: int


@dataclass(slots=True)
class Compression:
    """What GZ-01 to GZ-03 ask about, collected while reading. Offsets are those of the file. Of Zstandard the members are frames.

    unsized, unchecked   frames that do not state their size, or carry no check sum, as the format wants
    skippable            frames that no reader opens
    dictionary           the file begins with a dictionary
    """

    compressed: bool = False
    zstd: bool = False
    unsized: int = 0
    unchecked: int = 0
    skippable: int = 0
    dictionary: bool = False
    members: int = 0
    empty: int = 0
    damaged: list[tuple[Reason, int]] = field(default_factory=list)
    damaged_count: int = 0
    junk: list[int] = field(default_factory=list)
    double: int | None = None
    trailing_zeros: bool = False
    misaligned: int = 0
    misaligned_at: int | None = None
    several_records: int = 0


class Stream:
    """A window `buffer[position:]` over the decompressed bytes of the current segment."""

    def __init__(self, octets: Octets, budget: inflate.Budget) -> None:
        self._octets, self._budget = octets, budget
        self.compression = Compression()
        self.buffer, self.position = b"", 0
        self.recovered = False
        self._made = 0  # decompressed bytes up to the end of the buffer, in this segment
        # Members not yet left: (decompressed offset, raw offset).
        self._starts: deque[tuple[int, int]] = deque()
        self._counted = 0  # raw offset up to which members are counted
        self._stopped = 0  # raw offset at which the segment ended
        self._scan_from = 0
        self._candidates = 0
        self._plain_from = 0
        self._compressed = self._zstd = False
        self._dictionary: Any = None
        self._pieces: Iterator[bytes] = iter(())
        head = octets.read(0, 4)
        if head.startswith(gzipmembers.MAGIC) or head in ZSTD_MAGICS:
            self.compression.compressed = True
            if head in ZSTD_MAGICS:
                self._open_dictionary(head)
            self._open_members(0)
        else:
            self._open_plain(0)

    @property
    def compressed(self) -> bool:
        """Is the current segment made of gzip members or Zstandard frames?"""
        return self._compressed

    @property
    def available(self) -> int:
        return len(self.buffer) - self.position

    @property
    def offset(self) -> int:
        """Offset of the window in the decompressed segment."""
        return self._made - len(self.buffer) + self.position

    def fill(self, count: int) -> int:
        """Make `count` bytes available if the segment has them; returns how many there are."""
        have = len(self.buffer) - self.position
        if have >= count:
            return have
        if not self._compressed and self._octets.random_access:
            # Reading the rest of the window again is cheaper than moving all that follows behind it.
            here = self.offset
            self.buffer = self._octets.read(self._plain_from + here, max(count, BLOCK))
            self.position, self._made = 0, here + len(self.buffer)
            return len(self.buffer)
        parts = [self.buffer[self.position :]] if have else []
        while have < count:
            piece = next(self._pieces, None)
            if piece is None:
                break
            parts.append(piece)
            have += len(piece)
            self._made += len(piece)
        self.buffer = parts[0] if len(parts) == 1 else b"".join(parts)
        self.position = 0
        return have

    def mark(self, offset: int | None = None) -> Mark:
        """The place of the window, or of an `offset` that it had since the current record began."""
        here = self.offset if offset is None else offset
        if not self._compressed:
            return Mark(False, self._plain_from + here, 0)
        start, raw = next((s for s in reversed(self._starts) if s[0] <= here), (0, self._plain_from))
        return Mark(True, raw, here - start)

    def return_to(self, mark: Mark) -> None:
        """Read again from a mark of this segment. What is read twice is paid for twice."""
        if mark.compressed:
            self._open_members(mark.raw)
            skip = mark.skip
            while skip and self.fill(1):
                step = min(skip, self.available)
                self.position += step
                skip -= step
        else:
            self._budget.charge(max(0, self._plain_from + self.offset - mark.raw))
            self._open_plain(mark.raw)

    def begin_record(self) -> None:
        """A record starts at the window: forget the members before it."""
        if self._compressed and not self.at_member():
            self.compression.several_records += 1

    def at_member(self) -> bool:
        """Does a gzip member (or frame) start at the window? Forgets those before it."""
        here, starts = self.offset, self._starts
        while len(starts) > 1 and starts[1][0] <= here:
            starts.popleft()
        return bool(starts) and starts[0][0] == here

    def end_record(self, began: int) -> None:
        """The record that began at decompressed offset `began` ends at the window: no gzip member may start inside it (of
        Zstandard a record may be several frames)."""
        if self._compressed and not self._zstd:
            here = self.offset
            for start, raw in self._starts:
                if began < start < here:
                    self.compression.misaligned += 1
                    if self.compression.misaligned_at is None:
                        self.compression.misaligned_at = raw

    def next_segment(self) -> bool:
        """The segment is exhausted: look for another one behind the place where it stopped. False when there is none."""
        if self._scan_from < self._stopped:  # a member broke off: something may lie in what it claimed
            return self._search(self._scan_from)
        if self._stopped >= self._octets.size:
            return False
        if gzipmembers.only_zeros(self._octets, self._stopped):
            self.compression.trailing_zeros = True
            return False
        self._note_junk(self._stopped)
        return self._search(self._stopped)

    def resynchronise(self) -> bool:
        """After a fault of framing: move the window to the next thing that looks like a record. False at the end."""
        self.recovered = True
        self._budget.charge(BLOCK)  # about what a search costs; it also bounds how many there can be
        if not self._compressed:
            return self._search(self._plain_from + self.offset)
        while True:
            found = RECORD_MAGIC.search(self.buffer, self.position)
            if found:
                self.position = found.start()
                return True
            self.position = max(self.position, len(self.buffer) - _OVERLAP + 1)
            have = self.available
            if self.fill(have + 1) == have:
                return self.next_segment()

    def skip_member(self) -> None:
        """Move to the next member (or to the end of the segment): what the one at the window holds is inflated for its check
        sums and not looked at."""
        here = self.offset
        while True:
            start = next((s for s, _ in self._starts if here < s <= self._made), None)
            if start is not None:
                self.position = len(self.buffer) - (self._made - start)
                return
            self.position = len(self.buffer)
            if not self.fill(1):
                return

    def _search(self, start: int) -> bool:
        """Search the raw bytes from `start` for a plain record or a member that inflates to one."""
        self.recovered = True
        tail = b""
        for block in blocks(self._octets, start=start):
            self._budget.charge(len(block))
            base = start - len(tail)
            data = tail + block
            for found in _ANY_MAGIC.finditer(data):
                at = base + found.start()
                if found[0].startswith(b"WARC"):
                    self._open_plain(at)
                    return True
                self._candidates += 1
                if self._candidates > CANDIDATES_MAX:
                    raise inflate.LimitReached("CANDIDATES_MAX")
                if RECORD_MAGIC.search(self._beginning(at)):
                    if not self._compressed:
                        self._note_junk(at)
                    self._open_members(at)
                    return True
            tail = data[-_OVERLAP + 1 :]
            start += len(block)
        return False

    def _beginning(self, at: int) -> bytes:
        """What a look at the member shows: its first piece, because a record may stand behind junk in it, too."""
        if self._octets.read(at, 4) != ZSTD_MAGICS[0]:
            return gzipmembers.beginning(self._octets, at, BLOCK)
        from ..codecs import zstdframes

        return zstdframes.beginning(self._octets, at, BLOCK)

    def _note_junk(self, at: int) -> None:
        if len(self.compression.junk) < FAULTS_MAX:
            self.compression.junk.append(at)

    def _open_plain(self, raw: int) -> None:
        self._reset(raw, compressed=False)
        self._pieces = blocks(self._octets, start=raw)
        self._stopped = self._scan_from = self._octets.size

    def _open_dictionary(self, head: bytes) -> None:
        from ..codecs import zstdframes

        self.compression.zstd = True
        self._dictionary = zstdframes.dictionary(self._octets)
        self.compression.dictionary = self._dictionary is not None
        if self._dictionary is None and head == ZSTD_MAGICS[1]:
            self._note_damage(Reason.FORMAT_FAILURE, 0)

    def _open_members(self, raw: int) -> None:
        self._reset(raw, compressed=True)
        self._zstd = not self._octets.read(raw, 3).startswith(gzipmembers.MAGIC)
        self._pieces = self._members(raw)

    def _reset(self, raw: int, *, compressed: bool) -> None:
        self.buffer, self.position, self._made = b"", 0, 0
        self._starts.clear()
        self._plain_from, self._compressed, self._zstd = raw, compressed, False

    def _note_damage(self, reason: Reason, raw: int) -> None:
        seen = self.compression
        seen.damaged_count += 1
        if len(seen.damaged) < FAULTS_MAX:
            seen.damaged.append((reason, raw))

    def _members(self, raw: int) -> Iterator[bytes]:
        """The output of member after member until something else follows. Members already counted are not counted again."""
        seen = self.compression
        while (member := self._member(raw)) is not None:
            raw = member.start
            self._starts.append((self._made, raw))
            first = True
            for piece in member.pieces():
                if first and piece.startswith((gzipmembers.MAGIC[:2], *ZSTD_MAGICS)) and seen.double is None:
                    seen.double = raw
                first = False
                yield piece
            if seen.members >= MEMBERS_MAX:
                raise inflate.LimitReached("GZIP_MEMBERS_MAX")
            if raw >= self._counted:
                self._counted = max(member.end, raw + 1)
                seen.members += 1
                seen.empty += member.size == 0 and member.fault is None
                if member.fault is not None:
                    self._note_damage(member.fault, raw)
            if not member.ended:
                self._stopped, self._scan_from = member.end, raw + 1
                return
            raw = member.end
            self._stopped = self._scan_from = raw

    def _member(self, raw: int) -> "gzipmembers.Member | zstdframes.Frame | None":
        """The member at `raw`, or the frame at or behind it: frames that no reader opens are counted and passed over."""
        if not self._zstd:
            whole = gzipmembers.header_size(self._octets, raw) is not None
            if not whole:
                self._stopped = self._scan_from = raw
            return gzipmembers.Member(self._octets, raw, self._budget) if whole else None
        from ..codecs import zstdframes

        seen = self.compression
        while (size := zstdframes.skippable(self._octets, raw)) is not None:
            if raw >= self._counted:
                self._counted = raw + 1
                seen.skippable += not (raw == 0 and seen.dictionary)
                if raw + size > self._octets.size:
                    self._note_damage(Reason.TRUNCATED, raw)
            if seen.skippable > MEMBERS_MAX:
                raise inflate.LimitReached("ZSTD_FRAMES_MAX")
            raw = min(raw + size, self._octets.size)
        self._stopped = self._scan_from = raw
        about = zstdframes.header(self._octets, raw)
        if about is None:
            return None
        if raw >= self._counted:
            seen.unsized += about.content is None
            seen.unchecked += not about.checked
        return zstdframes.Frame(self._octets, raw, self._budget, self._dictionary)
