"""Web archives WARC 0.17 to 1.1, plain, gzip or Zstandard (ISO 28500; spec snapshots §3 and §4): are the records what they say they are?

The digests inside a WARC are stated by whoever wrote it: they show damage and careless change, not who wrote what and when.
Only something outside (a chain, a time-stamp, a signature over the file) binds the archive, so no walk starts here.
"""

from collections.abc import Iterator, Sequence

from .. import progress
from ..codecs import gzipmembers, inflate
from ..codecs.octets import BytesOctets, FileOctets, Octets
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..stated import Stated, dated
from ..verdict import Bearing, Examination, Finding, Outcome, failed, indeterminate, passed
from . import arc
from .defects import BLOCK_OVER_PAYLOAD
from .integrity import axes
from .warc_stream import ZSTD_MAGICS
from .warc_survey import Originals, Survey, Tally, Worst, settle, survey

RECOGNISED = "WARC.RECOGNISED"
HEADERS = "WARC.HEADERS"
FRAMING = "WARC.FRAMING"
DIGEST_HEADERS = "WARC.DIGEST_HEADERS"
BLOCK_DIGEST = "WARC.BLOCK_DIGEST"
PAYLOAD_DIGEST = "WARC.PAYLOAD_DIGEST"
REVISITS = "WARC.REVISITS"
COVERAGE = "WARC.COVERAGE"
GZ_MEMBERS = "GZ.MEMBERS"
GZ_ONLY_MEMBERS = "GZ.ONLY_MEMBERS"
GZ_ALIGNED = "GZ.ALIGNED"
ZSTD_FRAMES = "ZSTD.FRAMES"
ZSTD_ONLY_FRAMES = "ZSTD.ONLY_FRAMES"
NOT_PROVEN = ("NOT_PROVEN.CAPTURE_HOST", "NOT_PROVEN.CAPTURE_TIME", "NOT_PROVEN.REPLAY")

_LOOK = 64 << 10
_WARC, _ARC = b"WARC/", arc.MAGIC


def sniff(source: Source) -> int:
    """By what the bytes begin with, after decompression. Claimed though not read, so that it is said: archives compressed
    twice, and gzip files that inflate without end, whatever is in them."""
    head = source.head(_LOOK)
    if head.startswith(gzipmembers.MAGIC):
        packed = BytesOctets(head)
        inner = gzipmembers.beginning(packed, 0, _LOOK)
        if inner.startswith(gzipmembers.MAGIC):
            return 60 if gzipmembers.beginning(BytesOctets(inner), 0, 16).startswith((_WARC, _ARC)) else 0
        if not inner.startswith((_WARC, _ARC)):
            return 30 if gzipmembers.exceeds_ratio(packed) else 0
        head = inner
    if head.startswith(_WARC):
        return 95
    if head.startswith(_ARC):
        return 60
    if head.startswith(ZSTD_MAGICS):
        from ..codecs import zstdframes

        return 95 if zstdframes.beginning(BytesOctets(head), 0, 5).startswith(_WARC) else 20
    return 0


def examine(sources: Sequence[Source], context: Context) -> Examination:
    """All web archives of the exhibit; a revisit may find its original in any of them."""
    originals = Originals()
    surveyed: list[tuple[str, Survey | arc.ArcSurvey | Finding]] = []
    for source in sources:
        octets = FileOctets(source.pread, source.size)
        surveyed.append((source.name, read(octets, source.name, context.budget, originals)))
    findings: list[Finding] = []
    stated: list[Stated] = []
    for subject, found in surveyed:
        if isinstance(found, Finding):
            findings.append(found)
        else:
            layer = list(layer_findings(found, subject, originals, context.trust.accept_writer_defects))
            findings += [recognised(found, subject, axes(layer)), *layer]
            stated += capture_times(found, subject)
    return Examination(findings=tuple(findings), not_proven=NOT_PROVEN, stated=tuple(stated))


def recognised(found: Survey | arc.ArcSurvey, subject: str, notes: tuple[str, ...] = ()) -> Finding:
    """WARC-01. An ARC is recognised, too; it states no digests, so nothing in it was compared."""
    if isinstance(found, Survey):
        return passed(RECOGNISED, subject, notes=notes)
    read_ = f"RECORDS_READ:{found.records.count}"
    return indeterminate(RECOGNISED, Reason.NO_DIGEST, subject, actual="ARC", notes=("ARC_WITHOUT_DIGESTS", read_, *notes))


def capture_times(found: Survey | arc.ArcSurvey, subject: str) -> Iterator[Stated]:
    """The earliest and the latest time that captures in the archive state."""
    for date in dict.fromkeys((found.first_date, found.last_date)):
        if date and (time := dated(subject, date.decode("ascii"))) is not None:
            yield time


def read(octets: Octets, subject: str, budget: inflate.Budget, originals: Originals) -> Survey | arc.ArcSurvey | Finding:
    """A survey of the archive, or the finding that says why there is none (not a WARC, or a kind that is not read)."""
    try:
        with progress.step(progress.Step.RECORDS):
            return _read(octets, subject, budget, originals)
    except inflate.LimitReached as reached:
        return _limited(RECOGNISED, subject, reached.limit, ())


def _read(octets: Octets, subject: str, budget: inflate.Budget, originals: Originals) -> Survey | arc.ArcSurvey | Finding:
    head = octets.read(0, 4096)
    zstd = head.startswith(ZSTD_MAGICS)
    if head.startswith(gzipmembers.MAGIC):
        head = gzipmembers.beginning(octets, 0, 4096)
    if head.startswith(_ARC):
        if arc.FIRST_LINE.match(head) is None:
            return failed(RECOGNISED, Reason.FORMAT_FAILURE, subject, actual="ARC")
        old = arc.survey(octets, budget, before=originals.records)
        originals.records += old.records.count
        return old
    found = survey(octets, budget, originals)
    records = found.records
    if records.count or records.headers.count or records.framing.count or records.oversized_headers:
        return found
    if found.limit is not None:
        return _limited(RECOGNISED, subject, found.limit, ())
    double = ("DOUBLE_COMPRESSION",) if found.compression.double is not None else ()
    packed = "zstd" if zstd else None
    return indeterminate(RECOGNISED, Reason.UNSUPPORTED_FORMAT, subject, actual=packed, notes=double)


def layer_findings(
    found: Survey | arc.ArcSurvey, subject: str, originals: Originals, accepted_defects: frozenset[str]
) -> Iterator[Finding]:
    """GZ-01 to GZ-03 and WARC-02 to WARC-08 for one archive, once all archives of the exhibit have been read. Of an ARC: its
    compression, the lines before its records, and whether they follow each other."""
    if isinstance(found, Survey):
        settle(found)
        raised = _raised(found, subject, originals, accepted_defects)
    else:
        about = Survey(found.stream.compression, found.records)
        packed = _compression(about, subject) if found.stream.compression.members else ()
        raised = iter((*packed, _headers(about, subject), _framing(about, subject)))
    for finding in raised:
        if found.limit is not None and finding.outcome is Outcome.PASSED:
            # What was read is in order, but it is not all there is.
            finding = _limited(finding.check, subject, found.limit, finding.notes)
        yield finding


def _raised(found: Survey, subject: str, originals: Originals, accepted: frozenset[str]) -> Iterator[Finding]:
    if found.compression.members or found.compression.junk:
        yield from (_frames if found.compression.zstd else _compression)(found, subject)
    yield _headers(found, subject)
    yield _framing(found, subject)
    if found.digest_headers:
        yield _digest_headers(found, subject)
    yield from _digests(BLOCK_DIGEST, found.block, subject, _block_notes(found), accepted)
    yield from _digests(PAYLOAD_DIGEST, found.payload, subject, _payload_notes(found), accepted)
    if found.revisits or found.segments:
        yield _revisits(found, subject, originals)
    if found.due:
        yield _coverage(found, subject)


def _compression(found: Survey, subject: str) -> Iterator[Finding]:
    seen = found.compression
    members = str(seen.members)
    if seen.damaged:
        reason, raw = seen.damaged[0]
        yield failed(
            GZ_MEMBERS,
            reason,
            subject,
            expected=members,
            actual=str(seen.members - seen.damaged_count),
            notes=tuple(f"MEMBER_AT:{at}" for _, at in seen.damaged),
        )
    else:
        yield passed(GZ_MEMBERS, subject, notes=(f"MEMBERS_CHECKED:{members}",))
    yield _nothing_else(GZ_ONLY_MEMBERS, found, subject)
    if seen.misaligned:
        yield failed(GZ_ALIGNED, Reason.FORMAT_FAILURE, subject, notes=(f"MEMBER_AT:{seen.misaligned_at}",))
    else:
        yield passed(GZ_ALIGNED, subject, notes=("GZIP_NOT_PER_RECORD",) if seen.several_records else ())


def _nothing_else(check: str, found: Survey, subject: str) -> Finding:
    """GZ-02, and the same of Zstandard."""
    seen = found.compression
    notes: list[str] = []
    if seen.empty:
        notes.append(f"EMPTY_MEMBER:{seen.empty}")
    if seen.trailing_zeros:
        notes.append("TRAILING_ZERO_PADDING")
    if seen.skippable:
        notes.append(f"ZSTD_SKIPPABLE_FRAMES:{seen.skippable}")
    if seen.zstd and seen.several_records:
        notes.append("ZSTD_NOT_PER_RECORD")
    if seen.junk:
        notes += [f"JUNK_AT:{at}" for at in seen.junk]
        return failed(check, Reason.FORMAT_FAILURE, subject, notes=tuple(notes))
    if seen.double is not None:
        notes.append("DOUBLE_COMPRESSION")
        return indeterminate(check, Reason.UNSUPPORTED_FORMAT, subject, notes=tuple(notes))
    return passed(check, subject, notes=tuple(notes))


def _frames(found: Survey, subject: str) -> Iterator[Finding]:
    """The frames of a Zstandard file: a frame whose dictionary is not in the file is missing data, any other fault is one."""
    seen = found.compression
    notes = [f"FRAMES_CHECKED:{seen.members - seen.damaged_count}"]
    if seen.unchecked:
        notes.append(f"ZSTD_WITHOUT_CHECKSUM:{seen.unchecked}")
    if seen.unsized:
        notes.append(f"ZSTD_WITHOUT_SIZE:{seen.unsized}")
    notes += [f"MEMBER_AT:{at}" for _, at in seen.damaged]
    faults = [reason for reason, _ in seen.damaged if reason is not Reason.NOT_CONTAINED]
    if faults:
        yield failed(ZSTD_FRAMES, faults[0], subject, notes=tuple(notes))
    elif seen.damaged:
        yield indeterminate(ZSTD_FRAMES, Reason.NOT_CONTAINED, subject, notes=tuple(notes), bearing=Bearing.DECISIVE)
    else:
        yield passed(ZSTD_FRAMES, subject, notes=tuple(notes))
    yield _nothing_else(ZSTD_ONLY_FRAMES, found, subject)


def _headers(found: Survey, subject: str) -> Finding:
    records = found.records
    notes = [f"RECORDS_READ:{records.count}"]
    if found.odd_uris:
        notes.append(f"ODD_TARGET_URI:{found.odd_uris}")
    if records.headers.count:
        notes += [f"RECORD_AT:{raw}" for _, raw in records.headers.named]
        return failed(
            HEADERS,
            Reason.FORMAT_FAILURE,
            subject,
            expected="0",
            actual=str(records.headers.count),
            notes=tuple(notes),
        )
    if records.oversized_headers:
        return _limited(HEADERS, subject, "WARC_HEADER_MAX", tuple(notes))
    return passed(HEADERS, subject, notes=tuple(notes))


def _framing(found: Survey, subject: str) -> Finding:
    records = found.records
    notes = []
    if records.irregular_terminators:
        notes.append(f"IRREGULAR_RECORD_TERMINATOR:{records.irregular_terminators}")
    if records.framing.count:
        notes += [f"RECORD_AT:{raw}" for _, raw in records.framing.named]
        return failed(
            FRAMING,
            records.framing.named[0][0],
            subject,
            expected="0",
            actual=str(records.framing.count),
            notes=tuple(notes),
        )
    if found.compression.junk:
        return failed(FRAMING, Reason.FORMAT_FAILURE, subject, notes=tuple(notes))
    return passed(FRAMING, subject, notes=tuple(notes))


def _digest_headers(found: Survey, subject: str) -> Finding:
    notes = (f"DIGEST_LABEL_HYPHEN:{found.hyphen_labels}",) if found.hyphen_labels else ()
    total = str(found.digest_headers)
    if found.malformed:
        return failed(
            DIGEST_HEADERS,
            found.malformed[0][0],
            subject,
            expected=total,
            actual=str(found.digest_headers - found.malformed_count),
            notes=notes + _named([w for _, w in found.malformed]),
        )
    if found.unknown:
        return indeterminate(
            DIGEST_HEADERS,
            Reason.DIGEST_ALGORITHM_UNKNOWN,
            subject,
            expected=total,
            actual=str(found.digest_headers - found.unknown),
            notes=notes,
        )
    return passed(DIGEST_HEADERS, subject, notes=notes)


def _block_notes(found: Survey) -> tuple[str, ...]:
    return _count_notes(found.block)


def _payload_notes(found: Survey) -> tuple[str, ...]:
    notes = list(_count_notes(found.payload))
    stored = found.payload.matched + found.payload.matched_recovered + found.payload.weak - found.dechunked
    if found.dechunked:
        notes += [f"PAYLOAD_AS_STORED:{stored}", f"PAYLOAD_DECHUNKED:{found.dechunked}"]
    if found.over_decoded:
        notes.append(f"PAYLOAD_OVER_DECODED_CONTENT:{found.over_decoded}")
    if found.line_feed_headers:
        notes.append(f"HTTP_LF_HEADERS:{found.line_feed_headers}")
    return tuple(notes)


def _count_notes(tally: Tally) -> tuple[str, ...]:
    notes = [f"RECORDS_MATCHED:{tally.matched + tally.weak}"]
    if tally.matched_recovered:
        notes.append(f"RECORDS_RECOVERED:{tally.matched_recovered}")
    if tally.not_contained:
        notes.append(f"PAYLOAD_NOT_CONTAINED:{tally.not_contained}")
    if tally.broken_hash:
        notes.append("SHA1_COLLISION_PRONE")
    return tuple(notes)


def _digests(
    check: str, tally: Tally, subject: str, notes: tuple[str, ...], accepted: frozenset[str]
) -> Iterator[Finding]:
    """The worst record decides. Without any digest to compare the question is not raised: WARC.COVERAGE answers."""
    worst = tally.worst[0] if tally.worst else Worst(0)
    if tally.mismatched:
        yield failed(
            check,
            Reason.HASH_FAILURE,
            subject,
            expected=worst.expected,
            actual=worst.actual,
            notes=(f"RECORDS_MISMATCHED:{tally.mismatched}", *notes, *_named(tally.worst)),
        )
    elif tally.weak:
        yield indeterminate(
            check,
            Reason.CRYPTO_CONSTRAINTS_FAILURE,
            subject,
            actual="MD5",
            notes=notes,
            bearing=Bearing.DECISIVE,
        )
    elif tally.limited:
        yield _limited(check, subject, "HTTP_HEADER_MAX", notes + _named(tally.worst))
    elif tally.defect:
        notes = (f"RECORDS_WITH_DEFECT:{tally.defect}", *notes)
        if BLOCK_OVER_PAYLOAD.id in accepted:
            yield passed(
                check, subject, notes=(f"KNOWN_WRITER_DEFECT_ACCEPTED:{BLOCK_OVER_PAYLOAD.id}", *notes)
            )
        else:
            yield indeterminate(
                check,
                Reason.KNOWN_WRITER_DEFECT,
                subject,
                expected=worst.expected,
                actual=worst.actual,
                notes=(f"KNOWN_WRITER_DEFECT:{BLOCK_OVER_PAYLOAD.id}", "HTTP_HEADERS_UNPROTECTED", *notes),
                bearing=Bearing.DECISIVE,
            )
    elif tally.matched:
        yield passed(check, subject, notes=notes)


def _revisits(found: Survey, subject: str, originals: Originals) -> Finding:
    """Step 7: found by record id, else by address, date and equal digest; another digest under the id refutes."""
    resolved = 0
    missing: list[Worst] = []
    for revisit in found.revisits:
        recorded = revisit.recorded
        original = originals.by_id.get(revisit.refers_to) if revisit.refers_to else None
        if original is None and revisit.place is not None:
            original = originals.by_place.get(revisit.place)
        if recorded is None or original is None or original[0] != recorded.algorithm:
            missing.append(revisit.worst)
        elif original[1] == recorded.value:
            resolved += 1
        else:
            return failed(
                REVISITS,
                Reason.HASH_FAILURE,
                subject,
                expected=f"{original[0]} {original[1].hex()}",
                actual=f"{recorded.algorithm} {recorded.value.hex()}",
                notes=_named([revisit.worst]),
            )
    for assembly in found.of_assemblies:
        if assembly.contradicted:
            return failed(
                REVISITS,
                Reason.FORMAT_FAILURE,
                subject,
                expected=str(assembly.total),
                actual=str(assembly.length),
                notes=("SEGMENTS_LENGTH",),
            )
    assembled = sum(a.complete for a in found.of_assemblies)
    resolved += assembled
    total = len(found.revisits) + found.segments
    counts = (f"SEGMENTS_ASSEMBLED:{assembled}",) if assembled else ()
    if resolved == total:
        return passed(REVISITS, subject, notes=(f"RECORDS_MATCHED:{resolved}", *counts))
    return indeterminate(
        REVISITS,
        Reason.NOT_CONTAINED,
        subject,
        expected=str(total),
        actual=str(resolved),
        notes=counts + _named(missing),
    )


def _coverage(found: Survey, subject: str) -> Finding:
    covered = found.due - found.uncovered_count
    if found.uncovered_count:
        return indeterminate(
            COVERAGE,
            Reason.NO_DIGEST,
            subject,
            expected=str(found.due),
            actual=str(covered),
            notes=_named(found.uncovered),
        )
    return passed(COVERAGE, subject, expected=str(found.due), actual=str(covered))


def _limited(check: str, subject: str, limit: str, notes: tuple[str, ...]) -> Finding:
    return indeterminate(
        check, Reason.RESOURCE_LIMIT, subject, actual=limit, notes=notes, bearing=Bearing.DECISIVE
    )


def _named(worst: Sequence[Worst]) -> tuple[str, ...]:
    return tuple(f"RECORD:{w.raw} {w.label}" for w in worst[:5])
