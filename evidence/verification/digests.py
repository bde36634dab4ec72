"""Digest algorithms by name, with their strength.

Names are those of the report annex: SHA-256, SHA-384, SHA-512, SM3, SHA3-256 are strong; SHA-1 and MD5 are broken and cap
every result that rests on them (DESIGN §4). KECCAK-256 is the padding of Ethereum and FISCO BCOS, not SHA3-256. SHA-256D is SHA-256
of the SHA-256, as Bitcoin and XuperChain hash.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

BLOCKS_AHEAD = 4
"""Blocks that wait for the slower of two hashers: enough that it never waits, and few MiB of memory."""


class Hasher(Protocol):
    def update(self, data: bytes, /) -> object: ...
    def digest(self) -> bytes: ...


STRONG = ("SHA-256", "SM3", "SHA-384", "SHA-512", "SHA3-256")
"""In the order in which a digest of unnamed algorithm is tried."""
BROKEN = ("SHA-1", "MD5")
LENGTH = {
    "SHA-256": 32,
    "SM3": 32,
    "SHA-384": 48,
    "SHA-512": 64,
    "SHA3-256": 32,
    "SHA-1": 20,
    "MD5": 16,
    "KECCAK-256": 32,
    "SHA-256D": 32,
}


def hasher(algorithm: str) -> Hasher:
    """A fresh streaming hasher. KeyError for a name outside `LENGTH`."""
    return _FACTORIES[algorithm]()


def digest(algorithm: str, data: bytes) -> bytes:
    h = hasher(algorithm)
    h.update(data)
    return h.digest()


def sha256_and_sm3(blocks: Iterable[bytes]) -> tuple[bytes, bytes]:
    """Both digests of what is read once, block after block: SM3, four times slower than SHA-256, in a thread of its own (both
    leave the interpreter's lock alone while they hash). Worth it from some MiB on. What `blocks` raises is passed on.
    """
    sha256, sm3 = hasher("SHA-256"), hasher("SM3")
    ahead: deque[Future[object]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="sm3") as thread:
        for block in blocks:
            ahead.append(thread.submit(sm3.update, block))
            sha256.update(block)
            if len(ahead) >= BLOCKS_AHEAD:
                ahead.popleft().result()
        for future in ahead:
            future.result()
    return sha256.digest(), sm3.digest()


def canonical_name(text: str) -> str | None:
    """`sha256`, `SHA_256`, `Sha-256` … -> `SHA-256`; None for a name that is not one of ours."""
    key = text.strip().upper().replace("_", "").replace("-", "").replace(" ", "")
    return _SPELLINGS.get(key)


def _sm3() -> Hasher:
    # OpenSSL of some distributions is built without SM3; `cryptography` brings its own.
    try:
        return hashlib.new("sm3")
    except ValueError:
        from cryptography.hazmat.primitives import hashes

        return _Sm3(hashes.Hash(hashes.SM3()))


class _Sm3:
    def __init__(self, inner: object) -> None:
        self._inner = inner

    def update(self, data: bytes, /) -> None:
        self._inner.update(data)  # type: ignore[attr-defined]

    def digest(self) -> bytes:
        return bytes(self._inner.copy().finalize())  # type: ignore[attr-defined]


class _DoubleSha256:
    def __init__(self) -> None:
        self._inner = hashlib.sha256()

    def update(self, data: bytes, /) -> None:
        self._inner.update(data)

    def digest(self) -> bytes:
        return hashlib.sha256(self._inner.digest()).digest()


def _keccak() -> Hasher:
    from Crypto.Hash import keccak

    return keccak.new(digest_bits=256)


_FACTORIES: dict[str, Callable[[], Hasher]] = {
    "SHA-256": hashlib.sha256,
    "SM3": _sm3,
    "SHA-384": hashlib.sha384,
    "SHA-512": hashlib.sha512,
    "SHA3-256": hashlib.sha3_256,
    "SHA-1": lambda: hashlib.sha1(usedforsecurity=False),
    "MD5": lambda: hashlib.md5(usedforsecurity=False),
    "KECCAK-256": _keccak,
    "SHA-256D": _DoubleSha256,
}
_SPELLINGS = {name.replace("-", ""): name for name in LENGTH}
