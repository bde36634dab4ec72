"""Signed heads: C2SP signed-note v1.0.0 and tlog-checkpoint v1.0.0 with Ed25519, the log's key, and tlog-proof.

A checkpoint says "the book called `origin` has `size` entries and this root". It is signed only after the tree was
committed and read back (`sequencer`), and only when it extends the newest checkpoint held *outside* the database, in
the file `<PORTAL_DATA_DIR>/ledger/checkpoint`: a restored or rewritten database cannot get a second history signed.

Keys: `<PORTAL_DATA_DIR>/keys/ledger.key` (0600; one line, `PRIVATE+KEY+<name>+<key id>+<base64>`, the usual form of
note signers) and beside it `ledger.vkey`, the public line to hand out.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from . import tree
from .models import Checkpoint, Tile

ED25519 = 0x01
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")


class CheckpointError(Exception):
    """A note that is not well formed or not ours, a key that is missing, a history that does not continue."""


@dataclass(frozen=True)
class Signed:
    """The content of a checkpoint whose signature was checked."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True)
class PublicKey:
    """A verifier key line: `<name>+<key id, 8 hex digits>+<base64 of type byte and key>`."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([ED25519]) + self.key).digest()[:4]

    def line(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_b64(bytes([ED25519]) + self.key)}"


# -- notes ----------------------------------------------------------------------------------------


def body(origin: str, size: int, root: bytes) -> str:
    return f"{origin}\n{size}\n{_b64(root)}\n"


def sign(text: str, *, name: str, key: Ed25519PrivateKey) -> str:
    """The signed note over `text`."""
    public = PublicKey(name, key.public_key().public_bytes_raw())
    return f"{text}\n— {name} {_b64(public.id + key.sign(text.encode()))}\n"


def read(note: str, *, by: PublicKey) -> Signed:
    """Check a checkpoint of this log. Signatures by other keys are ignored, as C2SP requires; ours must be good."""
    text, separator, signatures = note.rpartition("\n\n")
    text += "\n"
    if not separator or not signatures.endswith("\n") or any(c < " " and c != "\n" for c in note):
        raise CheckpointError("not a signed note")
    found = False
    for line in signatures[:-1].split("\n"):
        parts = re.fullmatch(r"— (\S+) (\S+)", line)
        if not parts:
            raise CheckpointError("a signature line that is none")
        blob = _unb64(parts[2])
        if parts[1] != by.name or blob[:4] != by.id:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(by.key).verify(blob[4:], text.encode())
        except InvalidSignature as fault:
            raise CheckpointError("the signature does not match") from fault
        found = True
    if not found:
        raise CheckpointError("not signed by this log")
    lines = text.split("\n")
    if len(lines) < 4 or not _SIZE.fullmatch(lines[1]) or len(root := _unb64(lines[2])) != tree.HASH:
        raise CheckpointError("not a checkpoint")
    return Signed(lines[0], int(lines[1]), root)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise CheckpointError("not base64") from fault
    if _b64(data) != text:
        raise CheckpointError("base64 written in another way than it must be")
    return data


# -- key and the checkpoint outside the database --------------------------------------------------


def origin() -> str:
    name = settings.PORTAL_LEDGER_ORIGIN
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise CheckpointError("PORTAL_LEDGER_ORIGIN must be a name without spaces or '+'")
    return name


def key() -> Ed25519PrivateKey:
    """The log's signing key. Made on the first use of a new book; a book with a history must bring its key."""
    path = _key_file()
    try:
        line = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        if Checkpoint.objects.exists() or newest_file().exists():
            raise CheckpointError(f"the ledger has signed heads but its key {path} is missing") from None
        return _make_key(path)
    parts = line.split("+", 4)  # the base64 at the end may hold more of them
    if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:
        raise CheckpointError(f"{path} is not a note signer's key")
    blob = _unb64(parts[4])
    if len(blob) != 33 or blob[0] != ED25519 or parts[2] != origin():
        raise CheckpointError(f"{path} is not an Ed25519 key for {origin()}")
    return Ed25519PrivateKey.from_private_bytes(blob[1:])


def public_key() -> PublicKey:
    return PublicKey(origin(), key().public_key().public_bytes_raw())


def _key_file() -> Path:
    return Path(settings.PORTAL_DATA_DIR) / "keys" / "ledger.key"


def _make_key(path: Path) -> Ed25519PrivateKey:
    made = Ed25519PrivateKey.generate()
    public = PublicKey(origin(), made.public_key().public_bytes_raw())
    secret = _b64(bytes([ED25519]) + made.private_bytes_raw())
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        _write_new(path, f"PRIVATE+KEY+{public.name}+{public.id.hex()}+{secret}\n", 0o600)
    except FileExistsError:  # another process was first
        return key()
    path.with_suffix(".vkey").write_text(public.line() + "\n", encoding="utf-8")
    return made


def newest_file() -> Path:
    """The newest checkpoint, outside the database. Public: a witness may fetch it."""
    return Path(settings.PORTAL_DATA_DIR) / "ledger" / "checkpoint"


@contextlib.contextmanager
def signing() -> Iterator[None]:
    """One signer at a time on this machine."""
    directory = newest_file().parent
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def newest_outside(by: PublicKey) -> Signed | None:
    """What the file says, its signature checked; None before the first checkpoint."""
    try:
        note = newest_file().read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return read(note, by=by)


def keep_outside(note: str) -> None:
    """Replace the file durably: either the old note or the new one is there, whatever happens."""
    path = newest_file()
    new = path.with_suffix(f".{os.getpid()}")
    new.unlink(missing_ok=True)
    _write_new(new, note, 0o644)
    os.replace(new, path)
    _fsync_directory(path.parent)


def _write_new(path: Path, text: str, mode: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(fd)
    _fsync_directory(path.parent)


def _fsync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


# -- proofs from the stored tiles -----------------------------------------------------------------


def stored_nodes() -> tree.Node:
    """A node reader over the database's tiles, each read once."""
    cache: dict[tree.Place, bytes] = {}

    def tile(place: tree.Place) -> bytes:
        if place not in cache:
            rows = Tile.objects.filter(level=place[0], number=place[1]).values_list("hashes", flat=True)
            cache[place] = next((bytes(row) for row in rows), b"")
        return cache[place]

    return tree.nodes_of(tile)


def inclusion_proof(index: int, size: int) -> list[bytes]:
    """From entry `index` to the root of the tree of `size`. ValueError outside the tree, TileGap beyond its end."""
    return tree.inclusion_proof(stored_nodes(), index, size)


def consistency_proof(first: int, second: int) -> list[bytes]:
    """That the tree of `second` entries begins with the tree of `first`."""
    return tree.consistency_proof(stored_nodes(), first, second)


def tlog_proof(index: int) -> str:
    """The C2SP tlog-proof of entry `index` under the newest checkpoint: to be kept with a receipt, good offline."""
    newest = Checkpoint.objects.order_by("-size").first()
    if newest is None or index >= newest.size:
        raise CheckpointError(f"entry {index} is not under a signed head yet")
    hashes = "".join(_b64(h) + "\n" for h in inclusion_proof(index, newest.size))
    return f"c2sp.org/tlog-proof@v1\nindex {index}\n{hashes}\n{newest.note}"
