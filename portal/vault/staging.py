"""Uploads in progress: one file per upload, grown part by part, finally sealed into an object."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from portal.vault.disk import (
    CHUNK,
    NEW_FILE,
    READ_FILE,
    Busy,
    DigestMismatch,
    Missing,
    OffsetConflict,
    Readable,
    Sealed,
    Stored,
    TooLarge,
    fsync,
    fsync_directory,
    full_disk_named,
    hash_file,
    remove,
    write_all,
)

_UPLOAD_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


class Staging:
    """The area for resumable uploads.

    Every call holds an exclusive lock on the upload's file, so that two requests can never interleave
    bytes and a sealed object cannot be written through a handle opened earlier. Upload ids are the
    caller's choice: 1 to 64 of [0-9A-Za-z_-], else ValueError.
    """

    def __init__(self, directory: Path, *, publish: Callable[[Path, Stored], None]) -> None:
        self._directory = directory
        self._publish = publish

    def _path(self, upload_id: str) -> Path:
        if not _UPLOAD_ID.fullmatch(upload_id):
            raise ValueError("an upload id is 1 to 64 letters, digits, '-' or '_'")
        return self._directory / f"{upload_id}.part"

    def open(self, upload_id: str) -> int:
        """Begin an upload, durably, or resume one; return the offset to go on at."""
        with full_disk_named():
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self._path(upload_id), NEW_FILE, 0o640))
            fsync_directory(self._directory)
        return self.offset(upload_id)

    def offset(self, upload_id: str) -> int:
        """How many bytes of the upload are here. Raises Missing."""
        try:
            return os.lstat(self._path(upload_id)).st_size
        except FileNotFoundError as error:
            raise Missing(upload_id) from error

    def read(self, upload_id: str) -> BinaryIO:
        """The bytes so far, to look at before they become an object. Raises Missing."""
        try:
            return os.fdopen(os.open(self._path(upload_id), READ_FILE), "rb")
        except FileNotFoundError as error:
            raise Missing(upload_id) from error

    def append(self, upload_id: str, stream: Readable, *, offset: int, limit: int) -> int:
        """Add a part at `offset`; return the new offset, durably. `limit`: bytes the whole upload may reach.

        When the *stream* breaks, the bytes that did arrive are kept (the client asks for the offset and
        goes on) and its exception is passed on. When the disk fails or the limit is passed, the part is
        taken back whole. Raises Missing, Sealed, Busy, OffsetConflict, TooLarge, StoreFull.
        """
        with self._locked(upload_id, os.O_WRONLY) as fd:
            state = os.fstat(fd)
            if not state.st_mode & stat.S_IWUSR or state.st_nlink != 1:
                raise Sealed(upload_id)
            if state.st_size != offset:
                raise OffsetConflict(state.st_size)
            position = os.lseek(fd, offset, os.SEEK_SET)
            try:
                while chunk := stream.read(min(CHUNK, limit - position + 1)):
                    try:
                        if position + len(chunk) > limit:
                            raise TooLarge(limit)
                        with full_disk_named():
                            write_all(fd, chunk)
                    except BaseException:
                        os.ftruncate(fd, offset)
                        raise
                    position += len(chunk)
            finally:
                fsync(fd, of=f"upload {upload_id}")
            return position

    def seal(self, upload_id: str, *, expected_sha256: str) -> Stored:
        """Turn the finished upload into an object, without a copy, once its bytes *on disk* hash as
        announced.

        The announced digest is required: a resumed upload may hold a torn part, and only the sender knows
        what the whole should be. Raises Missing, Busy, StoreFull, Damaged, and DigestMismatch (the part
        file stays, for the caller to discard). After a crash in the middle, calling it again finishes the
        work.
        """
        path = self._path(upload_id)
        with self._locked(upload_id, os.O_RDONLY) as fd, full_disk_named():
            fsync(fd, of=f"upload {upload_id}")  # first, so that the read below may come from the disk
            stored = hash_file(fd)
            if stored.sha256 != expected_sha256:
                raise DigestMismatch(expected_sha256, stored.sha256)
            os.fchmod(fd, 0o440)
            fsync(fd, of=f"upload {upload_id}")
            self._publish(path, stored)
            remove(path)
        return stored

    def discard(self, upload_id: str) -> None:
        """Forget an unfinished upload. Raises Missing or Busy."""
        with self._locked(upload_id, os.O_RDONLY):
            os.unlink(self._path(upload_id))

    def walk(self) -> Iterator[tuple[str, int, float]]:
        """(upload id, bytes so far, seconds since its last byte) of every upload in progress."""
        for name in sorted(os.listdir(self._directory)):
            upload_id = name.removesuffix(".part")
            if name == upload_id or not _UPLOAD_ID.fullmatch(upload_id):
                continue
            with contextlib.suppress(FileNotFoundError):  # sealed meanwhile
                state = os.lstat(self._directory / name)
                yield upload_id, state.st_size, time.time() - state.st_mtime

    @contextlib.contextmanager
    def _locked(self, upload_id: str, mode: int) -> Iterator[int]:
        path = self._path(upload_id)
        try:
            fd = os.open(path, mode | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise Missing(upload_id) from error
        except PermissionError as error:
            if mode == os.O_WRONLY:  # mode 0440: sealing got as far as fchmod
                raise Sealed(upload_id) from error
            raise
        try:
            self._hold(fd, path, upload_id)
            yield fd
        finally:
            os.close(fd)

    @staticmethod
    def _hold(fd: int, path: Path, upload_id: str) -> None:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            same = os.path.samestat(os.fstat(fd), os.lstat(path))
        except BlockingIOError as error:
            raise Busy(upload_id) from error
        except FileNotFoundError as error:
            raise Missing(upload_id) from error
        if not same:  # opened, then sealed or discarded by another before the lock
            raise Missing(upload_id)
