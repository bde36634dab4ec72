"""Certificates and their paths to a root that the court has pinned, at a given time (RFC 5280 §6).

`cryptography` parses (strict DER); the path is searched here, because its verifier knows neither SM2, nor time-stamping
authorities, nor a reason code. For web servers that verifier is asked as well, and both must agree.

Certificates of the exhibit are intermediates at best. Not done: revocation (no data in the trust store yet), policy trees
(a path that needs one is refused), name constraints other than a web server's (a path that has them is refused).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from ..codecs import der
from ..codecs.text import CodecError
from ..reasons import Reason
from ..verdict import Outcome, instant
from . import public_key
from .public_key import UnsupportedKey

PATH_LENGTH_MAX = 8
"""Certificates on one path, root included. Public hierarchies have three or four."""
INTERMEDIATES_MAX = 200
"""Certificates a party may hand in beside the leaf; a token embeds up to five."""
SIGNATURES_MAX = 64
"""Signature checks in one search: with SM2 in pure Python about 0.1 s."""


class CertificateError(ValueError):
    """The bytes are not one X.509 certificate in DER that can be read."""


class Purpose(StrEnum):
    """What the leaf must be for."""

    TIME_STAMPING = "TIME_STAMPING"
    """RFC 3161 §2.3: extended key usage timeStamping alone, and critical."""
    WEB_SERVER = "WEB_SERVER"
    """RFC 6125: serverAuth and a DNS name that equals the host."""
    SEAL = "SEAL"
    """Electronic seals and signatures on documents: any extended key usage but those of machines (see `_NOT_FOR_SEALS`)."""
    CHAIN_MEMBER = "CHAIN_MEMBER"
    """A node or user of a consortium chain: no demand on extended key usage."""


_EKU = {Purpose.TIME_STAMPING: "1.3.6.1.5.5.7.3.8", Purpose.WEB_SERVER: "1.3.6.1.5.5.7.3.1"}
_ANY_EKU = "2.5.29.37.0"
_NOT_FOR_SEALS = frozenset(
    {
        "1.3.6.1.5.5.7.3.1",  # serverAuth
        "1.3.6.1.5.5.7.3.3",  # codeSigning
        "1.3.6.1.5.5.7.3.8",  # timeStamping
        "1.3.6.1.5.5.7.3.9",  # OCSPSigning
    }
)
"""A certificate limited to these was issued to a machine; authorities have no common usage for seals that could be asked for."""
_NAME_CONSTRAINTS = "2.5.29.30"
_POLICY_CONSTRAINTS = "2.5.29.36"
_KNOWN = frozenset(
    {
        "2.5.29.15",  # keyUsage
        "2.5.29.17",  # subjectAltName
        "2.5.29.19",  # basicConstraints
        "2.5.29.32",  # certificatePolicies
        "2.5.29.33",  # policyMappings: without effect unless an explicit policy is demanded, which is refused
        "2.5.29.37",  # extKeyUsage
        "2.5.29.54",  # inhibitAnyPolicy: likewise
        _NAME_CONSTRAINTS,
        _POLICY_CONSTRAINTS,
    }
)
"""Critical extensions that are understood; any other stops the path (RFC 5280 §4.2)."""


class Certificate:
    """One certificate as bytes and as read. Raises CertificateError when it cannot be read whole."""

    def __init__(self, data: bytes) -> None:
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm

        self.der = data
        try:
            self.parsed: Any = x509.load_der_x509_certificate(data)
            self._extensions = {e.oid.dotted_string: e for e in self.parsed.extensions}
            self.subject = bytes(self.parsed.subject.public_bytes())
            self.issuer = bytes(self.parsed.issuer.public_bytes())
            self.not_before: datetime = self.parsed.not_valid_before_utc
            self.not_after: datetime = self.parsed.not_valid_after_utc
            self.serial = int(self.parsed.serial_number)
            self._signature_algorithm, self.spki = _parts(data)
        except (
            ValueError,
            TypeError,
            OverflowError,
            UnsupportedAlgorithm,
            x509.DuplicateExtension,
            x509.InvalidVersion,
            x509.UnsupportedGeneralNameType,
        ) as fault:
            raise CertificateError("not a readable X.509 certificate") from fault

    @property
    def name(self) -> str:
        """The subject for people (RFC 4514). Data, to be escaped wherever it is shown."""
        return str(self.parsed.subject.rfc4514_string())[:200]

    def extension(self, oid: str) -> Any:
        """The decoded extension value, or None."""
        found = self._extensions.get(oid)
        return None if found is None else found.value

    def is_critical(self, oid: str) -> bool:
        return oid in self._extensions and bool(self._extensions[oid].critical)

    @property
    def critical(self) -> frozenset[str]:
        return frozenset(oid for oid, e in self._extensions.items() if e.critical)

    @property
    def is_ca(self) -> bool:
        constraints = self.extension("2.5.29.19")
        return constraints is not None and bool(constraints.ca)

    @cached_property
    def signature_scheme(self) -> public_key.Scheme:
        """Raises UnsupportedKey."""
        return public_key.scheme(self._signature_algorithm)

    def signed_by(self, issuer: "Certificate") -> bool:
        """Raises UnsupportedKey when the algorithm or the issuer's key is not ours."""
        return public_key.verify(
            issuer.spki, self.signature_scheme, self.parsed.tbs_certificate_bytes, self.parsed.signature
        )


def _parts(data: bytes) -> tuple[bytes, bytes]:
    """(signature AlgorithmIdentifier, SubjectPublicKeyInfo) as DER. The algorithm stands twice and must be the same."""
    body = der.whole(data, der.SEQUENCE)
    tbs, end = der.element(body, der.SEQUENCE)
    _, algorithm_end = der.element(body, der.SEQUENCE, offset=end)
    outer = body[end:algorithm_end]
    signature, signature_end = der.element(body, der.BIT_STRING, offset=algorithm_end)
    if signature[:1] != b"\0" or signature_end != len(body):
        raise CodecError("a signature that is not whole octets")  # one certificate has one encoding
    offset = der.element(tbs, 0xA0)[1] if tbs[:1] == b"\xa0" else 0
    _, offset = der.element(tbs, der.INTEGER, offset=offset)
    # signature, issuer, validity, subject, subjectPublicKeyInfo
    starts = [offset]
    for _ in range(5):
        starts.append(der.element(tbs, der.SEQUENCE, offset=starts[-1])[1])
    if tbs[starts[0] : starts[1]] != outer:
        raise CodecError("the two signature algorithms differ")
    return outer, tbs[starts[4] : starts[5]]


@dataclass(frozen=True, slots=True)
class Path:
    """`certificates`: leaf first, root last (DER), of the path found or of the best one that falls short; else the leaf alone.

    `problem` says in a few words what stopped it, for the finding's `actual`.
    """

    outcome: Outcome
    reason: Reason | None
    certificates: tuple[bytes, ...]
    problem: str | None = None

    @property
    def anchor(self) -> bytes | None:
        """The pinned root, when the path is whole."""
        return self.certificates[-1] if self.outcome is Outcome.PASSED else None


def validate(
    leaf: bytes,
    *,
    intermediates: Sequence[bytes],
    roots: Sequence[bytes],
    at: datetime,
    purpose: Purpose,
    host: str | None = None,
) -> Path:
    """A path from `leaf` (DER) to one of `roots` that holds at `at` (aware) for `purpose`. Never raises for bad certificates.

    Missing links, dates and constraints are INDETERMINATE: a certificate that leads nowhere contradicts nothing.
    """
    try:
        end = Certificate(leaf)
    except CertificateError as fault:
        return _open(Reason.CERTIFICATE_CHAIN_GENERAL_FAILURE, (leaf,), str(fault))
    if len(intermediates) > INTERMEDIATES_MAX:
        return _open(Reason.RESOURCE_LIMIT, (leaf,), f"more than {INTERMEDIATES_MAX} certificates")

    search = _Search(_readable(intermediates), _readable(roots))
    best: tuple[int, tuple[Certificate, ...], Reason, str] | None = None
    for chain in search.chains((end,)):
        fault_found = _fault(chain, at=at, purpose=purpose, host=host)
        if fault_found is None:
            return Path(Outcome.PASSED, None, tuple(c.der for c in chain))
        rank = _RANK.index(fault_found[0])
        if best is None or rank < best[0]:
            best = (rank, chain, *fault_found)
    if best is not None:
        return _open(best[2], tuple(c.der for c in best[1]), best[3])
    if search.exhausted:
        return _open(Reason.RESOURCE_LIMIT, (leaf,), f"more than {SIGNATURES_MAX} signature checks")
    if search.unsupported:
        return _open(Reason.CERTIFICATE_CHAIN_GENERAL_FAILURE, (leaf,), search.unsupported)
    return _open(Reason.NO_CERTIFICATE_CHAIN_FOUND, (leaf,), None)


_RANK = (
    Reason.OUT_OF_BOUNDS_NO_POE,
    Reason.NOT_YET_VALID,
    Reason.CERT_HOST_MISMATCH,
    Reason.CRYPTO_CONSTRAINTS_FAILURE,
    Reason.CHAIN_CONSTRAINTS_FAILURE,
    Reason.CERTIFICATE_CHAIN_GENERAL_FAILURE,
)
"""Of several paths that fall short, the nearest miss is reported."""


def _open(reason: Reason, certificates: tuple[bytes, ...], problem: str | None) -> Path:
    return Path(Outcome.INDETERMINATE, reason, certificates, problem)


def _readable(certificates: Sequence[bytes]) -> tuple[Certificate, ...]:
    """In an order of their own, without repeats, so that the order of handing in cannot show. Unreadable ones lead nowhere."""
    found = []
    for data in sorted(set(certificates)):
        try:
            found.append(Certificate(data))
        except CertificateError:
            continue
    return tuple(found)


class _Search:
    """All chains by name and signature, depth first, within the bounds; whether they hold is judged by `_fault`."""

    def __init__(self, intermediates: tuple[Certificate, ...], roots: tuple[Certificate, ...]) -> None:
        self._intermediates = intermediates
        self._roots = roots
        self._pinned = frozenset(r.der for r in roots)
        self._signatures = 0
        self.exhausted = False
        self.unsupported: str | None = None

    def chains(self, chain: tuple[Certificate, ...]) -> Iterator[tuple[Certificate, ...]]:
        last = chain[-1]
        if last.der in self._pinned:
            yield chain
            return
        if len(chain) >= PATH_LENGTH_MAX:
            return
        used = {(c.subject, c.spki) for c in chain}
        for candidate in (*self._roots, *self._intermediates):
            if candidate.subject != last.issuer or (candidate.subject, candidate.spki) in used:
                continue
            if self._signed(last, candidate):
                yield from self.chains((*chain, candidate))

    def _signed(self, child: Certificate, issuer: Certificate) -> bool:
        if self._signatures >= SIGNATURES_MAX:
            self.exhausted = True
            return False
        self._signatures += 1
        try:
            return child.signed_by(issuer)
        except UnsupportedKey as fault:
            self.unsupported = str(fault)
            return False


def _fault(
    chain: tuple[Certificate, ...], *, at: datetime, purpose: Purpose, host: str | None
) -> tuple[Reason, str] | None:
    """Why a chain of names and signatures does not hold, or None. Certificates from the leaf upwards."""
    for certificate in chain:
        if at > certificate.not_after:
            return Reason.OUT_OF_BOUNDS_NO_POE, f"{certificate.name}: expired {instant(certificate.not_after)}"
        if at < certificate.not_before:
            return Reason.NOT_YET_VALID, f"{certificate.name}: from {instant(certificate.not_before)}"
    for certificate in chain[:-1]:
        if certificate.signature_scheme.broken:
            return Reason.CRYPTO_CONSTRAINTS_FAILURE, f"{certificate.name}: {certificate.signature_scheme.digest}"
    try:
        for certificate in chain:
            if weakness := public_key.weakness(certificate.spki):
                return Reason.CRYPTO_CONSTRAINTS_FAILURE, f"{certificate.name}: {weakness}"
    except UnsupportedKey as fault:
        return Reason.CERTIFICATE_CHAIN_GENERAL_FAILURE, str(fault)
    problem = leaf_problem(chain[0], purpose)
    for place, certificate in enumerate(chain[1:], start=1):
        problem = problem or _authority_problem(certificate, purpose, below=chain[1:place], root=place == len(chain) - 1)
    if problem:
        return Reason.CHAIN_CONSTRAINTS_FAILURE, problem
    if purpose is Purpose.WEB_SERVER:
        return _web_fault(chain, at=at, host=host or "")
    return None


def leaf_problem(leaf: Certificate, purpose: Purpose) -> str | None:
    """What in the end-entity certificate itself speaks against `purpose`, or None."""
    if unknown := sorted(leaf.critical - (_KNOWN - {_NAME_CONSTRAINTS, _POLICY_CONSTRAINTS})):
        return f"critical extension {unknown[0]}"
    usage = leaf.extension("2.5.29.15")
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        return "key usage without digitalSignature"
    if purpose is Purpose.CHAIN_MEMBER:
        return None
    if leaf.is_ca:
        return "the signer's certificate is an authority's"
    purposes = [u.dotted_string for u in leaf.extension("2.5.29.37") or ()]
    if purpose is Purpose.SEAL and purposes and _NOT_FOR_SEALS.issuperset(purposes):
        return "extended key usage is that of a machine"
    if purpose is Purpose.TIME_STAMPING and (purposes != [_EKU[purpose]] or not leaf.is_critical("2.5.29.37")):
        return "extended key usage is not timeStamping alone and critical"
    if purpose is Purpose.WEB_SERVER and _EKU[purpose] not in purposes:
        return "extended key usage without serverAuth"
    return None


def _authority_problem(
    authority: Certificate, purpose: Purpose, *, below: tuple[Certificate, ...], root: bool
) -> str | None:
    """RFC 5280 §6.1.4 (k) to (o): may this certificate issue the one below it? `below`: authorities between it and the leaf."""
    name = authority.name
    if not authority.is_ca:
        return f"{name}: not an authority"
    usage = authority.extension("2.5.29.15")
    if usage is not None and not usage.key_cert_sign:
        return f"{name}: key usage without keyCertSign"
    limit = authority.extension("2.5.29.19").path_length
    if limit is not None and sum(1 for c in below if c.subject != c.issuer) > limit:
        return f"{name}: path longer than {limit}"
    if unknown := sorted(authority.critical - _KNOWN):
        return f"{name}: critical extension {unknown[0]}"
    constraints = authority.extension(_POLICY_CONSTRAINTS)
    if constraints is not None and constraints.require_explicit_policy is not None:
        return f"{name}: demands an explicit policy"
    # A web server's name constraints are left to the library, which implements them; elsewhere nobody does.
    sm2_path = any(public_key.sm2_key(c.spki) for c in (authority, *below))
    if authority.extension(_NAME_CONSTRAINTS) is not None and (purpose is not Purpose.WEB_SERVER or sm2_path):
        return f"{name}: name constraints"
    # Extended key usage in an authority's certificate narrows what lies below it; a pinned root speaks for itself.
    purposes = authority.extension("2.5.29.37")
    if not root and purposes is not None and purpose in _EKU:
        if not {_EKU[purpose], _ANY_EKU} & {u.dotted_string for u in purposes}:
            return f"{name}: extended key usage excludes the purpose"
    return None


def _web_fault(chain: tuple[Certificate, ...], *, at: datetime, host: str) -> tuple[Reason, str] | None:
    from cryptography import x509
    from cryptography.x509 import verification

    if not names_host(chain[0], host):
        return Reason.CERT_HOST_MISMATCH, f"{chain[0].name}: not for {host[:253]}"
    if any(public_key.sm2_key(c.spki) for c in chain):
        return None
    if len(chain) == 1:
        return Reason.CHAIN_CONSTRAINTS_FAILURE, "a web server's certificate cannot be a root"
    try:
        verifier = (
            verification.PolicyBuilder()
            .store(verification.Store([chain[-1].parsed]))
            .time(at)
            .build_server_verifier(x509.DNSName(host))
        )
        verifier.verify(chain[0].parsed, [c.parsed for c in chain[1:-1]])
    except (verification.VerificationError, ValueError) as fault:
        return Reason.CHAIN_CONSTRAINTS_FAILURE, str(fault)[:200]
    return None


def names_host(leaf: Certificate, host: str) -> bool:
    """RFC 6125 §6.4: a DNS name of the certificate equals the host; `*` stands for exactly the leftmost label."""
    from cryptography import x509

    names = leaf.extension("2.5.29.17")
    wanted = host.lower().rstrip(".")
    if names is None or not wanted:
        return False
    presented = {n.lower() for n in names.get_values_for_type(x509.DNSName)}
    _, _, parent = wanted.partition(".")
    return wanted in presented or ("." in parent and f"*.{parent}" in presented)
