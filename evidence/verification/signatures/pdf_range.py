"""What a signature says it covers: /ByteRange and the container of its value (ISO 32000-2 §12.8.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..codecs import ber
from ..codecs.text import CodecError

CONTAINER_BYTES_MAX = 4 << 20
"""Bytes of a signature value with its certificates and revocation data; real ones stay under 100 KB."""


class RangeError(ValueError):
    """The range is not of the one form that leaves nothing uncovered; the message names the fault."""


class ContainerError(ValueError):
    """The container does not hold one signature value."""


@dataclass(frozen=True, slots=True)
class Range:
    """The file up to `before`, and from `after` to `end`; between them stands the container alone."""

    before: int
    after: int
    end: int

    def covered(self, data: bytes) -> bytes:
        return data[: self.before] + data[self.after : self.end]


def read(values: Any, contents: bytes, data: bytes) -> Range:
    """The range from `/ByteRange` for a container whose parsed value is `contents`. Raises RangeError.

    Four whole numbers, from the first byte on, with one gap that is the container in hexadecimal and nothing else: what stands
    in the gap is what was parsed, so that no second value can be slipped in.
    """
    numbers = _numbers(values)
    start, before, after, length = numbers
    end = after + length
    if start != 0 or not 0 < before < after <= end <= len(data):
        raise RangeError("gap, overlap or numbers outside the file")
    gap = data[before:after]
    if gap[:1] != b"<" or gap[-1:] != b">" or len(gap) != 2 * len(contents) + 2:
        raise RangeError("the gap is not the container")
    if gap[1:-1].lower() != contents.hex().encode():
        raise RangeError("the gap is not the container")
    return Range(before, after, end)


def _numbers(values: Any) -> Sequence[int]:
    try:
        numbers = [int(v) for v in values if isinstance(v, int) and not isinstance(v, bool)]
        count = len(values)
    except (TypeError, ValueError) as fault:
        raise RangeError("no list of numbers") from fault
    if count != 4 or len(numbers) != 4:
        raise RangeError(f"{count} numbers where four are due")
    return numbers


def value(contents: bytes) -> bytes:
    """The one BER value in the container, without the zeros that pad it. Raises ContainerError."""
    if not contents.strip(b"\0"):
        raise ContainerError("the container is empty")
    if len(contents) > CONTAINER_BYTES_MAX:
        raise ContainerError("the container is too large")
    try:
        end = ber.extent(contents)
    except CodecError as fault:
        raise ContainerError(str(fault)) from fault
    if contents[end:].strip(b"\0"):
        raise ContainerError("bytes behind the signature value in its container")
    return contents[:end]


_TOKENS = (b" obj", b"endobj", b"startxref", b"trailer", b"xref", b"stream", b"%%EOF")


def trailing(data: bytes, start: int) -> tuple[int, bool]:
    """(bytes behind the first end mark from `start` on but its line end, whether they look like further objects of the file).

    `start`: the end of the last table of objects, behind which only its end mark is due. Some readers rebuild a file from
    whatever objects they find, so that objects which no table names are an update all the same.
    """
    place = data.find(b"%%EOF", start)
    rest = data[place + 5 :] if place >= 0 else b""
    rest = rest.lstrip(b"\r\n")
    return len(rest), any(token in rest for token in _TOKENS)
