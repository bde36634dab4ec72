"""The structures of containers walked to their last byte: what each announces, and whether it is there.

Only lengths and markers are read, a few bytes at each seek, with a bound on every walk. Each walk yields the flaws it sees.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

HEAD = 64 << 10
"""Read from the start for magic and text."""
TAIL = 22 + 0xFFFF
"""Read from the end: a zip's closing record with the longest comment."""
STEPS_MAX = 100_000
"""Chunks, segments or boxes of one file: an hour of video in fragments of one second has 7,200."""
MEMBERS_MAX = 50_000
"""Zip entries looked at (spec snapshots §12)."""
DIRECTORY_MAX = 32 << 20
"""Bytes of a zip's directory: 50,000 entries with long names."""


class Flaw(StrEnum):
    """What the structure shows at once."""

    TORN = "TORN"
    """Bytes its own structure announces are not there."""
    TRAILING = "TRAILING"
    """Bytes follow after its structure has ended."""
    ENCRYPTED = "ENCRYPTED"
    ALSO_ZIP = "ALSO_ZIP"
    ALSO_PDF = "ALSO_PDF"
    """It also opens as something else: two readers would see two things."""


# ── structures walked to their end ────────────────────────────────────────────────────────────────────────────────────


def png(file: BinaryIO, size: int) -> Iterator[Flaw]:
    """ISO/IEC 15948 §5: chunks of length, type, data, CRC until IEND."""
    position = 8
    for _ in range(STEPS_MAX):
        header = at(file, position, 8)
        if len(header) < 8:
            yield Flaw.TORN
            return
        position += 12 + int.from_bytes(header[:4], "big")
        if position > size:
            yield Flaw.TORN
            return
        if header[4:] == b"IEND":
            if position < size:
                yield Flaw.TRAILING
            return


def jpeg(file: BinaryIO, size: int) -> Iterator[Flaw]:
    """ITU-T T.81 annex B: marker segments, then entropy-coded data in which FF is followed by 00 or a restart, until EOI."""
    position = 2
    for _ in range(STEPS_MAX):
        marker = at(file, position, 4)
        if len(marker) < 2 or marker[0] != 0xFF:
            yield Flaw.TORN
            return
        kind = marker[1]
        if kind == 0xFF:  # fill byte
            position += 1
            continue
        if kind == 0xD9:
            if position + 2 < size:
                yield Flaw.TRAILING
            return
        position += 2
        if not (kind == 0x01 or 0xD0 <= kind <= 0xD8):
            position += int.from_bytes(marker[2:], "big")
        if kind == 0xDA:
            position = _next_marker(file, position)
        if position > size:
            yield Flaw.TORN
            return


def _next_marker(file: BinaryIO, position: int) -> int:
    """The first FF xx after entropy-coded data; beyond the end of the file when there is none."""
    while block := at(file, position, 1 << 20):
        found = block.find(b"\xff")
        while 0 <= found < len(block) - 1:
            if block[found + 1] not in _WITHIN_SCAN:
                return position + found
            found = block.find(b"\xff", found + 1)
        position += len(block) - (1 if len(block) > 1 and block[-1] == 0xFF else 0)
        if len(block) == 1:
            break
    return position + 1


_WITHIN_SCAN = frozenset((0x00, 0xFF, *range(0xD0, 0xD8)))


def riff(file: BinaryIO, size: int) -> Iterator[Flaw]:
    length = int.from_bytes(at(file, 4, 4), "little")
    end = 8 + length + (length & 1)
    # A writer may leave out the last padding byte.
    if size < 8 + length:
        yield Flaw.TORN
    elif size > end:
        yield Flaw.TRAILING


def boxes(file: BinaryIO, size: int) -> Iterator[Flaw]:
    """ISO/IEC 14496-12 §4.2: boxes of length and type up to the last byte; a film without its index cannot be played."""
    position = 0
    seen: set[bytes] = set()
    for _ in range(STEPS_MAX):
        header = at(file, position, 16)
        if len(header) < 8:
            yield Flaw.TORN
            return
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:
            length = size - position
        if length < 8 or not all(0x20 <= c < 0x7F or c == 0xA9 for c in kind):
            yield Flaw.TRAILING if seen & {b"moov", b"meta"} else Flaw.TORN
            return
        seen.add(kind)
        position += length
        if position >= size:
            break
    if position > size or (b"mdat" in seen and not seen & {b"moov", b"meta", b"moof"}):
        yield Flaw.TORN


def pdf(file: BinaryIO, size: int) -> Iterator[Flaw]:
    tail = at(file, max(0, size - TAIL), TAIL)
    end = tail.rfind(b"%%EOF")
    if end < 0:
        yield Flaw.TORN
    elif tail[end + 5 :].strip(b" \t\r\n\0"):
        yield Flaw.TRAILING
    # The trailer or the cross-reference stream's dictionary names the encryption; a linearised file has one near its start.
    start = tail.rfind(b"startxref")
    places = [tail, at(file, 0, HEAD)]
    if start >= 0 and (digits := tail[start + 9 : start + 40].split()[:1]) and digits[0].isdigit():
        places.append(at(file, min(int(digits[0][:18]), size), 4096))
    if any(_names_encryption(place) for place in places):
        yield Flaw.ENCRYPTED


def _names_encryption(place: bytes) -> bool:
    """`/Encrypt 12 0 R` or `/Encrypt <<…`, not `/EncryptMetadata`."""
    position = place.find(b"/Encrypt")
    while position >= 0:
        after = place[position + 8 : position + 40].lstrip()
        if after.startswith(b"<<") or (after[:1].isdigit() and place[position + 8 : position + 9].isspace()):
            return True
        position = place.find(b"/Encrypt", position + 8)
    return False


def archive(file: BinaryIO, size: int) -> Iterator[Flaw]:
    found = directory(file, size)
    if found is None:
        yield Flaw.TORN
        return
    encrypted = count = 0
    for flags, _name in entries(found.block):
        encrypted |= flags & 1
        count += 1
    if encrypted:
        yield Flaw.ENCRYPTED
    if found.end != found.expected_end or (count != found.count and count < MEMBERS_MAX):
        yield Flaw.TORN


@dataclass(frozen=True, slots=True)
class Directory:
    block: bytes
    count: int
    end: int
    expected_end: int


def directory(file: BinaryIO, size: int) -> Directory | None:
    """The central directory, by the closing record whose comment ends with the file (APPNOTE 4.3.16), zip64 included."""
    tail_at = max(0, size - TAIL)
    tail = at(file, tail_at, TAIL)
    place = closing_record(tail)
    if place is None:
        return None
    count, length, offset = struct.unpack_from("<HII", tail, place + 10)
    closing = tail_at + place
    if 0xFFFF == count or 0xFFFFFFFF in (length, offset):
        locator = at(file, max(0, closing - 20), 20)
        if locator.startswith(b"PK\6\7") and len(locator) == 20:
            closing = int.from_bytes(locator[8:16], "little")
            record = at(file, min(closing, size), 56)
            if not record.startswith(b"PK\6\6") or len(record) < 56:
                return None
            count, length, offset = struct.unpack_from("<QQQ", record, 32)
    block = at(file, min(offset, size), min(length, DIRECTORY_MAX))
    return Directory(block, count, closing, offset + length)


def closing_record(tail: bytes) -> int | None:
    place = tail.rfind(b"PK\5\6")
    while place >= 0:
        if len(tail) - place >= 22 and place + 22 + int.from_bytes(
            tail[place + 20 : place + 22], "little"
        ) == len(tail):
            return place
        place = tail.rfind(b"PK\5\6", 0, place)
    return None


def ends_as_zip(file: BinaryIO, size: int) -> bool:
    return closing_record(at(file, max(0, size - TAIL), TAIL)) is not None


def entries(block: bytes) -> Iterator[tuple[int, bytes]]:
    """(flags, name) of the central directory's entries, until the first thing that is none."""
    position = 0
    for _ in range(MEMBERS_MAX):
        if block[position : position + 4] != b"PK\1\2" or position + 46 > len(block):
            return
        flags = int.from_bytes(block[position + 8 : position + 10], "little")
        name, extra, comment = struct.unpack_from("<HHH", block, position + 28)
        yield flags, block[position + 46 : position + 46 + name]
        position += 46 + name + extra + comment


def at(file: BinaryIO, position: int, length: int) -> bytes:
    file.seek(position)
    return file.read(length)
