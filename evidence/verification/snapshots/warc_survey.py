"""One web archive read from end to end: every record's digests against its bytes, everything counted (spec snapshots §4).

Memory stays bounded: blocks are hashed as they pass, faults are counted and a few named, and of each record only short
keys are kept, so that revisits and page lists can be compared with the whole archive afterwards.
"""

import hashlib
import re
from dataclasses import dataclass, field, replace

from ..codecs import inflate
from ..codecs.octets import Octets
from ..codecs.quotation import quote
from ..reasons import Reason
from .warc_digests import Recorded, parse
from .warc_payload import Hashed, digest, in_pieces, whole
from .warc_records import BLANK, RECORDS_MAX, Record, Records
from .warc_segments import Assemblies, Assembly
from .warc_stream import Compression, Stream

WORST_MAX = 5
"""Records named in a finding."""
SHOWN_MAX = 320
"""Bytes of an address that are kept to be shown."""
_DATE = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z")
DUE_KINDS = frozenset({b"response", b"resource", b"conversion", b"revisit"})
"""Kinds of record that carry captured content and so owe a digest (WARC-08)."""
_HTTP_KINDS = (b"response", b"request")
_CAPTURES = frozenset({b"response", b"resource", b"conversion", b"revisit", b"continuation"})


@dataclass(frozen=True, slots=True)
class Worst:
    """A record that decides a finding: where it is, what it is, and the two digests when there are two."""

    raw: int
    kind: bytes = b""
    uri: bytes = b""
    expected: str | None = None
    actual: str | None = None

    @property
    def label(self) -> str:
        return f"{quote(self.kind)} {quote(self.uri)}"


@dataclass(slots=True)
class Tally:
    """What one kind of digest came to. A record counts once."""

    matched: int = 0
    matched_recovered: int = 0
    weak: int = 0
    mismatched: int = 0
    defect: int = 0
    not_contained: int = 0
    limited: int = 0
    broken_hash: bool = False
    """SHA-1 was among the matches."""
    worst: list[Worst] = field(default_factory=list)

    def name(self, worst: Worst) -> None:
        if len(self.worst) < WORST_MAX:
            self.worst.append(worst)


@dataclass(frozen=True, slots=True)
class Revisit:
    """A record that refers to another one for its payload; `None` digest: it states none that can be read."""

    worst: Worst
    recorded: Recorded | None
    refers_to: bytes | None
    place: bytes | None


@dataclass(slots=True)
class Originals:
    """Short keys of everything read so far, shared by the archives that are looked at together."""

    by_id: dict[bytes, tuple[str, bytes]] = field(default_factory=dict)
    by_place: dict[bytes, tuple[str, bytes]] = field(default_factory=dict)
    uris: set[bytes] | None = None
    """Addresses of captures, collected when somebody asks (a page list to compare with)."""
    records: int = 0
    assemblies: Assemblies = field(default_factory=Assemblies)
    """Records in segments, which may lie in several archives."""


@dataclass(slots=True)
class Survey:
    """What was found in one archive. `limit`: the bound at which reading stopped, None when the end was reached."""

    compression: Compression
    records: Records
    block: Tally = field(default_factory=Tally)
    payload: Tally = field(default_factory=Tally)
    malformed: list[tuple[Reason, Worst]] = field(default_factory=list)
    malformed_count: int = 0
    unknown: int = 0
    digest_headers: int = 0
    dechunked: int = 0
    over_decoded: int = 0
    line_feed_headers: int = 0
    hyphen_labels: int = 0
    odd_uris: int = 0
    due: int = 0
    uncovered: list[Worst] = field(default_factory=list)
    uncovered_count: int = 0
    revisits: list[Revisit] = field(default_factory=list)
    segments: int = 0
    of_assemblies: list[Assembly] = field(default_factory=list)
    """For each segment in this archive, what it is put together with; segments that fit nowhere have none."""
    begun: list[tuple[Assembly, Worst, Recorded | None]] = field(default_factory=list)
    """Assemblies whose first segment lies here."""
    first_date: bytes = b""
    last_date: bytes = b""
    """Earliest and latest `WARC-Date` of captures, where they have the form of the standard: `2026-11-22T07:35:24Z`."""
    limit: str | None = None


def survey(octets: Octets, budget: inflate.Budget, originals: Originals) -> Survey:
    """Read the archive to its end or to a bound. Never raises for what it holds."""
    stream = Stream(octets, budget)
    records = Records(stream, limit=RECORDS_MAX - originals.records)
    found = Survey(stream.compression, records)
    reading = _Reading(found, originals)
    try:
        for record in records:
            reading.take(record)
    except inflate.LimitReached as reached:
        found.limit = reached.limit
    originals.records += records.count
    return found


def settle(found: Survey) -> None:
    """Once every archive of the exhibit is read: what the records in segments that begin in this one come to."""
    tally = found.payload
    for assembly, label, payload in found.begun:
        if payload is None:
            continue
        matched, actual = assembly.compared()
        if matched is None:
            tally.not_contained += 1
        elif matched:
            _count_match(tally, payload, recovered=assembly.recovered)
            found.dechunked += assembly.dechunked
        else:
            tally.mismatched += 1
            expected = f"{payload.algorithm} {payload.value.hex()}"
            shown = f"{payload.algorithm} {actual.hex()}" if actual is not None else None
            tally.worst.insert(0, replace(label, expected=expected, actual=shown))
            del tally.worst[WORST_MAX:]
    found.begun.clear()


def key(*parts: bytes) -> bytes:
    """A short key of texts: 8 bytes, as long as nobody gains from two that agree (a revisit's digest is compared anyway)."""
    return hashlib.blake2b(b"\n".join(parts)).digest()[:8]


class _Reading:
    def __init__(self, found: Survey, originals: Originals) -> None:
        self._found, self._originals = found, originals

    def take(self, record: Record) -> None:
        """Steps 5 to 7 for one record."""
        found = self._found
        stated = record.last.get
        kind = stated(b"warc-type", b"").strip(BLANK).lower()
        uri = stated(b"warc-target-uri", b"").strip(BLANK)
        block = self._recorded(record, b"warc-block-digest")
        payload = self._recorded(record, b"warc-payload-digest")
        if kind in DUE_KINDS:
            found.due += 1
            if block is None and payload is None:
                found.uncovered_count += 1
                if len(found.uncovered) < WORST_MAX:
                    found.uncovered.append(_label(record, kind, uri))
        if kind in _CAPTURES:
            self._remember(record, kind, uri, payload)
            self._date(record)
        if uri and (uri.startswith(b"<") or b" " in uri):
            found.odd_uris += 1
        http = kind in _HTTP_KINDS and stated(b"content-type", b"").strip(BLANK).lower().startswith(b"application/http")
        assembly = None
        if b"warc-segment-number" in record.last:
            assembly = self._segment(record, kind, uri, payload, http=http)
            payload = None
        elif kind == b"revisit":
            if payload is not None:
                found.payload.not_contained += 1
            self._refer(record, kind, uri, payload)
            payload = None
        if record.block is not None:
            bytes_ = whole(record.block, block, payload, http=http)
            if assembly is not None:
                assembly.feed(record.block)
        elif block is not None or payload is not None or assembly is not None:
            beside = assembly.feed if assembly is not None else None
            bytes_ = in_pieces(found.records, block, payload, http=http, beside=beside)
        else:
            return
        if assembly is not None:
            assembly.end(record.length)
        self._judge(record, kind, uri, block, payload, bytes_)

    def _recorded(self, record: Record, name: bytes) -> Recorded | None:
        """Step 5: the digest that a field states; faults are counted, None when there is nothing to compare."""
        text = record.last.get(name)
        if text is None:
            return None
        found = self._found
        found.digest_headers += 1
        if record.repeats and len(set(record.values(name))) > 1:
            self._malformed(record, Reason.DIGEST_AMBIGUOUS)
            return None
        recorded = parse(text.strip(BLANK))
        if type(recorded) is Recorded:
            found.hyphen_labels += recorded.hyphen
            return recorded
        if recorded is Reason.DIGEST_ALGORITHM_UNKNOWN:
            found.unknown += 1
            return None
        if isinstance(recorded, Reason):
            self._malformed(record, recorded)
        return None

    def _malformed(self, record: Record, reason: Reason) -> None:
        found = self._found
        found.malformed_count += 1
        if len(found.malformed) < WORST_MAX:
            kind = (record.get(b"warc-type") or b"").lower()
            found.malformed.append((reason, _label(record, kind, record.get(b"warc-target-uri") or b"")))

    def _remember(self, record: Record, kind: bytes, uri: bytes, payload: Recorded | None) -> None:
        originals = self._originals
        if originals.uris is not None:
            originals.uris.add(key(uri.partition(b"#")[0]))
        if payload is None or kind == b"revisit" or record.recovered:
            return
        stated = (payload.algorithm, payload.value)
        identity = record.last.get(b"warc-record-id", b"").strip(BLANK)
        if identity:
            originals.by_id.setdefault(key(identity), stated)
        date = record.last.get(b"warc-date", b"").strip(BLANK)
        originals.by_place.setdefault(key(uri, date, payload.value), stated)

    def _date(self, record: Record) -> None:
        found = self._found
        date = record.last.get(b"warc-date", b"").strip(BLANK)
        # Without the Z, so that a fraction of a second sorts after none. What lies between changes nothing.
        if found.first_date[:-1] <= date[:-1] <= found.last_date[:-1]:
            return
        if not record.recovered and _DATE.fullmatch(date):
            found.first_date = min(found.first_date or date, date, key=lambda d: d[:-1])
            found.last_date = max(found.last_date, date, key=lambda d: d[:-1])

    def _segment(
        self, record: Record, kind: bytes, uri: bytes, payload: Recorded | None, *, http: bool
    ) -> Assembly | None:
        """Step 7 for a segment: what it is put together with."""
        found = self._found
        found.segments += 1
        assembly, first = self._originals.assemblies.take(record, payload, http=http)
        if assembly is not None:
            found.of_assemblies.append(assembly)
        if first and assembly is not None:
            found.begun.append((assembly, _label(record, kind, uri), payload))
        elif payload is not None:
            found.payload.not_contained += 1
        return assembly

    def _refer(self, record: Record, kind: bytes, uri: bytes, payload: Recorded | None) -> None:
        """Step 7: what a revisit refers to is looked for once everything is read."""
        place = None
        date = record.get(b"warc-refers-to-date")
        if date and payload is not None:
            place = key(record.get(b"warc-refers-to-target-uri") or uri, date, payload.value)
        identity = record.get(b"warc-refers-to")
        self._found.revisits.append(
            Revisit(_label(record, kind, uri), payload, key(identity) if identity else None, place)
        )

    def _judge(
        self,
        record: Record,
        kind: bytes,
        uri: bytes,
        block: Recorded | None,
        payload: Recorded | None,
        actual: Hashed,
    ) -> None:
        found = self._found
        payload_right = False
        if payload is not None:
            tally = found.payload
            if actual.limited:
                tally.limited += 1
                tally.name(_label(record, kind, uri))
            elif actual.stored is None:
                tally.not_contained += 1
            elif payload.value in (actual.stored, actual.dechunked):
                payload_right = True
                _count_match(tally, payload, recovered=record.recovered)
                found.dechunked += payload.value != actual.stored
            else:
                tally.mismatched += 1
                found.over_decoded += payload.value == actual.decoded
                tally.name(_label(record, kind, uri, payload, actual.stored))
            found.line_feed_headers += actual.head is not None and actual.head.line_feeds
        if block is not None:
            tally = found.block
            if block.value == actual.block:
                _count_match(tally, block, recovered=record.recovered)
            elif _over_payload(kind, block, payload if payload_right else None, actual):
                tally.defect += 1
                tally.name(_label(record, kind, uri, block, actual.block))
            else:
                tally.mismatched += 1
                if tally.mismatched <= WORST_MAX:  # before those that a known defect explains
                    tally.worst.insert(tally.mismatched - 1, _label(record, kind, uri, block, actual.block))
                    del tally.worst[WORST_MAX:]


def _over_payload(kind: bytes, block: Recorded, payload: Recorded | None, actual: Hashed) -> bool:
    """WRD-02, both forms, recomputed exactly."""
    if kind == b"revisit":
        return block.value == digest(block, b"")
    head = actual.head
    return (
        kind == b"response"
        and payload is not None
        and head is not None
        and head.chunked
        and bool(head.coding)
        and (block.algorithm, block.value) == (payload.algorithm, payload.value)
    )


def _count_match(tally: Tally, recorded: Recorded, *, recovered: bool) -> None:
    if recorded.algorithm == "MD5":
        tally.weak += 1
    elif recovered:
        tally.matched_recovered += 1
    else:
        tally.matched += 1
        tally.broken_hash |= recorded.algorithm == "SHA-1"


def _label(
    record: Record, kind: bytes, uri: bytes, recorded: Recorded | None = None, actual: bytes | None = None
) -> Worst:
    """Only the beginning of the address is kept; it is made safe to print when it is printed."""
    if recorded is None or actual is None:
        return Worst(record.raw, kind[:SHOWN_MAX], uri[:SHOWN_MAX])
    return Worst(
        record.raw,
        kind[:SHOWN_MAX],
        uri[:SHOWN_MAX],
        f"{recorded.algorithm} {recorded.value.hex()}",
        f"{recorded.algorithm} {actual.hex()}",
    )
