"""The checks of spec consortium-chains §10.1 on one certificate as read, whether from JSON or from printed text.

What can be checked is whether the stated digest is that of a file in the exhibit, whether the members agree with each other,
whether the times can be read at all, whether a time-stamp or a signature inside holds, and whether the court knows the hosts.
The rest is the platform's statement, and the walk ends at the statement.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..stated import Stated, What, certified
from ..verdict import (
    Bearing,
    Examination,
    Finding,
    Grade,
    Node,
    NodeKind,
    ProofState,
    Walk,
    failed,
    indeterminate,
    instant,
    passed,
    step,
)
from . import depositor, embedded_token, matching, printed_time, registered
from .claim import Claim, ClaimedTime
from .shown import shown
from .statement import Certificate

READ, FIELDS, TIME, ONLINE = "CERT.READ", "CERT.FIELDS", "CERT.TIME", "INCL.ONLINE"
FROM_TEXT = "READ_FROM_TEXT"

SHOWN_MAX = 12
"""Names listed in a note."""
NAME_SHOWN = 40
"""Characters of each."""


def examine(
    certificate: Certificate,
    source: Source,
    context: Context,
    spoken_of: Collection[Source],
    *,
    tokens: int = embedded_token.TOKENS_MAX,
) -> Examination:
    """Findings and walks of one certificate. `spoken_of`: content files whose digest some certificate of the exhibit states.

    What concerns the whole file (its platform, what it says it was answered) is said of the file, in the same words for each
    record that it lists. `tokens`: how many time-stamps may still be looked at in this exhibit.
    """
    subject = certificate.claim.subject
    notes = (FROM_TEXT,) if certificate.claim.from_text else ()
    pairs = list(
        matching.compare(
            certificate.files,
            content=context.content,
            stated_by=subject,
            objects=certificate.objects,
            unknown=certificate.unknown,
            spoken_of=spoken_of,
            notes=notes,
            one_of_several=certificate.claim.at is not None,
        )
    )
    findings = [_read(certificate, subject), *(finding for _, finding in pairs)]
    findings += [_conflict(certificate, subject, *conflict) for conflict in certificate.conflicts]
    findings += _times(certificate, subject, context.at, notes)
    stamped = embedded_token.examine(certificate, source, context, limit=tokens)
    findings += stamped.findings
    findings += depositor.findings(certificate, source, context)
    findings += registered.findings(certificate.claim, certificate.addresses, source, context)
    findings.append(_online(certificate, source))
    walks = tuple(_walk(certificate.claim, content, finding) for content, finding in pairs)
    return Examination(
        tuple(findings),
        (*walks, *stamped.walks),
        spoken_of=stamped.spoken_of,
        not_proven=stamped.not_proven,
        stated=_stated(certificate),
    )


def _stated(certificate: Certificate) -> tuple[Stated, ...]:
    times = (
        (What.CAPTURE_BEGUN, certificate.begun),
        (What.CAPTURED, certificate.captured),
        (What.RECORDED, certificate.claim.time),
        (What.ISSUED, certificate.issued),
    )
    return certified(certificate.claim.subject, times)


def _read(certificate: Certificate, subject: str) -> Finding:
    claim = certificate.claim
    stated = {
        "digest": certificate.files,
        "transaction": claim.tx_id,
        "block height": claim.block_height is not None,
        "block hash": claim.block_hash is not None,
        "certificate number": claim.certificate_no,
        "time": claim.time,
        "time-stamp": certificate.tokens,
    }
    names = ", ".join(name for name, value in stated.items() if value)
    cross = tuple(f"{chain} {number}" for chain, number in claim.cross_chain)
    parts = tuple(p.part or "" for p in certificate.parts)
    listed = (
        ("AMBIGUOUS_PLATFORM", certificate.ambiguous),
        ("VERSION_UNKNOWN", certificate.strange_versions),
        ("UNREAD_MEMBERS", certificate.unread),
        ("UNCLEAR_VALUES", certificate.unclear),
        ("FURTHER_RECORDS", parts),
        ("CROSS_CHAIN", cross),
    )
    notes = [f"{code}:{_list(values)}" for code, values in listed if values]
    if claim.from_text:
        notes.insert(0, FROM_TEXT)
    kind = f"{claim.platform} · {certificate.kind}" if claim.platform and certificate.kind else claim.platform
    if not names:
        reason = Reason.UNSUPPORTED_FORMAT
        return indeterminate(READ, reason, subject, expected=kind or "–", notes=tuple(notes))
    return passed(READ, subject, expected=kind or "–", actual=names, notes=tuple(notes))


def _conflict(certificate: Certificate, subject: str, name: str, a: str, b: str) -> Finding:
    expected, actual, reason = f"{name} {a}", f"{name} {b}", Reason.CERT_FIELDS_CONFLICT
    if certificate.claim.from_text:
        # Two values under one label may be two records on one page: which belongs to which is not written down.
        return indeterminate(
            FIELDS,
            reason,
            subject,
            expected=expected,
            actual=actual,
            notes=(FROM_TEXT,),
            bearing=Bearing.DECISIVE,
        )
    return failed(FIELDS, reason, subject, expected=expected, actual=actual)


def _times(certificate: Certificate, subject: str, at: datetime, notes: tuple[str, ...]) -> list[Finding]:
    """CERT.TIME: readable without guessing, and in the order capture ≤ recording ≤ issue ≤ now."""
    stated = [
        (label, t)
        for label, t in (
            ("start of capture", certificate.begun),
            ("capture", certificate.captured),
            ("recording", certificate.claim.time),
            ("issue", certificate.issued),
        )
        if t is not None
    ]
    if not stated:
        return []
    known = [(label, t.instant) for label, t in stated if t.instant is not None]
    line = [*known, ("verification", at)]
    if _counts_fall([t for _, t in stated]) or any(a[1] > b[1] for a, b in zip(line, line[1:], strict=False)):
        text = ", ".join(f"{label} {_said(t)}" for label, t in stated)
        reason = Reason.TIMESTAMP_ORDER_FAILURE
        return [indeterminate(TIME, reason, subject, actual=text, notes=notes)]
    unread = next(((label, t) for label, t in stated if t.instant is None), None)
    if unread:
        label, time = unread
        read = "; ".join(f"{u}: {instant(m)}" for u, m in printed_time.readings(time, until=at))
        more = (*notes, f"TIME_READINGS:{read}") if read else notes
        reason = Reason.TIME_ZONE_AMBIGUOUS
        return [indeterminate(TIME, reason, subject, actual=f"{label} {shown(time.text)}", notes=more)]
    text = ", ".join(f"{label} {moment.isoformat()}" for label, moment in known)
    return [passed(TIME, subject, actual=text, notes=notes)]


def _counts_fall(times: Sequence[ClaimedTime]) -> bool:
    """Counts of one unknown unit, told by their length, still have an order."""
    counts = [t.text for t in times if t.instant is None and t.text.isascii() and t.text.isdigit()]
    return len(set(map(len, counts))) == 1 and any(a > b for a, b in zip(counts, counts[1:], strict=False))


def _said(time: ClaimedTime) -> str:
    return time.instant.isoformat() if time.instant else shown(time.text)


def _online(certificate: Certificate, source: Source) -> Finding:
    """The platform is not asked. What a file says that it answered is the file's claim, for or against the record."""
    said = [(f"{path} {shown(text)}", favours) for path, text, favours in certificate.answers]
    notes = [f"STATED_ANSWER:{_list([text for text, _ in said])}"] if said else []
    if any(not favours for _, favours in said):
        notes.append("PLATFORM_CONFLICT")
    return indeterminate(
        ONLINE, Reason.NETWORK_REQUIRED, source.name, notes=tuple(notes), bearing=Bearing.ADVISORY
    )


def _walk(claim: Claim, content: Source | None, finding: Finding) -> Walk:
    file = Node(NodeKind.FILE, content.name if content else "–")
    statement = Node(NodeKind.STATEMENT, shown(claim.certificate_no or claim.tx_id or claim.source))
    return Walk(
        source=claim.source,
        file=content.sha256 if content else "",
        steps=(step(file, statement, finding),),
        grade=Grade.E,
        state=ProofState.ASSERTED,
    )


def _list(values: Sequence[str]) -> str:
    more = f" +{len(values) - SHOWN_MAX}" if len(values) > SHOWN_MAX else ""
    return ", ".join(shown(v[: NAME_SHOWN * 2]) for v in values[:SHOWN_MAX]) + more
