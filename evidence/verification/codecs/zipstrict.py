"""Zip archives that every reader must read alike (APPNOTE 6.3; spec snapshots §2).

Accepted: STORE and DEFLATE, zip64, data descriptors, names in UTF-8, ASCII or legacy GB18030. Everything that two programs
could read differently is refused: duplicate names, gaps, overlaps, prefixes, local headers that contradict the central
directory. `read` checks the structure and inflates nothing; `contents` then streams one member. Nothing is ever written
to disk, nested archives are bytes.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ..reasons import Reason
from . import inflate, zipnames
from .octets import Octets
from .quotation import quote
from .zipdirectory import UTF8, Broken, Entry, central_directory, extra_fields, zip64_values

FAULTS_MAX = 20
"""Faults of one kind that are kept; more of the same say nothing new, and never push out another kind."""
STORE, DEFLATE = 0, 8

_LOCAL = struct.Struct("<4s5H3L2H")
_S16 = 0xFFFF
_DESCRIPTOR, _DEFLATE_HINTS = 0x0008, 0x0006
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

    encoding   how the name was read: `ascii`, `utf-8`, `gb18030` or `refused`
    data       offset of the (compressed) data in the file
    """

    name: str
    encoding: str
    method: int
    crc: int
    compressed: int
    size: int
    data: int

    @property
    def is_directory(self) -> bool:
        return self.name.endswith("/")


@dataclass(slots=True)
class Directory:
    """What `read` found. With any fault of STRUCTURE, NAMES or LIMITS (or DATA of unsupported kind) nothing may be inflated."""

    members: tuple[Member, ...] = ()
    faults: list[Fault] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.faults

    def add(self, rule: Rule, reason: Reason, detail: str) -> None:
        alike = sum(f.rule is rule and f.reason is reason for f in self.faults)
        if alike < FAULTS_MAX:
            self.faults.append(Fault(rule, reason, detail))


class MemberDamaged(Exception):
    """The data of a member are not what its headers declare."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class _Placed:
    """A central header with its local header: is a data descriptor declared, and where the data start."""

    entry: Entry
    descriptor: bool
    data: int

    @property
    def data_end(self) -> int:
        return self.data + self.entry.compressed


def contents(octets: Octets, member: Member, budget: inflate.Budget) -> Iterator[bytes]:
    """Rule 9: the member's bytes in pieces; MemberDamaged at the end when they are not as declared, LimitReached when too many."""
    if inflate.oversized(member.size, member.compressed):
        raise inflate.LimitReached("MEMBER_MAX")
    if member.method == STORE:
        crc, position, end = 0, member.data, member.data + member.size
        while position < end:
            piece = octets.read(position, min(inflate.PIECE, end - position))
            if not piece:
                raise MemberDamaged(
                    Reason.FORMAT_FAILURE, f"ends after {position - member.data} of {member.size} bytes"
                )
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
        entries, directory_at = central_directory(octets)
    except Broken as fault:
        found.add(Rule.STRUCTURE, Reason.FORMAT_FAILURE, str(fault))
        return found
    except inflate.LimitReached as limit:
        found.add(Rule.LIMITS, Reason.RESOURCE_LIMIT, limit.limit)
        return found
    placed: list[_Placed] = []
    for entry in sorted(entries, key=lambda e: e.offset):
        _check_kind(entry, found)
        try:
            flags, data = _local(octets, entry)
        except Broken as fault:
            found.add(Rule.STRUCTURE, Reason.FORMAT_FAILURE, f"{quote(entry.raw_name)}: {fault}")
            _accepted(entry, found)  # its name is asked about all the same
        else:
            placed.append(_Placed(entry, bool(flags & _DESCRIPTOR), data))
    _find_twins(placed, found)
    if len(placed) == len(entries):
        _tile(octets, placed, directory_at, found)
    found.members = tuple(_named(placed, found))
    return found


def _local(octets: Octets, entry: Entry) -> tuple[int, int]:
    """Rule 6 -> flags of the local header and the offset of the data."""
    head = octets.read(entry.offset, _LOCAL.size + _S16)
    if len(head) < _LOCAL.size or not head.startswith(b"PK\3\4"):
        raise Broken(f"no local header at {entry.offset}")
    _, _, flags, method, _, _, crc, compressed, size, n, x = _LOCAL.unpack_from(head)
    if len(head) < _LOCAL.size + n + x:
        head = octets.read(entry.offset, _LOCAL.size + n + x)
    name = head[_LOCAL.size : _LOCAL.size + n]
    if name != entry.raw_name:
        raise Broken(
            f"local header at {entry.offset} names {quote(name)}, central header at {entry.position} does not"
        )
    if method != entry.method or (flags ^ entry.flags) & ~_DESCRIPTOR:
        raise Broken(f"local header at {entry.offset} has another method or other flags")
    if entry.flags & _DESCRIPTOR and not flags & _DESCRIPTOR:
        raise Broken(f"descriptor flag only in the central header at {entry.position}")
    extras = extra_fields(head[_LOCAL.size + n : _LOCAL.size + n + x], entry.offset)
    size, compressed = zip64_values(extras, (size, compressed), entry.offset, empty_allowed=True)
    if not zipnames.unicode_path_agrees(extras, name, declared_utf8=bool(flags & UTF8)):
        raise Broken(f"Unicode path at {entry.offset} is not the name of the member")
    stated, due = (crc, compressed, size), (entry.crc, entry.compressed, entry.size)
    if stated != due and not (flags & _DESCRIPTOR and stated == (0, 0, 0)):
        raise Broken(f"local header at {entry.offset} states other sizes or CRC-32 than {entry.position}")
    return flags, entry.offset + _LOCAL.size + n + x


def _check_kind(entry: Entry, found: Directory) -> None:
    """Rule 4."""
    name = quote(entry.raw_name)
    if entry.flags & _ENCRYPTED:
        found.add(Rule.DATA, Reason.UNSUPPORTED_FORMAT, f"{name}: encrypted")
    elif entry.method not in (STORE, DEFLATE):
        found.add(Rule.DATA, Reason.UNSUPPORTED_FORMAT, f"{name}: compression method {entry.method}")
    elif entry.flags & ~(_DESCRIPTOR | UTF8 | _DEFLATE_HINTS):
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


def _descriptor_agrees(raw: bytes, entry: Entry) -> bool:
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
        name, encoding = _accepted(e, found)
        if encoding != "refused":
            other = seen.setdefault(zipnames.folded(name), name)
            if other != name:
                found.add(
                    Rule.NAMES, Reason.FORMAT_FAILURE, f"{quote(other)} and {quote(name)} may be one file"
                )
        yield Member(
            name=name,
            encoding=encoding,
            method=e.method,
            crc=e.crc,
            compressed=e.compressed,
            size=e.size,
            data=p.data,
        )


def _accepted(entry: Entry, found: Directory) -> tuple[str, str]:
    """(name, encoding) of one member; a name that is refused is noted, and quoted, with the encoding `refused`."""
    try:
        return zipnames.accept(
            entry.raw_name, declared_utf8=bool(entry.flags & UTF8), unix_mode=entry.attributes >> 16, size=entry.size
        )
    except zipnames.NameRefused as refused:
        found.add(Rule.NAMES, Reason.FORMAT_FAILURE, f"{quote(entry.raw_name)}: {refused}")
        return quote(entry.raw_name), "refused"
