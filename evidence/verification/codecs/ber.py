"""BER read tolerantly and written as DER (ITU-T X.690 §8, §10, §11): what is hashed in a signature is DER, whatever was sent."""

from .text import CodecError

DEPTH_MAX = 32
"""Nesting; signed attributes stay under 12."""

_SET = 0x31
_OCTET_STRING = 0x04
_CONSTRUCTED = 0x20
_END = b"\x00\x00"


def to_der(data: bytes) -> bytes:
    """One BER element -> DER: definite shortest lengths, segments of octet strings joined, members of sets in order.

    Values of primitive elements are kept as they are. Raises CodecError.
    """
    encoded, end = _element(data, 0, DEPTH_MAX)
    if end != len(data):
        raise CodecError("bytes after the BER value")
    return encoded


def extent(data: bytes) -> int:
    """Bytes that the BER element at the start of `data` takes; what follows it is not looked at. Raises CodecError."""
    return _element(data, 0, DEPTH_MAX)[1]


def _element(data: bytes, start: int, depth: int) -> tuple[bytes, int]:
    if depth == 0:
        raise CodecError("BER nested too deeply")
    tag, offset = _tag(data, start)
    length, offset = _length(data, offset)
    constructed = bool(tag[0] & _CONSTRUCTED)
    if not constructed:
        if length is None or offset + length > len(data):
            raise CodecError("BER element longer than its data")
        return encode(tag, data[offset : offset + length]), offset + length

    members, end = [], None if length is None else offset + length
    if end is not None and end > len(data):
        raise CodecError("BER element longer than its data")
    while end is None or offset < end:
        if end is None and data[offset : offset + 2] == _END:
            offset += 2
            break
        member, offset = _element(data, offset, depth - 1)
        members.append(member)
    if end is not None and offset != end:
        raise CodecError("BER members longer than their frame")
    if tag == bytes([_OCTET_STRING | _CONSTRUCTED]):
        return encode(bytes([_OCTET_STRING]), b"".join(map(_segment, members))), offset
    if tag == bytes([_SET]):
        members.sort()
    return encode(tag, b"".join(members)), offset


def _segment(member: bytes) -> bytes:
    if member[0] != _OCTET_STRING:
        raise CodecError("segment that is not an octet string")
    length, offset = _length(member, 1)
    return member[offset : offset + (length or 0)]


def _tag(data: bytes, start: int) -> tuple[bytes, int]:
    if start >= len(data):
        raise CodecError("BER data ends early")
    if data[start] & 0x1F != 0x1F:
        return data[start : start + 1], start + 1
    end = start + 1
    while end < len(data) and data[end] & 0x80:
        end += 1
    if end >= len(data) or end - start > 4:
        raise CodecError("BER tag cut off or oversized")
    return data[start : end + 1], end + 1


def _length(data: bytes, offset: int) -> tuple[int | None, int]:
    """(length, offset behind it); None for the indefinite form."""
    if offset >= len(data):
        raise CodecError("BER data ends early")
    first = data[offset]
    if first < 0x80:
        return first, offset + 1
    if first == 0x80:
        return None, offset + 1
    count = first & 0x7F
    if count > 4 or offset + 1 + count > len(data):
        raise CodecError("BER length cut off or oversized")
    return int.from_bytes(data[offset + 1 : offset + 1 + count]), offset + 1 + count


def header(data: bytes, start: int) -> tuple[int, int, int | None]:
    """(first tag octet, offset of the content, its length or None when indefinite) of the element at `start`, whose content
    need not be there yet. Raises CodecError."""
    tag, offset = _tag(data, start)
    length, offset = _length(data, offset)
    return tag[0], offset, length


def encode(tag: bytes, content: bytes) -> bytes:
    """Tag and content with the shortest definite length."""
    length = len(content)
    if length < 0x80:
        return tag + bytes([length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return tag + bytes([0x80 | len(octets)]) + octets + content
