"""Fault injection into the store's writer (kind U4): strace makes every system call of the write path fail
or kill.

For each call the writer makes, one run per fault: EIO, ENOSPC, and SIGKILL at its entry. After each run,
from outside: no object with other bytes than its name says, nothing acknowledged that is not there, and a
plain retry succeeds. A deliberately naive writer goes through the same campaign, to show that the campaign
can see corruption at all. SIGKILL keeps the page cache: loss of power is not simulated, the order of fsync
and link is checked instead.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from portal.vault import Vault

ROOT = Path(__file__).resolve().parents[2]
PAYLOAD = hashlib.shake_256(b"payload").digest(2_500_000)  # three chunks
DIGEST = hashlib.sha256(PAYLOAD).hexdigest()
CALLS = (
    "openat,open,write,pwrite64,fsync,fdatasync,link,linkat,mkdir,mkdirat,close,unlink,unlinkat,"
    "rename,renameat,renameat2,fchmod,chmod,fchmodat,ftruncate,read,lseek,newfstatat,fstat,flock"
)
FAULTS = ("error=EIO", "error=ENOSPC", "signal=KILL")

# A warm parent forks one writer per run, so that each fault costs a fork and not an interpreter. The child
# says when it has nothing left to prepare, and only then is its number told to whoever attaches strace: a call
# of the preparation that strace sees in one run and not in the next would shift every count of the campaign.
SUBJECT = """
import hashlib, io, os, signal, sys
from pathlib import Path
from portal.vault import Vault
payload = hashlib.shake_256(b"payload").digest(2_500_000)
digest = hashlib.sha256(payload).hexdigest()

def receive(root):
    Vault(root).receive(io.BytesIO(payload), limit=len(payload), expected_sha256=digest)

def staged(root):
    staging = Vault(root).staging
    offset = staging.open("up")
    if offset < len(payload):
        staging.append("up", io.BytesIO(payload[offset:]), offset=offset, limit=len(payload))
    staging.seal("up", expected_sha256=digest)

def naive(root):
    place = root / "sha256" / digest[:2] / digest[2:4] / digest
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(place, "wb", buffering=0) as out:
            for at in range(0, len(payload), 1 << 20):
                out.write(payload[at:at + (1 << 20)])
            os.fsync(out.fileno())

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
for line in sys.stdin:
    work, root = line.split(maxsplit=1)
    ready, prepared = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.write(prepared, b".")
        signal.sigwait({signal.SIGUSR1})
        try:
            {"receive": receive, "staged": staged, "naive": naive}[work](Path(root.strip()))
        except Exception:
            os._exit(1)
        os.write(1, b"ACK\\n")
        os._exit(0)
    os.read(ready, 1)
    os.close(ready)
    os.close(prepared)
    os.write(1, b"%d\\n" % pid)
    os.write(1, b"END %d\\n" % os.waitpid(pid, 0)[1])
"""


@dataclass(frozen=True)
class Run:
    acknowledged: bool
    status: int  # as of waitpid
    trace: str


class Writer:
    """The warm parent; `run` lets one child do the work under strace with one fault, or none."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUBJECT], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True
        )

    def run(self, work: str, root: Path, fault: str | None = None) -> Run:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(f"{work} {root}\n")
        stdin.flush()
        pid = int(stdout.readline())
        strace = subprocess.Popen(
            ["strace", "-y", "-s", "0", "-f", "-o", str(self.log), "-e", f"trace={CALLS}"]
            + (["-e", f"inject={fault}"] if fault else [])
            + ["-p", str(pid)],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert strace.stderr is not None
        attached = strace.stderr.readline()
        assert "attached" in attached, attached
        os.kill(pid, signal.SIGUSR1)
        lines = [stdout.readline()]
        while not lines[-1].startswith("END"):
            lines.append(stdout.readline())
        strace.wait(20)
        strace.stderr.close()
        return Run("ACK\n" in lines, int(lines[-1].split()[1]), self.log.read_text())


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    if shutil.which("strace") is None:
        pytest.skip("NOT RUN: fault injection needs strace, which is not installed")
    probe = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"NOT RUN: strace may not trace here ({probe.stderr.strip()})")
    made = Writer(tmp_path_factory.mktemp("strace") / "log")
    yield made
    assert made.process.stdin is not None
    made.process.stdin.close()
    made.process.wait(20)


def faults(writer: Writer, work: str, root: Path) -> list[str]:
    """Every (call, occurrence, fault) of a clean run, in strace's words."""
    clean = writer.run(work, root)
    assert clean.acknowledged and clean.status == 0
    counts = Counter(re.findall(r"^\d+ +(\w+)\(", clean.trace, re.MULTILINE))
    assert counts["write"] >= 3 and counts["fsync"] >= 1 and counts["openat"] >= 1
    return [f"{c}:{f}:when={n}" for c in sorted(counts) for n in range(1, counts[c] + 1) for f in FAULTS]


def corrupt(root: Path) -> list[Path]:
    """Objects whose bytes are not what their name says, read without the store's help."""
    return [
        path
        for path in root.joinpath("sha256").rglob("*")
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() != path.name
    ]


@pytest.mark.parametrize("work", ["receive", "staged"])
def test_no_fault_corrupts_or_loses(writer: Writer, work: str, tmp_path: Path) -> None:
    campaign = faults(writer, work, tmp_path / "clean")
    print(f"{work}: {len(campaign)} faults")
    assert len(campaign) >= 60
    injected = 0
    for number, fault in enumerate(campaign):
        root = tmp_path / str(number)
        run = writer.run(work, root, fault)
        injected += "INJECTED" in run.trace or "KILL" in run.trace
        place = root / "sha256" / DIGEST[:2] / DIGEST[2:4] / DIGEST
        assert corrupt(root) == [], fault
        assert place.exists() or not run.acknowledged, f"{fault}: acknowledged but absent"
        if fault.startswith("fsync:error"):
            assert os.WTERMSIG(run.status) == signal.SIGABRT, f"{fault}: went on after a failed fsync"
        # The retry is an ordinary client's: the same bytes again, to a process that knows nothing of the
        # fault.
        vault = Vault(root)
        retry(vault, work)
        assert vault.verify(DIGEST).size == len(PAYLOAD), fault
        assert list(vault.walk()) == [DIGEST]
        assert list(vault.staging.walk()) == []
        vault.sweep(older_than=0)
        assert os.listdir(root / "incoming") == []
        shutil.rmtree(root)
    assert injected == len(campaign)


def retry(vault: Vault, work: str) -> None:
    if work == "receive":
        vault.put_bytes(PAYLOAD)
        return
    offset = vault.staging.open("up")
    if offset < len(PAYLOAD):
        vault.staging.append("up", io.BytesIO(PAYLOAD[offset:]), offset=offset, limit=len(PAYLOAD))
    vault.staging.seal("up", expected_sha256=DIGEST)


def test_the_campaign_sees_what_a_naive_writer_breaks(writer: Writer, tmp_path: Path) -> None:
    broken = 0
    for number, fault in enumerate(faults(writer, "naive", tmp_path / "clean")):
        root = tmp_path / str(number)
        root.mkdir()
        writer.run("naive", root, fault)
        again = writer.run("naive", root)
        broken += again.acknowledged and bool(corrupt(root))
        shutil.rmtree(root)
    assert broken >= 5


def test_nothing_is_acknowledged_before_it_is_durable(writer: Writer, tmp_path: Path) -> None:
    """The order of the calls that survive a loss of power, read from the trace of a clean run."""
    root = tmp_path / "store"
    steps = []
    for line in writer.run("receive", root).trace.splitlines():
        call = re.match(r"\d+ +(\w+)\((.*)\) += +(-?\d+)", line)
        assert call or "+++" in line or "resumed" in line or "SIGUSR1" in line, line
        if call and call[1] in ("fsync", "link", "linkat", "mkdir", "unlink", "write"):
            steps.append((call[1], call[2]))
    named = [(name, arguments.replace(str(root), "")) for name, arguments in steps]

    def at(name: str, pattern: str) -> int:
        found = [i for i, (n, a) in enumerate(named) if n.startswith(name) and re.search(pattern, a)]
        assert found, (name, pattern, named)
        return found[-1]

    first, second = f"/sha256/{DIGEST[:2]}", f"/sha256/{DIGEST[:2]}/{DIGEST[2:4]}"
    order = [
        at("write", "</incoming/"),
        at("fsync", "</incoming/"),
        at("mkdir", f'"{first}"'),
        at("fsync", "</sha256>"),
        at("mkdir", f'"{second}"'),
        at("fsync", f"<{first}>"),
        at("link", DIGEST),
        at("fsync", f"<{second}>"),
        at("unlink", "/incoming/"),
        at("write", "^1<"),
    ]
    assert order == sorted(order), named
