"""The files of one exhibit, as named sources with digests.

A source is read through `os.pread`, so that any number of readers share one descriptor and the jail can hand descriptors
in. Nothing here trusts a name: names are labels, never paths.
"""

import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

from . import digests, progress

FILES_MAX = 50
"""Files in one exhibit. The largest set met in practice is a nine-file time-stamp package; fifty leaves room."""
NAME_MAX = 255
"""Characters of a file name that are kept as its label."""
READ_BLOCK = 1 << 20
TWO_THREADS_FROM = 8 << 20
"""Bytes from which SM3 (slow) and SHA-256 (fast) are worth two threads."""


_NOT_UTF8 = re.compile("[\ud800-\udfff]")
"""File names are bytes to the system; what of them is not UTF-8 is replaced, so that every label can be put into JSON."""


class ExhibitError(ValueError):
    """The set of files cannot be one exhibit (none, or too many). Said to the caller, not a finding."""


class Source:
    """One file as handed in: its label, size, digests and bytes."""

    def __init__(self, name: str, fd: int, *, start: int = 0, size: int | None = None) -> None:
        """`fd` is a readable, seekable descriptor; the source keeps it open and closes it with `close`. The file is what it holds
        from `start` on, or `size` bytes of that."""
        self.name = _NOT_UTF8.sub("\N{REPLACEMENT CHARACTER}", name)[:NAME_MAX]
        self._fd, self._start = fd, start
        self.size = os.fstat(fd).st_size - start if size is None else size

    @classmethod
    def from_path(cls, path: Path, *, name: str | None = None) -> "Source":
        return cls(name or path.name, os.open(path, os.O_RDONLY | os.O_CLOEXEC))

    @classmethod
    def from_bytes(cls, name: str, data: bytes) -> "Source":
        """For bytes made by the caller (tests, the self-test): an anonymous memory file."""
        fd = os.memfd_create("source", os.MFD_CLOEXEC)
        with os.fdopen(os.dup(fd), "wb") as out:
            out.write(data)
        return cls(name, fd)

    def open(self) -> BinaryIO:
        """An independent, buffered, seekable reader at offset 0."""
        return cast(BinaryIO, io.BufferedReader(_Window(self._fd, self._start, self.size), buffer_size=READ_BLOCK))

    def pread(self, offset: int, count: int) -> bytes:
        """At most `count` bytes from `offset`; fewer only at the end."""
        data = os.pread(self._fd, max(0, min(count, self.size - offset)), self._start + offset)
        progress.reached(self, offset + len(data))
        return data

    def head(self, length: int) -> bytes:
        return os.pread(self._fd, min(length, self.size), self._start)

    def tail(self, length: int) -> bytes:
        length = min(length, self.size)
        return os.pread(self._fd, length, self._start + self.size - length)

    def read(self, limit: int) -> bytes | None:
        """The whole content, or None when it is larger than `limit` bytes (the caller says RESOURCE_LIMIT)."""
        if self.size > limit:
            return None
        with self.open() as stream:
            return stream.read()

    def digest(self, algorithm: str) -> bytes:
        """Digest of the whole file; each algorithm is computed once."""
        if algorithm in ("SHA-256", "SM3"):
            return self._both[algorithm]
        if algorithm not in self._others:
            self._others[algorithm] = self._hash(algorithm)
        return self._others[algorithm]

    @property
    def sha256(self) -> str:
        return self.digest("SHA-256").hex()

    @property
    def sm3(self) -> str:
        return self.digest("SM3").hex()

    def close(self) -> None:
        os.close(self._fd)

    @cached_property
    def _others(self) -> dict[str, bytes]:
        return {}

    @cached_property
    def _both(self) -> dict[str, bytes]:
        if self.size < TWO_THREADS_FROM:
            sha256, sm3 = digests.hasher("SHA-256"), digests.hasher("SM3")
            for block in self._blocks():
                sha256.update(block)
                sm3.update(block)
            return {"SHA-256": sha256.digest(), "SM3": sm3.digest()}
        with progress.step(progress.Step.DIGESTS):
            return dict(zip(("SHA-256", "SM3"), digests.sha256_and_sm3(self._blocks()), strict=True))

    def _hash(self, algorithm: str) -> bytes:
        h = digests.hasher(algorithm)
        for block in self._blocks():
            h.update(block)
        return h.digest()

    def _blocks(self) -> Iterator[bytes]:
        at = 0
        while block := self.pread(at, READ_BLOCK):
            at += len(block)
            yield block


class _Window(io.RawIOBase):
    """Positioned reads over a part of a shared descriptor; never closes it."""

    def __init__(self, fd: int, start: int, size: int) -> None:
        self._fd, self._start, self._size, self._at = fd, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = min(len(buffer), max(0, self._size - self._at))
        read = os.preadv(self._fd, [memoryview(buffer)[:count]], self._start + self._at) if count else 0
        self._at += read
        return read


@dataclass(frozen=True)
class Exhibit:
    """The files of one exhibit in canonical order: by name, then by SHA-256. Order of handing in never matters."""

    sources: tuple[Source, ...]

    @classmethod
    def of(cls, sources: Iterable[Source]) -> "Exhibit":
        collected = tuple(sources)
        if not collected:
            raise ExhibitError("an exhibit needs at least one file")
        if len(collected) > FILES_MAX:
            raise ExhibitError(f"an exhibit may hold at most {FILES_MAX} files")
        return cls(tuple(sorted(collected, key=lambda s: (s.name, s.sha256))))

    @classmethod
    def from_paths(cls, paths: Sequence[Path]) -> "Exhibit":
        return cls.of(Source.from_path(p) for p in paths)

    @classmethod
    def from_fds(cls, named: Sequence[tuple[str, int]]) -> "Exhibit":
        return cls.of(Source(name, fd) for name, fd in named)

    def close(self) -> None:
        for source in self.sources:
            source.close()
