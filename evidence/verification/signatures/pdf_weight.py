"""How much a PDF inflates to, told before a native library draws it: streams stand in the file as they are, never inside another.

A look at the raw bytes, not at objects: each `stream` keyword with the dictionary before it. What cannot be weighed (several
compressing filters on top of each other, encryption) is not drawn. What this does not bound, such as a drawing that calls itself
by halves, ends with the processor time of the jail.
"""

import base64
import re
import zlib
from collections.abc import Iterator

DICTIONARY_BYTES = 4096
"""Bytes before the keyword in which the dictionary is looked for; with a long list of parameters it has a few hundred."""
PICTURE_BYTES_MAX, PICTURES_BYTES_MAX = 128 << 20, 1 << 30
"""One picture: a page of A3 at 600 dots an inch in colour has 104 MB. All: forty such pages at 300 dots."""
PICTURE_POINTS_MAX = 150_000_000
OTHER_BYTES_MAX, OTHERS_BYTES_MAX = 24 << 20, 96 << 20
"""One drawing, font or table: a Chinese font that is not cut down has 20 MB. All of them: a report has under 10."""
STREAMS_MAX = 50_000
"""Streams looked at, at 20 µs each. A page has one to ten."""
CHUNK = 1 << 20

_KEYWORD = re.compile(rb"(?<!end)stream(?:\r\n|\n|\r)")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_FILTER = re.compile(
    rb"/(FlateDecode|Fl|LZWDecode|LZW|RunLengthDecode|RL|ASCII85Decode|A85|ASCIIHexDecode|AHx)(?![A-Za-z0-9])"
)
_PICTURE = re.compile(rb"/Subtype\s*/Image(?![A-Za-z])")
_SIDE = re.compile(rb"/(?:Width|Height|W|H)\s+(\d{1,12})(?![\d.])")
_PACKING = {b"FlateDecode": 0, b"Fl": 0, b"LZWDecode": 1400, b"LZW": 1400, b"RunLengthDecode": 64, b"RL": 64}
"""Greatest growth of the filters that are not run here (ISO 32000-2 §7.4.4, §7.4.5); Flate is run."""


class TooHeavy(ValueError):
    """The file is not drawn; the message says why."""


def check(data: bytes) -> None:
    """Raises TooHeavy."""
    if b"/Encrypt" in data:
        raise TooHeavy("encrypted files are not drawn")
    pictures = others = 0
    for dictionary, start in _streams(data):
        picture = _PICTURE.search(dictionary) is not None
        sides = [int(n) for n in _SIDE.findall(dictionary)] if picture else []
        if len(sides) >= 2 and sorted(sides)[-1] * sorted(sides)[-2] > PICTURE_POINTS_MAX:
            raise TooHeavy("a picture of too many points")
        limit = PICTURE_BYTES_MAX if picture else OTHER_BYTES_MAX
        size = _size(dictionary, data, start, limit)
        pictures, others = (pictures + size, others) if picture else (pictures, others + size)
        if size > limit or pictures > PICTURES_BYTES_MAX or others > OTHERS_BYTES_MAX:
            raise TooHeavy("inflated, it is too large")


def _streams(data: bytes) -> Iterator[tuple[bytes, int]]:
    """(what stands before it since its object's head, offset of its bytes) of each stream."""
    end = 0
    for number, found in enumerate(_KEYWORD.finditer(data)):
        if number >= STREAMS_MAX:
            raise TooHeavy("too many streams")
        before = data[max(end, found.start() - DICTIONARY_BYTES) : found.start()]
        head = before.rpartition(b"obj")[2]
        yield _ESCAPED.sub(lambda m: bytes([int(m[1], 16)]), head), found.end()
        end = found.end()


def _size(dictionary: bytes, data: bytes, start: int, limit: int) -> int:
    """Bytes of the stream once inflated, counted no further than just over `limit`."""
    filters = _FILTER.findall(dictionary)
    packing = [f for f in filters if f in _PACKING]
    if len(packing) > 1:
        raise TooHeavy("several filters on top of each other")
    if packing and filters[0] not in _PACKING:
        return _inflated(_unwritten(data, start, filters[0]), limit)
    if packing and (growth := _PACKING[packing[0]]):
        end = data.find(b"endstream", start)
        return ((end if end >= 0 else len(data)) - start) * growth
    if packing or _looks_deflated(data[start : start + 2]):
        return _inflated(memoryview(data)[start:], limit)
    return 0


def _looks_deflated(head: bytes) -> bool:
    """RFC 1950 §2.2; whatever the dictionary says, or leaves to another object."""
    return len(head) == 2 and head[0] & 0x0F == 8 and int.from_bytes(head) % 31 == 0


def _unwritten(data: bytes, start: int, name: bytes) -> bytes:
    """The bytes behind a filter that writes them as text."""
    end = data.find(b"endstream", start)
    text = data[start : end if end >= 0 else len(data)].strip()
    try:
        if name in (b"ASCII85Decode", b"A85"):
            return base64.a85decode(text.removeprefix(b"<~").removesuffix(b"~>").strip())
        return bytes.fromhex(re.sub(rb"\s", b"", text).removesuffix(b">").decode("ascii"))
    except ValueError as fault:
        raise TooHeavy("a stream that cannot be weighed") from fault


def _inflated(data: bytes | memoryview, limit: int) -> int:
    inflate, total, offset = zlib.decompressobj(), 0, 0
    pending: bytes = b""
    try:
        while total <= limit and not inflate.eof and (pending or offset < len(data)):
            if not pending:
                pending = bytes(data[offset : offset + CHUNK])
                offset += CHUNK
            total += len(inflate.decompress(pending, CHUNK))
            pending = inflate.unconsumed_tail
    except zlib.error:
        return total
    return total
