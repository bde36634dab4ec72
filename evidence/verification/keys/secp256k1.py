"""The signer of an ECDSA signature on secp256k1, recovered from the signature itself (SEC 1 §4.1.6), in pure Python.

FISCO BCOS and Ethereum write signatures as r‖s‖v and no key: whoever signed is found by recovery, and `v` says which of the
two points with abscissa r is meant. OpenSSL offers no recovery. About 1.5 ms per signature; nothing here is secret.
"""

from functools import cache

P = (1 << 256) - (1 << 32) - 977
N = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
GX = 0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798
GY = 0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8

Jacobian = tuple[int, int, int]
"""(X, Y, Z) stands for the affine point (X/Z², Y/Z³); Z = 0 is the point at infinity."""

_INFINITY: Jacobian = (1, 1, 0)
_WINDOW = 5
"""Width of the signed windows: 8 precomputed multiples, one addition in six doublings."""


def recover(digest: bytes, r: int, s: int, v: int) -> bytes | None:
    """Digest of 32 bytes and a signature -> the signer's key x‖y (64 bytes), or None when no key can have made it.

    v   0 or 1, the parity of the ordinate of R. Values 2 and 3 (an abscissa above the order) occur with probability 2^-128
        and are refused, as the chains do.
    """
    if len(digest) != 32 or not (0 < r < N and 0 < s < N) or v not in (0, 1):
        return None
    # 1.1 to 1.4: R = (r, y) with y of the parity v. P ≡ 3 (mod 4), so a square root is one power.
    square = (r * r * r + 7) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    if y & 1 != v:
        y = P - y
    # 1.6.1: Q = r⁻¹ (sR − eG)
    inverse = pow(r, -1, N)
    e = int.from_bytes(digest)
    x, y, z = _two_multiples(-e * inverse % N, s * inverse % N, (r, y, 1))
    if z == 0:
        return None
    z_inverse = pow(z, -1, P)
    z2 = z_inverse * z_inverse % P
    return (x * z2 % P).to_bytes(32) + (y * z2 * z_inverse % P).to_bytes(32)


def _double(point: Jacobian) -> Jacobian:
    """Explicit-Formulas Database, short Weierstrass a = 0, `dbl-2009-l`."""
    x, y, z = point
    a = x * x % P
    b = y * y % P
    c = b * b % P
    d = 2 * ((x + b) * (x + b) - a - c) % P
    e = 3 * a
    x3 = (e * e - 2 * d) % P
    return x3, (e * (d - x3) - 8 * c) % P, 2 * y * z % P


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
    t = u1 * hh % P
    x3 = (r * r - hhh - 2 * t) % P
    return x3, (r * (t - x3) - s1 * hhh) % P, z1 * z2 * h % P


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


def _two_multiples(a: int, b: int, point: Jacobian) -> Jacobian:
    """[a]G + [b]point with one chain of doublings (Shamir's trick, interleaved)."""
    ways = ((_signed_windows(a), _generator_multiples()), (_signed_windows(b), _odd_multiples(point)))
    total = _INFINITY
    for i in range(max(len(digits) for digits, _ in ways) - 1, -1, -1):
        total = _double(total)
        for digits, multiples in ways:
            if i < len(digits) and (digit := digits[i]):
                x, y, z = multiples[abs(digit) >> 1]
                total = _add(total, (x, y if digit > 0 else P - y, z))
    return total
