"""Is a signature good now, years after it was made? Certificates end, lists run out; what time-stamps proved stays proven.

The rules of ETSI EN 319 102-1 §5.5 and §5.6, in the form that reports of ours have: signatures, and archive time-stamps over all
before them, the outermost last.

    the outermost archive time-stamp     is judged at the moment of the check
    each one within                      at the time that the one over it states; one that cannot be believed then is passed over
    the time-stamp on a signature        at the time of the innermost archive time-stamp that is believed
    the signature                        at its own time-stamp, or without a believed one at that archive time-stamp

Judged at T: a path to a root of the court that holds at T, and for each certificate below the root a revocation list or answer of
its issuer that speaks of T or of later. Revoked by T is bad, even if that is learnt long after; revoked after T is not. No clock
is read: `now` is handed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from evidence.verification import digests
from evidence.verification.keys import cms, revocation, x509
from evidence.verification.keys.x509 import Purpose
from evidence.verification.reasons import Reason
from evidence.verification.timestamps import token as tokens
from evidence.verification.verdict import Outcome

from .anchors import Anchors

CLOCKS_APART_MAX = timedelta(minutes=5)
"""Between the authority's clock and ours, and between two of its time-stamps."""
NO_PATH = "no path to the court's anchors"
BROKEN = "broken"
NOTHING_SHOWS = "nothing shows it not revoked"
_DATA = "1.2.840.113549.1.7.1"


@dataclass(frozen=True, slots=True)
class Store:
    """What a report brings along: DER of certificates, lists and answers. Material, never trust."""

    certificates: tuple[bytes, ...] = ()
    lists: tuple[bytes, ...] = ()
    answers: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Bench:
    """All that a judgement rests on. `needs_lists`: False where revocation data is still to come; a list that says revoked counts all the same."""

    anchors: Anchors
    store: Store
    now: datetime
    needs_lists: bool


@dataclass(frozen=True, slots=True)
class Found:
    """`fault` is empty when nothing is wrong; `outlived`: it was good in its time and can only not be believed any more.

    latest        of a time-stamp: what it is over existed by then
    certificate   DER of the signer's
    path          leaf first, root last, where there is one
    """

    fault: str = ""
    outlived: bool = False
    latest: datetime | None = None
    certificate: bytes | None = None
    path: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Stamped:
    """A time-stamp that holds as such: over the right bytes, by a certificate for stamping. Whether it is believed is asked of `believed`."""

    latest: datetime
    certificate: bytes
    others: tuple[bytes, ...]
    """Certificates that travel with it."""


class Broken(ValueError):
    """Not what it must be, whatever one trusts."""


def stamped(value: bytes, covered: bytes | None, *, hashed: tuple[str, bytes] | None = None) -> Stamped:
    """Read a time-stamp token over `covered`, or over what has the digest `hashed` (name, value). Broken when it is not one."""
    try:
        token = tokens.parse(value)
    except tokens.TokenError as fault:
        raise Broken(str(fault)) from fault
    if token is None:
        raise Broken("no token in the answer")
    if token.algorithm is None or token.algorithm in digests.BROKEN:
        raise Broken(f"imprint by {token.algorithm or token.algorithm_oid}")
    if covered is not None:
        hashed = token.algorithm, digests.digest(token.algorithm, covered)
    if hashed != (token.algorithm, token.imprint):
        raise Broken("over something else")
    signer = cms.signing_certificate(token.signed, token.signed.certificates)
    if signer is None:
        raise Broken("its certificate is not in it")
    outcome, _, said = cms.check_signature(token.signed, signer)
    if outcome is not Outcome.PASSED:
        raise Broken(said)
    return Stamped(token.latest, signer.der, token.signed.certificates)


def believed(stamp: Stamped, bench: Bench, *, at: datetime) -> Found:
    """A time-stamp, by the rules above, judged at `at`."""
    if stamp.latest > at + CLOCKS_APART_MAX:
        return Found(f"states {stamp.latest:%Y-%m-%d %H:%M:%S}, later than what is over it", latest=stamp.latest, certificate=stamp.certificate)
    found = _judged(stamp.certificate, stamp.others, bench, purpose=Purpose.TIME_STAMPING, at=at)
    if found.fault and at > stamp.latest:
        # Once good, or never the court's authority at all: only the first may be passed over.
        in_its_time = x509.validate(
            stamp.certificate,
            intermediates=(*stamp.others, *bench.store.certificates),
            roots=bench.anchors.roots,
            at=stamp.latest,
            purpose=Purpose.TIME_STAMPING,
        )
        found = Found(found.fault, outlived=in_its_time.outcome is Outcome.PASSED, path=found.path)
    return Found(found.fault, found.outlived, stamp.latest, stamp.certificate, found.path)


def signed(value: bytes, covered: bytes, bench: Bench, *, archived: datetime | None) -> tuple[Found, Found | None]:
    """(the signature, its own time-stamp). `archived`: by when the archive time-stamps prove it, None without any.

    Broken when it is no CAdES signature over `covered`, or bears a time-stamp that is over something else.
    """
    try:
        message = cms.parse(value, detached=covered)
    except cms.CmsError as fault:
        raise Broken(str(fault)) from fault
    signer = cms.signing_certificate(message, message.certificates, bound=True)
    if signer is None or message.content_type != _DATA:
        raise Broken("binds no certificate" if signer is None else f"content type {message.content_type}")
    outcome, _, said = cms.check_signature(message, signer)
    if outcome is not Outcome.PASSED:
        raise Broken(said)
    own = None
    if message.time_stamps:
        own = believed(stamped(message.time_stamps[0], message.signature), bench, at=archived or bench.now)
    times = [t for t in (own.latest if own and not own.fault else None, archived) if t is not None]
    found = _judged(signer.der, message.certificates, bench, purpose=Purpose.SEAL, at=min(times, default=bench.now))
    return Found(found.fault, latest=min(times, default=None), certificate=signer.der, path=found.path), own


def judged(certificate: bytes, others: Sequence[bytes], bench: Bench, *, purpose: Purpose, at: datetime) -> Found:
    """One certificate at `at`, with what may complete its path."""
    return _judged(certificate, others, bench, purpose=purpose, at=at)


def _judged(certificate: bytes, others: Sequence[bytes], bench: Bench, *, purpose: Purpose, at: datetime) -> Found:
    path = x509.validate(
        certificate, intermediates=(*others, *bench.store.certificates), roots=bench.anchors.roots, at=at, purpose=purpose
    )
    if path.outcome is not Outcome.PASSED:
        return Found(f"{NO_PATH} ({path.problem or 'none is known'})", certificate=certificate)
    if since := revoked(path.certificates[0], bench.anchors.lists, at=at):
        return Found(f"{NO_PATH} (revoked since {since:%Y-%m-%d %H:%M})", certificate=certificate, path=path.certificates)
    standing = revocation.check(
        path.certificates,
        lists=bench.anchors.lists,
        supplied=bench.store.lists,
        answers=bench.store.answers,
        moment=at,
        # A list that is a little younger than its reader's clock is no list from the future.
        now=bench.now + CLOCKS_APART_MAX,
    )
    if standing.outcome is Outcome.PASSED or (standing.reason is Reason.TRY_LATER and not bench.needs_lists):
        return Found(certificate=certificate, path=path.certificates)
    why = NOTHING_SHOWS if standing.reason is Reason.TRY_LATER else "revoked"
    return Found(f"{NO_PATH} ({why}: {standing.shown})", certificate=certificate, path=path.certificates)


def revoked(certificate: bytes, lists: Sequence[bytes], *, at: datetime) -> datetime | None:
    """Since when any of the court's own lists, however old, calls the certificate revoked, if that is not after `at`."""
    from cryptography import x509 as forms

    leaf = x509.Certificate(certificate)
    for data in lists:
        listed = forms.load_der_x509_crl(data)
        entry = listed.get_revoked_certificate_by_serial_number(leaf.serial)
        if entry is not None and bytes(listed.issuer.public_bytes()) == leaf.issuer and entry.revocation_date_utc <= at:
            return entry.revocation_date_utc
    return None
