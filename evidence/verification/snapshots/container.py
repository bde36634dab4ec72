"""A zip archive as the container of a snapshot: its four questions, and each member read once (spec snapshots §2).

Structure first: only when every rule holds is anything inflated. Then each member streams by once, for its CRC-32 and for
whatever digests somebody recorded of it. Members are bytes; archives inside are never opened.
"""

import struct
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from .. import digests, progress
from ..codecs import inflate, zipdirectory, zipstrict
from ..codecs.octets import FileOctets, ForwardOctets, Octets, Part
from ..codecs.quotation import quote
from ..codecs.zipstrict import Directory, Fault, Member, Rule
from ..exhibit import Source
from ..reasons import Reason
from ..verdict import Bearing, Finding, Outcome, failed, indeterminate, passed

STRUCTURE = "ZIP.STRUCTURE"
NAMES = "ZIP.NAMES"
DATA = "ZIP.DATA"
LIMITS = "ZIP.LIMITS"

_TAIL = 1 << 20
"""Bytes at the end of a file in which a quick look reads names."""
NAMED_MAX = 5
"""Members or faults named in one finding."""
_CHECKS = {Rule.STRUCTURE: STRUCTURE, Rule.NAMES: NAMES, Rule.DATA: DATA, Rule.LIMITS: LIMITS}
_NESTED = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")


@dataclass(slots=True)
class Container:
    """An archive that was opened. `digests`: member name -> algorithm -> digest of what the member holds; none where a bound
    stopped the reading."""

    subject: str
    octets: Octets
    directory: Directory
    budget: inflate.Budget
    digests: dict[str, dict[str, bytes]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    """What was found wrong while reading members (DATA and LIMITS)."""
    nested: list[str] = field(default_factory=list)
    by_name: dict[str, Member] = field(default_factory=dict)
    _by_folded: dict[str, Member] = field(default_factory=dict)
    _inflated: dict[str, ForwardOctets] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """The structure decides alone what each member is, so that members may be read."""
        return self.directory.sound

    @property
    def files(self) -> tuple[Member, ...]:
        return tuple(m for m in self.directory.members if not m.is_directory)

    def named(self, name: str) -> Member | None:
        """By the exact name, else by the name after NFC."""
        if not self._by_folded:
            self._by_folded.update((folded(m.name), m) for m in reversed(self.files))
        exact = self.by_name.get(name)
        return self._by_folded.get(folded(name)) if exact is None or exact.is_directory else exact

    def at(self, member: Member) -> Octets:
        """The member's content by offset: a range of the file when stored, else inflated as it is read."""
        if member.method == zipstrict.STORE:
            return Part(self.octets, member.data, member.size)
        return self._inflated.setdefault(member.name, ForwardOctets(member.size, lambda: self.pieces(member)))

    def read(self, member: Member, *, limit: int, name: str) -> bytes | None:
        """The whole content, None when it is not as declared (`check` says what is wrong). Raises LimitReached, also when it
        is larger than `limit`, which is called `name`."""
        if member.size > limit:
            raise inflate.LimitReached(name)
        try:
            return b"".join(zipstrict.contents(self.octets, member, self.budget))
        except zipstrict.MemberDamaged:
            return None

    def check(self, wanted: Mapping[str, Collection[str]]) -> None:
        """Read every member once: CRC-32, and the digests that `wanted` names for it."""
        with progress.step(progress.Step.CONTAINER):
            self._check(wanted)

    def _check(self, wanted: Mapping[str, Collection[str]]) -> None:
        for member in self.files:
            hashers = {a: digests.hasher(a) for a in sorted(wanted.get(member.name, ()))}
            first = True
            try:
                for piece in zipstrict.contents(self.octets, member, self.budget):
                    if first and piece.startswith(_NESTED):
                        self.nested.append(member.name)
                    first = False
                    for hasher in hashers.values():
                        hasher.update(piece)
            except zipstrict.MemberDamaged as damage:
                detail = f"{quote(member.name)}: {damage.detail}"
                self.faults.append(Fault(Rule.DATA, damage.reason, detail))
            except inflate.LimitReached as reached:
                detail = f"{quote(member.name)}: {reached.limit}"
                self.faults.append(Fault(Rule.LIMITS, Reason.RESOURCE_LIMIT, detail))
                continue
            self.digests[member.name] = {a: h.digest() for a, h in hashers.items()}

    def findings(self) -> tuple[Finding, ...]:
        """ZIP-01 to ZIP-04. A question that the faults before it keep from being asked is not raised."""
        faults = [*self.directory.faults, *self.faults]
        found = [_finding(rule, [f for f in faults if f.rule is rule], self) for rule in Rule]
        return tuple(f for f in found if f is not None)

    def pieces(self, member: Member) -> Iterator[bytes]:
        """The member's bytes as far as they are as declared (what is not, `check` has said). Raises LimitReached."""
        try:
            yield from zipstrict.contents(self.octets, member, self.budget)
        except zipstrict.MemberDamaged:
            return


def open_container(source: Source, budget: inflate.Budget) -> Container:
    octets = FileOctets(source.pread, source.size)
    directory = zipstrict.read(octets)
    by_name = {m.name: m for m in directory.members}
    return Container(source.name, octets, directory, budget, by_name=by_name)


def summary(check: str, container: Container, axes: tuple[str, ...]) -> Finding:
    """One answer for the whole container, the gravest of its findings; it carries the axes that stand beside the verdict."""
    found = container.findings()
    worst = next((f for f in found if f.outcome is Outcome.FAILED), None) or next(
        (f for f in found if f.outcome is Outcome.INDETERMINATE), None
    )
    if worst is None or worst.reason is None:
        notes = (*axes, f"MEMBERS_CHECKED:{len(container.files)}")
        return passed(check, container.subject, notes=notes)
    maker = failed if worst.outcome is Outcome.FAILED else indeterminate
    return maker(check, worst.reason, container.subject, notes=axes, bearing=worst.bearing)


def folded(name: str) -> str:
    """Names are compared exactly, then in this form."""
    return unicodedata.normalize("NFC", name)


def names_at_a_glance(source: Source) -> list[str]:
    """Member names from the central directory at the end of a file, as far as a quick look goes; nothing is checked.
    A file that does not end like a zip yields the name of its first member, if it begins like one."""
    tail = source.tail(_TAIL)
    end = tail.rfind(b"PK\5\6")
    if end < 0 or end + 22 > len(tail):
        head = source.head(30 + 1024)
        if not head.startswith(b"PK\3\4") or len(head) < 30:
            return []
        return [_shown(head[30 : 30 + struct.unpack_from("<H", head, 26)[0]])]
    size = struct.unpack_from("<L", tail, end + 12)[0]
    at = end - size if size <= end else max(0, tail.find(b"PK\1\2"))
    found: list[str] = []
    while tail.startswith(b"PK\1\2", at) and at + 46 <= end and len(found) < zipdirectory.MEMBERS_MAX:
        n, x, c = struct.unpack_from("<3H", tail, at + 28)
        found.append(_shown(tail[at + 46 : at + 46 + n]))
        at += 46 + n + x + c
    return found


def _shown(raw: bytes) -> str:
    """UTF-8 where it reads as such, else GB18030: good enough to recognise a name, not to compare one."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace")


def _finding(rule: Rule, faults: list[Fault], container: Container) -> Finding | None:
    check, subject = _CHECKS[rule], container.subject
    if not faults:
        if rule is not Rule.STRUCTURE and not container.sound:
            return None
        notes: list[str] = []
        if rule is Rule.NAMES:
            legacy = [m.name for m in container.files if m.encoding == "gb18030"]
            notes += [f"LEGACY_NAME_ENCODING:{quote(n)}" for n in legacy[:NAMED_MAX]]
        if rule is Rule.DATA:
            notes += [f"NESTED_ARCHIVE:{quote(n)}" for n in container.nested[:NAMED_MAX]]
        return passed(check, subject, notes=tuple(notes))
    # A contradiction outweighs what is merely not supported.
    faults.sort(key=lambda f: f.reason is Reason.UNSUPPORTED_FORMAT)
    notes = [f"FAULT_AT:{f.detail}" for f in faults[:NAMED_MAX]]
    reason = faults[0].reason
    if reason is Reason.RESOURCE_LIMIT:
        return indeterminate(
            check, reason, subject, actual=faults[0].detail, notes=tuple(notes), bearing=Bearing.DECISIVE
        )
    if reason is Reason.UNSUPPORTED_FORMAT:
        return indeterminate(check, reason, subject, actual=faults[0].detail, notes=tuple(notes))
    return failed(check, reason, subject, actual=faults[0].detail, notes=tuple(notes))
