"""The evidence store, from its promises: what went in comes out, nothing else shows, nothing is replaced."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import os
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes

from portal.vault import (
    Busy,
    Damaged,
    DigestMismatch,
    Missing,
    OffsetConflict,
    Sealed,
    StoreFull,
    TooLarge,
    Vault,
)

ABC_SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4 example
ABC_SM3 = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"  # GB/T 32905-2016, A.1
MB = 1 << 20


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "store")


def contents(vault: Vault) -> list[str]:
    """Every regular file below the store, relative; what an outsider would see."""
    return sorted(str(p.relative_to(vault.root)) for p in vault.root.rglob("*") if p.is_file())


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Breaking:
    """A stream that gives `data` and then fails, as a lost connection does."""

    def __init__(self, data: bytes, error: BaseException) -> None:
        self.inner, self.error = io.BytesIO(data), error

    def read(self, size: int, /) -> bytes:
        if chunk := self.inner.read(size):
            return chunk
        raise self.error


class Trickle:
    """A stream that never gives as much as it is asked for."""

    def __init__(self, data: bytes, step: int) -> None:
        self.inner, self.step = io.BytesIO(data), step

    def read(self, size: int, /) -> bytes:
        return self.inner.read(min(size, self.step))


class TestObjects:
    def test_published_digests_place_and_mode(self, vault: Vault) -> None:
        stored = vault.put_bytes(b"abc")
        assert (stored.sha256, stored.sm3, stored.size) == (ABC_SHA256, ABC_SM3, 3)
        assert contents(vault) == [f"sha256/ba/78/{ABC_SHA256}"]
        assert vault.path(ABC_SHA256) == vault.root / "sha256" / "ba" / "78" / ABC_SHA256
        assert vault.path(ABC_SHA256).stat().st_mode & 0o777 == 0o440 & ~_umask()
        with vault.open(ABC_SHA256) as stream:
            assert stream.read() == b"abc"

    @pytest.mark.parametrize("size", [0, 1, MB - 1, MB, MB + 1, 4 * MB, 4 * MB + 1, 9 * MB + 5])
    def test_digests_do_not_depend_on_how_the_bytes_arrive(self, vault: Vault, size: int) -> None:
        data = os.urandom(size)
        sm3 = hashes.Hash(hashes.SM3())
        sm3.update(data)
        expected = (sha256(data), sm3.finalize().hex(), size)
        stored = vault.receive(Trickle(data, 300_007), limit=size)
        assert (stored.sha256, stored.sm3, stored.size) == expected
        assert vault.path(stored.sha256).read_bytes() == data
        again = vault.verify(stored.sha256)
        assert (again.sha256, again.sm3, again.size) == expected

    def test_a_limit_is_the_last_size_accepted(self, vault: Vault) -> None:
        assert vault.receive(io.BytesIO(b"12345"), limit=5).size == 5
        before = contents(vault)
        for data in (b"123456", bytes(3 * MB)):
            with pytest.raises(TooLarge):
                vault.receive(io.BytesIO(data), limit=5)
        assert contents(vault) == before

    def test_announced_digest_must_be_the_digest(self, vault: Vault) -> None:
        with pytest.raises(DigestMismatch) as refused:
            vault.receive(io.BytesIO(b"abd"), limit=9, expected_sha256=ABC_SHA256)
        assert refused.value.actual == sha256(b"abd")
        assert contents(vault) == []
        assert vault.receive(io.BytesIO(b"abc"), limit=9, expected_sha256=ABC_SHA256).sha256 == ABC_SHA256

    @pytest.mark.parametrize("size", [0, 10, 2 * MB, 6 * MB])
    def test_a_broken_stream_leaves_nothing(self, vault: Vault, size: int) -> None:
        with pytest.raises(ConnectionResetError):
            vault.receive(Breaking(os.urandom(size), ConnectionResetError()), limit=9 * MB)
        assert contents(vault) == []
        with pytest.raises(KeyboardInterrupt):
            vault.receive(Breaking(os.urandom(size), KeyboardInterrupt()), limit=9 * MB)
        assert contents(vault) == []

    def test_same_bytes_twice_is_one_object_never_rewritten(self, vault: Vault) -> None:
        vault.put_bytes(b"abc")
        before = vault.path(ABC_SHA256).stat()
        vault.put_bytes(b"abc")
        after = vault.path(ABC_SHA256).stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
        assert contents(vault) == [f"sha256/ba/78/{ABC_SHA256}"]

    @pytest.mark.parametrize("rot", [b"abd", b"ab", b"abcd", b""])
    def test_a_rotted_object_is_named_and_never_acknowledged(self, vault: Vault, rot: bytes) -> None:
        vault.put_bytes(b"abc")
        damage(vault.path(ABC_SHA256), rot)
        with pytest.raises(Damaged):
            vault.verify(ABC_SHA256)
        with pytest.raises(Damaged):  # receiving good bytes again must not hide it, nor replace the exhibit
            vault.put_bytes(b"abc")
        assert vault.path(ABC_SHA256).read_bytes() == rot
        assert contents(vault) == [f"sha256/ba/78/{ABC_SHA256}"]

    def test_only_a_plain_file_is_an_object(self, vault: Vault, tmp_path: Path) -> None:
        place = vault.path(ABC_SHA256)
        place.parent.mkdir(parents=True)
        (tmp_path / "outside").write_bytes(b"abc")
        place.symlink_to(tmp_path / "outside")
        assert not vault.has(ABC_SHA256)
        for refused in (vault.open, vault.verify):
            with pytest.raises(Damaged):
                refused(ABC_SHA256)
        with pytest.raises(Damaged):
            vault.put_bytes(b"abc")
        place.unlink()
        os.mkfifo(place)
        with pytest.raises(Damaged):
            vault.open(ABC_SHA256)

    @pytest.mark.parametrize(
        "name", ["", "abc", ABC_SHA256.upper(), ABC_SHA256 + "\n", "../" * 20 + "etc", "１" * 64,
        ABC_SHA256[:-1] + "/"]
    )
    def test_nothing_but_a_digest_becomes_a_path(self, vault: Vault, name: str) -> None:
        for door in (vault.path, vault.open, vault.has, vault.verify):
            with pytest.raises(ValueError, match="64 lower-case"):
                door(name)

    def test_absent(self, vault: Vault) -> None:
        assert not vault.has(ABC_SHA256)
        for door in (vault.open, vault.verify):
            with pytest.raises(Missing):
                door(ABC_SHA256)

    def test_walk_and_orphans(self, vault: Vault) -> None:
        digests = sorted(vault.put_bytes(bytes([i])).sha256 for i in range(40))
        (vault.root / "sha256" / "lost+found").mkdir()
        (vault.root / "sha256" / "README").write_text("not an object")
        misplaced = vault.root / "sha256" / "00" / "00"
        misplaced.mkdir(parents=True, exist_ok=True)
        (misplaced / ("f" * 64)).write_text("a digest's name in another digest's place")
        assert list(vault.walk()) == digests
        assert list(vault.orphans(set(digests[3:]))) == digests[:3]
        assert list(vault.orphans(digests)) == []

    def test_sweep_takes_only_old_leftovers(self, vault: Vault) -> None:
        vault.put_bytes(b"abc")
        left = vault.root / "incoming" / "1-dead"
        left.write_bytes(b"torn")
        assert vault.sweep(older_than=3600) == 0
        os.utime(left, (0, 0))
        assert vault.sweep(older_than=3600) == 1
        assert contents(vault) == [f"sha256/ba/78/{ABC_SHA256}"]


class TestConcurrency:
    def test_many_threads_same_and_different_bytes(self, vault: Vault) -> None:
        payloads = [os.urandom(200_000) for _ in range(5)] * 8
        with ThreadPoolExecutor(16) as pool:
            results = list(pool.map(vault.put_bytes, payloads))
        assert [r.sha256 for r in results] == [sha256(p) for p in payloads]
        assert list(vault.walk()) == sorted({sha256(p) for p in payloads})
        assert os.listdir(vault.root / "incoming") == []

    def test_many_processes_racing_for_one_new_object(self, vault: Vault) -> None:
        data = os.urandom(3 * MB)
        with multiprocessing.get_context("spawn").Pool(4) as pool:
            results = pool.starmap(_put, [(vault.root, data)] * 16)
        assert set(results) == {sha256(data)}
        assert contents(vault) == [str(vault.path(sha256(data)).relative_to(vault.root))]

    def test_a_reader_never_sees_part_of_an_object(self, vault: Vault) -> None:
        data = os.urandom(8 * MB)
        place, seen, done = vault.path(sha256(data)), set(), threading.Event()

        def watch() -> None:
            while not done.is_set():
                if place.exists():
                    seen.add(place.stat().st_size)

        watcher = threading.Thread(target=watch)
        watcher.start()
        vault.receive(Trickle(data, 50_000), limit=len(data))
        done.set()
        watcher.join()
        assert seen <= {len(data)}


class TestStaging:
    def test_parts_then_seal_without_a_second_copy(self, vault: Vault) -> None:
        data = os.urandom(7 * MB + 11)
        staging = vault.staging
        assert staging.open("up-1") == 0
        offset = staging.append("up-1", io.BytesIO(data[:MB]), offset=0, limit=len(data))
        assert staging.open("up-1") == offset == staging.offset("up-1") == MB
        assert staging.append("up-1", io.BytesIO(data[MB:]), offset=MB, limit=len(data)) == len(data)
        inode = (vault.root / "staging" / "up-1.part").stat().st_ino
        assert [(u, n) for u, n, _ in staging.walk()] == [("up-1", len(data))]
        stored = staging.seal("up-1", expected_sha256=sha256(data))
        assert stored == vault.verify(sha256(data))
        place = vault.path(stored.sha256)
        assert place.stat().st_ino == inode and place.stat().st_mode & 0o777 == 0o440
        assert contents(vault) == [str(place.relative_to(vault.root))]
        assert list(staging.walk()) == []

    def test_sealing_what_is_stored_already_keeps_the_first_copy(self, vault: Vault) -> None:
        vault.put_bytes(b"abc")
        inode = vault.path(ABC_SHA256).stat().st_ino
        begin(vault, "again", b"abc")
        assert vault.staging.seal("again", expected_sha256=ABC_SHA256).sm3 == ABC_SM3
        assert vault.path(ABC_SHA256).stat().st_ino == inode
        assert contents(vault) == [f"sha256/ba/78/{ABC_SHA256}"]

    def test_sealing_over_a_rotted_copy_is_refused_and_loses_nothing(self, vault: Vault) -> None:
        vault.put_bytes(b"abc")
        damage(vault.path(ABC_SHA256), b"abd")
        begin(vault, "up", b"abc")
        with pytest.raises(Damaged):
            vault.staging.seal("up", expected_sha256=ABC_SHA256)
        assert (vault.root / "staging" / "up.part").read_bytes() == b"abc"

    def test_the_bytes_on_disk_decide_not_the_bytes_sent(self, vault: Vault) -> None:
        begin(vault, "up", b"abc")
        (vault.root / "staging" / "up.part").write_bytes(b"abX")
        with pytest.raises(DigestMismatch):
            vault.staging.seal("up", expected_sha256=ABC_SHA256)
        assert list(vault.walk()) == []
        vault.staging.discard("up")
        assert contents(vault) == []

    def test_wrong_offset_is_told_where_it_stands(self, vault: Vault) -> None:
        begin(vault, "up", b"abc")
        for offset in (0, 2, 4, 2**40):
            with pytest.raises(OffsetConflict) as refused:
                vault.staging.append("up", io.BytesIO(b"x"), offset=offset, limit=9)
            assert refused.value.offset == 3

    def test_a_broken_part_keeps_what_arrived(self, vault: Vault) -> None:
        vault.staging.open("up")
        with pytest.raises(ConnectionResetError):
            vault.staging.append("up", Breaking(b"ab", ConnectionResetError()), offset=0, limit=9)
        assert vault.staging.offset("up") == 2
        vault.staging.append("up", io.BytesIO(b"c"), offset=2, limit=9)
        assert vault.staging.seal("up", expected_sha256=ABC_SHA256).size == 3

    def test_a_part_beyond_the_limit_is_taken_back_whole(self, vault: Vault) -> None:
        begin(vault, "up", b"abc")
        with pytest.raises(TooLarge):
            vault.staging.append("up", io.BytesIO(bytes(3 * MB)), offset=3, limit=2 * MB)
        assert vault.staging.offset("up") == 3
        assert vault.staging.seal("up", expected_sha256=ABC_SHA256).size == 3

    def test_one_request_at_a_time(self, vault: Vault) -> None:
        vault.staging.open("up")
        refusals: list[type[Exception]] = []

        class Meddling:
            given = False

            def read(self, size: int, /) -> bytes:
                if self.given:
                    return b""
                self.given = True
                for act in (
                    lambda: vault.staging.append("up", io.BytesIO(b"!"), offset=0, limit=9),
                    lambda: vault.staging.seal("up", expected_sha256=ABC_SHA256),
                    lambda: vault.staging.discard("up"),
                ):
                    with pytest.raises(Busy) as refused:
                        act()
                    refusals.append(refused.type)
                return b"abc"

        assert vault.staging.append("up", Meddling(), offset=0, limit=9) == 3
        assert refusals == [Busy] * 3

    def test_a_sealed_object_cannot_be_reached_through_staging(self, vault: Vault) -> None:
        begin(vault, "up", b"abc")
        # as after a crash between link() and unlink(): the part file is the object
        part = vault.root / "staging" / "up.part"
        place = vault.path(ABC_SHA256)
        place.parent.mkdir(parents=True)
        os.link(part, place)
        with pytest.raises(Sealed):
            vault.staging.append("up", io.BytesIO(b"!"), offset=3, limit=9)
        assert vault.staging.seal("up", expected_sha256=ABC_SHA256).size == 3
        assert contents(vault) == [f"sha256/ba/78/{ABC_SHA256}"]
        with pytest.raises(Missing):
            vault.staging.append("up", io.BytesIO(b"!"), offset=3, limit=9)

    @pytest.mark.parametrize("upload_id", ["", ".", "..", "a/b", "a.part", "a" * 65, "é", "a\n", "a b", "\0"])
    def test_upload_ids_are_narrow(self, vault: Vault, upload_id: str) -> None:
        with pytest.raises(ValueError, match="upload id"):
            vault.staging.open(upload_id)

    def test_absent(self, vault: Vault) -> None:
        for act in (
            lambda: vault.staging.offset("none"),
            lambda: vault.staging.discard("none"),
            lambda: vault.staging.seal("none", expected_sha256=ABC_SHA256),
            lambda: vault.staging.append("none", io.BytesIO(b"x"), offset=0, limit=9),
        ):
            with pytest.raises(Missing):
                act()


class TestFullDisk:
    @pytest.fixture
    def small(self, tmp_path: Path) -> Iterator[Vault]:
        """A store on a real file system of 8 MB."""
        place = tmp_path / "small"
        place.mkdir()
        mount = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], capture_output=True, text=True,
            check=False
        )
        if mount.returncode:
            pytest.skip(f"NOT RUN: mounting an 8 MB tmpfs needs root ({mount.stderr.strip()})")
        try:
            yield Vault(place)
        finally:
            subprocess.run(["umount", str(place)], check=True)

    def test_parallel_uploads_on_a_full_disk(self, small: Vault) -> None:
        kept = small.put_bytes(b"kept").sha256
        ballast = small.root / "ballast"
        ballast.write_bytes(bytes(3 * MB))
        payloads = [os.urandom(700_000) for _ in range(20)]

        def put(data: bytes) -> str | None:
            try:
                return small.put_bytes(data).sha256
            except StoreFull:
                return None

        with ThreadPoolExecutor(20) as pool:
            results = list(pool.map(put, payloads))
        assert 0 < results.count(None) < 20
        acknowledged = sorted(r for r in results if r)
        assert list(small.walk()) == sorted([*acknowledged, kept])
        for digest in small.walk():
            small.verify(digest)
        assert os.listdir(small.root / "incoming") == []

        while True:  # to the last byte, so that the staging area has no room either
            try:
                small.put_bytes(os.urandom(100_000))
            except StoreFull:
                break
        small.staging.open("up")
        small.staging.append("up", io.BytesIO(b"abc"), offset=0, limit=9)
        with pytest.raises(StoreFull):
            small.staging.append("up", io.BytesIO(os.urandom(MB)), offset=3, limit=2 * MB)
        assert small.staging.offset("up") == 3
        assert small.open(kept).read() == b"kept"

        ballast.unlink()
        assert small.put_bytes(payloads[results.index(None)]).size == 700_000
        assert small.staging.seal("up", expected_sha256=ABC_SHA256).sm3 == ABC_SM3


def begin(vault: Vault, upload_id: str, data: bytes) -> None:
    vault.staging.open(upload_id)
    vault.staging.append(upload_id, io.BytesIO(data), offset=0, limit=len(data))


def damage(path: Path, data: bytes) -> None:
    path.chmod(0o640)
    path.write_bytes(data)


def _put(root: Path, data: bytes) -> str:
    return Vault(root).put_bytes(data).sha256


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
