"""SM2 signature verification on sm2p256v1: pure Python (about 1.5 ms per signature), or the system's OpenSSL for the arithmetic.

Source: GM/T 0003.2-2012 §7 (verification), §5.5 (Z_A), GM/T 0003.5-2012 (the curve); the same as GB/T 32918 and RFC 8998
§3.2.1. Every check of form is made here, so that both ways give the same answers (`sm2_openssl`).

Public keys are 64 bytes x‖y, big-endian, as FISCO BCOS writes them. Nothing here is secret, so nothing is constant-time.
"""

from functools import cache

from .. import digests
from ..codecs import der
from ..codecs.text import CodecError
from . import sm2_openssl

DEFAULT_UID = b"1234567812345678"
"""The signer's distinguishing identifier when none was agreed (GM/T 0009-2012 §10)."""
UID_BYTES_MAX = 0x1FFF
"""ENTL counts the identifier's bits in two bytes."""

P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
A = P - 3
B = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93
N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
GX = 0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7
GY = 0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0

Jacobian = tuple[int, int, int]
"""(X, Y, Z) stands for the affine point (X/Z², Y/Z³); Z = 0 is the point at infinity."""

_INFINITY: Jacobian = (1, 1, 0)
_WINDOW = 5
"""Width of the signed windows: 8 precomputed multiples, one addition in six doublings."""


def verify(
    public_key: bytes, signature: tuple[int, int] | bytes, message: bytes, *, uid: bytes = DEFAULT_UID
) -> bool:
    """Whether `signature` ((r, s), or strict DER) over `message` is by the holder of `public_key` named `uid`.

    False, never an exception, for malformed keys, signatures and identifiers.
    """
    if len(uid) > UID_BYTES_MAX or _point(public_key) is None:
        return False
    try:
        r, s = der.signature(signature, order=N) if isinstance(signature, bytes) else signature
    except CodecError:
        return False
    return verify_digest(public_key, r, s, message_digest(public_key, message, uid=uid))


def verify_digest(public_key: bytes, r: int, s: int, e: bytes) -> bool:
    """The same over a ready digest `e` of 32 bytes (with Z_A already in it, or none where a chain signs the bare digest)."""
    point = _point(public_key)
    # B1, B2: r and s lie in 1..n-1. (The letters are those of GM/T 0003.2 §7.1.)
    if point is None or len(e) != 32 or not (0 < r < N and 0 < s < N):
        return False
    by_openssl = sm2_openssl.verify_digest(public_key, r, s, e)
    return _holds(point, r, s, e) if by_openssl is None else by_openssl


def _holds(point: Jacobian, r: int, s: int, e: bytes) -> bool:
    # B5: t = (r + s) mod n, refused when it is zero.
    t = (r + s) % N
    if t == 0:
        return False
    # B6: (x1, y1) = [s]G + [t]P
    x, _, z = _two_multiples(s, t, point)
    if z == 0:
        return False
    x1 = x * pow(z, -2, P) % P
    # B7: R = (e + x1) mod n, equal to r.
    return (int.from_bytes(e) + x1) % N == r


def message_digest(public_key: bytes, message: bytes, *, uid: bytes = DEFAULT_UID) -> bytes:
    """B3, B4: e = SM3(Z_A ‖ M)."""
    h = digests.hasher("SM3")
    h.update(identity_digest(public_key, uid=uid))
    h.update(message)
    return h.digest()


def identity_digest(public_key: bytes, *, uid: bytes = DEFAULT_UID) -> bytes:
    """Z_A = SM3(ENTL ‖ uid ‖ a ‖ b ‖ xG ‖ yG ‖ xA ‖ yA), ENTL = bits of uid in two bytes. ValueError for a too long uid."""
    if len(uid) > UID_BYTES_MAX:
        raise ValueError("the identifier does not fit its two-byte length")
    return digests.digest("SM3", (8 * len(uid)).to_bytes(2) + uid + _PARAMETERS + public_key)


_PARAMETERS = b"".join(v.to_bytes(32) for v in (A, B, GX, GY))


def _point(public_key: bytes) -> Jacobian | None:
    """64 bytes -> a point on the curve, or None. The group has prime order, so every such point is in the group."""
    if len(public_key) != 64:
        return None
    x, y = int.from_bytes(public_key[:32]), int.from_bytes(public_key[32:])
    if x >= P or y >= P or (y * y - (x * x + A) * x - B) % P:
        return None
    return x, y, 1


def _double(point: Jacobian) -> Jacobian:
    """Explicit-Formulas Database, short Weierstrass a = -3, `dbl-2001-b`."""
    x, y, z = point
    delta = z * z % P
    gamma = y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    z3 = 2 * y * z % P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P, z3


def _add(first: Jacobian, second: Jacobian) -> Jacobian:
    """Explicit-Formulas Database, `add-1998-cmo-2`, with the exceptional cases it leaves out."""
    x1, y1, z1 = first
    x2, y2, z2 = second
    if z1 == 0:
        return second
    if z2 == 0:
        return first
    z1z1, z2z2 = z1 * z1 % P, z2 * z2 % P
    u1 = x1 * z2z2 % P
    s1 = y1 * z2z2 * z2 % P
    h = (x2 * z1z1 - u1) % P
    r = (y2 * z1z1 * z1 - s1) % P
    if h == 0:
        return _double(first) if r == 0 else _INFINITY
    hh = h * h % P
    hhh = h * hh % P
    v = u1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - s1 * hhh) % P, z1 * z2 * h % P


def _odd_multiples(point: Jacobian) -> list[Jacobian]:
    """P, 3P, 5P … for one window."""
    twice, multiples = _double(point), [point]
    for _ in range((1 << (_WINDOW - 2)) - 1):
        multiples.append(_add(multiples[-1], twice))
    return multiples


@cache
def _generator_multiples() -> list[Jacobian]:
    return _odd_multiples((GX, GY, 1))


def _signed_windows(scalar: int) -> list[int]:
    """Width-w non-adjacent form, lowest digit first: each digit is zero or odd and below 2^(w-1) in amount."""
    found = []
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar & ((1 << _WINDOW) - 1)
            if digit >> (_WINDOW - 1):
                digit -= 1 << _WINDOW
            scalar -= digit
        found.append(digit)
        scalar >>= 1
    return found


def _two_multiples(s: int, t: int, point: Jacobian) -> Jacobian:
    """[s]G + [t]point with one chain of doublings (Shamir's trick, interleaved)."""
    ways = (
        (_signed_windows(s), _generator_multiples()),
        (_signed_windows(t), _odd_multiples(point)),
    )
    total = _INFINITY
    for i in range(max(len(digits) for digits, _ in ways) - 1, -1, -1):
        total = _double(total)
        for digits, multiples in ways:
            if i < len(digits) and (digit := digits[i]):
                x, y, z = multiples[abs(digit) >> 1]
                total = _add(total, (x, y if digit > 0 else P - y, z))
    return total
