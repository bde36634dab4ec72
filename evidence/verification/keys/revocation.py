"""Whether a certificate had been revoked: lists (RFC 5280 §5, §6.3) and answers (`ocsp`) of the authority that issued it.

Either may come from the court's store or from the file under examination: it counts only when the certificate above, on a
path that already leads to a pinned root, vouches for it. Not read: indirect and partial lists, lists signed with another key
than the certificates; they leave the question open and never answer it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..codecs import der
from ..codecs.text import CodecError
from ..reasons import Reason
from ..verdict import Outcome, instant
from . import ocsp, public_key
from .public_key import UnsupportedKey
from .x509 import Certificate

SUPPLIED_MAX = 64
"""Lists of the party's looked at for one path; a signature brings one for each of its authorities. The court's all count."""
LIST_BYTES_MAX = 32 << 20
"""The largest public lists have about 20 MB."""

_INVALIDITY_DATE = "2.5.29.24"
_DISTRIBUTION_POINTS, _ISSUING_POINT = "2.5.29.31", "2.5.29.28"
_EXPIRED_ON_LIST = "2.5.29.60"
_KNOWN = frozenset({_ISSUING_POINT, "2.5.29.20", "2.5.29.35"})
"""Critical extensions of a list that are understood: issuing distribution point, number, authority key."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`shown`: for the finding's `actual`, which certificate and which list decided."""

    outcome: Outcome
    reason: Reason | None
    shown: str | None


def check(
    path: Sequence[bytes],
    *,
    lists: Sequence[bytes],
    supplied: Sequence[bytes] = (),
    answers: Sequence[bytes] = (),
    moment: datetime,
    now: datetime,
) -> Standing:
    """Whether a certificate of `path` (DER, leaf first, pinned root last) was revoked at `moment`; `now` is the moment of
    verification, beyond which nothing counts. `lists`: the court's; `supplied`, `answers`: what the party brings of lists and of
    OCSP responses. Never raises for bad data.

    For each certificate below the root a list or answer of its issuer is needed that speaks of `moment` or of a later time.
    Revoked by then: REVOKED_NO_POE (REVOKED_CA_NO_POE above the leaf). None: TRY_LATER.
    """
    certificates = [Certificate(c) for c in path]
    # However many the party brings, none of the court's lists is passed over.
    readable = [*_readable(lists), *_readable(sorted(set(supplied) - set(lists))[:SUPPLIED_MAX])]
    missing: Standing | None = None
    shown = "–"
    for place, (certificate, issuer) in enumerate(zip(certificates, certificates[1:], strict=False)):
        usable = [
            ("CRL", c.last_update_utc, _revoked_since(c, certificate))
            for c in readable
            if _speaks_of(c, certificate, issuer, moment, now)
        ]
        usable += [
            ("OCSP", a.this_update, a.revoked_since)
            for a in ocsp.answers(answers, certificate=certificate, issuer=issuer)
            if a.this_update <= now and (a.next_update or a.this_update) >= moment and a.this_update <= certificate.not_after
        ]
        for _, _, since in usable:
            if since is not None and since <= moment:
                reason = Reason.REVOKED_CA_NO_POE if place else Reason.REVOKED_NO_POE
                return Standing(Outcome.INDETERMINATE, reason, f"{certificate.name}: {instant(since)}")
        if not usable and missing is None:
            missing = Standing(Outcome.INDETERMINATE, Reason.TRY_LATER, certificate.name)
        if usable and not place:
            basis, told, _ = max(usable, key=lambda u: (u[1], u[0]))
            shown = f"{basis} {instant(told)}"
    return missing or Standing(Outcome.PASSED, None, shown)


def _readable(lists: Sequence[bytes]) -> list[Any]:
    """In an order of their own, without repeats; unreadable ones say nothing."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    found = []
    for data in sorted(set(lists)):
        if len(data) > LIST_BYTES_MAX:
            continue
        try:
            found.append(x509.load_der_x509_crl(data))
        except (ValueError, UnsupportedAlgorithm):
            continue
    return found


def _speaks_of(crl: Any, certificate: Certificate, issuer: Certificate, moment: datetime, now: datetime) -> bool:
    """§6.3.3 (a) to (g), for complete lists of the issuer itself."""
    from cryptography import x509

    try:
        if bytes(crl.issuer.public_bytes()) != issuer.subject or crl.next_update_utc is None:
            return False
        if crl.last_update_utc > now or crl.next_update_utc < moment:
            return False
        extensions = {e.oid.dotted_string: e for e in crl.extensions}
        if any(e.critical and oid not in _KNOWN for oid, e in extensions.items()):
            return False
        if certificate.not_after < crl.last_update_utc and _EXPIRED_ON_LIST not in extensions:
            # An authority may leave an expired certificate out of its lists: absence then says nothing.
            return False
        point = extensions.get(_ISSUING_POINT)
        if point is not None and not _is_for(point.value, certificate):
            return False
        usage = issuer.extension("2.5.29.15")
        if usage is not None and not usage.crl_sign:
            return False
        return _signed(crl, issuer)
    except (ValueError, TypeError, UnsupportedKey, CodecError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return False


def _is_for(point: Any, certificate: Certificate) -> bool:
    """The list's scope holds the certificate: neither limited to other certificates or reasons, nor one part of several."""
    if point.indirect_crl or point.only_some_reasons or point.only_contains_attribute_certs or point.relative_name:
        return False
    if (point.only_contains_user_certs and certificate.is_ca) or (
        point.only_contains_ca_certs and not certificate.is_ca
    ):
        return False
    if point.full_name is None:
        return True
    own = certificate.extension(_DISTRIBUTION_POINTS)
    names = {n for p in own or () for n in p.full_name or ()}
    return bool(names.intersection(point.full_name))


def _signed(crl: Any, issuer: Certificate) -> bool:
    data = crl.tbs_certlist_bytes
    body = der.whole(data, der.SEQUENCE)
    offset = der.element(body, der.INTEGER)[1] if body[:1] == bytes([der.INTEGER]) else 0
    end = der.element(body, der.SEQUENCE, offset=offset)[1]
    scheme = public_key.scheme(body[offset:end])
    if scheme.broken or public_key.weakness(issuer.spki):
        return False
    return public_key.verify(issuer.spki, scheme, data, crl.signature)


def _revoked_since(crl: Any, certificate: Certificate) -> datetime | None:
    """The earlier of the dates of revocation and of invalidity (§5.3.2), or None."""
    from cryptography import x509

    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial)
    if entry is None:
        return None
    since: datetime = entry.revocation_date_utc
    try:
        for extension in entry.extensions:
            if extension.oid.dotted_string == _INVALIDITY_DATE:
                since = min(since, extension.value.invalidity_date_utc)
    except (ValueError, x509.DuplicateExtension):
        return since  # the entry stands, whatever is said beside it
    return since
