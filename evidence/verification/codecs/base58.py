"""Base58 as Bitcoin and XuperChain write addresses: strict, and short.

The alphabet leaves out 0, O, I and l; each leading zero byte is a leading "1". A text has one reading and bytes have one writing,
so that nothing needs to be encoded again to be compared.
Source: Bitcoin Core, `src/base58.cpp`.
"""

from .text import CodecError

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
TEXT_MAX = 64
"""Characters: an address has 33 or 34, and the conversion is quadratic."""

_DIGIT = {c: i for i, c in enumerate(ALPHABET)}


def base58_bytes(text: str, *, length: int | None = None) -> bytes:
    """Text -> bytes. CodecError for another character, more than `TEXT_MAX` of them, or another length than `length`."""
    if len(text) > TEXT_MAX or any(c not in _DIGIT for c in text):
        raise CodecError("not base58")
    number = 0
    for c in text:
        number = number * 58 + _DIGIT[c]
    zeros = len(text) - len(text.lstrip(ALPHABET[0]))
    data = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)
    if length is not None and len(data) != length:
        raise CodecError(f"{len(data)} bytes where {length} are due")
    return data

