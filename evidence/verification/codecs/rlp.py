"""Strict RLP (Ethereum yellow paper, appendix B): one encoding for each value, and nothing behind it.

Refused when decoding: a single byte below 0x80 with a prefix of its own, a length that is not the shortest, one that reaches beyond
the data, bytes behind the item, nesting and item counts beyond the bounds. Numbers are big-endian without leading zeros; zero is empty.
"""

from collections.abc import Sequence
from typing import TypeAlias

from .text import CodecError

Item: TypeAlias = "bytes | list[Item]"

DEPTH_MAX = 16
"""Nesting; transactions with access lists use 4."""
ITEMS_MAX = 100_000
"""Items of one value, as many as a block may hold transactions."""
LENGTH_BYTES_MAX = 4
"""Bytes of a long length: 4 GiB, beyond any file the core reads whole."""


def encode(item: bytes | int | Sequence[object]) -> bytes:
    """Bytes, a number that is not negative, or a sequence of such -> RLP. ValueError for anything else."""
    if isinstance(item, bool) or (isinstance(item, int) and item < 0):
        raise ValueError("neither bytes nor a natural number")
    if isinstance(item, int):
        item = natural_bytes(item)
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < 0x80 else _head(0x80, len(item)) + item
    if isinstance(item, (str, bytearray)) or not isinstance(item, Sequence):
        raise ValueError("neither bytes nor a natural number")
    body = b"".join(encode(part) for part in item)  # type: ignore[arg-type]
    return _head(0xC0, len(body)) + body


def natural_bytes(number: int) -> bytes:
    """Big-endian without leading zeros; nothing for zero."""
    return number.to_bytes((number.bit_length() + 7) // 8)


def natural(item: Item) -> int:
    """The number that an item stands for. CodecError for a list or for leading zeros."""
    if not isinstance(item, bytes):
        raise CodecError("a list where a number is due")
    if item[:1] == b"\0":
        raise CodecError("an RLP number with leading zeros")
    return int.from_bytes(item)


def decode(data: bytes) -> Item:
    """The one item that fills `data`. CodecError otherwise."""
    item, end, _ = _decode(data, 0, len(data), 0, 0)
    if end != len(data):
        raise CodecError("bytes after the RLP item")
    return item


def _decode(data: bytes, at: int, end: int, depth: int, count: int) -> tuple[Item, int, int]:
    """The item at `at`, the offset behind it, and how many items were read so far."""
    if at >= end:
        raise CodecError("no RLP item where one is due")
    if count >= ITEMS_MAX:
        raise CodecError("more RLP items than the reader takes")
    first = data[at]
    if first < 0x80:
        return data[at : at + 1], at + 1, count + 1
    is_list = first >= 0xC0
    short = first - (0xC0 if is_list else 0x80)
    start = at + 1
    if short <= 55:
        length = short
    else:
        octets = data[start : min(start + short - 55, end)]
        if short - 55 > LENGTH_BYTES_MAX or len(octets) != short - 55 or octets[0] == 0:
            raise CodecError("an RLP length that is not the shortest, or too long")
        length, start = int.from_bytes(octets), start + len(octets)
        if length <= 55:
            raise CodecError("an RLP length that is not the shortest, or too long")
    stop = start + length
    if stop > end:
        raise CodecError("an RLP item longer than its data")
    if not is_list:
        content = data[start:stop]
        if length == 1 and content[0] < 0x80:
            raise CodecError("a single byte with an RLP prefix of its own")
        return content, stop, count + 1
    if depth >= DEPTH_MAX:
        raise CodecError("RLP nested too deeply")
    items: list[Item] = []
    count += 1
    while start < stop:
        item, start, count = _decode(data, start, stop, depth + 1, count)
        items.append(item)
    return items, stop, count


def _head(base: int, length: int) -> bytes:
    if length <= 55:
        return bytes([base + length])
    octets = natural_bytes(length)
    return bytes([base + 55 + len(octets)]) + octets
