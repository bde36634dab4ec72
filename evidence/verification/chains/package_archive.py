"""A proof package as a zip (`*.mjproof.zip`, spec consortium-chains §9): `package.json`, its seal, and what it refers to.

    package.json      the package; where a value is octets or a node's answer it may be {"file": "raw/…", "sha256": "<hex>"}
    package.p7s       detached CMS signature over the bytes of package.json
    raw/…             what is referred to: `.json` stands for a node's answer, any other name for octets

The archive must be one that every reader takes alike (`codecs.zipstrict`), and every member must be named above or referred to:
what nobody reads would lie beside the proof as if it were part of it.
"""

import base64
from dataclasses import dataclass, field
from typing import Any

from .. import digests
from ..codecs import inflate, strict_json, zipstrict
from ..codecs.octets import FileOctets
from ..codecs.quotation import quote
from ..codecs.strict_json import JsonError
from ..codecs.text import CodecError, hex_bytes
from ..codecs.zipstrict import Member, MemberDamaged
from ..exhibit import Source
from ..reasons import Reason
from .package_fault import PackageContradiction, PackageError, PackageLimit, PackageUnsupported

PACKAGE_JSON, PACKAGE_SEAL, RAW = "package.json", "package.p7s", "raw/"
PACKAGE_BYTES_MAX = 64 << 20
"""Spec §2 rule 6; in an archive for everything in it together."""
SEAL_BYTES_MAX = 1 << 20
"""A signature with its certificates and revocation lists; the largest seen on documents are under 100 KB."""
_MAGIC = b"PK\x03\x04"
_FAULTS = {Reason.RESOURCE_LIMIT: PackageLimit, Reason.UNSUPPORTED_FORMAT: PackageUnsupported}


@dataclass(slots=True)
class Archive:
    """An archive whose structure is sound. Members are inflated when they are asked for."""

    source: Source
    members: dict[str, Member]
    budget: inflate.Budget
    referred: set[str] = field(default_factory=set)

    @property
    def package(self) -> bytes:
        return self._content(PACKAGE_JSON, PACKAGE_BYTES_MAX)

    @property
    def seal(self) -> bytes | None:
        return self._content(PACKAGE_SEAL, SEAL_BYTES_MAX) if PACKAGE_SEAL in self.members else None

    def value(self, reference: dict[str, Any], path: str) -> Any:
        """What `{"file", "sha256"}` at `path` stands for: the JSON of a node, or octets as base64."""
        name, stated = reference.get("file"), reference.get("sha256")
        if set(reference) != {"file", "sha256"} or not isinstance(name, str) or not isinstance(stated, str):
            raise PackageError(f"{path}: a reference has exactly the members file and sha256")
        if not name.startswith(RAW) or name not in self.members:
            raise PackageError(f"{path}.file: no member {quote(name)} below {RAW}")
        try:
            digest = hex_bytes(stated, length=32)
        except CodecError as fault:
            raise PackageError(f"{path}.sha256: {fault}") from fault
        self.referred.add(name)
        content = self._content(name, PACKAGE_BYTES_MAX)
        if digests.digest("SHA-256", content) != digest:
            raise PackageContradiction(f"{path}: {quote(name)} has another SHA-256 than is stated")
        if not name.endswith(".json"):
            return base64.b64encode(content).decode()
        try:
            return strict_json.loads(content)
        except JsonError as fault:
            raise PackageError(f"{path}: {quote(name)}: {fault}") from fault

    def check_all_read(self) -> None:
        """Every member is the package, its seal, or was referred to."""
        known = {PACKAGE_JSON, PACKAGE_SEAL} | self.referred
        for name in self.members:
            if name not in known:
                raise PackageError(f"{quote(name)} is referred to by nothing")

    def _content(self, name: str, limit: int) -> bytes:
        member = self.members[name]
        if member.size > limit:
            raise PackageLimit(f"{quote(name)}: {member.size} bytes")
        octets = FileOctets(self.source.pread, self.source.size)
        try:
            return b"".join(zipstrict.contents(octets, member, self.budget))
        except MemberDamaged as damage:
            raise PackageError(f"{quote(name)}: {damage.detail}") from damage
        except inflate.LimitReached as reached:
            raise PackageLimit(f"{quote(name)}: {reached.limit}") from reached


def is_archive(source: Source) -> bool:
    return source.head(len(_MAGIC)) == _MAGIC


def names_format(source: Source, format_name: str) -> bool:
    """Whether the archive has a `package.json` that names the format, as far as one piece goes. An archive that cannot be read for sure
    counts when its members are named like those of a package: then `open` says what is wrong."""
    found = zipstrict.read(FileOctets(source.pread, source.size))
    members = {m.name: m for m in found.members}
    package = members.get(PACKAGE_JSON)
    if package is None:
        return False
    if not found.sound:
        return all(n in (PACKAGE_JSON, PACKAGE_SEAL) or n.startswith(RAW) for n in members)
    try:
        begin = next(zipstrict.contents(FileOctets(source.pread, source.size), package, inflate.Budget(inflate.PIECE * 2)), b"")
    except (MemberDamaged, inflate.LimitReached):
        return False
    return f'"{format_name}"'.encode() in begin


def open_archive(source: Source, budget: inflate.Budget) -> Archive:
    """Raises PackageError. `budget`: what inflating may cost, shared with whatever else the exhibit holds."""
    found = zipstrict.read(FileOctets(source.pread, source.size))
    if found.faults:
        worst = min(found.faults, key=lambda f: f.reason is not Reason.FORMAT_FAILURE)
        raise _FAULTS.get(worst.reason, PackageError)(f"zip: {worst.detail}")
    members = {m.name: m for m in found.members if not m.is_directory}
    if PACKAGE_JSON not in members:
        raise PackageError(f"no {PACKAGE_JSON} at the root of the archive")
    if sum(m.size for m in members.values()) > PACKAGE_BYTES_MAX:
        raise PackageLimit(f"zip: more than {PACKAGE_BYTES_MAX} bytes")
    return Archive(source, members, budget)
