"""ECDSA verification (FIPS 186-5 §6.4.2) on the curves that ledgers and archives use, over OpenSSL.

Public keys are x‖y, big-endian, without the leading 0x04; signatures are (r, s) or strict DER. OpenSSL would take some
signatures that are not DER; here the two programs that read a signature must read the same numbers. A high `s` is accepted:
it is the rule of some chains, not of ECDSA, and the caller adds it where it applies.
"""

from functools import cache
from typing import Any

from .. import digests
from ..codecs import der
from ..codecs.text import CodecError

ORDER = {
    "P-256": 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551,
    "P-384": int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16
    ),
    "secp256k1": 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141,
}
"""Group order by curve name."""


def verify(
    public_key: bytes,
    signature: tuple[int, int] | bytes,
    message: bytes,
    *,
    curve: str,
    algorithm: str = "SHA-256",
) -> bool:
    """Whether `signature` over `message`, hashed with `algorithm` (a name of `digests.LENGTH`), is by `public_key`.

    False, never an exception, for a malformed key or signature; KeyError for a curve or algorithm that is not ours.
    """
    try:
        r, s = der.signature(signature, order=ORDER[curve]) if isinstance(signature, bytes) else signature
    except CodecError:
        return False
    return verify_digest(public_key, r, s, digests.digest(algorithm, message), curve=curve)


def verify_digest(public_key: bytes, r: int, s: int, digest: bytes, *, curve: str) -> bool:
    """The same over a ready digest of 20, 32, 48 or 64 bytes, whatever algorithm made it (Keccak-256 included)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    order = ORDER[curve]
    prehashed = _prehashed().get(len(digest))
    key = _key(public_key, curve)
    if key is None or prehashed is None or not (0 < r < order and 0 < s < order):
        return False
    try:
        key.verify(encode_dss_signature(r, s), digest, prehashed)
    except InvalidSignature:
        return False
    return True


def _key(public_key: bytes, curve: str) -> Any:
    """The key object, or None when the bytes are not a point on the curve."""
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_curves()[curve], b"\x04" + public_key)
    except ValueError:
        return None


@cache
def _curves() -> dict[str, Any]:
    from cryptography.hazmat.primitives.asymmetric import ec

    return {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "secp256k1": ec.SECP256K1()}


@cache
def _prehashed() -> dict[int, Any]:
    """ECDSA takes the leftmost bits of a digest and never sees its algorithm, so one stand-in per length is enough."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    algorithms = (hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512())  # noqa: S303
    return {a.digest_size: ec.ECDSA(utils.Prehashed(a)) for a in algorithms}
