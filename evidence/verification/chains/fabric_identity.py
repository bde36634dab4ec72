"""Hyperledger Fabric: who signed, with which key, and whether an organisation's pinned roots stand behind the certificate (spec §7).

An identity is an organisation's name (MSP id) and a certificate, both as the exhibit brings them. It is somebody only when the
certificate leads to a root that the court knows for that organisation. A block states no time, so that the validity of
certificates is not judged: a path holds when there was a moment at which every certificate of it was valid.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from ..codecs import der, protobuf
from ..codecs.protobuf import ProtobufError
from ..codecs.text import CodecError
from ..keys import ecdsa, x509
from ..reasons import Reason
from ..verdict import Outcome
from . import fabric_messages as messages

NODE_ROLES = ("client", "peer", "admin", "orderer")
"""Organisational units that Fabric's own tools write into certificates for the role (NodeOUs)."""
NAME_SHOWN = 64

_OU = "2.5.4.11"
_SPKI = {
    "P-256": bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"),
    "P-384": bytes.fromhex("3076301006072a8648ce3d020106052b8104002203620004"),
}
"""DER of SubjectPublicKeyInfo up to x‖y, by curve."""
_PEM = re.compile(
    rb"-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----\s*", re.ASCII
)


@dataclass(frozen=True)
class Identity:
    """`certificate`: DER. `curve`, `point`: its key, None where it is of another kind."""

    mspid: str
    certificate: bytes
    curve: str | None
    point: bytes

    @property
    def label(self) -> str:
        return f"{self.mspid[:NAME_SHOWN]} {hashlib.sha256(self.certificate).hexdigest()[:16]}"

    @cached_property
    def read(self) -> x509.Certificate:
        return x509.Certificate(self.certificate)

    @cached_property
    def units(self) -> frozenset[str]:
        """Organisational units of the subject."""
        return frozenset(str(a.value) for a in self.read.parsed.subject if a.oid.dotted_string == _OU)


@dataclass(frozen=True)
class Msp:
    """An organisation as the court or a configuration knows it.

    units     organisational units of which a certificate must have one; empty: any
    node_ous  role -> organisational unit, where the configuration tells roles apart
    revoked   revocation lists (PEM or DER) of the configuration
    """

    id: str
    roots: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    units: tuple[str, ...] = ()
    node_ous: tuple[tuple[str, str], ...] = ()
    revoked: tuple[bytes, ...] = ()


def serialized(raw: bytes) -> Identity | None:
    """SerializedIdentity -> Identity; None when it is none that can be read (an anonymous credential, for one)."""
    try:
        message = protobuf.parse(raw, messages.SERIALIZED_IDENTITY)
    except ProtobufError:
        return None
    return identity(message.text("mspid"), message.data("id_bytes"))


@lru_cache(maxsize=1024)
def identity(mspid: str, pem: bytes) -> Identity | None:
    certificate = der_of(pem)
    if certificate is None or not mspid:
        return None
    try:
        spki = x509.Certificate(certificate).spki
    except x509.CertificateError:
        return None
    for curve, prefix in _SPKI.items():
        if spki.startswith(prefix) and len(spki) == len(prefix) + (64 if curve == "P-256" else 96):
            return Identity(mspid, certificate, curve, spki[len(prefix) :])
    return Identity(mspid, certificate, None, b"")


def der_of(pem: bytes) -> bytes | None:
    """The one PEM certificate that fills `pem` -> DER, or None."""
    found = _PEM.fullmatch(pem)
    if found is None:
        return None
    try:
        return base64.b64decode(b"".join(found[1].split()), validate=True)
    except binascii.Error:
        return None


def certificates_of(pem: bytes) -> tuple[bytes, ...]:
    """Every certificate of a PEM text, DER."""
    return tuple(d for m in _PEM.finditer(pem) if (d := der_of(m[0])) is not None)


@lru_cache(maxsize=8192)
def signed(who: Identity, signature: bytes, message_hash: bytes) -> bool:
    """Whether `signature` (strict DER, low S) over the SHA-256 `message_hash` is by the identity's key.

    Of the two signatures that ECDSA allows Fabric takes only the one with s ≤ n/2 (`bccsp/sw/ecdsa.go`).
    """
    if who.curve is None:
        return False
    order = ecdsa.ORDER[who.curve]
    try:
        r, s = der.signature(signature, order=order)
    except CodecError:
        return False
    return s <= order // 2 and ecdsa.verify_digest(who.point, r, s, message_hash, curve=who.curve)


@dataclass(frozen=True, slots=True)
class Standing:
    """Why an identity counts for nothing (`reason`, with a few words), or that it stands."""

    reason: Reason | None
    problem: str | None = None


@lru_cache(maxsize=1024)
def standing(who: Identity, msps: tuple[Msp, ...], role: str | None) -> Standing:
    """Whether one of `msps` of the identity's organisation vouches for it, in `role` (`orderer`, `peer`, or None: any)."""
    own = [m for m in msps if m.id == who.mspid]
    if not own:
        return Standing(Reason.NO_CERTIFICATE_CHAIN_FOUND, f"{who.mspid[:NAME_SHOWN]} is not known")
    found = [_standing(who, msp, role) for msp in own]
    return next((s for s in found if s.reason is None), found[0])


def _standing(who: Identity, msp: Msp, role: str | None) -> Standing:
    # 1. An authority's certificate is nobody's identity (msp/mspimplvalidate.go).
    if who.read.is_ca:
        return Standing(Reason.CHAIN_CONSTRAINTS_FAILURE, "an authority's certificate")
    # 2. The path, at a moment at which all of it was valid, if there is one.
    path = _path(who, msp)
    if path.outcome is not Outcome.PASSED:
        return Standing(path.reason, path.problem)
    if len(path.certificates) < 2:
        return Standing(Reason.CHAIN_CONSTRAINTS_FAILURE, "a root's certificate")
    # 3. The lists of the configuration itself.
    if any(_lists(crl, path.certificates) for crl in msp.revoked):
        return Standing(Reason.REVOKED_NO_POE, "on a list of the configuration")
    # 4. Units: those the organisation demands, and the one that says the role.
    if msp.units and not who.units & set(msp.units):
        return Standing(Reason.CHAIN_CONSTRAINTS_FAILURE, f"none of the units {', '.join(msp.units)[:NAME_SHOWN]}")
    return _in_role(who, msp, role)


def _in_role(who: Identity, msp: Msp, role: str | None) -> Standing:
    if role is None:
        return Standing(None)
    wanted = dict(msp.node_ous).get(role)
    if wanted is not None:
        if wanted in who.units:
            return Standing(None)
        return Standing(Reason.CHAIN_CONSTRAINTS_FAILURE, f"not {wanted[:NAME_SHOWN]}")
    # Without units for this role a certificate may say nothing of its role, but not that it is for another one.
    others = (set(NODE_ROLES) | set(dict(msp.node_ous).values())) - {role}
    wrong = sorted(u for u in who.units if u.lower() in others or u in others)
    return Standing(Reason.CHAIN_CONSTRAINTS_FAILURE, wrong[0][:NAME_SHOWN]) if wrong else Standing(None)


def _path(who: Identity, msp: Msp) -> x509.Path:
    """Moments at which all certificates of a path can be valid begin with one of them."""
    above: Sequence[x509.Certificate] = _readable((*msp.intermediates, *msp.roots))
    leaf = who.read
    moments = {leaf.not_before, *(c.not_before for c in above if leaf.not_before <= c.not_before <= leaf.not_after)}
    found = x509.Path(Outcome.INDETERMINATE, Reason.NO_CERTIFICATE_CHAIN_FOUND, (who.certificate,))
    for moment in sorted(moments):
        found = x509.validate(
            who.certificate,
            intermediates=msp.intermediates,
            roots=msp.roots,
            at=moment,
            purpose=x509.Purpose.CHAIN_MEMBER,
        )
        if found.reason not in (Reason.NOT_YET_VALID, Reason.OUT_OF_BOUNDS_NO_POE):
            break
    return found


def _readable(certificates: Sequence[bytes]) -> list[x509.Certificate]:
    found = []
    for data in certificates:
        try:
            found.append(x509.Certificate(data))
        except x509.CertificateError:
            continue
    return found


def _lists(crl: bytes, path: Sequence[bytes]) -> bool:
    """Whether a revocation list names a certificate of the path. The list is the configuration's own: nobody else vouches for it."""
    from cryptography import x509 as library

    try:
        read = library.load_pem_x509_crl(crl) if crl.startswith(b"-----") else library.load_der_x509_crl(crl)
    except ValueError:
        return False
    return any(
        bytes(read.issuer.public_bytes()) == c.issuer and read.get_revoked_certificate_by_serial_number(c.serial) is not None
        for c in _readable(path[:-1])
    )
