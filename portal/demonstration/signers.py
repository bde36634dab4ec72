"""Keys and certificates of demonstration chains, written byte by byte.

Nothing of the engine is used here, so that the engine has something independent to verify. Every key comes from a label that
anybody can read: they protect nothing, and no court may ever pin them outside a demonstration.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SM2_ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
SM2_UID = b"1234567812345678"

_EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")
_CURVES = {"P-256": bytes.fromhex("06082a8648ce3d030107"), "SM2": bytes.fromhex("06082a811ccf5501822d")}
_SIGNED_WITH = {
    "P-256": bytes.fromhex("06082a8648ce3d040302"),
    "SM2": bytes.fromhex("06082a811ccf55018375"),
    "RSA": bytes.fromhex("06092a864886f70d01010b0500"),
}


def sm3(data: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes

    h = hashes.Hash(hashes.SM3())
    h.update(data)
    return h.finalize()


HASHES: dict[str, Callable[[bytes], bytes]] = {
    "SHA-256": lambda d: hashlib.sha256(d).digest(),
    "SM3": sm3,
    "SHA3-256": lambda d: hashlib.sha3_256(d).digest(),
}


# ── DER ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def pem(kind: str, der: bytes) -> bytes:
    text = base64.b64encode(der).decode()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""]).encode()


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Key:
    """`kind`: P-256 or SM2. The one-time number of a signature is drawn from key and message, so that bytes repeat."""

    kind: str
    label: str
    secret: int = field(repr=False)
    public: bytes

    @property
    def spki(self) -> bytes:
        """DER SubjectPublicKeyInfo."""
        algorithm = tlv(0x30, _EC_PUBLIC_KEY, _CURVES[self.kind])
        return tlv(0x30, algorithm, tlv(0x03, b"\x00\x04", self.public))

    def sign(self, message: bytes, hash_name: str) -> bytes:
        """DER signature as ChainMaker makes it: SM2 uses Z_A only together with SM3, otherwise it signs the bare digest."""
        if self.kind == "SM2" and hash_name == "SM3":
            digest = sm3(self._z() + message)
        else:
            digest = HASHES[hash_name](message)
        r, s = self._sm2(digest) if self.kind == "SM2" else self._ecdsa(digest)
        return tlv(0x30, integer(r), integer(s))

    def _z(self) -> bytes:
        from gmalg.sm2 import _ecdlp

        ec = _ecdlp.ec
        parameters = (ec.a, ec.b, *_ecdlp.G)
        return sm3(
            (8 * len(SM2_UID)).to_bytes(2)
            + SM2_UID
            + b"".join(int(v).to_bytes(32) for v in parameters)
            + self.public
        )

    def _once(self, digest: bytes, order: int) -> int:
        seed = hashlib.sha512(b"demonstration nonce" + self.secret.to_bytes(32) + digest).digest()
        return int.from_bytes(seed) % (order - 1) + 1

    def _ecdsa(self, digest: bytes) -> tuple[int, int]:
        k = self._once(digest, P256_ORDER)
        r = int.from_bytes(_p256_point(k)[:32]) % P256_ORDER
        return r, pow(k, -1, P256_ORDER) * (int.from_bytes(digest) + r * self.secret) % P256_ORDER

    def _sm2(self, digest: bytes) -> tuple[int, int]:
        k = self._once(digest, SM2_ORDER)
        r = (int.from_bytes(digest) + int.from_bytes(_sm2_point(k)[:32])) % SM2_ORDER
        return r, pow(1 + self.secret, -1, SM2_ORDER) * (k - r * self.secret) % SM2_ORDER


def key(kind: str, label: str) -> Key:
    order = SM2_ORDER if kind == "SM2" else P256_ORDER
    secret = int.from_bytes(hashlib.sha256(label.encode()).digest()) % (order - 2) + 1
    return Key(kind, label, secret, (_sm2_point if kind == "SM2" else _p256_point)(secret))


def _p256_point(scalar: int) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec

    numbers = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
    return numbers.x.to_bytes(32) + numbers.y.to_bytes(32)


def _sm2_point(scalar: int) -> bytes:
    from gmalg import SM2

    return bytes(SM2().generate_pk(scalar.to_bytes(32)))[-64:]


# ── certificates ──────────────────────────────────────────────────────────────────────────────────────────────────────

_OID = {"CN": "550403", "O": "55040a", "OU": "55040b"}
_CA = tlv(0x30, bytes.fromhex("0603551d13"), b"\x01\x01\xff", tlv(0x04, bytes.fromhex("30030101ff")))
_CA_USAGE = tlv(0x30, bytes.fromhex("0603551d0f"), b"\x01\x01\xff", tlv(0x04, bytes.fromhex("03020106")))
_USAGE = tlv(0x30, bytes.fromhex("0603551d0f"), b"\x01\x01\xff", tlv(0x04, bytes.fromhex("030206c0")))


@dataclass(frozen=True)
class Certificate:
    """`signed_with`: the hash of its signature algorithm."""

    der: bytes
    subject: bytes
    key: Key
    signed_with: str

    @property
    def pem(self) -> bytes:
        return pem("CERTIFICATE", self.der)

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.der).digest()


def certificate(
    subject_key: Key,
    *,
    name: str,
    org: str,
    unit: str,
    issuer: Certificate | None = None,
    not_before: datetime = datetime(2023, 1, 1, tzinfo=UTC),
    not_after: datetime = datetime(2043, 1, 1, tzinfo=UTC),
) -> Certificate:
    """An X.509 version 3 certificate; self-signed and an authority when there is no issuer. `unit` is ChainMaker's role."""
    subject = tlv(0x30, *(_rdn(k, v) for k, v in (("O", org), ("OU", unit), ("CN", name))))
    signer = issuer.key if issuer else subject_key
    extensions = tlv(0x30, _CA_USAGE, _CA) if issuer is None else tlv(0x30, _USAGE)
    parameters = tlv(0x30, _SIGNED_WITH[signer.kind])
    tbs = tlv(
        0x30,
        tlv(0xA0, integer(2)),
        integer(int.from_bytes(hashlib.sha256(subject_key.public).digest()[:8]) >> 1),
        parameters,
        issuer.subject if issuer else subject,
        tlv(0x30, _time(not_before), _time(not_after)),
        subject,
        subject_key.spki,
        tlv(0xA3, extensions),
    )
    signed_with = "SM3" if signer.kind == "SM2" else "SHA-256"
    signature = signer.sign(tbs, signed_with)
    return Certificate(tlv(0x30, tbs, parameters, tlv(0x03, b"\x00", signature)), subject, subject_key, signed_with)


def _rdn(kind: str, value: str) -> bytes:
    return tlv(0x31, tlv(0x30, tlv(0x06, bytes.fromhex(_OID[kind])), tlv(0x0C, value.encode())))


def _time(moment: datetime) -> bytes:
    return tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())
