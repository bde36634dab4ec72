"""An export of several gigabytes: memory, time, progress, and what other programs say of the archive.

Beyond 4 GiB both the bundle inside and the archive around it need ZIP64. Packed by the worker that operators start, taken in two ranges as
a resumed download, read by Info-ZIP, the bundle repeated by the command for outsiders. `MINGJIAN_EXPORT_BYTES` chooses another size; four
times as much is needed in the temporary directory.
"""

import hashlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SIZE = int(os.environ.get("MINGJIAN_EXPORT_BYTES") or 4_500_000_000)
FILE = 450_000_000
"""Of one file: below PORTAL_UPLOAD_MAX."""
INSIDE = "from tests.benchmarks.large_export import inside; inside()"
MIB = 1 << 20


def measure() -> list[str]:
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < 4 * SIZE + (2 << 30):
        return [f"NOT MEASURED: {free >> 30} GiB free, {4 * SIZE >> 30} GiB wanted"]
    # A process of its own: Django can be set up only once.
    done = subprocess.run([sys.executable, "-c", INSIDE], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.splitlines() if done.returncode == 0 else [f"NOT MEASURED: {done.stderr[-2000:]}"]


class Stream:
    """`size` bytes that no program packs, never the same twice, read by whoever asks."""

    def __init__(self, size: int) -> None:
        self._left, self._block, self._number = size, os.urandom(MIB), 0

    def read(self, size: int = -1, /) -> bytes:
        if not self._left:
            return b""
        self._number += 1
        data = (self._number.to_bytes(8, "big") + self._block)[: min(self._left, MIB, size if size > 0 else MIB)]
        self._left -= len(data)
        return data


def inside() -> None:
    from tests.anchor_packs import write_pack

    from .portal import running

    with tempfile.TemporaryDirectory(prefix="mingjian-export-") as folder:
        pack = write_pack(Path(folder, "pack"))
        Path(folder).chmod(0o711)
        os.environ["PORTAL_TRUST_DIR"] = str(pack)
        with running():
            for line in _told(Path(folder), pack):
                print(line)


def _told(folder: Path, pack: Path) -> list[str]:
    from django.conf import settings
    from django.test import Client
    from django.urls import reverse

    from evidence.exports import archive
    from evidence.exports.queue import EXPORTS
    from tests.evidence.exports.desk import Desk

    settings.ALLOWED_HOSTS = ["*"]
    EXPORTS.ring = lambda: True  # type: ignore[method-assign]  # the worker below looks at the queue by itself
    desk = Desk(pack)
    files, began = max(1, SIZE // FILE), time.monotonic()
    exhibits = [desk.exhibit(files={"说明.txt": b"%d" % n}) for n in range((files + 2) // 3)]
    for n in range(files):
        _add(exhibits[n // 3], n % 3 + 2, SIZE // files)
    desk.reported(*exhibits)
    told = [f"{files} files of {SIZE // files:,} bytes received and verified in {time.monotonic() - began:.0f} s (not part of the export)"]

    made = desk.order(whole=True)
    worker = subprocess.Popen([sys.executable, "manage.py", "run_jobs"], cwd=ROOT)
    try:
        seconds, idle, peak, seen = _followed(made, worker)
    finally:
        worker.kill()
        worker.wait()
    path = archive.path(made.public_id, made.attempt)
    told += [
        f"packed in {seconds:.1f} s: {made.size:,} bytes, {made.size / seconds / 1e6:.0f} MB/s, attempt {made.attempt}, state {made.state} {made.fault}",
        f"worker: {idle >> 20} MiB before, at most {peak >> 20} MiB: grew by {(peak - idle) >> 20} MiB (the archive is {made.size >> 20} MiB)",
        f"progress shown: {len(seen)} different states of bytes, from {seen[0]:,} to {seen[-1]:,} of {made.bytes_total:,}, longest wait {_longest(seen)} of it",
    ]
    client = Client()
    client.force_login(desk.clerk)
    told.append(_taken(client, reverse("exports:download", args=[made.public_id]), made))
    for command in (["unzip", "-tqq", str(path)], ["zipinfo", "-t", str(path)]):
        told.append(_outside(command))
    return [*told, *_repeated(path, folder / "inner.zip")]


def _add(exhibit: Any, position: int, size: int) -> None:
    from django.conf import settings

    from evidence.exhibits.models import ExhibitFile
    from portal.vault import Vault

    stored = Vault(settings.PORTAL_VAULT_DIR).receive(Stream(size), limit=size)
    ExhibitFile.objects.create(
        exhibit=exhibit, position=position, name=f"录像{position}.mp4", size=stored.size, sha256=stored.sha256, sm3=stored.sm3, detected_type="video/mp4"
    )


def _followed(made: Any, worker: "subprocess.Popen[bytes]") -> tuple[float, int, int, list[int]]:
    """Seconds of work, memory of the worker when it began and at most, and the different progresses that a page could have shown."""
    idle, began, seen = 0, 0.0, []
    while True:
        if worker.poll() is not None:
            raise RuntimeError(f"the worker ended with status {worker.returncode}")
        made.refresh_from_db()
        if made.state == "queued":
            idle = _memory(worker.pid, "VmRSS")
        elif not began:
            began = time.monotonic()
        if not seen or made.bytes_done != seen[-1]:
            seen.append(made.bytes_done)
        if made.state not in ("queued", "running"):
            return time.monotonic() - began, idle, _memory(worker.pid, "VmHWM"), seen
        time.sleep(0.1)


def _memory(pid: int, name: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next((int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith(name)), 0)


def _longest(seen: list[int]) -> str:
    return f"{max((b - a for a, b in zip(seen, seen[1:], strict=False)), default=0):,} bytes"


def _taken(client: Any, address: str, made: Any) -> str:
    """In two ranges, as a download that broke and went on."""
    before, began, hashed = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic(), hashlib.sha256()
    middle = made.size * 2 // 3
    for span in (f"bytes=0-{middle - 1}", f"bytes={middle}-"):
        answer = client.get(address, headers={"Range": span, "If-Range": f'"{made.sha256}"'})
        if answer.status_code != 206:
            return f"NOT RESUMED: status {answer.status_code}"
        for piece in answer.streaming_content:
            hashed.update(piece)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    same = "the digest on the page" if hashed.hexdigest() == made.sha256 else "ANOTHER DIGEST"
    return f"downloaded in two ranges in {time.monotonic() - began:.1f} s, {same}; the web process grew by {grown >> 10} MiB"


def _outside(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        return f"NOT RUN: {command[0]} is not installed"
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    return f"{' '.join(command[:2])}: status {done.returncode}, {time.monotonic() - began:.0f} s {(done.stdout + done.stderr).strip()[-300:]}"


def _repeated(path: Path, inner: Path) -> list[str]:
    with zipfile.ZipFile(path) as whole:
        member = next(i for i in whole.infolist() if i.filename.endswith("-核验包.zip"))
        with whole.open(member) as source, inner.open("wb") as out:
            shutil.copyfileobj(source, out, MIB)
    told = [_outside(["unzip", "-tqq", str(inner)])]

    with zipfile.ZipFile(inner) as bundle:
        digest = hashlib.sha256(bundle.read("bundle.json")).hexdigest()
    began = time.monotonic()
    command = [sys.executable, "-m", "evidence.verification", "--lang", "en", "--digest", digest, str(inner)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    again = done.stdout.count("byte for byte")
    told.append(
        f"python -m evidence.verification on the bundle of {inner.stat().st_size:,} bytes: status {done.returncode}, {again} results byte for byte,"
        f" {time.monotonic() - began:.0f} s, at most {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10} MiB (any child process of this measurement) {done.stderr.strip()[-200:]}"
    )
    return told
