"""ChainMaker 2.x: who signed, with which key, and whether the court knows them (spec consortium-chains §4).

A member is a certificate, the hash of one, or a public key. Whatever of it stands in the exhibit is data; it identifies
somebody only when the court has pinned that certificate, that key, or the root of the organisation.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from .. import digests
from ..codecs import der
from ..codecs.protobuf import Message
from ..codecs.text import CodecError
from ..keys import ecdsa, public_key, sm2, x509
from ..reasons import Reason
from ..trust import ChainProfile, Epoch, Validator
from . import chainmaker_messages as messages

HASHES = ("SHA-256", "SM3", "SHA3-256")
"""`crypto.hash` of a chain configuration: SHA256, SM3 or SHA3_256."""
CONSENSUS_ROLE = "consensus"
"""Organisational unit of a consensus node's certificate."""
_OU = "2.5.4.11"

_P256_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
"""DER of SubjectPublicKeyInfo up to x‖y: id-ecPublicKey, curve P-256, uncompressed point."""
_RSA_ALGORITHM = bytes.fromhex("300d06092a864886f70d0101010500")
"""DER of AlgorithmIdentifier: rsaEncryption, NULL."""
_RSA_WITHIN = len(_RSA_ALGORITHM) + 6
"""It stands right behind the frame of the SubjectPublicKeyInfo, whose tag and length take at most six octets."""
_RSA_HASH = {"SHA-256": "SHA-256", "SM3": "SHA-256"}
"""The hash of a signature, where PKCS #1 v1.5 has an identifier for it in the node's library; SHA3-256 has none."""
_SIGNED_WITH = {
    "1.2.840.10045.4.3.2": "SHA-256",  # ecdsa-with-SHA256
    "1.2.840.113549.1.1.11": "SHA-256",  # sha256WithRSAEncryption
    "1.2.156.10197.1.501": "SM3",  # SM2-with-SM3
    "1.2.156.10197.1.503": "SHA-256",  # SM2-with-SHA256
}
"""Signature algorithm of a certificate -> the hash its holder signs with (common `crypto/x509`
`GetHashFromSignatureAlgorithm`). Of the others the node itself can compute none."""

_PEM = re.compile(
    rb"-----BEGIN (CERTIFICATE|PUBLIC KEY)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\s*", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Suite:
    """`hash`: a name of HASHES; `sm2_uid`: the signers' identifier under SM2 with SM3."""

    hash: str
    sm2_uid: bytes = sm2.DEFAULT_UID

    def digest(self, data: bytes) -> bytes:
        return digests.digest(self.hash, data)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody as the exhibit presents them. `reason` says why there is no usable key, and is None when there is one.

    key           DER SubjectPublicKeyInfo
    certificate   DER, where the member is one or names one that was handed in
    hash          name of the hash the member signs with; None: the chain's
    """

    org: str
    key: bytes | None
    certificate: bytes | None
    reason: Reason | None = None
    hash: str | None = None

    @property
    def label(self) -> str:
        shown = digests.digest("SHA-256", self.certificate or self.key or b"").hex()[:16]
        org = self.org[:64] or "–"
        return f"{org} · {shown}" if self.key else org


class Certificates:
    """Certificates handed in, found again by their hash: members of type CERT_HASH name nothing else."""

    def __init__(self, handed_in: Iterable[bytes]) -> None:
        self._all = tuple(dict.fromkeys(handed_in))
        self._by_hash: dict[str, Mapping[bytes, bytes]] = {}

    @property
    def all(self) -> tuple[bytes, ...]:
        return self._all

    def named(self, name: bytes, suite: Suite) -> bytes | None:
        """`name` is the hash itself or its hex text: both renderings are documented."""
        if suite.hash not in self._by_hash:
            hashes = {suite.digest(c): c for c in self._all}
            self._by_hash[suite.hash] = {**{h.hex().encode(): c for h, c in hashes.items()}, **hashes}
        return self._by_hash[suite.hash].get(name)


def read(member: Message | None, known: Certificates, suite: Suite) -> Member:
    """A Member message -> who it presents. Never raises: what cannot be used is said in `reason`."""
    if member is None:
        return Member("", None, None, Reason.NO_SIGNING_CERTIFICATE_FOUND)
    org, info = member.text("org_id"), member.data("member_info")
    kind = member.number("member_type")
    certificate: bytes | None = None
    if kind == messages.CERT:
        certificate = _pem(info, b"CERTIFICATE")
    elif kind == messages.CERT_HASH:
        certificate = known.named(info, suite)
        if certificate is None:
            return Member(org, None, None, Reason.NO_SIGNING_CERTIFICATE_FOUND)
    elif kind == messages.PUBLIC_KEY:
        return _with_key(org, key_of(info), suite.hash)
    elif kind == messages.ALIAS:
        return Member(org, None, None, Reason.NO_SIGNING_CERTIFICATE_FOUND)
    else:
        return Member(org, None, None, Reason.UNSUPPORTED_FORMAT)
    return _with_certificate(org, certificate)


def signed(member: Member, signature: bytes, message: bytes, suite: Suite) -> bool:
    """Whether `signature` over `message` verifies under the member's key. False when there is no key.

    1. The hash: a public-key member signs with the chain's; the holder of a certificate with the one in the certificate's own
       signature algorithm, whatever the chain's is (`accesscontrol` `certificateMember.Verify`, "the input hashType is ignored").
    2. SM2 (strict DER): Z_A only together with SM3; with another hash the bare digest (common `crypto/asym/ecdsa`).
    3. RSA: PKCS #1 v1.5; SHA-256 stands in for SM3, which that padding does not know (common `crypto/asym/rsa`).
    4. ECDSA (strict DER) over the digest.
    """
    key, name = member.key, member.hash or suite.hash
    if key is None:
        return False
    if is_rsa(key):
        try:
            return public_key.verify(key, public_key.Scheme("RSA", _RSA_HASH[name]), message, signature)
        except public_key.UnsupportedKey:
            return False
    point = public_key.sm2_key(key)
    if point is None:
        return ecdsa.verify(key[len(_P256_PREFIX) :], signature, message, curve="P-256", algorithm=name)
    if name == "SM3":
        return sm2.verify(point, signature, message, uid=suite.sm2_uid)
    try:
        r, s = der.signature(signature, order=sm2.N)
    except CodecError:
        return False
    return sm2.verify_digest(point, r, s, digests.digest(name, message))


def is_rsa(key: bytes) -> bool:
    """Whether a DER SubjectPublicKeyInfo is of an RSA key."""
    return key.startswith(b"\x30") and _RSA_ALGORITHM in key[:_RSA_WITHIN]


def kind_of(key: bytes) -> str:
    """Name of the signature algorithm of a usable key, as profiles and packages write it."""
    return "RSA" if is_rsa(key) else "SM2" if public_key.sm2_key(key) else "ECDSA-P256"


def pinned(member: Member, epoch: Epoch) -> Validator | None:
    """The validator of the court's set that this member is, by its certificate or by its key."""
    certificate = digests.digest("SHA-256", member.certificate) if member.certificate else None
    for validator in epoch.validators:
        if validator.cert_sha256 is not None and validator.cert_sha256 == certificate:
            return validator
        if validator.key is not None and validator.key == member.key:
            return validator
    return None


def sender_signed(tx: Message, known: Certificates, suite: Suite) -> bool:
    """Whether the sender's signature over the payload verifies: then no export has cut anything out of the payload."""
    payload, sender = tx.message("payload"), tx.message("sender")
    if payload is None or sender is None:
        return False
    member = read(sender.message("signer"), known, suite)
    return member.reason is None and signed(member, sender.data("signature"), payload.raw, suite)


def roots(profile: ChainProfile, org: str, height: int | None) -> tuple[bytes, ...]:
    """DER of the roots that the court pins for an organisation at a height; at any height when it is not known."""
    found: list[bytes] = []
    for root in profile.org_roots:
        in_force = height is None or (
            (root.from_height or 0) <= height and (root.to_height is None or height <= root.to_height)
        )
        if root.org == org and in_force:
            found.extend(certificates(root.pem))
    return tuple(found)


def path(
    member: Member, profile: ChainProfile, known: Certificates, *, height: int | None, at: datetime
) -> x509.Path | None:
    """The member's certificate up to a root pinned for the member's own organisation; None without a certificate."""
    if member.certificate is None:
        return None
    return x509.validate(
        member.certificate,
        intermediates=known.all[: x509.INTERMEDIATES_MAX],
        roots=roots(profile, member.org, height),
        at=at,
        purpose=x509.Purpose.CHAIN_MEMBER,
    )


def within_validity(certificate: bytes, at: datetime) -> bool:
    read_ = x509.Certificate(certificate)
    return read_.not_before <= at <= read_.not_after


def is_consensus_node(certificate: bytes) -> bool:
    """Whether the subject's organisational unit names the role."""
    subject = x509.Certificate(certificate).parsed.subject
    return any(a.oid.dotted_string == _OU and str(a.value).lower() == CONSENSUS_ROLE for a in subject)


def certificates(pem: bytes) -> list[bytes]:
    """Every certificate in a PEM text -> DER."""
    return [d for m in _PEM.finditer(pem) if (d := _pem(m[0], b"CERTIFICATE")) is not None]


def key_of(pem: bytes) -> bytes | None:
    """The public key in a PEM text -> SubjectPublicKeyInfo, or None."""
    return _public_key(_pem(pem, b"PUBLIC KEY"))


@lru_cache(maxsize=256)
def _with_certificate(org: str, certificate: bytes | None) -> Member:
    """Kept for the next signature of the same member: a block has few signers and names them often."""
    try:
        read_ = x509.Certificate(certificate or b"")
        used = _SIGNED_WITH.get(read_.parsed.signature_algorithm_oid.dotted_string)
    except x509.CertificateError:
        return Member(org, None, None, Reason.NO_SIGNING_CERTIFICATE_FOUND)
    if used is None:
        return Member(org, None, certificate, Reason.UNSUPPORTED_FORMAT)
    return replace(_with_key(org, read_.spki, used), certificate=certificate, hash=used)


def _with_key(org: str, key: bytes | None, used: str) -> Member:
    """`used`: the hash this key signs with."""
    if key is None:
        return Member(org, None, None, Reason.NO_SIGNING_CERTIFICATE_FOUND)
    if is_rsa(key):
        return _with_rsa_key(org, key, used)
    p256 = key.startswith(_P256_PREFIX) and len(key) == len(_P256_PREFIX) + 64
    if not p256 and public_key.sm2_key(key) is None:
        # P-384, P-521, secp256k1, Ed25519, Dilithium: in the node's tables, on no chain that was seen.
        return Member(org, None, None, Reason.UNSUPPORTED_FORMAT)
    return Member(org, key, None)


def _with_rsa_key(org: str, key: bytes, used: str) -> Member:
    try:
        weak = public_key.weakness(key)
    except public_key.UnsupportedKey:
        return Member(org, None, None, Reason.NO_SIGNING_CERTIFICATE_FOUND)
    if weak is not None:
        # The node's tool offers 512 and 1024 bits: whoever has a computer may have signed.
        return Member(org, None, None, Reason.CRYPTO_CONSTRAINTS_FAILURE)
    if used not in _RSA_HASH:
        return Member(org, None, None, Reason.UNSUPPORTED_FORMAT)
    return Member(org, key, None)


def _public_key(data: bytes | None) -> bytes | None:
    """What stands in a PEM block PUBLIC KEY -> SubjectPublicKeyInfo. For RSA the node writes the bare RSAPublicKey of
    PKCS #1 there (`PublicKey.String`), which is put into its frame."""
    if data is None:
        return None
    try:
        body = der.whole(data, der.SEQUENCE)
        _, end = der.element(body, der.INTEGER)
        _, end = der.element(body, der.INTEGER, offset=end)
    except CodecError:
        return data
    return data if end != len(body) else _framed(0x30, _RSA_ALGORITHM + _framed(0x03, b"\x00" + data))


def _framed(tag: int, content: bytes) -> bytes:
    """DER (X.690 §10.1)."""
    length = len(content)
    octets = length.to_bytes((length.bit_length() + 7) // 8) if length > 0x7F else b""
    return bytes([tag, 0x80 | len(octets) if octets else length]) + octets + content


def _pem(text: bytes, kind: bytes) -> bytes | None:
    """The one PEM block that fills `text` -> its DER, or None."""
    found = _PEM.fullmatch(text)
    if found is None or found[1] != kind:
        return None
    try:
        return base64.b64decode(b"".join(found[2].split()), validate=True)
    except binascii.Error:
        return None
