"""What a run says of its progress on its way out of the jail: true of an honest engine, harmless of any other."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import evidence.verification
from evidence.runs import telling
from evidence.runs.jail import Jail, JailError, Limits
from evidence.runs.telling import MESSAGE, Listener, Told
from tests.evidence.verification import wacz_exhibits
from tests.evidence.verification.snapshot_exhibits import record

AT = datetime(2026, 3, 1, tzinfo=UTC)
SHIPPED = Path(evidence.verification.__path__[0], "anchors")


@pytest.fixture(scope="module")
def engine() -> Iterator[Jail]:
    with Jail() as jail:
        yield jail


@pytest.fixture(scope="module")
def hostile() -> Iterator[Jail]:
    with Jail(entry="tests.evidence.runs.telling_acts:attempt") as jail:
        yield jail


def test_a_large_package_is_followed_through_every_step_and_the_verdict_is_the_same(engine: Jail, tmp_path: Path) -> None:
    chance = random.Random(7)
    archive = b"".join(record(block=chance.randbytes(3 << 20)) for _ in range(5))
    path = tmp_path / "a.wacz"
    path.write_bytes(wacz_exhibits.package(wacz_exhibits.content(archive)))
    size = path.stat().st_size
    small = tmp_path / "b.txt"
    small.write_bytes(b"beside it")
    heard: list[Told] = []
    files = [("a.wacz", path), ("b.txt", small)]
    followed = engine.run(files, trust_dir=SHIPPED, at=AT, heard=heard.append)
    assert followed.verdict_json is not None
    assert followed.verdict_json == engine.run(files, trust_dir=SHIPPED, at=AT).verdict_json
    assert list(dict.fromkeys(t.step for t in heard)) == ["digests", "container", "records"]
    assert {t.file for t in heard} == {0}
    for step in ("digests", "container", "records"):
        offsets = [t.offset for t in heard if t.step == step]
        assert offsets == sorted(offsets)
        assert offsets[-1] > size - 2 * telling.EVERY, f"{step} is followed to its end"
        assert offsets[-1] <= size


def test_a_small_exhibit_says_nothing(engine: Jail, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(bytes(1 << 20))
    heard: list[Told] = []
    assert engine.run([("a.txt", path)], trust_dir=SHIPPED, at=AT, heard=heard.append).verdict_json
    assert heard == []


@pytest.mark.parametrize("act", ["another_file", "beyond_the_end", "no_such_step", "half_a_message"])
def test_what_cannot_be_true_is_not_passed_on(hostile: Jail, tmp_path: Path, act: str) -> None:
    heard: list[Told] = []
    assert _act(hostile, tmp_path, act, heard) == b"{}"
    assert heard == []


def test_a_claim_that_can_be_true_is_passed_on(hostile: Jail, tmp_path: Path) -> None:
    heard: list[Told] = []
    assert _act(hostile, tmp_path, "once", heard) == b"{}"
    assert heard == [Told("records", 0, 2)]


def test_a_flood_is_read_to_its_bound_and_the_run_goes_on(hostile: Jail, tmp_path: Path) -> None:
    heard: list[Told] = []
    began = time.process_time()
    assert _act(hostile, tmp_path, "flood", heard) == b"{}"
    assert len(heard) <= telling.BYTES_MAX // MESSAGE.size
    assert time.process_time() - began < 1, "the parent does not work on it"


def test_descriptors_do_not_leak(hostile: Jail, tmp_path: Path) -> None:
    _act(hostile, tmp_path, "once", [])
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        _act(hostile, tmp_path, "once", [])
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_listener_that_fails_ends_the_run_and_not_the_jail(hostile: Jail, tmp_path: Path) -> None:
    def broken(_: Told) -> None:
        raise LookupError("the listener")

    path = tmp_path / "act"
    path.write_text("once")
    with pytest.raises((LookupError, JailError)):
        hostile.run([("act", path)], trust_dir=tmp_path, at=AT, heard=broken)
    assert _act(hostile, tmp_path, "once", []) == b"{}"


def test_messages_are_put_together_however_the_pipe_cuts_them() -> None:
    said = b"".join(MESSAGE.pack(step, 0, n) for step in (1, 2, 3) for n in range(20))
    for cut in (1, 3, 10, 11, 64):
        heard: list[Told] = []
        listener = Listener([100], heard.append)
        assert all(listener.take(said[at : at + cut]) for at in range(0, len(said), cut))
        assert heard[-1] == Told("records", 0, 19)


def test_more_than_the_bound_and_the_end_are_the_end() -> None:
    listener = Listener([100], lambda _: None)
    assert listener.take(MESSAGE.pack(1, 0, 0) * (telling.BYTES_MAX // MESSAGE.size))
    assert not listener.take(MESSAGE.pack(1, 0, 0))
    assert not Listener([100], lambda _: None).take(b"")


def _act(hostile: Jail, tmp_path: Path, act: str, heard: list[Told]) -> bytes | None:
    path = tmp_path / "act"
    path.write_text(act)
    return hostile.run([("act", path)], trust_dir=tmp_path, at=AT, limits=Limits(cpu_seconds=5), heard=heard.append).verdict_json
