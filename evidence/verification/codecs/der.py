"""Strict DER (ITU-T X.690 §10): definite, shortest lengths; shortest integers; nothing after the value.

Only what signatures and keys on ledgers need. Whole certificates and CMS messages go through asn1crypto and `cryptography`.
"""

from .text import CodecError

INTEGER = 0x02
BIT_STRING = 0x03
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30

LENGTH_BYTES_MAX = 4
"""Bytes of a long-form length: 4 GiB, beyond any file the core reads whole."""
OID_BYTES_MAX = 64
"""Real identifiers stay under 20 bytes."""


def element(data: bytes, tag: int, *, offset: int = 0) -> tuple[bytes, int]:
    """The content of the element with `tag` at `offset`, and the offset behind it. CodecError otherwise."""
    if offset + 2 > len(data) or data[offset] != tag:
        raise CodecError(f"no DER element with tag {tag:#04x}")
    length, start = data[offset + 1], offset + 2
    if length & 0x80:
        count = length & 0x7F
        octets = data[start : start + count]
        if not 1 <= count <= LENGTH_BYTES_MAX or len(octets) != count:
            raise CodecError("indefinite or oversized DER length")
        length, start = int.from_bytes(octets), start + count
        if length < 0x80 or octets[0] == 0:
            raise CodecError("DER length that is not the shortest")
    if start + length > len(data):
        raise CodecError("DER element longer than its data")
    return data[start : start + length], start + length


def whole(data: bytes, tag: int) -> bytes:
    """The content of the one element that fills `data`."""
    content, end = element(data, tag)
    if end != len(data):
        raise CodecError("bytes after the DER value")
    return content


def natural(content: bytes) -> int:
    """The content octets of a non-negative INTEGER -> int."""
    if not content or content[0] & 0x80:
        raise CodecError("DER INTEGER is empty or negative")
    if len(content) > 1 and content[0] == 0 and not content[1] & 0x80:
        raise CodecError("DER INTEGER that is not the shortest")
    return int.from_bytes(content)


def object_identifier(content: bytes) -> str:
    """The content octets of an OBJECT IDENTIFIER -> dotted text."""
    if not content or content[-1] & 0x80 or len(content) > OID_BYTES_MAX:
        raise CodecError("DER OBJECT IDENTIFIER is empty, cut off or oversized")
    arcs, value = [], 0
    for octet in content:
        if value == 0 and octet == 0x80:
            raise CodecError("DER OBJECT IDENTIFIER that is not the shortest")
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def signature(data: bytes, *, order: int) -> tuple[int, int]:
    """`SEQUENCE { r INTEGER, s INTEGER }` -> (r, s), both in 1..order-1. CodecError otherwise."""
    body = whole(data, SEQUENCE)
    first, offset = element(body, INTEGER)
    second, end = element(body, INTEGER, offset=offset)
    if end != len(body):
        raise CodecError("bytes after the DER value")
    r, s = natural(first), natural(second)
    if not (0 < r < order and 0 < s < order):
        raise CodecError("signature value out of range")
    return r, s
