"""Signatures by a SubjectPublicKeyInfo under an AlgorithmIdentifier, as certificates and CMS messages name them.

RSA (PKCS #1 v1.5 and PSS), ECDSA on the NIST curves and Ed25519 go to `cryptography`; SM2 with SM3 to `keys.sm2`. Sources:
RFC 3279, RFC 4055, RFC 5758, RFC 8410; SM2 identifiers: GM/T 0006-2012, RFC 8998 §3.2.1.
"""

from dataclasses import dataclass
from typing import Any

from .. import digests
from ..codecs import der
from ..codecs.text import CodecError
from . import sm2

DIGEST_NAMES = {
    "2.16.840.1.101.3.4.2.1": "SHA-256",
    "2.16.840.1.101.3.4.2.2": "SHA-384",
    "2.16.840.1.101.3.4.2.3": "SHA-512",
    "2.16.840.1.101.3.4.2.8": "SHA3-256",
    "1.2.156.10197.1.401": "SM3",
    "1.3.14.3.2.26": "SHA-1",
    "1.2.840.113549.2.5": "MD5",
}
"""Object identifier -> name in `digests.LENGTH`."""

RSA_BITS_MIN = 2048
"""Shorter moduli are within reach of a determined attacker (NIST SP 800-131A rev. 2 §3)."""

_SM2_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
"""DER of SubjectPublicKeyInfo up to x‖y: id-ecPublicKey, curve 1.2.156.10197.1.301, uncompressed point."""

_RSA = {
    "1.2.840.113549.1.1.4": "MD5",
    "1.2.840.113549.1.1.5": "SHA-1",
    "1.2.840.113549.1.1.11": "SHA-256",
    "1.2.840.113549.1.1.12": "SHA-384",
    "1.2.840.113549.1.1.13": "SHA-512",
}
_ECDSA = {
    "1.2.840.10045.4.1": "SHA-1",
    "1.2.840.10045.4.3.2": "SHA-256",
    "1.2.840.10045.4.3.3": "SHA-384",
    "1.2.840.10045.4.3.4": "SHA-512",
}
_SM2 = ("1.2.156.10197.1.501", "1.2.156.10197.1.301.1", "1.2.156.10197.1.301")
"""SM2-with-SM3, and the two identifiers seen in GM/T 0010 signerInfos where the digest stands beside it."""
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_RSA_PSS = "1.2.840.113549.1.1.10"
_ED25519 = "1.3.101.112"


class UnsupportedKey(ValueError):
    """An algorithm, curve or key form that is not ours. The message names it."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """`kind`: RSA, RSA-PSS, ECDSA, ED25519 or SM2; `digest`: a name of `digests.LENGTH`, None where the scheme has its own."""

    kind: str
    digest: str | None
    salt_length: int = 0

    @property
    def broken(self) -> bool:
        return self.digest in digests.BROKEN


def scheme(algorithm_identifier: bytes, *, digest: str | None = None) -> Scheme:
    """DER AlgorithmIdentifier -> Scheme. `digest` stands beside it in CMS and serves identifiers that name no digest.

    Raises UnsupportedKey and nothing else.
    """
    try:
        body = der.whole(algorithm_identifier, der.SEQUENCE)
        content, end = der.element(body, der.OBJECT_IDENTIFIER)
        oid = der.object_identifier(content)
    except CodecError as fault:
        raise UnsupportedKey("malformed algorithm identifier") from fault
    if oid in _RSA:
        return Scheme("RSA", _RSA[oid])
    if oid in _ECDSA:
        return Scheme("ECDSA", _ECDSA[oid])
    if oid in _SM2 and digest in (None, "SM3"):
        return Scheme("SM2", "SM3")
    if oid == _RSA_ENCRYPTION and digest is not None:
        return Scheme("RSA", digest)
    if oid == _ED25519:
        return Scheme("ED25519", None)
    if oid == _RSA_PSS:
        return _pss(body[end:])
    raise UnsupportedKey(f"signature algorithm {oid}")


def _pss(parameters: bytes) -> Scheme:
    """RFC 4055 §3.1: one digest for the message and the mask."""
    from asn1crypto.algos import RSASSAPSSParams

    try:
        read = RSASSAPSSParams.load(parameters or b"\x30\x00", strict=True)
        digest = DIGEST_NAMES.get(read["hash_algorithm"]["algorithm"].dotted)
        mask = DIGEST_NAMES.get(read["mask_gen_algorithm"]["parameters"]["algorithm"].dotted)
        salt_length = int(read["salt_length"].native)
    except (ValueError, TypeError, KeyError) as fault:
        raise UnsupportedKey("malformed RSASSA-PSS parameters") from fault
    if digest is None or digest != mask or not 0 <= salt_length <= 512:
        raise UnsupportedKey("RSASSA-PSS with unusual parameters")
    return Scheme("RSA-PSS", digest, salt_length)


def sm2_key(spki: bytes) -> bytes | None:
    """x‖y of an SM2 SubjectPublicKeyInfo, or None for any other key."""
    return spki[len(_SM2_PREFIX) :] if spki.startswith(_SM2_PREFIX) and len(spki) == len(_SM2_PREFIX) + 64 else None


def weakness(spki: bytes) -> str | None:
    """Why the key itself is too weak to rest on, or None. Raises UnsupportedKey."""
    if sm2_key(spki) is None:
        key = _load(spki)
        bits = getattr(key, "key_size", RSA_BITS_MIN)
        if type(key).__name__ == "RSAPublicKey" and bits < RSA_BITS_MIN:
            return f"RSA {bits} bits"
    return None


def verify(spki: bytes, used: Scheme, message: bytes, signature: bytes) -> bool:
    """Whether `signature` over `message` under scheme `used` is by the key `spki` (DER SubjectPublicKeyInfo).

    False for a wrong or malformed signature, and for a scheme of another kind of key; UnsupportedKey when nothing can be said.
    """
    point = sm2_key(spki)
    if point is not None or used.kind == "SM2":
        return point is not None and used.kind == "SM2" and sm2.verify(point, signature, message)
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

    key = _load(spki)
    try:
        if isinstance(key, rsa.RSAPublicKey) and used.kind == "RSA":
            key.verify(signature, message, padding.PKCS1v15(), _hash(used))
        elif isinstance(key, rsa.RSAPublicKey) and used.kind == "RSA-PSS":
            mask = padding.PSS(padding.MGF1(_hash(used)), used.salt_length)
            key.verify(signature, message, mask, _hash(used))
        elif isinstance(key, ec.EllipticCurvePublicKey) and used.kind == "ECDSA":
            der.signature(signature, order=key.curve.group_order)
            key.verify(signature, message, ec.ECDSA(_hash(used)))
        elif isinstance(key, ed25519.Ed25519PublicKey) and used.kind == "ED25519":
            key.verify(signature, message)
        else:
            return False
    except (InvalidSignature, CodecError):
        return False
    except (UnsupportedAlgorithm, ValueError) as fault:
        raise UnsupportedKey(f"{used.kind} with {used.digest}") from fault
    return True


def _load(spki: bytes) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        return load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise UnsupportedKey("public key of an unknown or malformed kind") from fault


def _hash(used: Scheme) -> Any:
    from cryptography.hazmat.primitives import hashes

    # The broken ones serve to tell a wrong signature from a weak one; a weak one never passes.
    algorithms: dict[str, Any] = {
        "SHA-256": hashes.SHA256,
        "SHA-384": hashes.SHA384,
        "SHA-512": hashes.SHA512,
        "SHA3-256": hashes.SHA3_256,
        "SM3": hashes.SM3,
        "SHA-1": hashes.SHA1,
        "MD5": hashes.MD5,
    }
    return algorithms[used.digest or ""]()
