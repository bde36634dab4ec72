"""WARC records one after another (WARC 1.1 §4; spec snapshots §4, steps 1 to 4): headers, lengths, boundaries.

A record whose header or boundary is wrong is reported and, as far as it can be read, handed out as `recovered`: it may
fail a check, it never counts as passed. After every fault of framing the search goes on behind it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..codecs import gzipmembers, inflate
from ..reasons import Reason
from .warc_stream import FAULTS_MAX, RECORD_MAGIC, ZSTD_MAGICS, Mark, Stream

HEADER_MAX = 64 << 10
"""Bytes of a record header (WARC_HEADER_MAX); real ones stay under 4 KiB."""
FIELDS_MAX = 1_000
"""Fields of a record header (WARC_FIELDS_MAX)."""
RECORDS_MAX = 200_000
"""Records of one exhibit (WARC_RECORDS_MAX); 512 MiB of small captures hold about 40,000."""
WHOLE_BLOCK_MAX = 4 << 20
"""Bytes of a block that is handed out whole; larger ones come in pieces."""

_WARC = b"WARC/"
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_TEXT = rb"[^\x00-\x08\x0a-\x1f\x7f]*+"
"""Octets that are no control characters, blanks included (RFC 2616 §2.2, to which WARC 1.1 §4 refers): some readers stop at them."""
_HEADER = re.compile(rb"WARC/(?:1\.[01]|0\.1[78])\r\n((?:" + _TOKEN + rb":" + _TEXT + rb"\r\n)++)\r\n")
_SINGLE = frozenset(
    {
        b"warc-type", b"warc-record-id", b"warc-date", b"warc-target-uri", b"content-type",
        b"warc-refers-to", b"warc-refers-to-target-uri", b"warc-refers-to-date",
        b"warc-segment-number", b"warc-segment-origin-id", b"warc-segment-total-length",
    }
)  # fmt: skip
"""Fields that say what a record is and that stand once in it (WARC 1.1 §5): of two values some readers take the first, others
the last. Content-Length and the digests have answers of their own."""
_VERSIONS = (b"WARC/0.17", b"WARC/0.18", b"WARC/1.0", b"WARC/1.1")
_FIELD = re.compile(rb"([^:\r\n]+):([^\r\n]*)\r\n")
_LENGTH = re.compile(rb" ?([0-9]{1,18})")
_FOLD = re.compile(rb"\r\n[ \t]+")
_LENIENT_END = re.compile(rb"\n\r?\n")
_NOT_RETURN = re.compile(rb"[^\r\n]")
BLANK = b" \t"
"""What may surround the value of a field."""


@dataclass(slots=True)
class Record:
    """One record.

    raw        where it is: raw offset of the plain byte, or of the gzip member it starts in
    fields     (name, value) in order, as they stand
    last       name in lower case -> value as it stands; of repeated names the last
    length     declared length of the block
    block      the whole block when it is in memory, else None: read `Records.pieces()` then
    repeats    some name comes more than once
    recovered  found after a fault, or its own header is malformed or says two things: never counts as passed
    """

    raw: int
    fields: list[tuple[bytes, bytes]]
    last: dict[bytes, bytes]
    length: int
    block: memoryview | None
    recovered: bool
    repeats: bool = False

    def get(self, name: bytes) -> bytes | None:
        """The value of a field (name in lower case) without surrounding blanks."""
        value = self.last.get(name)
        return None if value is None else value.strip(BLANK)

    def values(self, name: bytes) -> list[bytes]:
        """All values of a field, in order."""
        return [value.strip(BLANK) for key, value in self.fields if key.lower() == name]


@dataclass(slots=True)
class Faults:
    """Faults of one check: all are counted, the first few are named as (reason, raw offset)."""

    count: int = 0
    named: list[tuple[Reason, int]] = field(default_factory=list)

    def add(self, reason: Reason, raw: int) -> None:
        self.count += 1
        if len(self.named) < FAULTS_MAX:
            self.named.append((reason, raw))


class Records:
    """Iterate for the records; the consumer of a record with `block is None` reads `pieces()` before going on."""

    def __init__(self, stream: Stream, *, limit: int = RECORDS_MAX) -> None:
        self._stream = stream
        self._limit = limit
        self._left = 0
        self._foreign: int | None = None
        """Where a member before the first record begins that holds no record."""
        self.count = 0
        self.headers = Faults()
        self.framing = Faults()
        self.oversized_headers = 0
        self.irregular_terminators = 0

    def pieces(self) -> Iterator[memoryview]:
        """The block of the current record, as far as it is there."""
        stream = self._stream
        while self._left and stream.fill(1):
            take = min(self._left, stream.available)
            piece = memoryview(stream.buffer)[stream.position : stream.position + take]
            stream.position += take
            self._left -= take
            yield piece

    def __iter__(self) -> Iterator[Record]:
        """Raises LimitReached when the archive exceeds a bound; what was found until then stands."""
        stream = self._stream
        while True:
            have = stream.fill(len(_WARC))
            if not have:
                if not stream.next_segment():
                    return
                continue
            began = stream.offset
            if have < len(_WARC) or not stream.buffer.startswith(_WARC, stream.position):
                if not (self.count and self._blank_run()) and not self._skip_junk():
                    return
                continue
            if self._foreign is not None:
                self.framing.add(Reason.FORMAT_FAILURE, self._foreign)
                self._foreign, stream.recovered = None, True
            stream.begin_record()
            mark = stream.mark()
            record = self._header(mark)
            if record is None:
                # Another record may begin inside what was taken for this one's header.
                stream.position -= stream.offset - began - len(b"WARC/")
                if not stream.resynchronise():
                    return
                continue
            if self.count >= self._limit:
                raise inflate.LimitReached("WARC_RECORDS_MAX")
            self.count += 1
            behind_header = stream.offset
            self._left = record.length
            if record.length <= WHOLE_BLOCK_MAX and stream.fill(record.length + 4) >= record.length:
                start = stream.position
                record.block = memoryview(stream.buffer)[start : start + record.length]
                stream.position += record.length
                self._left = 0
            yield record
            if self._left:  # what its consumer did not read
                for _ in self.pieces():
                    pass
            if self._left:
                self.framing.add(Reason.TRUNCATED, record.raw)
            elif self._terminator(record):
                stream.end_record(began)
                continue
            # 4. Nothing may hide in what a broken record claims as its block.
            stream.return_to(stream.mark(behind_header))
            if not stream.resynchronise():
                return

    def _at_record(self) -> bool:
        stream = self._stream
        return stream.fill(len(_WARC)) >= len(_WARC) and stream.buffer.startswith(_WARC, stream.position)

    def _skip_junk(self) -> bool:
        """The window is at a boundary, but at no record. False at the end of the archive."""
        stream = self._stream
        first = not (self.count or self.headers.count or self.framing.count or stream.recovered)
        if stream.compressed and stream.at_member():
            packed = stream.fill(4) >= 2 and stream.buffer.startswith((gzipmembers.MAGIC[:2], *ZSTD_MAGICS), stream.position)
            if packed or first:
                # Compressed twice, or (so far) no web archive: not opened. What follows in other members is still read.
                if self._foreign is None and not packed:
                    self._foreign = stream.mark().raw
                stream.skip_member()
                return True
        raw = stream.mark().raw
        if not first:
            self.framing.add(Reason.FORMAT_FAILURE, raw)  # it stands, even if the search behind it reaches a bound
            return stream.resynchronise()
        while stream.resynchronise():
            # Other text than an archive may speak of archives: before the first record only a whole header is one.
            if self._whole_header():
                self.framing.add(Reason.FORMAT_FAILURE, raw)
                return True
            stream.position += len(_WARC)
        return False

    def _whole_header(self) -> bool:
        stream = self._stream
        stream.fill(HEADER_MAX)
        return _HEADER.match(stream.buffer, stream.position) is not None

    def _header(self, mark: Mark) -> Record | None:
        """Steps 1 and 2: the header at the window, which moves to the block; None when there is no block to be found."""
        stream = self._stream
        found = _HEADER.match(stream.buffer, stream.position)
        if found is None and stream.available < HEADER_MAX:
            stream.fill(HEADER_MAX)
            found = _HEADER.match(stream.buffer, stream.position)
        if found is None or found.end() - stream.position > HEADER_MAX:
            return self._odd_header(mark)
        stream.position = found.end()
        return self._record(found[1], mark, recovered=stream.recovered)

    def _odd_header(self, mark: Mark) -> Record | None:
        """Folded lines are unfolded; anything else is a fault, after which the header is read as far as it can be."""
        stream = self._stream
        window = stream.buffer[stream.position : stream.position + HEADER_MAX]
        proper = window.find(b"\r\n\r\n")
        if proper >= 0:
            unfolded = _FOLD.sub(b" ", window[: proper + 4])
            found = _HEADER.fullmatch(unfolded)
            if found:
                stream.position += proper + 4
                return self._record(found[1], mark, recovered=stream.recovered)
        end = _LENIENT_END.search(window)
        if end is None and _well_formed_so_far(window):
            if len(window) < HEADER_MAX:
                self.framing.add(Reason.TRUNCATED, mark.raw)
            else:
                self.oversized_headers += 1
        else:
            self.headers.add(Reason.FORMAT_FAILURE, mark.raw)
        inner = RECORD_MAGIC.search(window, len(b"WARC/"), end.end() if end else len(window))
        if end is None or (inner and window[inner.start() - 1] in b"\r\n"):
            return None
        stream.position += end.end()
        lines = window[: end.end()].replace(b"\r\n", b"\n").split(b"\n")[1:-2]
        pairs = (line.replace(b"\r", b" ").partition(b":") for line in lines if b":" in line)
        fields = b"".join(name.strip(BLANK) + b":" + value + b"\r\n" for name, _, value in pairs)
        return self._record(fields, mark, recovered=True)

    def _record(self, lines: bytes, mark: Mark, *, recovered: bool) -> Record | None:
        fields = _FIELD.findall(lines)
        last = {name.lower(): value for name, value in fields}
        record = Record(mark.raw, fields, last, 0, None, recovered, len(last) != len(fields))
        if len(fields) > FIELDS_MAX:
            self.oversized_headers += 1
        if record.repeats and self._contradicts(record):
            self.headers.add(Reason.FORMAT_FAILURE, mark.raw)
            record.recovered = True
        # 2. Content-Length exactly once, with one blank at most before its digits and nothing after.
        length = _LENGTH.fullmatch(last.get(b"content-length", b""))
        if length is None or (record.repeats and len(record.values(b"content-length")) > 1):
            self.framing.add(Reason.FORMAT_FAILURE, mark.raw)
            return None
        record.length = int(length[1])
        return record

    def _contradicts(self, record: Record) -> bool:
        """Does a field that stands once by the standard have two values?"""
        return any(len(set(record.values(name))) > 1 for name in _SINGLE if name in record.last)

    def _terminator(self, record: Record) -> bool:
        """Step 3: after the block stands CRLFCRLF; another run of line ends is noted. False when the length is wrong."""
        stream = self._stream
        stream.fill(4)
        if stream.buffer.startswith(b"\r\n\r\n", stream.position):
            stream.position += 4
            return True
        if self._blank_run():
            return True
        self.framing.add(Reason.FORMAT_FAILURE, record.raw)
        return False

    def _blank_run(self) -> bool:
        """Move over CR and LF; True (and noted) when the archive goes on with a record, or ends, after them."""
        stream = self._stream
        while stream.fill(1):
            found = _NOT_RETURN.search(stream.buffer, stream.position)
            stream.position = found.start() if found else len(stream.buffer)
            if found:
                break
        proper = not stream.fill(1) or self._at_record()
        self.irregular_terminators += proper
        return proper


def _well_formed_so_far(window: bytes) -> bool:
    """Could this be the beginning of a header? Its whole lines are, or it is cut in the version line."""
    stop = window.rfind(b"\r\n")
    if stop < 0:
        return any(version.startswith(window.rstrip(b"\r")) for version in _VERSIONS)
    lines = window[:stop] + b"\r\n"
    return lines[:-2] in _VERSIONS or _HEADER.fullmatch(lines + b"\r\n") is not None
