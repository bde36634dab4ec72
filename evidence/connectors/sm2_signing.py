"""An SM2 signature over a query, with the key of the court's member (GM/T 0003.2-2012 §6).

`cryptography` knows the curve neither for keys nor for signatures. The arithmetic is a Montgomery ladder in plain Python: each bit costs
the same steps, though Python's numbers do not take the same time for all values. The key admits queries to the court's own node and
signs nothing else; whoever could measure this process could read its memory.
"""

import secrets

from asn1crypto import keys, pem

from evidence.verification.keys import sm2

CURVE_OID = "1.2.156.10197.1.301"

Point = tuple[int, int, int]


def is_sm2(key_pem: bytes) -> bool:
    """Is this a PEM private key (PKCS#8 or SEC 1) on the curve sm2p256v1?"""
    try:
        return _read(key_pem) is not None
    except (ValueError, TypeError, KeyError):
        return False


def sign(key_pem: bytes, message: bytes) -> bytes:
    """DER signature over SM3(Z_A ‖ message) under the default identifier. ValueError for a key of another kind."""
    secret = _read(key_pem)
    if secret is None or not 0 < secret < sm2.N - 1:
        raise ValueError("not a private key on sm2p256v1")
    x, y = _multiple(secret)
    e = int.from_bytes(sm2.message_digest(x.to_bytes(32) + y.to_bytes(32), message))
    while True:
        # A3 to A6 of the standard.
        k = secrets.randbelow(sm2.N - 1) + 1
        r = (e + _multiple(k)[0]) % sm2.N
        s = pow(1 + secret, -1, sm2.N) * (k - r * secret) % sm2.N
        if r and r + k != sm2.N and s:
            return _sequence(_integer(r) + _integer(s))


def _read(key_pem: bytes) -> int | None:
    """The secret number, None for a key on another curve."""
    kind, _, der = pem.unarmor(key_pem)
    if kind == "PRIVATE KEY":
        info = keys.PrivateKeyInfo.load(der, strict=True)
        algorithm = info["private_key_algorithm"]
        if algorithm["algorithm"].native != "ec" or _curve(algorithm["parameters"]) != CURVE_OID:
            return None
        inner = info["private_key"].parsed
    elif kind == "EC PRIVATE KEY":
        inner = keys.ECPrivateKey.load(der, strict=True)
        if _curve(inner["parameters"]) != CURVE_OID:
            return None
    else:
        return None
    return int.from_bytes(inner["private_key"].contents)


def _curve(parameters: keys.ECDomainParameters) -> str:
    return str(parameters.chosen.dotted) if parameters.name == "named" else ""


def _multiple(scalar: int) -> tuple[int, int]:
    """scalar · G in affine coordinates."""
    a: Point = (0, 1, 0)
    b: Point = (sm2.GX, sm2.GY, 1)
    for bit in range(255, -1, -1):
        if scalar >> bit & 1:
            a, b = _add(a, b), _add(b, b)
        else:
            a, b = _add(a, a), _add(a, b)
    x, y, z = a
    inverse = pow(z, -1, sm2.P)
    return x * inverse % sm2.P, y * inverse % sm2.P


def _add(left: Point, right: Point) -> Point:
    """Sum of two points in projective coordinates by formulas that hold for every pair, equal and infinite ones included
    (Renes, Costello, Batina: Complete addition formulas for prime order elliptic curves, algorithm 4, a = -3)."""
    p, b = sm2.P, sm2.B
    (x1, y1, z1), (x2, y2, z2) = left, right
    t0, t1, t2 = x1 * x2 % p, y1 * y2 % p, z1 * z2 % p
    t3 = ((x1 + y1) * (x2 + y2) - t0 - t1) % p
    t4 = ((y1 + z1) * (y2 + z2) - t1 - t2) % p
    y3 = ((x1 + z1) * (x2 + z2) - t0 - t2) % p
    z3 = b * t2 % p
    x3 = 3 * (y3 - z3) % p
    z3 = (t1 - x3) % p
    x3 = (t1 + x3) % p
    y3 = (b * y3 - 3 * t2 - t0) % p
    y3 = 3 * y3 % p
    t0 = 3 * (t0 - t2) % p
    t1, t2 = t4 * y3 % p, t0 * y3 % p
    y3 = (x3 * z3 + t2) % p
    x3 = (t3 * x3 - t1) % p
    z3 = (t4 * z3 + t3 * t0) % p
    return x3, y3, z3


def _integer(value: int) -> bytes:
    body = value.to_bytes(value.bit_length() // 8 + 1)
    return bytes([2, len(body)]) + body


def _sequence(body: bytes) -> bytes:
    return bytes([0x30, len(body)]) + body
