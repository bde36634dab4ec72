"""XuperChain's keys, addresses and signatures (spec consortium-chains §8; xuperchain/core/crypto `account`, `gm`).

A public key is JSON text with the name of its curve and two decimal coordinates; the text itself is hashed into blocks and
transactions, so only the one spelling that the chain writes is taken. Signatures are DER, over the digest itself: ECDSA on P-256
without a second hash, SM2 with e = the digest, without the signer's Z_A.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from .. import digests
from ..codecs import der
from ..codecs.base58 import base58_bytes
from ..codecs.text import CodecError
from ..keys import ecdsa, sm2

COORDINATE_BYTES = 32
ADDRESS_BYTES = 25
"""Version, 20 bytes of hash, 4 bytes of check sum."""

KEY_TEXT_MAX = 256
"""Characters: two coordinates of 78 digits and some 30 more."""
SIGNATURE_BYTES_MAX = 72
"""DER of two numbers of 256 bits."""

_KEY = re.compile(r'\{"Curvname":"(P-256|SM2-P-256)","X":(0|[1-9][0-9]{0,77}),"Y":(0|[1-9][0-9]{0,77})\}', re.ASCII)


@dataclass(frozen=True, slots=True)
class Suite:
    """The algorithms of one chain. Blocks and transactions are hashed with SHA-256 twice under either."""

    signature: str
    """As the court's profile names it."""
    curve: str
    """As the chain's keys name it."""
    address_version: int
    address_hash: str
    check_sums: tuple[str, ...]
    """Digests whose first four bytes end an address. They guard against slips of the pen; who is meant stands before them."""


ECDSA = Suite("ECDSA-P256", "P-256", 1, "SHA-256", ("SHA-256D",))
GUOMI = Suite("SM2", "SM2-P-256", 2, "SM3", ("SM3", "SHA-256D"))
SUITES = (ECDSA, GUOMI)


@dataclass(frozen=True, slots=True)
class PublicKey:
    suite: Suite
    point: bytes
    """x‖y, 64 bytes, as the court pins validators of this family."""


def public_key(text: str) -> PublicKey | None:
    """The chain's own spelling of a key -> the key; None for anything else."""
    return _public_key(text) if len(text) <= KEY_TEXT_MAX else None


@lru_cache(maxsize=4096)
def _public_key(text: str) -> PublicKey | None:
    found = _KEY.fullmatch(text)
    if not found:
        return None
    suite = next(s for s in SUITES if s.curve == found[1])
    x, y = int(found[2]), int(found[3])
    if max(x, y) >> (8 * COORDINATE_BYTES):
        return None
    return PublicKey(suite, x.to_bytes(COORDINATE_BYTES) + y.to_bytes(COORDINATE_BYTES))


def is_address_of(text: str, key: PublicKey) -> bool:
    """Whether `text` is base58(version ‖ RIPEMD-160(H(04‖x‖y)) ‖ check sum) of this key, H and check sum by suite."""
    try:
        data = base58_bytes(text, length=ADDRESS_BYTES)
    except CodecError:
        return False
    body, check_sum = data[:-4], data[-4:]
    return body == _body(key) and any(digests.digest(a, body)[:4] == check_sum for a in key.suite.check_sums)


def signed(key: PublicKey, signature: bytes, digest: bytes) -> bool:
    """Whether `signature` over the 32 bytes of `digest` is by `key`."""
    return len(signature) <= SIGNATURE_BYTES_MAX and _signed(key, signature, digest)


@lru_cache(maxsize=4096)
def _signed(key: PublicKey, signature: bytes, digest: bytes) -> bool:
    """Kept: one block stands behind many transactions."""
    try:
        order = sm2.N if key.suite is GUOMI else ecdsa.ORDER["P-256"]
        r, s = der.signature(signature, order=order)
    except CodecError:
        return False
    if key.suite is GUOMI:
        return sm2.verify_digest(key.point, r, s, digest)
    return ecdsa.verify_digest(key.point, r, s, digest, curve="P-256")


@lru_cache(maxsize=4096)
def _body(key: PublicKey) -> bytes:
    from Crypto.Hash import RIPEMD160

    hashed = digests.digest(key.suite.address_hash, b"\x04" + key.point)
    return bytes([key.suite.address_version]) + RIPEMD160.new(hashed).digest()
