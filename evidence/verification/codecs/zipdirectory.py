"""The end records and the central directory of a zip archive, read strictly (APPNOTE 6.3 §4.3; spec snapshots §2, rules 1, 2, 3
and 5). What a local header says of the same member is compared in `zipstrict`."""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from . import inflate, zipnames
from .octets import Octets

MEMBERS_MAX = 50_000
"""Members; a large capture with raw exchanges has a few thousand."""
DIRECTORY_MAX = 32 << 20
"""Bytes of the central directory: 50,000 members of 640 bytes."""
UTF8 = 0x0800

_EOCD = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_EOCD64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_S16, _S32 = 0xFFFF, 0xFFFFFFFF


class Broken(Exception):
    """A fault that ends the reading of one header or of the directory."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One central header: raw fields, sizes resolved through zip64."""

    position: int
    raw_name: bytes
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    offset: int
    attributes: int


def central_directory(octets: Octets) -> tuple[list[Entry], int]:
    """Rules 1 to 3 -> the central headers and the offset of the first."""
    size, tail_size = octets.size, min(octets.size, _EOCD.size + _S16)
    tail = octets.read(size - tail_size, tail_size)
    # 1. Exactly one end record whose comment reaches the end of the file, and no signature after it.
    spots = [m.start() for m in re.finditer(rb"PK\x05\x06", tail)]
    ends = [
        i
        for i in spots
        if i + _EOCD.size <= len(tail)
        and i + _EOCD.size + struct.unpack_from("<H", tail, i + 20)[0] == len(tail)
    ]
    if len(ends) != 1:
        raise Broken(f"{len(ends)} end records that reach the end of the file, 1 is due")
    end = ends[0]
    if spots[-1] != end:
        raise Broken(f"end record signatures at {size - tail_size + end} and {size - tail_size + spots[-1]}")
    _, disk, cd_disk, on_disk, count, cd_size, cd_offset, _ = _EOCD.unpack_from(tail, end)
    before = size - tail_size + end
    # 2. The zip64 end record, when a locator stands directly before.
    locator = octets.read(before - _LOCATOR.size, _LOCATOR.size) if before >= _LOCATOR.size else b""
    if locator.startswith(b"PK\6\7"):
        before, values = _zip64_end(octets, locator, before - _LOCATOR.size)
        # Python's zipfile, and so py-wacz, writes it from 2 GiB on, before any value needs it: two records that say the same are read alike.
        for narrow, sentinel, wide in zip(
            (disk, cd_disk, on_disk, count, cd_size, cd_offset),
            (_S16, _S16, _S16, _S16, _S32, _S32),
            values,
            strict=True,
        ):
            if narrow not in (sentinel, wide):
                raise Broken(f"end record says {narrow}, zip64 end record says {wide}")
        disk, cd_disk, on_disk, count, cd_size, cd_offset = values
    if disk or cd_disk or on_disk != count:
        raise Broken("more than one disk")
    # 3. The central directory fills the room up to the end records, with exactly the declared headers.
    if cd_offset + cd_size != before:
        raise Broken(
            f"central directory {cd_offset}–{cd_offset + cd_size} does not end at the end record {before}"
        )
    if count > MEMBERS_MAX:
        raise inflate.LimitReached("MEMBERS_MAX")
    if cd_size > DIRECTORY_MAX:
        raise inflate.LimitReached("DIRECTORY_MAX")
    data = octets.read(cd_offset, cd_size)
    entries: list[Entry] = []
    at = 0
    while len(entries) < count:
        entry, at = _entry(data, at, cd_offset)
        entries.append(entry)
    if at != len(data):
        raise Broken(f"{len(data) - at} bytes after the last central header at {cd_offset + at}")
    return entries, cd_offset


def _zip64_end(octets: Octets, locator: bytes, at: int) -> tuple[int, tuple[int, ...]]:
    """-> offset of the zip64 end record, and its values in the order of the plain end record."""
    _, locator_disk, offset, disks = _LOCATOR.unpack(locator)
    if locator_disk or disks != 1 or offset + _EOCD64.size != at:
        raise Broken("zip64 locator does not point at a zip64 end record directly before it")
    magic, length, _, _, disk, cd_disk, on_disk, count, cd_size, cd_offset = _EOCD64.unpack(
        octets.read(offset, _EOCD64.size)
    )
    if magic != b"PK\6\6" or length != _EOCD64.size - 12:
        raise Broken("zip64 end record malformed or extended")
    return offset, (disk, cd_disk, on_disk, count, cd_size, cd_offset)


def _entry(data: bytes, at: int, base: int) -> tuple[Entry, int]:
    """One central header at `at` (rule 5 for its extra fields)."""
    where = base + at
    if at + _CENTRAL.size > len(data) or not data.startswith(b"PK\1\2", at):
        raise Broken(f"no central header at {where}")
    (_, _, _, flags, method, _, _, crc, compressed, size, n, x, c, disk, _, attributes, offset) = (
        _CENTRAL.unpack_from(data, at)
    )
    at += _CENTRAL.size
    if at + n + x + c > len(data):
        raise Broken(f"central header at {where} reaches beyond the directory")
    raw_name = data[at : at + n]
    extras = extra_fields(data[at + n : at + n + x], where)
    size, compressed, offset = zip64_values(extras, (size, compressed, offset), where, empty_allowed=False)
    if disk:
        raise Broken(f"central header at {where} points to another disk")
    entry = Entry(where, raw_name, flags, method, crc, compressed, size, offset, attributes)
    if not zipnames.unicode_path_agrees(extras, raw_name, declared_utf8=bool(flags & UTF8)):
        raise Broken(f"Unicode path at {where} is not the name of the member")
    return entry, at + n + x + c


def extra_fields(blob: bytes, where: int) -> dict[int, bytes]:
    """Rule 5: the extra fields parse exactly and none comes twice."""
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(blob):
        if at + 4 > len(blob):
            raise Broken(f"extra fields of the header at {where} do not parse")
        kind, length = struct.unpack_from("<HH", blob, at)
        if at + 4 + length > len(blob) or kind in fields:
            raise Broken(f"extra field {kind:04x} of the header at {where} is too long or comes twice")
        fields[kind] = blob[at + 4 : at + 4 + length]
        at += 4 + length
    return fields


def zip64_values(
    extras: dict[int, bytes], values: Sequence[int], where: int, *, empty_allowed: bool
) -> list[int]:
    """Rule 5: one 8-byte value for each sentinel, in order, and no zip64 field without one."""
    wide = extras.get(1)
    due = sum(v == _S32 for v in values)
    if wide is None:
        if due:
            raise Broken(f"header at {where} lacks its zip64 values")
        return list(values)
    if len(wide) != 8 * due or (due == 0 and not empty_allowed):
        raise Broken(f"zip64 values of the header at {where} are not the ones due")
    numbers = iter(struct.unpack(f"<{due}Q", wide))
    return [next(numbers) if v == _S32 else v for v in values]
