"""Which pack is in force, where it lies on this machine, and that it is the one two people approved.

    <PORTAL_DATA_DIR>/trust/<digest>/     a published pack with its signature, files 0444, one folder for ever
    <PORTAL_DATA_DIR>/trust/in-force      a link to the newest, for people at a command line; the portal asks the database

The members lie in the vault by digest, the manifest and the signature in the database: a machine that has not got a pack yet
(another worker, a restored disk) writes it out of those. A folder that differs from them is never repaired, only refused.

Until two people have published a first pack the store of `PORTAL_TRUST_DIR` is used as it is.
"""

import json
import logging
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from evidence.verification import pack_signature
from evidence.verification.anchor_pack import SIGNATURE
from evidence.verification.trust import TrustError, TrustStore
from portal.vault import Vault, VaultError

from . import signing
from .contents import MANIFEST, Contents, read
from .models import Pack

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InUse:
    """What a run is verified under. `pack` is None while the first trust store is used unpublished."""

    directory: Path
    trust: TrustStore
    pack: Pack | None


def in_force() -> Pack | None:
    return Pack.objects.order_by("-number").first()


def in_use(*, at: datetime | None = None) -> InUse:
    """The pack in force (at the moment `at` of the database's clock), on disk and checked. TrustError, KeyFault or OSError when it
    is not what was approved: then nothing is verified."""
    published = Pack.objects.order_by("-number") if at is None else Pack.objects.filter(published_at__lte=at).order_by("-number")
    pack = published.first()
    if pack is None:
        folder = Path(settings.PORTAL_TRUST_DIR)
        return InUse(folder, TrustStore.load(folder), None)
    folder = directory(pack)
    return InUse(folder, checked(pack, folder), pack)


def checked(pack: Pack, folder: Path) -> TrustStore:
    """The store in a folder, which must be this pack to the byte, under a signature of the court."""
    # 1. The signature that stands beside it is the court's, over the digest of the database.
    if (folder / SIGNATURE).is_symlink() or not (folder / SIGNATURE).is_file():
        raise TrustError(f"{folder}: the signature is missing")
    if (folder / SIGNATURE).read_bytes() != pack.signature.encode():
        raise TrustError(f"{folder}: the signature has been changed")
    pack_signature.check(pack.signature, digest=pack.sha256, by=signing.verifying())
    # 2. Every member is as the manifest says, nothing beside them; and the manifest is the one approved.
    store = TrustStore.load(folder)
    if store.digest != pack.sha256:
        raise TrustError(f"{folder}: holds another pack ({store.digest})")
    return store


def contents(pack: Pack) -> Contents:
    """A pack out of the database and the vault."""
    return of_manifest(bytes(pack.manifest))


def of_manifest(manifest: bytes) -> Contents:
    """The contents of a manifest whose members are in the vault."""
    vault = Vault(settings.PORTAL_VAULT_DIR)
    digests = {m["path"]: m["sha256"] for m in json.loads(manifest)["members"]}

    def member(path: str) -> bytes:
        try:
            with vault.open(digests[path]) as stream:
                return stream.read()
        except VaultError as fault:
            raise TrustError(f"{path}: not in the vault ({fault})") from fault

    return read(manifest, member)


def shelf() -> Path:
    return Path(settings.PORTAL_DATA_DIR) / "trust"


def directory(pack: Pack) -> Path:
    """The pack's folder on this machine, written if it is not there."""
    folder = shelf() / pack.sha256
    if not folder.is_dir():
        _write(pack, folder)
    return folder


def _write(pack: Pack, folder: Path) -> None:
    """Whole or not at all: beside the shelf first, then under its name."""
    whole = contents(pack)
    folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        files = {MANIFEST: whole.manifest, SIGNATURE: pack.signature.encode(), **whole.members}
        for path, data in files.items():
            file = new / path
            file.parent.mkdir(parents=True, exist_ok=True)
            _write_file(file, data)
        for found in [new, *(p for p in new.rglob("*") if p.is_dir())]:
            _sync(found)
            found.chmod(0o755)
        try:
            new.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was first: its folder is checked like any other
                raise
        _sync(folder.parent)
    finally:
        if new.exists():
            shutil.rmtree(new)


def _write_file(file: Path, data: bytes) -> None:
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o444)
    with os.fdopen(fd, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(fd)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def point(pack: Pack) -> None:
    """The link for people. A failure harms nobody: the portal does not read it."""
    link = shelf() / "in-force"
    new = shelf() / f".in-force-{os.getpid()}"
    try:
        new.unlink(missing_ok=True)
        new.symlink_to(pack.sha256)
        new.replace(link)
    except OSError as fault:
        log.warning("trust: %s was not pointed at %s: %s", link, pack.sha256, fault)
