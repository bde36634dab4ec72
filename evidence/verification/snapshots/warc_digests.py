"""Digest headers of WARC records and what they were taken over (WARC 1.1 §5.8 and §5.9; spec snapshots §4, steps 5 and 6).

`labelled-digest = algorithm ":" value`; the standard names neither algorithms nor an encoding, so the encoding follows from
the length. The payload of an HTTP record is its entity body; most writers hash it as stored, others with the chunks of the
transfer coding removed: both readings are tried and the one that matches is named.
"""

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol, cast

from .. import digests
from ..reasons import Reason

HTTP_HEADER_MAX = 256 << 10
"""Bytes of an HTTP header inside a block; real pages exceed 32 KiB."""
DECODED_MAX = 16 << 20
"""Bytes to which content is decoded to explain a mismatch; it never makes anything pass."""
CHUNK_LINE_MAX = 4096
"""Bytes of a line between chunks: a size of 15 digits and extensions, which nobody writes."""


class Hasher(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...
    def digest(self) -> bytes: ...


_ALGORITHMS: dict[bytes, tuple[str, int, Callable[[], Hasher]]] = {
    b"sha1": ("SHA-1", 20, lambda: hashlib.sha1(usedforsecurity=False)),
    b"sha256": ("SHA-256", 32, hashlib.sha256),
    b"sha384": ("SHA-384", 48, hashlib.sha384),
    b"sha512": ("SHA-512", 64, hashlib.sha512),
    b"sha3224": ("SHA3-224", 28, hashlib.sha3_224),
    b"sha3256": ("SHA3-256", 32, hashlib.sha3_256),
    b"sha3384": ("SHA3-384", 48, hashlib.sha3_384),
    b"sha3512": ("SHA3-512", 64, hashlib.sha3_512),
    b"blake2b": ("BLAKE2b", 64, hashlib.blake2b),
    b"blake2s": ("BLAKE2s", 32, hashlib.blake2s),
    b"sm3": ("SM3", 32, lambda: cast(Hasher, digests.hasher("SM3"))),
    b"md5": ("MD5", 16, lambda: hashlib.md5(usedforsecurity=False)),
}
_URL_SAFE = bytes.maketrans(b"-_+/", b"+/--")
"""The URL-safe alphabet; mixed with the other one it becomes what `b64decode` refuses."""
_HEX = re.compile(rb"[0-9A-Fa-f]+")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz234567"
_BASE32_DIGITS = bytes(b if b in _ALPHABET else 0x21 for b in range(256)).translate(
    bytes.maketrans(_ALPHABET, b"0123456789ABCDEFGHIJKLMNOP0123456789ABCDEFGHIJKLMNOPQRSTUV")
)
"""RFC 4648 alphabet -> the digits of base 32 that `int` reads; all else (blanks, signs and `_` too) -> `!`, which it refuses."""


class Recorded(NamedTuple):
    """A digest as a record states it."""

    algorithm: str
    value: bytes
    hasher: Callable[[], Hasher]
    hyphen: bool
    """The label is written with a hyphen (`sha-256:`)."""


def parse(text: bytes) -> Recorded | Reason:
    """A digest header value -> the digest, or DIGEST_ALGORITHM_UNKNOWN / DIGEST_MALFORMED."""
    label, colon, value = text.partition(b":")
    known = _ALGORITHMS.get(label) or _ALGORITHMS.get(label.lower().replace(b"-", b""))
    if not colon or known is None:
        return Reason.DIGEST_ALGORITHM_UNKNOWN
    algorithm, size, hasher = known
    # The length tells the encoding: hex, base32 or base64, padded or not.
    decoder = _DECODERS.get((size, len(value), value.endswith(b"=")))
    decoded = None if decoder is None else decoder(value, size)
    return Reason.DIGEST_MALFORMED if decoded is None else Recorded(algorithm, decoded, hasher, b"-" in label)


def _hex(text: bytes, size: int) -> bytes | None:
    return bytes.fromhex(text.decode("ascii")) if _HEX.fullmatch(text) else None


def _base32(text: bytes, size: int) -> bytes | None:
    bare = text.rstrip(b"=")
    spare = 5 * len(bare) - 8 * size
    if not 0 <= spare < 5:
        return None
    try:
        number = int(bare.translate(_BASE32_DIGITS), 32)
    except ValueError:
        return None
    if number & ((1 << spare) - 1):
        return None
    return (number >> spare).to_bytes(size, "big")


def _base64(text: bytes, size: int) -> bytes | None:
    bare = text.rstrip(b"=")
    if b"-" in bare or b"_" in bare:
        bare = bare.translate(_URL_SAFE)
    padded = bare + b"=" * (-len(bare) % 4)
    try:
        value = base64.b64decode(padded, validate=True)
    except binascii.Error:
        return None
    return value if len(value) == size and base64.b64encode(value) == padded else None


def _decoders() -> Iterator[tuple[tuple[int, int, bool], Callable[[bytes, int], bytes | None]]]:
    """(size of the digest, length of the text, does it end in `=`) -> its encoding. Where two would fit hex goes before base32,
    base32 before base64: the later of two equal keys counts."""
    for size in {size for _, size, _ in _ALGORITHMS.values()}:
        for bits, decoder in ((6, _base64), (5, _base32)):
            group = {6: (3, 4), 5: (5, 8)}[bits]
            yield (size, -(-size * 8 // bits), False), decoder
            for padded in (False, True):
                yield (size, -(-size // group[0]) * group[1], padded), decoder
        yield (size, 2 * size, False), _hex


_DECODERS = dict(_decoders())


# --- the payload of an HTTP message -------------------------------------------------------------------------------------

_EMPTY_LINE = re.compile(rb"\n\r?\n")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding:[^\r\n]*\bchunked\b")
_CODED = re.compile(rb"(?im)^content-encoding:[ \t]*([^\r\n]*)")


class HttpHead(NamedTuple):
    """The header of an HTTP message up to and with its empty line."""

    text: bytes

    @property
    def line_feeds(self) -> bool:
        """The lines end in LF only."""
        return b"\r\n" not in self.text

    @property
    def chunked(self) -> bool:
        return _CHUNKED.search(self.text) is not None

    @property
    def coding(self) -> bytes:
        found = _CODED.search(self.text)
        return found[1].strip().lower() if found else b""


def http_head(block: bytes | memoryview) -> HttpHead | None:
    """The HTTP header at the start of a block (at most HTTP_HEADER_MAX bytes are looked at), or None without empty line."""
    found = _EMPTY_LINE.search(block, 0, HTTP_HEADER_MAX)
    return None if found is None else HttpHead(bytes(block[: found.end()]))


class Dechunker:
    """Transfer coding `chunked` (RFC 9112 §7.1), fed piece by piece; strict, because a lenient reading would find a match
    where there is none. `complete` once the last chunk and its trailer have ended exactly at the end of what was fed."""

    _SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?")

    def __init__(self) -> None:
        self._left = 0
        self._line = b""
        self._state = "size"
        self.failed = False

    @property
    def complete(self) -> bool:
        return self._state == "end" and not self.failed

    def feed(self, data: bytes | memoryview) -> Iterable[bytes | memoryview]:
        """The content of the chunks in `data`."""
        at, size = 0, len(data)
        while at < size and not self.failed:
            if self._state == "data":
                take = min(self._left, size - at)
                yield data[at : at + take]
                at += take
                self._left -= take
                if not self._left:
                    self._state = "after"
                continue
            at = self._read_line(data, at)

    def _read_line(self, data: bytes | memoryview, at: int) -> int:
        """Collect a line; at its end do what the state asks for."""
        window = bytes(data[at : at + CHUNK_LINE_MAX])
        stop = window.find(b"\n")
        self._line += window if stop < 0 else window[: stop + 1]
        if self._state == "end" or len(self._line) > CHUNK_LINE_MAX:
            self.failed = True
        if stop < 0:
            return at + len(window)
        line, self._line = self._line, b""
        if not line.endswith(b"\r\n"):
            self.failed = True
        elif self._state == "size":
            found = self._SIZE.fullmatch(line[:-2])
            self.failed |= found is None
            self._left = int(found[1], 16) if found else 0
            self._state = "data" if self._left else "trailer"
        elif self._state == "after":
            self.failed |= line != b"\r\n"
            self._state = "size"
        elif line == b"\r\n":
            self._state = "end"
        return at + stop + 1


def content_decoded(body: bytes | memoryview, coding: bytes) -> bytes | None:
    """A gzip or deflate body decoded, only to explain a mismatch; None when that does not work, whatever the cause."""
    forms = {b"gzip": (31,), b"x-gzip": (31,), b"deflate": (15, -15)}.get(coding, ())
    for form in forms:
        inflater = zlib.decompressobj(form)
        try:
            decoded = inflater.decompress(body, DECODED_MAX)
        except zlib.error:
            continue
        if inflater.eof:
            return decoded
    return None
