"""Zip archives that every reader must read alike (APPNOTE 6.3; spec snapshots §2).

Accepted: STORE and DEFLATE, zip64, data descriptors, names in UTF-8, ASCII or legacy GB18030. Everything that two programs
could read differently is refused: duplicate names, gaps, overlaps, prefixes, local headers that contradict the central
directory. `read` checks the structure and inflates nothing; `contents` then streams one member. Nothing is ever written
to disk, nested archives are bytes.
"""

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ..reasons import Reason
from . import inflate, zipnames
from .octets import Octets
from .quotation import quote

MEMBERS_MAX = 50_000
"""Members; a large capture with raw exchanges has a few thousand."""
DIRECTORY_MAX = 32 << 20
"""Bytes of the central directory: 50,000 members of 640 bytes."""
FAULTS_MAX = 20
"""Faults named one by one; the rest are counted."""
STORE, DEFLATE = 0, 8

_EOCD = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_EOCD64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_S16, _S32 = 0xFFFF, 0xFFFFFFFF
_DESCRIPTOR, _UTF8, _DEFLATE_HINTS = 0x0008, 0x0800, 0x0006
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000


class Rule(StrEnum):
    """Which question a fault answers with no: ZIP-01 to ZIP-04."""

    STRUCTURE = "STRUCTURE"
    NAMES = "NAMES"
    DATA = "DATA"
    LIMITS = "LIMITS"


@dataclass(frozen=True, slots=True)
class Fault:
    rule: Rule
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Member:
    """One member as the central directory and its local header agree on it.

    offset, end   the range of local header and data in the file
    data          offset of the (compressed) data
    encoding      how the name was read: `ascii`, `utf-8`, `gb18030` or `refused`
    modified      MS-DOS time as (year, month, day, hour, minute, second); no zone, two-second steps
    """

    name: str
    raw_name: bytes
    encoding: str
    method: int
    crc: int
    compressed: int
    size: int
    offset: int
    data: int
    end: int
    modified: tuple[int, int, int, int, int, int]

    @property
    def is_directory(self) -> bool:
        return self.name.endswith("/")


@dataclass(slots=True)
class Directory:
    """What `read` found. With any fault of STRUCTURE, NAMES or LIMITS (or DATA of unsupported kind) nothing may be inflated."""

    members: tuple[Member, ...] = ()
    faults: list[Fault] = field(default_factory=list)
    faults_unnamed: int = 0

    @property
    def sound(self) -> bool:
        return not self.faults

    def add(self, rule: Rule, reason: Reason, detail: str) -> None:
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(Fault(rule, reason, detail))
        else:
            self.faults_unnamed += 1

    def find(self, name: str) -> Member | None:
        return next((m for m in self.members if m.name == name), None)


class MemberDamaged(Exception):
    """The data of a member are not what its headers declare."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class _Entry:
    """One central header: raw fields, sizes resolved through zip64."""

    position: int
    raw_name: bytes
    flags: int
    method: int
    dos: tuple[int, int]
    crc: int
    compressed: int
    size: int
    offset: int
    attributes: int


@dataclass(frozen=True, slots=True)
class _Placed:
    """A central header with its local header: is a data descriptor declared, and where the data start."""

    entry: _Entry
    descriptor: bool
    data: int

    @property
    def data_end(self) -> int:
        return self.data + self.entry.compressed


class _Broken(Exception):
    """A fault that ends the reading of one header or of the directory."""


def contents(octets: Octets, member: Member, budget: inflate.Budget) -> Iterator[bytes]:
    """Rule 9: the member's bytes in pieces; MemberDamaged at the end when they are not as declared, LimitReached when too many."""
    if member.size > inflate.MEMBER_MAX:
        raise inflate.LimitReached("MEMBER_MAX")
    if member.method == STORE:
        crc, position, end = 0, member.data, member.data + member.size
        while position < end:
            piece = octets.read(position, min(inflate.PIECE, end - position))
            position += len(piece)
            crc = inflate.crc32(piece, crc)
            yield piece
    else:
        stream = inflate.Stream(
            octets, member.data, member.data + member.compressed, budget, output_max=member.size
        )
        yield from stream.pieces()
        crc = stream.crc
        if stream.ending is inflate.Ending.OVERLONG:
            raise MemberDamaged(Reason.FORMAT_FAILURE, f"inflates beyond the declared {member.size} bytes")
        if stream.ending is not inflate.Ending.COMPLETE:
            raise MemberDamaged(Reason.FORMAT_FAILURE, f"deflate stream {stream.ending.value}")
        if stream.consumed != member.compressed:
            raise MemberDamaged(
                Reason.FORMAT_FAILURE,
                f"deflate stream ends after {stream.consumed} of {member.compressed} bytes",
            )
        if stream.produced != member.size:
            raise MemberDamaged(
                Reason.FORMAT_FAILURE, f"inflates to {stream.produced} of {member.size} declared bytes"
            )
    if crc != member.crc:
        raise MemberDamaged(Reason.HASH_FAILURE, f"CRC-32 {crc:08x} where {member.crc:08x} is declared")


def read(octets: Octets) -> Directory:
    """Rules 1 to 8. Never raises for what the file holds."""
    found = Directory()
    try:
        entries, directory_at = _central(octets)
    except _Broken as fault:
        found.add(Rule.STRUCTURE, Reason.FORMAT_FAILURE, str(fault))
        return found
    except inflate.LimitReached as limit:
        found.add(Rule.LIMITS, Reason.RESOURCE_LIMIT, limit.limit)
        return found
    placed: list[_Placed] = []
    for entry in entries:
        _check_kind(entry, found)
        try:
            flags, data = _local(octets, entry)
        except _Broken as fault:
            found.add(Rule.STRUCTURE, Reason.FORMAT_FAILURE, f"{quote(entry.raw_name)}: {fault}")
        else:
            placed.append(_Placed(entry, bool(flags & _DESCRIPTOR), data))
    _find_twins(placed, found)
    if len(placed) == len(entries):
        _tile(octets, placed, directory_at, found)
    found.members = tuple(_named(placed, found))
    return found


def _central(octets: Octets) -> tuple[list[_Entry], int]:
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
        raise _Broken(f"{len(ends)} end records that reach the end of the file, 1 is due")
    end = ends[0]
    if spots[-1] != end:
        raise _Broken(f"end record signatures at {size - tail_size + end} and {size - tail_size + spots[-1]}")
    _, disk, cd_disk, on_disk, count, cd_size, cd_offset, _ = _EOCD.unpack_from(tail, end)
    before = size - tail_size + end
    # 2. The zip64 end record, when a locator stands directly before.
    locator = octets.read(before - _LOCATOR.size, _LOCATOR.size) if before >= _LOCATOR.size else b""
    if locator.startswith(b"PK\6\7"):
        before, values = _zip64_end(octets, locator, before - _LOCATOR.size)
        if not (_S16 in (on_disk, count) or _S32 in (cd_size, cd_offset)):
            raise _Broken("zip64 end record without need")
        for narrow, sentinel, wide in zip(
            (disk, cd_disk, on_disk, count, cd_size, cd_offset),
            (_S16, _S16, _S16, _S16, _S32, _S32),
            values,
            strict=True,
        ):
            if narrow not in (sentinel, wide):
                raise _Broken(f"end record says {narrow}, zip64 end record says {wide}")
        disk, cd_disk, on_disk, count, cd_size, cd_offset = values
    if disk or cd_disk or on_disk != count:
        raise _Broken("more than one disk")
    # 3. The central directory fills the room up to the end records, with exactly the declared headers.
    if cd_offset + cd_size != before:
        raise _Broken(
            f"central directory {cd_offset}–{cd_offset + cd_size} does not end at the end record {before}"
        )
    if count > MEMBERS_MAX:
        raise inflate.LimitReached("MEMBERS_MAX")
    if cd_size > DIRECTORY_MAX:
        raise inflate.LimitReached("DIRECTORY_MAX")
    data = octets.read(cd_offset, cd_size)
    entries: list[_Entry] = []
    at = 0
    while len(entries) < count:
        entry, at = _entry(data, at, cd_offset)
        entries.append(entry)
    if at != len(data):
        raise _Broken(f"{len(data) - at} bytes after the last central header at {cd_offset + at}")
    return entries, cd_offset


def _zip64_end(octets: Octets, locator: bytes, at: int) -> tuple[int, tuple[int, ...]]:
    """-> offset of the zip64 end record, and its values in the order of the plain end record."""
    _, locator_disk, offset, disks = _LOCATOR.unpack(locator)
    if locator_disk or disks != 1 or offset + _EOCD64.size != at:
        raise _Broken("zip64 locator does not point at a zip64 end record directly before it")
    magic, length, _, _, disk, cd_disk, on_disk, count, cd_size, cd_offset = _EOCD64.unpack(
        octets.read(offset, _EOCD64.size)
    )
    if magic != b"PK\6\6" or length != _EOCD64.size - 12:
        raise _Broken("zip64 end record malformed or extended")
    return offset, (disk, cd_disk, on_disk, count, cd_size, cd_offset)


def _entry(data: bytes, at: int, base: int) -> tuple[_Entry, int]:
    """One central header at `at` (rule 5 for its extra fields)."""
    where = base + at
    if at + _CENTRAL.size > len(data) or not data.startswith(b"PK\1\2", at):
        raise _Broken(f"no central header at {where}")
    (_, _, _, flags, method, time, date, crc, compressed, size, n, x, c, disk, _, attributes, offset) = (
        _CENTRAL.unpack_from(data, at)
    )
    at += _CENTRAL.size
    if at + n + x + c > len(data):
        raise _Broken(f"central header at {where} reaches beyond the directory")
    raw_name = data[at : at + n]
    extras = _extras(data[at + n : at + n + x], where)
    size, compressed, offset = _zip64_values(extras, (size, compressed, offset), where, empty_allowed=False)
    if disk:
        raise _Broken(f"central header at {where} points to another disk")
    entry = _Entry(where, raw_name, flags, method, (date, time), crc, compressed, size, offset, attributes)
    if not zipnames.unicode_path_agrees(extras, raw_name, declared_utf8=bool(flags & _UTF8)):
        raise _Broken(f"Unicode path at {where} is not the name of the member")
    return entry, at + n + x + c


def _extras(blob: bytes, where: int) -> dict[int, bytes]:
    """Rule 5: the extra fields parse exactly and none comes twice."""
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(blob):
        if at + 4 > len(blob):
            raise _Broken(f"extra fields of the header at {where} do not parse")
        kind, length = struct.unpack_from("<HH", blob, at)
        if at + 4 + length > len(blob) or kind in fields:
            raise _Broken(f"extra field {kind:04x} of the header at {where} is too long or comes twice")
        fields[kind] = blob[at + 4 : at + 4 + length]
        at += 4 + length
    return fields


def _zip64_values(
    extras: dict[int, bytes], values: Sequence[int], where: int, *, empty_allowed: bool
) -> list[int]:
    """Rule 5: one 8-byte value for each sentinel, in order, and no zip64 field without one."""
    wide = extras.get(1)
    due = sum(v == _S32 for v in values)
    if wide is None:
        if due:
            raise _Broken(f"header at {where} lacks its zip64 values")
        return list(values)
    if len(wide) != 8 * due or (due == 0 and not empty_allowed):
        raise _Broken(f"zip64 values of the header at {where} are not the ones due")
    numbers = iter(struct.unpack(f"<{due}Q", wide))
    return [next(numbers) if v == _S32 else v for v in values]


def _local(octets: Octets, entry: _Entry) -> tuple[int, int]:
    """Rule 6 -> flags of the local header and the offset of the data."""
    head = octets.read(entry.offset, _LOCAL.size + _S16)
    if len(head) < _LOCAL.size or not head.startswith(b"PK\3\4"):
        raise _Broken(f"no local header at {entry.offset}")
    _, _, flags, method, _, _, crc, compressed, size, n, x = _LOCAL.unpack_from(head)
    if len(head) < _LOCAL.size + n + x:
        head = octets.read(entry.offset, _LOCAL.size + n + x)
    name = head[_LOCAL.size : _LOCAL.size + n]
    if name != entry.raw_name:
        raise _Broken(
            f"local header at {entry.offset} names {quote(name)}, central header at {entry.position} does not"
        )
    if method != entry.method or (flags ^ entry.flags) & ~_DESCRIPTOR:
        raise _Broken(f"local header at {entry.offset} has another method or other flags")
    if entry.flags & _DESCRIPTOR and not flags & _DESCRIPTOR:
        raise _Broken(f"descriptor flag only in the central header at {entry.position}")
    extras = _extras(head[_LOCAL.size + n : _LOCAL.size + n + x], entry.offset)
    size, compressed = _zip64_values(extras, (size, compressed), entry.offset, empty_allowed=True)
    if not zipnames.unicode_path_agrees(extras, name, declared_utf8=bool(flags & _UTF8)):
        raise _Broken(f"Unicode path at {entry.offset} is not the name of the member")
    stated, due = (crc, compressed, size), (entry.crc, entry.compressed, entry.size)
    if stated != due and not (flags & _DESCRIPTOR and stated == (0, 0, 0)):
        raise _Broken(f"local header at {entry.offset} states other sizes or CRC-32 than {entry.position}")
    return flags, entry.offset + _LOCAL.size + n + x


def _check_kind(entry: _Entry, found: Directory) -> None:
    """Rule 4."""
    name = quote(entry.raw_name)
    if entry.flags & _ENCRYPTED:
        found.add(Rule.DATA, Reason.UNSUPPORTED_FORMAT, f"{name}: encrypted")
    elif entry.method not in (STORE, DEFLATE):
        found.add(Rule.DATA, Reason.UNSUPPORTED_FORMAT, f"{name}: compression method {entry.method}")
    elif entry.flags & ~(_DESCRIPTOR | _UTF8 | _DEFLATE_HINTS):
        found.add(Rule.DATA, Reason.FORMAT_FAILURE, f"{name}: flags {entry.flags:04x}")
    elif entry.method == STORE and entry.compressed != entry.size:
        found.add(
            Rule.DATA, Reason.FORMAT_FAILURE, f"{name}: stored, but {entry.compressed} and {entry.size} bytes"
        )


def _find_twins(placed: Sequence[_Placed], found: Directory) -> None:
    """The same raw name twice: which bytes are meant is not decided by the archive."""
    first: dict[bytes, _Placed] = {}
    for p in placed:
        twin = first.setdefault(p.entry.raw_name, p)
        if twin is not p:
            found.add(
                Rule.STRUCTURE,
                Reason.FORMAT_FAILURE,
                f"{quote(p.entry.raw_name)} twice: bytes {twin.entry.offset}–{twin.data_end} "
                f"and {p.entry.offset}–{p.data_end}",
            )


def _tile(octets: Octets, placed: Sequence[_Placed], directory_at: int, found: Directory) -> None:
    """Rule 7: members lie one after another from 0 to the central directory, without gap or overlap."""
    in_order = sorted(placed, key=lambda p: p.entry.offset)
    starts = [p.entry.offset for p in in_order] + [directory_at]
    if starts[0] != 0:
        found.add(Rule.STRUCTURE, Reason.FORMAT_FAILURE, f"bytes 0–{starts[0]} belong to no member")
    for p, after in zip(in_order, starts[1:], strict=True):
        room = after - p.data_end
        name = quote(p.entry.raw_name)
        if room < 0:
            found.add(
                Rule.STRUCTURE,
                Reason.FORMAT_FAILURE,
                f"{name}: bytes {p.entry.offset}–{p.data_end} overlap what starts at {after}",
            )
        elif not p.descriptor and room:
            found.add(
                Rule.STRUCTURE, Reason.FORMAT_FAILURE, f"bytes {p.data_end}–{after} belong to no member"
            )
        elif p.descriptor and not _descriptor_agrees(octets.read(p.data_end, min(room, 25)), p.entry):
            found.add(
                Rule.STRUCTURE,
                Reason.FORMAT_FAILURE,
                f"{name}: bytes {p.data_end}–{after} are no data descriptor that agrees",
            )


def _descriptor_agrees(raw: bytes, entry: _Entry) -> bool:
    """The room after the data tells the form: 12 or 16 bytes (32 bit), 20 or 24 (64 bit), without or with signature."""
    if len(raw) in (16, 24):
        if not raw.startswith(b"PK\7\x08"):
            return False
        raw = raw[4:]
    form = {12: "<3L", 20: "<L2Q"}.get(len(raw))
    return form is not None and struct.unpack(form, raw) == (entry.crc, entry.compressed, entry.size)


def _named(placed: Sequence[_Placed], found: Directory) -> Iterator[Member]:
    """Rule 8: safe and unique names. A refused name is kept in quoted form, so that the fault can be shown."""
    seen: dict[str, str] = {}
    for p in placed:
        e = p.entry
        try:
            name, encoding = zipnames.accept(
                e.raw_name, declared_utf8=bool(e.flags & _UTF8), unix_mode=e.attributes >> 16, size=e.size
            )
        except zipnames.NameRefused as refused:
            name, encoding = quote(e.raw_name), "refused"
            found.add(Rule.NAMES, Reason.FORMAT_FAILURE, f"{name}: {refused}")
        else:
            other = seen.setdefault(zipnames.folded(name), name)
            if other != name:
                found.add(
                    Rule.NAMES, Reason.FORMAT_FAILURE, f"{quote(other)} and {quote(name)} may be one file"
                )
        date, time = e.dos
        yield Member(
            name=name,
            raw_name=e.raw_name,
            encoding=encoding,
            method=e.method,
            crc=e.crc,
            compressed=e.compressed,
            size=e.size,
            offset=e.offset,
            data=p.data,
            end=p.data_end,
            modified=(
                1980 + (date >> 9),
                date >> 5 & 15,
                date & 31,
                time >> 11,
                time >> 5 & 63,
                (time & 31) * 2,
            ),
        )
