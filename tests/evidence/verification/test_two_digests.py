"""SHA-256 and SM3 of a large file in one pass: the right digests, every byte read once, few blocks waiting."""

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.verification import digests
from evidence.verification.exhibit import TWO_THREADS_FROM, Source
from portal.vault import disk

MIB = 1 << 20


@pytest.mark.parametrize("size", [0, 1, MIB, TWO_THREADS_FROM - 1, TWO_THREADS_FROM, TWO_THREADS_FROM + 3 * MIB + 7])
def test_both_digests_are_right_and_every_byte_is_read_once(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = os.urandom(size)
    path = tmp_path / "recording"
    path.write_bytes(data)
    read: list[int] = []
    pread = os.pread

    def counted(fd: int, count: int, offset: int) -> bytes:
        found = pread(fd, count, offset)
        read.append(len(found))
        return found

    monkeypatch.setattr(os, "pread", counted)
    source = Source.from_path(path)
    assert source.sha256 == hashlib.sha256(data).hexdigest()
    assert source.sm3 == hashlib.new("sm3", data).hexdigest()
    assert sum(read) == size
    fd = os.open(path, os.O_RDONLY)
    assert disk.hash_file(fd) == disk.Stored(source.sha256, source.sm3, size)
    os.close(fd)
    source.close()


def test_a_file_that_cannot_be_read_to_its_end_has_no_digests() -> None:
    def torn() -> Iterator[bytes]:
        yield bytes(MIB)
        raise OSError("torn")

    with pytest.raises(OSError, match="torn"):
        digests.sha256_and_sm3(torn())


def test_a_hasher_that_fails_in_its_thread_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def update(self, data: bytes) -> None:
            raise MemoryError

        def digest(self) -> bytes:
            return bytes(32)

    made = digests.hasher
    monkeypatch.setattr(digests, "hasher", lambda name: Broken() if name == "SM3" else made(name))
    with pytest.raises(MemoryError):
        digests.sha256_and_sm3([b"x"])
    with pytest.raises(MemoryError):
        digests.sha256_and_sm3(bytes(1) for _ in range(100))


def test_reading_never_runs_far_ahead_of_the_slower_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a whole recording would be held in memory."""
    going, begun = threading.Semaphore(0), []

    class Slow:
        def update(self, data: bytes) -> None:
            going.acquire()

        def digest(self) -> bytes:
            return bytes(32)

    def blocks() -> Iterator[bytes]:
        for n in range(50):
            begun.append(n)
            if n > digests.BLOCKS_AHEAD:
                going.release(50)
            yield b"x"

    made = digests.hasher
    monkeypatch.setattr(digests, "hasher", lambda name: Slow() if name == "SM3" else made(name))
    watcher = threading.Timer(0.5, lambda: (held.append(len(begun)), going.release(50)))
    held: list[int] = []
    watcher.start()
    digests.sha256_and_sm3(blocks())
    watcher.join()
    assert held == [digests.BLOCKS_AHEAD]


def test_the_thread_of_an_upload_that_broke_off_ends() -> None:
    before = threading.active_count()
    broken = disk.Digests()
    broken.update(bytes(TWO_THREADS_FROM))
    broken.update(bytes(MIB))
    del broken
    for thread in threading.enumerate():
        if thread.name.startswith("sm3"):
            thread.join(timeout=10)
    assert threading.active_count() <= before
