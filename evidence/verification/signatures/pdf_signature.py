"""One electronic signature of a PDF: whose key signed which bytes, by when, and whether the court can tell (spec signed-report §13).

The CMS message, the path to a pinned root, revocation and time-stamps are checked by the engine's own rooms, SM2 included; the
library reads objects and compares revisions. The moment that counts is the earliest one proven by a pinned authority, else the
moment of verification. A time, a key or a list that only the file brings proves nothing by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from .. import digests
from ..reasons import Reason
from ..timestamps import rfc3161
from ..trust import TrustStore
from ..verdict import Bearing, Finding, Outcome, ProvenTime, failed, indeterminate, instant, passed

BYTERANGE, INTACT, ALGORITHM = "SIG.BYTERANGE", "SIG.INTACT", "SIG.ALG_STRENGTH"
CONSTRAINTS, IDENTITY, CHAIN = "SIG.CONSTRAINTS", "SIG.IDENTITY", "SIG.CHAIN"
REVOCATION, VALIDITY, TIME = "SIG.REVOCATION", "SIG.IN_VALIDITY", "TIME.TSA"
MODIFIED, DOCMDP, VISUAL, LONG_TERM = "SIG.MODIFIED", "SIG.DOCMDP", "SIG.VISUAL", "SIG.LONG_TERM"
DECIDING = (BYTERANGE, INTACT, ALGORITHM, CONSTRAINTS, MODIFIED, DOCMDP, VISUAL, CHAIN, REVOCATION, VALIDITY)
"""What must be PASSED for the signature to count as passed (spec signed-report §13, rule under the table)."""

CADES, PKCS7, DOCUMENT_TIME_STAMP = "/ETSI.CAdES.detached", "/adbe.pkcs7.detached", "/ETSI.RFC3161"
_DATA = ("1.2.840.113549.1.7.1", "1.2.156.10197.6.1.4.2.1")
"""id-data of RFC 5652 and of GM/T 0010: what a signature over bytes outside it names as its content."""

LAW = {
    BYTERANGE: ("CN-I11-5",),
    INTACT: ("CN-S13", "CN-C110"),
    MODIFIED: ("CN-I11-5",),
    CHAIN: ("CN-S13",),
    REVOCATION: ("CN-S13",),
    IDENTITY: ("CN-I11-2", "CN-S8"),
    ALGORITHM: ("CN-R17-4",),
    TIME: ("CN-R17-4",),
}


@dataclass(frozen=True, slots=True)
class Signature:
    """One filled field, examined.

    end            where its revision ends in the file
    is_seal        somebody's signature, not a time-stamp over the file
    certificate    of the signer (DER), when the message binds one
    time           by when it existed, by a pinned authority
    """

    name: str
    findings: tuple[Finding, ...]
    end: int = 0
    certificate: bytes | None = None
    signer: str | None = None
    anchor: str | None = None
    time: ProvenTime | None = None
    time_anchor: str | None = None
    is_seal: bool = True

    def finding(self, check: str) -> Finding | None:
        return next((f for f in self.findings if f.check == check), None)

    @property
    def passed(self) -> bool:
        deciding = DECIDING if self.is_seal else (BYTERANGE, LONG_TERM, MODIFIED, DOCMDP, VISUAL)
        found = [self.finding(check) for check in deciding]
        return all(f is not None and f.outcome is Outcome.PASSED for f in found)

    @property
    def worst(self) -> Finding | None:
        """The finding that keeps it from passing: a contradiction before a gap, in the order of the ladder."""
        bad = [f for c in DECIDING if (f := self.finding(c)) is not None and f.outcome is not Outcome.PASSED]
        broken = [f for f in self.findings if f.outcome is Outcome.FAILED]
        other = [f for f in self.findings if f.outcome is not Outcome.PASSED]
        return next(iter([*broken, *bad, *other]), None)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time-stamp over the whole file up to `end`, verified to a pinned authority: what lies before it existed by then."""

    end: int
    latest: datetime
    gen_time: datetime
    anchor: str


@dataclass(frozen=True, slots=True)
class Supplied:
    """What may complete a path or answer for a certificate: the file's own and the exhibit's, and the court's lists."""

    certificates: Sequence[bytes]
    revocation_lists: Sequence[bytes]
    ocsp_answers: Sequence[bytes]


def document_time_stamp(
    value: bytes, covered: bytes, *, end: int, subject: str, trust: TrustStore, at: datetime, supplied: Supplied
) -> tuple[Finding, Stamp | None]:
    """SIG.LONG_TERM for a document time-stamp over `covered`, the file up to `end` but its container."""
    found = rfc3161.verify_token(
        value, message=covered, subject=subject, trust=trust, at=at, certificates=supplied.certificates
    )
    worst = _worst(found)
    if worst is not None:
        return _as(LONG_TERM, worst, subject), None
    token = found.token
    if token is None or found.anchor is None:
        return indeterminate(LONG_TERM, Reason.NO_POE, subject), None
    stamp = Stamp(end, token.latest, token.gen_time, found.anchor)
    return passed(LONG_TERM, subject, expected=found.anchor, actual=instant(token.gen_time)), stamp


def message(
    value: bytes,
    covered: bytes,
    *,
    name: str,
    subject: str,
    subfilter: str,
    end: int,
    stamps: Sequence[Stamp],
    trust: TrustStore,
    at: datetime,
    supplied: Supplied,
) -> Signature:
    """The findings on the CMS message `value` over `covered`. Raises `cms.CmsError` when it is no signature of that form."""
    from ..keys import cms, revocation, x509

    signed = cms.parse(value, detached=covered)
    candidates = (*signed.certificates, *supplied.certificates)
    constraints = _constraints(signed, subfilter, subject)
    signer = cms.signing_certificate(signed, candidates, bound=subfilter == CADES)
    intact = _intact(signed, signer, subject)
    stamped, time, time_anchor = _time(signed, end, stamps, subject, trust, at, supplied)
    if signer is None:
        missing = Reason.NO_SIGNING_CERTIFICATE_FOUND
        rest = [indeterminate(c, missing, subject) for c in (CHAIN, REVOCATION, VALIDITY)]
        who = indeterminate(IDENTITY, missing, subject, bearing=Bearing.ADVISORY)
        return Signature(name, _with_law(intact, _strength(intact), constraints, *rest, who, stamped), end)

    # The moment that counts: the time-stamp's earliest, else now. A time-stamp proves "not later than".
    moment = at if time is None else min(time.not_after, at)
    path = x509.validate(
        signer.der, intermediates=candidates, roots=trust.seal_roots, at=moment, purpose=x509.Purpose.SEAL
    )
    anchor = x509.Certificate(path.anchor).name if path.anchor is not None else None
    chain = Finding(CHAIN, path.outcome, path.reason, subject, actual=path.problem or anchor)
    if anchor is not None:
        standing = revocation.check(
            path.certificates,
            lists=trust.revocation_lists,
            supplied=(*supplied.revocation_lists, *signed.revocation_lists),
            answers=(*supplied.ocsp_answers, *signed.ocsp_answers),
            moment=moment,
            now=at,
        )
        revoked = Finding(REVOCATION, standing.outcome, standing.reason, subject, actual=standing.shown)
    else:
        revoked = indeterminate(REVOCATION, path.reason or Reason.NO_CERTIFICATE_CHAIN_FOUND, subject)
    findings = (
        intact,
        _strength(intact),
        constraints,
        chain,
        revoked,
        _validity(signer, moment, time is not None, subject),
        _identity(signer, trust, anchor, subject),
        stamped,
    )
    return Signature(name, _with_law(*findings), end, signer.der, signer.name, anchor, time, time_anchor)


def _intact(signed: Any, signer: Any, subject: str) -> Finding:
    """The digest of the signed bytes, then the signature over it. The first tells a changed file from a foreign key."""
    from asn1crypto import core

    from ..keys import cms

    if signed.digest is None:
        return indeterminate(INTACT, Reason.CRYPTO_CONSTRAINTS_FAILURE, subject, actual=signed.digest_oid)
    actual = digests.digest(signed.digest, signed.content)
    try:
        stated = bytes(core.OctetString.load(signed.attributes[cms.MESSAGE_DIGEST].dump(), strict=True).native)
    except cms.ASN1_FAULTS:
        return failed(INTACT, Reason.FORMAT_FAILURE, subject, actual="malformed signed attributes")
    if actual != stated:
        expected, shown = f"{signed.digest} {stated.hex()[:128]}", f"{signed.digest} {actual.hex()}"
        return failed(INTACT, Reason.HASH_FAILURE, subject, expected=expected, actual=shown)
    if signer is None:
        return indeterminate(INTACT, Reason.NO_SIGNING_CERTIFICATE_FOUND, subject)
    outcome, reason, label = cms.check_signature(signed, signer)
    return Finding(INTACT, outcome, reason, subject, actual=label)


def _strength(intact: Finding) -> Finding:
    if intact.reason is Reason.CRYPTO_CONSTRAINTS_FAILURE:
        return replace(intact, check=ALGORITHM)
    if intact.outcome is Outcome.PASSED:
        return passed(ALGORITHM, intact.subject, actual=intact.actual)
    unknown = intact.reason or Reason.SIG_CRYPTO_FAILURE
    return indeterminate(ALGORITHM, unknown, intact.subject, actual=intact.actual)


def _constraints(signed: Any, subfilter: str, subject: str) -> Finding:
    """ISO 32000-2 §12.8.3.3, ETSI EN 319 142-1 §5.3: the content is plain data; PAdES binds its certificate by digest."""
    from ..keys import cms

    if signed.content_type not in _DATA:
        actual = f"content type {signed.content_type}"
        return indeterminate(CONSTRAINTS, Reason.SIG_CONSTRAINTS_FAILURE, subject, actual=actual)
    if subfilter == CADES and not cms.is_bound(signed):
        actual = "no signing-certificate attribute"
        return indeterminate(CONSTRAINTS, Reason.SIG_CONSTRAINTS_FAILURE, subject, actual=actual)
    return passed(CONSTRAINTS, subject, actual=subfilter[1:])


def _time(
    signed: Any,
    end: int,
    stamps: Sequence[Stamp],
    subject: str,
    trust: TrustStore,
    at: datetime,
    supplied: Supplied,
) -> tuple[Finding, ProvenTime | None, str | None]:
    """The earliest of the time-stamps on the signature and on the file behind it that lead to a pinned authority."""
    proven = [(s.latest, s.anchor) for s in stamps if s.end >= end and s.latest <= at]
    open_: list[Finding] = []
    for token in signed.time_stamps:
        found = rfc3161.verify_token(
            token,
            message=signed.signature,
            subject=subject,
            trust=trust,
            at=at,
            certificates=(*signed.certificates, *supplied.certificates),
        )
        worst = _worst(found)
        if worst is not None:
            open_.append(worst)
        elif found.token is not None and found.anchor is not None and found.token.latest <= at:
            proven.append((found.token.latest, found.anchor))
    # A time-stamp that does not fit its signature contradicts the file, whatever other time-stamps say.
    broken = next((f for f in open_ if f.outcome is Outcome.FAILED), None)
    if broken is not None:
        return _as(TIME, broken, subject), None, None
    if not proven:
        if open_:
            return _as(TIME, open_[0], subject), None, None
        return indeterminate(TIME, Reason.NO_POE, subject, notes=("TIME_AT_RECEIPT",)), None, None
    latest, anchor = min(proven)
    return passed(TIME, subject, expected=anchor, actual=instant(latest)), ProvenTime(latest, "TSA"), anchor


def _worst(found: rfc3161.Verification) -> Finding | None:
    bad = [f for f in found.findings if f.outcome is not Outcome.PASSED and f.bearing is not Bearing.ADVISORY]
    return next((f for f in bad if f.outcome is Outcome.FAILED), bad[0] if bad else None)


def _as(check: str, rung: Finding, subject: str) -> Finding:
    """A rung of the time-stamp's own ladder as the answer to `check`."""
    return Finding(
        check,
        rung.outcome,
        rung.reason,
        subject,
        rung.expected,
        rung.actual,
        notes=(f"TOKEN_RUNG:{rung.check}",),
    )


def _validity(signer: Any, moment: datetime, proven: bool, subject: str) -> Finding:
    """Both ends of the certificate's validity, at the best time there is. (The library asks only for the beginning.)"""
    expected = f"{instant(signer.not_before)} – {instant(signer.not_after)}"
    actual = instant(moment)
    notes = () if proven else ("TIME_AT_RECEIPT",)
    if moment > signer.not_after:
        late = Reason.OUT_OF_BOUNDS_NO_POE
        return indeterminate(VALIDITY, late, subject, expected=expected, actual=actual, notes=notes)
    if moment < signer.not_before:
        # By a proven clock, the key signed before its certificate began: that contradicts the certificate.
        early = failed if proven else indeterminate
        return early(VALIDITY, Reason.NOT_YET_VALID, subject, expected=expected, actual=actual, notes=notes)
    return passed(VALIDITY, subject, expected=expected, actual=actual, notes=notes)


def _identity(signer: Any, trust: TrustStore, anchor: str | None, subject: str) -> Finding:
    if anchor is None:
        unknown = Reason.NO_CERTIFICATE_CHAIN_FOUND
        return indeterminate(IDENTITY, unknown, subject, actual=signer.name, bearing=Bearing.ADVISORY)
    platform = trust.platform_of_seal(signer.der)
    notes = (f"PLATFORM_SEAL:{platform.id}",) if platform else ("SEAL_OF_NO_PLATFORM",)
    return passed(IDENTITY, subject, expected=anchor, actual=signer.name, notes=notes, bearing=Bearing.ADVISORY)


def _with_law(*findings: Finding) -> tuple[Finding, ...]:
    return tuple(replace(f, law=LAW.get(f.check, ())) for f in findings)


