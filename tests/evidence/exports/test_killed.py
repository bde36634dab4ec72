"""A worker of its own that is killed for good (SIGKILL, by the kernel) while it packs; and archives in the long form of ZIP64.

The process is the command that operators start. What it left is looked at from outside; then another one finishes the work.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from evidence.exhibits.models import Exhibit
from evidence.exports import archive, queue
from evidence.exports.models import Export
from evidence.reports.models import Report, Revision
from portal.ledger.models import Entry
from tests.conftest import program

from .desk import Desk, repeated, settle

ROOT = Path(__file__).resolve().parents[3]
SIZE = 200_000_000
ONE_TURN = "import django; django.setup(); from evidence.exports import working; working.work_once()"

Process = subprocess.Popen[bytes]


@pytest.fixture
def heavy(transactional_db: None, settings: Any, tmp_path: Path) -> Desk:
    """A report on one exhibit of 200 MB and one small one."""
    desk = Desk(settle(settings, tmp_path))
    block = os.urandom(1 << 20)
    big = b"".join(n.to_bytes(8, "big") + block for n in range(SIZE >> 20))
    desk.reported(desk.exhibit(files={"录像.mp4": big}), desk.exhibit(files={"说明.txt": "说明".encode()}))
    return desk


@pytest.fixture
def begun(settings: Any) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def begin(*command: str) -> Process:
        database = connection.settings_dict
        environment = {
            **os.environ,
            "PORTAL_DATABASE_URL": f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}",
            **{name: str(getattr(settings, name)) for name in ("PORTAL_VAULT_DIR", "PORTAL_EXPORT_DIR", "PORTAL_DATA_DIR", "PORTAL_TRUST_DIR")},
            "PORTAL_SWEEP_SECONDS": "1",
            "PORTAL_DEMO": "1",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }
        process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def worker(begun: Callable[..., Process]) -> Process:
    return begun(sys.executable, "manage.py", "run_jobs")


def until(condition: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.003)


def files() -> set[str]:
    return {p.name for p in archive.directory().iterdir()}


def acts(code: str) -> int:
    return sum(f'"{code}"'.encode() in bytes(leaf) for leaf in Entry.objects.values_list("leaf", flat=True))


def finished_by_another(made: Export, begun: Callable[..., Process], desk: Desk, tmp_path: Path) -> None:
    """Nothing is to be had until then; after it one archive, one act, the one report there was, and nothing beside."""
    client = Client()
    client.force_login(desk.clerk)
    address = reverse("exports:download", args=[made.public_id])
    made.refresh_from_db()
    assert (made.state, made.attempt, made.sha256) == ("running", 1, "") and client.get(address).status_code == 404
    assert b"download" not in client.get(reverse("exports:export", args=[made.public_id])).content.partition(b'id="export-state"')[2].partition(b"</dl>")[2]
    left = files()
    queue.sweep()
    assert files() == left, "as long as its lease runs it may still be at work"
    Export.objects.filter(pk=made.pk).update(lease_until="2000-01-01T00:00:00Z")  # five minutes later
    worker(begun)
    until(lambda: Export.objects.get(pk=made.pk).state == "done", "nobody took it up")
    until(lambda: files() == {f"{made.public_id}.2.zip"}, "what the dead worker left was not removed")
    made.refresh_from_db()
    assert made.attempt == 2 and acts("export.finish") == acts("export.order") == 1
    assert Report.objects.count() == Revision.objects.count() == Export.objects.count() == 1
    answer = client.get(address)
    taken = tmp_path / "taken.zip"
    with taken.open("wb") as out:
        for piece in answer.streaming_content:
            out.write(piece)
    with zipfile.ZipFile(taken) as whole:
        (inner := tmp_path / "inner.zip").write_bytes(whole.read("核验包/HY2026-000001-核验包.zip"))
    assert repeated(inner).returncode == 0


@pytest.mark.parametrize("where", ["bundle.part", "part"], ids=["in the bundle", "in the archive"])
def test_killed_in_the_middle(heavy: Desk, begun: Callable[..., Process], where: str, tmp_path: Path) -> None:
    """While a file is being copied. To see it fail: write under the archive's final name, or without an attempt number."""
    made = heavy.order(whole=True)
    victim = archive.path(made.public_id, 1, where)

    def in_the_middle() -> bool:
        try:
            return victim.stat().st_size > SIZE // 8
        except FileNotFoundError:
            return False

    first = worker(begun)
    until(in_the_middle, f"no {where} was written")
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert victim.stat().st_size < SIZE, "killed too late to show anything"
    assert f"{made.public_id}.1.part" in files() and not any(name.endswith(".zip") for name in files()), "no half archive has a name"
    finished_by_another(made, begun, heavy, tmp_path)


@pytest.mark.needs("strace")
@pytest.mark.parametrize(("call", "left"), [("rename", "1.part"), ("unlink", "1.zip")], ids=["before its name", "between its name and its row"])
def test_killed_at_the_end(heavy: Desk, begun: Callable[..., Process], call: str, left: str, tmp_path: Path) -> None:
    """The kernel kills it at the very call: when all is written and nothing has its name, and when it has and the row does not say so."""
    made = heavy.order(whole=True)
    part = archive.path(made.public_id, 1, "part")
    traced = begun(
        program("strace") or "", "-f", "-qq", "-o", str(tmp_path / "trace"), "-P", str(part),
        "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when=1", sys.executable, "-c", ONE_TURN,
    )  # fmt: skip
    assert traced.wait(timeout=120) == -signal.SIGKILL
    assert files() == {f"{made.public_id}.{left}"}
    finished_by_another(made, begun, heavy, tmp_path)


def test_a_retry_of_one_that_was_given_up_is_a_new_row(heavy: Desk, begun: Callable[..., Process], settings: Any) -> None:
    """Killed each time: parked with a reason, and what it left is removed; pressing 重新导出 makes it."""
    made = heavy.order(whole=True)
    Export.objects.filter(pk=made.pk).update(state="running", attempt=1)
    for attempt in range(2, settings.PORTAL_ATTEMPTS_MAX + 1):
        Export.objects.filter(pk=made.pk).update(attempt=attempt)
    (archive.directory() / f"{made.public_id}.{settings.PORTAL_ATTEMPTS_MAX}.part").write_bytes(b"half")
    Export.objects.filter(pk=made.pk).update(lease_until="2000-01-01T00:00:00Z")
    worker(begun)
    until(lambda: Export.objects.get(pk=made.pk).state == "parked" and not files(), "it was not given up")
    client = Client()
    client.force_login(heavy.clerk)
    client.post(reverse("exports:again", args=[made.public_id]))
    client.post(reverse("exports:again", args=[made.public_id]))
    assert Export.objects.count() == 2, "pressed twice is once"
    new = Export.objects.exclude(pk=made.pk).get()
    until(lambda: Export.objects.get(pk=new.pk).state == "done", "it was not made")
    made.refresh_from_db()
    assert (made.state, made.fault_code) == ("parked", "CRASH") and Report.objects.count() == 1


@pytest.mark.django_db
def test_the_long_form_of_zip64(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with members and offsets beyond 4 GiB, at a size that a test can bear: read by Info-ZIP, Python and our own strict reader.
    The real sizes are measured by `tests.benchmarks.large_export`."""
    desk = Desk(settle(settings, tmp_path))
    desk.reported(desk.exhibit(files={"录像.mp4": os.urandom(3_000_000)}), desk.exhibit(files={"b.txt": b"b"}))
    with monkeypatch.context() as patch:
        patch.setattr(zipfile, "ZIP64_LIMIT", 1 << 20)
        made = desk.made(whole=True)
    path = archive.path(made.public_id, made.attempt)
    assert made.state == "done" and b"PK\x06\x06" in path.read_bytes()[-200:], "the record of ZIP64 at the end"
    inner = tmp_path / "inner.zip"
    with zipfile.ZipFile(path) as whole:
        assert whole.testzip() is None
        inner.write_bytes(whole.read("核验包/HY2026-000001-核验包.zip"))
    for each in (path, inner):
        if shutil.which("unzip"):
            assert subprocess.run(["unzip", "-tqq", str(each)], check=False).returncode == 0
    assert repeated(inner).returncode == 0
    assert Exhibit.objects.count() == 2


def test_progress_grows_to_the_size_of_the_files(db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In bytes, never back, never beyond, told also in the middle of one file. To see it fail: tell only after whole files."""
    desk = Desk(settle(settings, tmp_path))
    desk.reported(desk.exhibit(files={"a.bin": os.urandom(9 << 20)}))
    desk.reported(desk.exhibit(files={"b.bin": os.urandom(5 << 20)}), number="HY2026-000002")
    told: list[tuple[int, int, int]] = []
    plain = queue.EXPORTS.prolong

    def prolong(export: Export, *, reports_done: int, bytes_done: int, bytes_total: int) -> bool:
        told.append((reports_done, bytes_done, bytes_total))
        return plain(export, reports_done=reports_done, bytes_done=bytes_done, bytes_total=bytes_total)

    monkeypatch.setattr(queue.EXPORTS, "prolong", prolong)
    monkeypatch.setattr("evidence.exports.making.TELL_SECONDS", 0)
    made = desk.made(whole=True)
    done = [d for _, d, _ in told]
    assert made.state == "done" and done == sorted(done) and done[0] == 0 and done[-1] == 14 << 20 == made.bytes_total == made.bytes_done
    assert {t for _, _, t in told} == {14 << 20} and len(set(done)) > 20, "block by block"
    assert [r for r, d, _ in told if d == 9 << 20][-1] == 1
