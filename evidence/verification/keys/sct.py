"""Signed certificate timestamps inside a certificate: the promise of a transparency log to publish it (RFC 6962 §3.2 and §3.3).

What the log signed is the certificate without these promises, and the key of the authority that issued it. Only logs whose keys
the court has pinned are asked; a log is known by the SHA-256 of its key.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..codecs import der
from ..codecs.text import CodecError, base64_bytes
from . import public_key
from .x509 import Certificate, CertificateError

EXTENSION = "1.3.6.1.4.1.11129.2.4.2"
SCTS_MAX = 32
"""Promises in one certificate; browsers ask for two or three."""
_V1, _CERTIFICATE_TIMESTAMP, _PRECERT_ENTRY = 0, 0, 1
_SCHEMES = {(4, 3): public_key.Scheme("ECDSA", "SHA-256"), (4, 1): public_key.Scheme("RSA", "SHA-256")}
"""(hash, signature) of RFC 5246 §7.4.1.4.1; RFC 6962 §2.1.4 allows logs these two."""


class Promise(NamedTuple):
    """One timestamp as it stands. `moment`: milliseconds since 1970; `algorithm`: (hash, signature)."""

    log: bytes
    moment: int
    extensions: bytes
    algorithm: tuple[int, int]
    signature: bytes


@dataclass(frozen=True, slots=True)
class Judged:
    """Of the promises in a certificate: how many a pinned log has signed, how many it has not, and how many are by others."""

    held: int
    broken: int
    unknown: int
    first: int | None
    """The earliest moment among those that hold."""


def log_key(text: str) -> bytes:
    """The SubjectPublicKeyInfo of a log, in base64: ECDSA on P-256 or RSA of 2048 bits and more (RFC 6962 §2.1.4). CodecError."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    data = base64_bytes(text)
    try:
        key = load_der_public_key(data)
    except ValueError as fault:
        raise CodecError("not a public key") from fault
    curve = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1"
    if not curve and not (isinstance(key, rsa.RSAPublicKey) and key.key_size >= public_key.RSA_BITS_MIN):
        raise CodecError("a key of a kind that no log has")
    return data


def promises(leaf: Certificate) -> list[Promise] | None:
    """The timestamps in the leaf; None when it carries none. CodecError when they are not exactly what the standard describes."""
    stored = leaf.extension(EXTENSION)
    if stored is None:
        return None
    read = _TLS(der.whole(bytes(stored.public_bytes()), 0x04))
    entries = _TLS(read.vector(2, last=True))
    found = []
    while entries.left:
        one = _TLS(entries.vector(2))
        if one.take(1)[0] != _V1:
            raise CodecError("a timestamp of an unknown version")
        log, moment, extensions = one.take(32), int.from_bytes(one.take(8)), one.vector(2)
        algorithm = tuple(one.take(2))
        found.append(Promise(log, moment, extensions, (algorithm[0], algorithm[1]), one.vector(2, last=True)))
        if len(found) > SCTS_MAX:
            raise CodecError("more timestamps than anybody asks for")
    if not found:
        raise CodecError("an empty list of timestamps")
    return found


def judge(leaf: Certificate, found: Sequence[Promise], issuer: Certificate, logs: Mapping[bytes, bytes]) -> Judged:
    """`logs`: SHA-256 of a log's key -> its SubjectPublicKeyInfo."""
    tbs = bytes(leaf.parsed.tbs_precertificate_bytes)
    entry = hashlib.sha256(issuer.spki).digest() + len(tbs).to_bytes(3) + tbs
    known = [p for p in found if p.log in logs]
    held = [p for p in known if _holds(p, entry, logs[p.log])]
    moments = [p.moment for p in held]
    return Judged(len(held), len(known) - len(held), len(found) - len(known), min(moments) if moments else None)


def _holds(promise: Promise, entry: bytes, key: bytes) -> bool:
    """RFC 6962 §3.2: the digitally-signed struct of a precertificate entry."""
    scheme = _SCHEMES.get(promise.algorithm)
    if scheme is None:
        return False
    message = (
        bytes((_V1, _CERTIFICATE_TIMESTAMP))
        + promise.moment.to_bytes(8)
        + _PRECERT_ENTRY.to_bytes(2)
        + entry
        + len(promise.extensions).to_bytes(2)
        + promise.extensions
    )
    try:
        return public_key.verify(key, scheme, message, promise.signature)
    except public_key.UnsupportedKey:
        return False


def issuers(leaf: Certificate, candidates: Sequence[bytes]) -> Iterator[Certificate]:
    """Those of the candidates (DER) that issued the leaf, by name and signature."""
    for data in candidates:
        try:
            candidate = Certificate(data)
            if candidate.subject == leaf.issuer and leaf.signed_by(candidate):
                yield candidate
        except (CertificateError, public_key.UnsupportedKey):
            continue


class _TLS:
    """Presentation language of RFC 5246 §4: fixed fields and vectors with their length before them."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise CodecError("a timestamp that ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def vector(self, width: int, *, last: bool = False) -> bytes:
        """`last`: nothing may stand behind it."""
        content = self.take(int.from_bytes(self.take(width)))
        if last and self.left:
            raise CodecError("bytes behind a timestamp")
        return content
