"""Strict text codecs: decode, encode again, and the two must be equal (the round-trip rule).

Library decoders skip junk (`b64decode`), take spaces (`bytes.fromhex`) or foreign digits (`int`); a proof that reads
differently in two programs is no proof. Every function raises `CodecError` and nothing else.
"""

import base64
import binascii
import re


class CodecError(ValueError):
    """The text is not the one canonical form. The message names the offence, never echoes the input."""


_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,19})", re.ASCII)


def hex_bytes(text: str, *, length: int | None = None, prefix: str = "", any_case: bool = False) -> bytes:
    """Hexadecimal text -> bytes. `prefix` ("0x") must be present when given; lower case unless `any_case`."""
    if not text.startswith(prefix):
        raise CodecError(f"hex text without the prefix {prefix}")
    body = text[len(prefix) :]
    if any_case:
        body = body.lower()
    if len(body) % 2 or not re.fullmatch(r"[0-9a-f]*", body, re.ASCII):
        raise CodecError("not canonical hexadecimal")
    data = bytes.fromhex(body)
    if length is not None and len(data) != length:
        raise CodecError(f"{len(data)} bytes where {length} are due")
    return data


def base64_bytes(text: str, *, length: int | None = None) -> bytes:
    """RFC 4648 §4 with padding and zero tail bits -> bytes."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError) as fault:
        raise CodecError("not base64") from fault
    if base64.b64encode(data).decode() != text:
        raise CodecError("not canonical base64")
    if length is not None and len(data) != length:
        raise CodecError(f"{len(data)} bytes where {length} are due")
    return data


def decimal(text: str, *, maximum: int = (1 << 64) - 1) -> int:
    """ASCII decimal without sign, leading zero or separators -> int in 0..maximum."""
    if not _DECIMAL.fullmatch(text):
        raise CodecError("not a canonical decimal number")
    value = int(text)
    if value > maximum:
        raise CodecError("number out of range")
    return value
