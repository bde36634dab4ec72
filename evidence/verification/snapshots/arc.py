"""ARC files, the older form of web archives (Internet Archive 1996, "Arc File Format" 1.0; version blocks 1 and 2).

    filedesc://name.arc 0.0.0.0 20140216050221 text/plain 75      version block: what follows describes the fields
    http://example.com/ 93.184.216.119 20140216050221 text/html 1591
    <1591 bytes of the answer>

ARC states no digests: nothing in it can be compared, and only a proof from outside binds it. What is asked is whether its records
follow each other without a gap. Writers count the line ends of the version block differently, so a run of line ends between records
is nobody's fault. There is no mark by which a lost record could be found again: reading ends at the first fault, which is said.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..codecs import inflate
from ..codecs.octets import Octets
from ..reasons import Reason
from .warc_records import RECORDS_MAX, WHOLE_BLOCK_MAX, Record, Records
from .warc_stream import Stream

MAGIC = b"filedesc:"
FIRST_LINE = re.compile(rb"filedesc:\S+ [0-9A-Fa-f.:]+ [0-9]{14} \S+ [0-9]{1,18}\r?\n")
LINE_MAX = 64 << 10
"""Bytes of the line before a record; addresses of a few KiB are real."""
_FIELDS = {b"1": 5, b"2": 10}
"""Fields of that line, by version. Addresses of careless writers hold blanks, so they are counted from the end."""
_VERSION = re.compile(rb"([12]) [0-9]+ [^\r\n]*\r?\n")
_DATE = re.compile(rb"[0-9]{14}")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_NOT_LINE_END = re.compile(rb"[^\r\n]")


@dataclass(slots=True)
class ArcSurvey:
    """What was found in one ARC. The dates are those of its captures, as WARC writes them."""

    records: "ArcRecords"
    stream: Stream
    first_date: bytes = b""
    last_date: bytes = b""
    limit: str | None = None


def survey(octets: Octets, budget: inflate.Budget, *, before: int = 0) -> ArcSurvey:
    """Read the archive to its end, its first fault, or a bound. `before`: records of the exhibit read so far."""
    stream = Stream(octets, budget)
    records = ArcRecords(stream, limit=RECORDS_MAX - before)
    found = ArcSurvey(records, stream)
    try:
        for record in records:
            date = record.get(b"warc-date") or b""
            if record.get(b"warc-type") == b"response":
                found.first_date = min(found.first_date or date, date)
                found.last_date = max(found.last_date, date)
    except inflate.LimitReached as reached:
        found.limit = reached.limit
    return found


class ArcRecords(Records):
    """The records of an ARC with the fields that a WARC would give them, so that one reader shows both."""

    def __iter__(self) -> Iterator[Record]:
        """Raises LimitReached."""
        stream, fields = self._stream, 5
        while True:
            self._skip_line_ends()
            if not stream.fill(1):
                if stream.next_segment():  # something that is no ARC lies behind the last member
                    self.framing.add(Reason.FORMAT_FAILURE, stream.mark().raw)
                return
            began, mark = stream.offset, stream.mark()
            stream.begin_record()
            record = self._line(mark.raw, fields)
            if record is None:
                break
            if self.count >= self._limit:
                raise inflate.LimitReached("WARC_RECORDS_MAX")
            self.count += 1
            self._left = record.length
            if record.length <= WHOLE_BLOCK_MAX and stream.fill(record.length) >= record.length:
                record.block = memoryview(stream.buffer)[stream.position : stream.position + record.length]
                stream.position += record.length
                self._left = 0
            if self.count > 1:
                self._kind(record)
            else:
                version = _VERSION.match(record.block) if record.block is not None else None
                if version is None:
                    self.headers.add(Reason.FORMAT_FAILURE, mark.raw)
                    break
                fields = _FIELDS[version[1]]
            yield record
            for _ in self.pieces():
                pass
            if self._left:
                self.framing.add(Reason.TRUNCATED, mark.raw)
                break
            stream.end_record(began)
        # What is left is inflated for its check sums.
        while stream.compressed and stream.fill(1):
            stream.position = len(stream.buffer)

    def _skip_line_ends(self) -> None:
        stream = self._stream
        while stream.fill(1):
            found = _NOT_LINE_END.search(stream.buffer, stream.position)
            stream.position = found.start() if found else len(stream.buffer)
            if found:
                break

    def _line(self, raw: int, fields: int) -> Record | None:
        """The line before a record; None (and noted) when it is none."""
        stream = self._stream
        window = b""
        for size in (4096, LINE_MAX):
            stream.fill(size)
            window = stream.buffer[stream.position : stream.position + size]
            if b"\n" in window:
                break
        line, end, _ = window.partition(b"\n")
        if not end and len(window) >= LINE_MAX:
            self.oversized_headers += 1
            return None
        parts = line.removesuffix(b"\r").rsplit(b" ", fields - 1)
        first = self.count == 0
        if not end or len(parts) < fields or not _DATE.fullmatch(parts[2]) or not _LENGTH.fullmatch(parts[-1]):
            cut = not end and self.count > 0
            self.framing.add(Reason.TRUNCATED if cut else Reason.FORMAT_FAILURE, raw)
            return None
        stream.position += len(line) + 1
        d = parts[2]
        date = b"%s-%s-%sT%s:%s:%sZ" % (d[:4], d[4:6], d[6:8], d[8:10], d[10:12], d[12:])
        stated = [
            (b"WARC-Type", b"warcinfo" if first else b"response"),
            (b"WARC-Target-URI", parts[0]),
            (b"WARC-Date", date),
            (b"WARC-IP-Address", parts[1]),
            (b"Content-Type", parts[3]),
        ]
        last = {name.lower(): value for name, value in stated}
        return Record(raw, stated, last, int(parts[-1]), None, stream.recovered)

    def _kind(self, record: Record) -> None:
        """A block that begins like an HTTP answer is one; others (DNS, FTP) are what the line says."""
        if record.block is not None and bytes(record.block[:5]) == b"HTTP/":
            record.last[b"content-type"] = b"application/http; msgtype=response"
            record.fields[-1] = (b"Content-Type", record.last[b"content-type"])
