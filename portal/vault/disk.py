"""What the store says, and the disk operations it rests on: digests, and an fsync that cannot be ignored."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from cryptography.hazmat.primitives import hashes

CHUNK = 1 << 20  # bytes read, hashed and written at a time: large enough that system calls do not matter
TWO_THREADS_FROM = 8 << 20  # bytes from which a thread for the slower hash pays
CHUNKS_AHEAD = 4  # chunks that wait for it: enough that it never waits, and few MiB of memory
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
READ_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_log = logging.getLogger(__name__)


class VaultError(Exception):
    """Any refusal of the store that is not a plain operating-system error."""


class StoreFull(VaultError):
    """The disk (or the quota) is full. Nothing was stored; free space and send the same bytes again."""


class TooLarge(VaultError):
    """The stream holds more than `limit` bytes. Nothing was stored."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} bytes")
        self.limit = limit


class DigestMismatch(VaultError):
    """The bytes received have another SHA-256 than announced. Nothing was stored."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(f"announced sha256 {expected}, received {actual}")
        self.expected, self.actual = expected, actual


class Missing(VaultError):
    """No object with this digest, or no upload with this id."""


class Damaged(VaultError):
    """An object on disk no longer has the digest it is named by. The file is left as it is."""

    def __init__(self, sha256: str, found: str) -> None:
        super().__init__(f"object {sha256}: {found}")
        self.sha256, self.found = sha256, found


class OffsetConflict(VaultError):
    """A part was sent for another offset than the upload has reached; `offset` is where it stands."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"upload stands at offset {offset}")
        self.offset = offset


class Busy(VaultError):
    """Another request is writing to or sealing this upload."""


class Sealed(VaultError):
    """This upload is complete: it can be sealed again, not appended to."""


class Readable(Protocol):
    """What the store needs of a stream: `read(n)` gives at most n bytes, b"" at the end."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Stored:
    """What is on disk: both digests in lower-case hex, size in bytes."""

    sha256: str
    sm3: str
    size: int


@contextlib.contextmanager
def full_disk_named() -> Iterator[None]:
    """Turn ENOSPC and EDQUOT into StoreFull; any other operating-system error passes as it is."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(str(error)) from error
        raise


def fsync(fd: int, *, of: str) -> None:
    """fsync, or the end of the process.

    The kernel reports a failed write-back once and may have dropped the pages; a second fsync would then
    say yes to bytes that are not there. Nothing this process believes about the disk can be relied on any
    longer.
    """
    try:
        os.fsync(fd)
    except OSError as error:
        _die(f"vault: fsync of {of} failed ({error}); the process ends, the state of the disk is unknown\n")


def _die(message: str) -> NoReturn:
    with contextlib.suppress(OSError):  # nowhere left to complain to; the abort itself is the message
        os.write(2, message.encode())
    os.abort()


def fsync_directory(path: Path) -> None:
    """Make the names in a directory durable, or end the process."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fsync(fd, of=str(path))
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    """write(2) until everything is written."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def remove(path: Path) -> None:
    """Remove a working file. Failing to harms no evidence: it is logged, and a sweep tries again."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        _log.warning("vault: could not remove %s: %s", path, error)


class Digests:
    """SHA-256 and SM3 over the same bytes in one pass.

    From some MiB on SM3, the slower one (0.35 GB/s), has a thread of its own, which ends with this object or at `finish`: a
    file then takes as long as SM3 alone. Both leave the interpreter's lock alone while they hash.
    """

    def __init__(self) -> None:
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._sm3 = hashes.Hash(hashes.SM3())
        self._thread: ThreadPoolExecutor | None = None
        self._ahead: deque[Future[None]] = deque()

    def update(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.size += len(chunk)
        if self.size < TWO_THREADS_FROM:
            self._sm3.update(chunk)
        else:
            self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="sm3")
            self._ahead.append(self._thread.submit(self._sm3.update, chunk))
        self._sha256.update(chunk)
        if len(self._ahead) >= CHUNKS_AHEAD:
            self._ahead.popleft().result()

    def finish(self) -> Stored:
        """The digests of everything taken; call once."""
        while self._ahead:
            self._ahead.popleft().result()
        if self._thread is not None:
            self._thread.shutdown()
        return Stored(self._sha256.hexdigest(), self._sm3.finalize().hex(), self.size)


def hash_file(fd: int) -> Stored:
    """Digests of an open file from offset 0, read from the disk rather than the page cache where possible."""
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.lseek(fd, 0, os.SEEK_SET)
    digests = Digests()
    while chunk := os.read(fd, CHUNK):
        digests.update(chunk)
    return digests.finish()
