"""The store itself: objects by digest. The protocol and its reasons are in the package's docstring."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import re
import secrets
import stat
import time
from collections.abc import Container, Iterator
from pathlib import Path
from typing import BinaryIO

from portal.vault.disk import (
    CHUNK,
    NEW_FILE,
    READ_FILE,
    Damaged,
    DigestMismatch,
    Digests,
    Missing,
    Readable,
    Stored,
    TooLarge,
    fsync,
    fsync_directory,
    full_disk_named,
    hash_file,
    remove,
    write_all,
)
from portal.vault.staging import Staging

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Vault:
    """A store rooted at a directory; all of it must be one file system (it works by hard links)."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._objects = self.root / "sha256"
        self._incoming = self.root / "incoming"
        # Directories whose own name this process has seen made durable in their parent.
        self._durable: set[Path] = set()
        self.root.mkdir(parents=True, exist_ok=True, mode=0o750)
        for directory in (self._objects, self._incoming, self.root / "staging"):
            self._ensure(directory)
        self.staging = Staging(self.root / "staging", publish=self._publish)

    def receive(self, stream: Readable, *, limit: int, expected_sha256: str | None = None) -> Stored:
        """Store a stream of at most `limit` bytes and return its digests once it is durable.

        The same bytes may be received any number of times and by any number of processes at once. Raises
        TooLarge, DigestMismatch, StoreFull, Damaged (these bytes were stored before and that copy has
        rotted), or whatever the stream raises; in each case nothing new is visible.
        """
        new = self._incoming / f"{os.getpid()}-{secrets.token_hex(16)}"
        with full_disk_named():
            fd = os.open(new, NEW_FILE, 0o440)
            try:
                try:
                    stored = self._fill(fd, stream, limit)
                    if expected_sha256 is not None and stored.sha256 != expected_sha256:
                        raise DigestMismatch(expected_sha256, stored.sha256)
                    fsync(fd, of=str(new))
                finally:
                    os.close(fd)
                self._publish(new, stored)
            finally:
                remove(new)
        return stored

    def put_bytes(self, data: bytes) -> Stored:
        """Store bytes already in memory."""
        return self.receive(io.BytesIO(data), limit=len(data))

    @staticmethod
    def _fill(fd: int, stream: Readable, limit: int) -> Stored:
        digests = Digests()
        while chunk := stream.read(min(CHUNK, limit - digests.size + 1)):
            if digests.size + len(chunk) > limit:
                raise TooLarge(limit)
            write_all(fd, chunk)
            digests.update(chunk)
        stored = digests.finish()
        if os.fstat(fd).st_size != stored.size:
            raise OSError(errno.EIO, "the file system kept fewer bytes than it accepted")
        return stored

    def _publish(self, source: Path, stored: Stored) -> None:
        """Give a complete, fsynced file its digest's name, durably."""
        final = self.path(stored.sha256)
        for directory in (final.parent.parent, final.parent):
            self._ensure(directory)
        try:
            os.link(source, final, follow_symlinks=False)
        except FileExistsError:
            # Already there. The new copy is about to be dropped, so the old one must prove that it is still
            # whole; otherwise evidence would be acknowledged that only exists damaged.
            if not os.path.samestat(os.lstat(source), os.lstat(final)):
                self.verify(stored.sha256)
        # Also after EEXIST: whoever made the link may not have reached this line.
        fsync_directory(final.parent)

    def _ensure(self, directory: Path) -> None:
        """Make a directory durable in its parent, once per process.

        Also when it exists already: the process that made it may have died before its own fsync.
        """
        if directory in self._durable:
            return
        with contextlib.suppress(FileExistsError):
            os.mkdir(directory, 0o750)
        fsync_directory(directory.parent)
        self._durable.add(directory)

    def path(self, sha256: str) -> Path:
        """Where the object with this digest (64 lower-case hex digits, else ValueError) is or would be."""
        if not _DIGEST.fullmatch(sha256):
            raise ValueError("a digest is 64 lower-case hexadecimal digits")
        return self._objects / sha256[:2] / sha256[2:4] / sha256

    def has(self, sha256: str) -> bool:
        """Whether an object of this name exists (whether it is whole is `verify`'s question)."""
        try:
            return stat.S_ISREG(os.lstat(self.path(sha256)).st_mode)
        except FileNotFoundError:
            return False

    def open(self, sha256: str) -> BinaryIO:
        """The object for reading. Raises Missing; Damaged if something other than a file bears the name."""
        return os.fdopen(self._open_fd(sha256), "rb")

    def read(self, sha256: str) -> bytes:
        """The whole object, hashed before it is given out: for what goes to people under this name. Raises Missing or Damaged."""
        with self.open(sha256) as stream:
            data = stream.read()
        found = hashlib.sha256(data).hexdigest()
        if found != sha256:
            raise Damaged(sha256, f"its {len(data)} bytes hash to {found}")
        return data

    def verify(self, sha256: str) -> Stored:
        """Read the whole object from disk and hash it. Raises Missing or Damaged."""
        fd = self._open_fd(sha256)
        try:
            found = hash_file(fd)
        finally:
            os.close(fd)
        if found.sha256 != sha256:
            raise Damaged(sha256, f"its {found.size} bytes hash to {found.sha256}")
        return found

    def _open_fd(self, sha256: str) -> int:
        try:
            fd = os.open(self.path(sha256), READ_FILE | os.O_NONBLOCK)  # a planted FIFO must not hang
        except FileNotFoundError as error:
            raise Missing(sha256) from error
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise Damaged(sha256, "a symbolic link stands in its place") from error
            raise
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise Damaged(sha256, "not a regular file")
        return fd

    def walk(self) -> Iterator[str]:
        """Every object's digest in ascending order. Names that are no digest in its place are not objects."""
        for first in _names(self._objects):
            for second in _names(self._objects / first):
                for name in _names(self._objects / first / second):
                    if _DIGEST.fullmatch(name) and (name[:2], name[2:4]) == (first, second):
                        yield name

    def orphans(self, known: Container[str]) -> Iterator[str]:
        """Objects on disk whose digest is not in `known`: stored, but the transaction owning them failed."""
        return (sha256 for sha256 in self.walk() if sha256 not in known)

    def sweep(self, *, older_than: float) -> int:
        """Remove files in `incoming/` not written to for `older_than` seconds; return how many went."""
        removed = 0
        for name in sorted(os.listdir(self._incoming)):
            path = self._incoming / name
            with contextlib.suppress(FileNotFoundError):  # its writer finished meanwhile
                if time.time() - os.lstat(path).st_mtime >= older_than:
                    remove(path)
                    removed += 1
        return removed


def _names(directory: Path) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except NotADirectoryError:
        return []
