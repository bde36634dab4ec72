"""The members of a pack, wherever they come from: a folder, a zip file, the vault; and the manifest over them.

A pack is small (certificates, lists, some JSON) and is held in memory whole. Nothing is ever unpacked to a place that the archive
names: a zip file is read by the engine's own strict reader, and members are written only under the digest of an approved pack.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence.verification import anchor_pack
from evidence.verification.codecs import inflate, strict_json, zipstrict
from evidence.verification.codecs.octets import BytesOctets
from evidence.verification.trust import TrustError, TrustStore

MANIFEST = "manifest.json"
BYTES_MAX = 256 << 20
"""All members together: the largest list foreseen (80-byte headers of every Bitcoin block) is 75 MB."""
ZIP_BYTES_MAX = 16 << 20
"""An archive sent through a page, read into memory: certificates and lists take some hundred KB; what is larger is imported at the console."""
PATH_MAX = 200
STEP_BYTES_MAX = 200
"""Bytes of one part of a path: file systems take 255."""
VERSION_MAX = 100
INFLATED_MAX = 64 << 20
"""What an archive sent through a page may unpack to."""

_STEP = re.compile(r"[\w][\w.@+ -]*")
"""One part of a member's path: letters and digits of any script, no leading dot, nothing a file system gives a meaning to."""


@dataclass(frozen=True)
class Origin:
    """Where a member comes from and since when the court has it, in the words of the manifest."""

    source: str
    fetched_at: str


@dataclass(frozen=True)
class Contents:
    """A whole pack. `manifest` is the exact bytes; `origins` and `head` are what it says."""

    manifest: bytes
    head: Mapping[str, Any]
    members: Mapping[str, bytes]
    origins: Mapping[str, Origin]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.manifest).hexdigest()

    def store(self) -> TrustStore:
        """Read by the engine. TrustError names the member that cannot be read, and why."""
        return anchor_pack.of(self.manifest, self.members)

    def json(self, path: str) -> dict[str, Any]:
        """A member as an object, {} when it is absent; `store` has shown that it is one."""
        value = strict_json.loads(self.members[path]) if path in self.members else {}
        return value if isinstance(value, dict) else {}


def read(manifest: bytes, member: Callable[[str], bytes]) -> Contents:
    """A pack by its manifest; `member` gives the bytes of a path. TrustError when anything of it is not as it should be."""
    try:
        said = strict_json.loads(manifest)
        listed = {m["path"]: Origin(str(m.get("source", "")), str(m.get("fetched_at", ""))) for m in said["members"]}
        head = {name: said[name] for name in ("version", "issued_at", "court", "demonstration")}
    except (strict_json.JsonError, KeyError, TypeError, AttributeError) as fault:
        raise TrustError(f"{MANIFEST}: not the manifest of an anchor pack ({type(fault).__name__} {fault})") from fault
    if not isinstance(head["version"], str) or len(head["version"]) > VERSION_MAX or not head["version"].isprintable():
        raise TrustError(f"{MANIFEST}: version is not a line of at most {VERSION_MAX} characters")
    _check_paths(listed)
    members: dict[str, bytes] = {}
    total = 0
    for path in listed:
        members[path] = member(path)
        total += len(members[path])
        if total > BYTES_MAX:
            raise TrustError(f"{path}: with it the pack has more than {BYTES_MAX >> 20} MiB")
    found = Contents(manifest, head, members, listed)
    found.store()
    return found


def made(head: Mapping[str, Any], members: Mapping[str, bytes], origins: Mapping[str, Origin]) -> Contents:
    """A new pack of these members, in the form of deploy/anchor-pack: the same values give the same bytes."""
    document = {
        "format": anchor_pack.FORMAT,
        **{name: head[name] for name in ("version", "issued_at", "court", "demonstration")},
        "members": [
            {
                "path": path,
                "sha256": hashlib.sha256(members[path]).hexdigest(),
                "source": origins[path].source,
                "fetched_at": origins[path].fetched_at,
            }
            for path in sorted(members)
        ],
    }
    return read(json_bytes(document), lambda path: members[path])


def json_bytes(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


# ── folders and archives ──────────────────────────────────────────────────────────────────────────────────────────────


def of_directory(folder: Path) -> Contents:
    """A pack in a folder. The engine's own reader looks first: links, strange files and changed members are refused."""
    TrustStore.load(folder)
    return read((folder / MANIFEST).read_bytes(), lambda path: (folder / path).read_bytes())


def of_zip(data: bytes, *, limit: int = ZIP_BYTES_MAX, inflated: int = INFLATED_MAX) -> Contents:
    """A pack in a zip file, the manifest at its root or in the one folder that holds everything. A signature in it is passed over:
    whom this court trusts is decided by its own two people."""
    if len(data) > limit:
        raise TrustError(f"the archive has more than {limit >> 20} MiB")
    files = _inflated(data, most=inflated)
    top = {name.split("/", 1)[0] for name in files}
    if MANIFEST not in files and len(top) == 1:
        folder = top.pop() + "/"
        files = {name.removeprefix(folder): content for name, content in files.items()}
    files.pop(anchor_pack.SIGNATURE, None)
    try:
        manifest = files.pop(MANIFEST)
    except KeyError as fault:
        raise TrustError(f"{MANIFEST} is not in the archive") from fault

    def member(path: str) -> bytes:
        if path not in files:
            raise TrustError(f"{path}: missing but listed in {MANIFEST}")
        return files.pop(path)

    found = read(manifest, member)
    if files:
        raise TrustError(f"{sorted(files)[0]}: not listed in {MANIFEST}")
    return found


def _inflated(data: bytes, *, most: int) -> dict[str, bytes]:
    octets, budget = BytesOctets(data), inflate.Budget(most)
    directory = zipstrict.read(octets)
    if directory.faults:
        raise TrustError(f"the archive is refused: {directory.faults[0].detail}")
    if len(directory.members) > anchor_pack.MEMBERS_MAX:
        raise TrustError("the archive has too many members")
    files: dict[str, bytes] = {}
    for member in directory.members:
        if member.is_directory:
            continue
        try:
            files[member.name] = b"".join(zipstrict.contents(octets, member, budget))
        except zipstrict.MemberDamaged as fault:
            raise TrustError(f"{member.name}: {fault.detail}") from fault
        except inflate.LimitReached as fault:
            raise TrustError(f"{member.name}: more than may be unpacked ({fault.limit})") from fault
    return files


def zipped(contents: Contents, *, signature: str | None) -> bytes:
    """The pack as a zip file, the same bytes each time: `of_zip` reads it, and unpacked it is what `--trust` takes."""
    out = io.BytesIO()
    files = {MANIFEST: contents.manifest, **contents.members}
    if signature is not None:
        files[anchor_pack.SIGNATURE] = signature.encode()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in sorted(files.items()):
            info = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return out.getvalue()


def _check_paths(paths: Collection[object]) -> None:
    """Each can be a file on any machine, and no file is another's folder: what is approved must also be able to lie on a disk."""
    folders: set[str] = set()
    for path in paths:
        _check_path(path)
        parts = str(path).split("/")
        folders.update("/".join(parts[:n]) for n in range(1, len(parts)))
    if both := sorted(folders & {str(p) for p in paths}):
        raise TrustError(f"{both[0]}: a file and a folder at once")


def _check_path(path: object) -> None:
    steps = path.split("/") if isinstance(path, str) and len(path) <= PATH_MAX else [""]
    if not all(_STEP.fullmatch(s) and s == s.strip() and len(s.encode()) <= STEP_BYTES_MAX for s in steps):
        raise TrustError(f"{str(path)[:60]!r}: not a path that a member may have")
    if path in (MANIFEST, anchor_pack.SIGNATURE):
        raise TrustError(f"{path}: no member of a pack may be called that")
