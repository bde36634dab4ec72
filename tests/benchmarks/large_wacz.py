"""A WACZ of 500 MB from the end of its upload to the stored verdict: sealing, quarantine, receipt, queue, worker, jail, anchors.

Goal: less than 60 s on two cores, with the progress on the exhibit's page. The exhibit holds the package and the proof of a chain whose
validators are pinned, so that the verdict is 核验一致; the outer SHA-256 and SM3 are computed twice, as the upload ends and in the jail.
With `MINGJIAN_KILL=1` the first worker is killed in the middle, and another takes over when its lease has run out.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SIZE = int(os.environ.get("MINGJIAN_WACZ_BYTES") or 500_000_000)
KILL = os.environ.get("MINGJIAN_KILL") == "1"
GOAL = 60
PART = 5 << 20
INSIDE = "from tests.benchmarks.large_wacz import inside; inside()"


def measure() -> list[str]:
    # A process of its own: Django can be set up only once.
    done = subprocess.run([sys.executable, "-c", INSIDE], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.splitlines() if done.returncode == 0 else [f"NOT MEASURED: {done.stderr[-2000:]}"]


def inside() -> None:
    from portal.demonstration import fisco3
    from tests.anchor_packs import write_pack

    from .portal import running

    with tempfile.TemporaryDirectory(prefix="mingjian-large-") as folder:
        package = made(Path(folder))
        with package.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        chain = fisco3.build([digest])
        pack = write_pack(
            Path(folder, "pack"),
            chains={"chain": {"profile": chain.profile, "validators": json.loads(json.dumps(chain.validators))}},
        )
        Path(folder).chmod(0o711)
        os.environ["PORTAL_TRUST_DIR"] = str(pack)
        with running():
            told = follow(package, chain.files(0))
    for line in told:
        print(line)


def made(folder: Path) -> Path:
    """A package of about SIZE bytes: records of 2 to 200 KB, half of them text, as gzip members."""
    from . import large_memory, warc_engine

    plain, gz = folder / "data.warc", folder / "data.warc.gz"
    warc_engine.write(plain, gz, SIZE * 4 // 3, level=6)
    plain.unlink()
    package = large_memory.wacz(gz, folder / "capture.wacz")
    gz.unlink()
    return package


def follow(package: Path, proofs: dict[str, bytes]) -> list[str]:
    from evidence.intake import arrivals
    from evidence.intake.models import Draft
    from tests.evidence.intake import conftest as intake
    from tests.evidence.runs import court

    case = court.case()
    user = intake.member(case, "litigant")
    answers = {
        "case": {"number": case.number},
        "who": {"membership": str(user.memberships.get().pk)},
        "what": intake.WHAT,
        "purpose": intake.PURPOSE,
    }
    draft = Draft.objects.create(user=user, case=case, answers=answers)
    size = package.stat().st_size
    sent = [(package.name, package.open("rb"), size)]
    for name, data in proofs.items():
        Path(package.parent, name).write_bytes(data)
        sent.append((name, Path(package.parent, name).open("rb"), len(data)))
    uploads = []
    for name, file, length in sent:
        hashers = hashlib.sha256(), hashlib.new("sm3")
        upload, _ = arrivals.begin(draft, name=name, size=length)
        at = 0
        while at < length:
            part = file.read(PART)
            for hasher in hashers:
                hasher.update(part)
            at = arrivals.append(upload, intake.SimpleUploadedFile(name, part), at=at)
        uploads.append((upload, *(h.hexdigest() for h in hashers)))
    workers = [worker() for _ in range(2)]
    try:
        time.sleep(3)  # they are running already when somebody hands something in
        return clocked(draft, uploads, workers, size)
    finally:
        for process in workers:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def clocked(draft: Any, uploads: list[tuple[Any, str, str]], workers: list["subprocess.Popen[bytes]"], size: int) -> list[str]:
    from evidence.intake import arrivals, receiving
    from evidence.runs.models import Run

    began = time.perf_counter()
    for upload, sha256, sm3 in uploads:
        arrivals.finish(upload, sha256=sha256, sm3=sm3)
    sealed = time.perf_counter() - began
    exhibit = receiving.receive(draft, by=draft.user, idempotency_key="bench")
    received = time.perf_counter() - began
    seen: dict[str, list[int]] = {}
    first = None
    killed = False
    while True:
        run = Run.objects.select_related("verdict").get(exhibit=exhibit)
        if run.state == Run.State.DONE:
            break
        if run.bytes_done is not None:
            first = first or time.perf_counter() - began
            figures = seen.setdefault(run.stage, [])
            if not figures or figures[-1] != run.bytes_done:
                figures.append(run.bytes_done)
            if KILL and not killed and run.stage == "records":
                killed = True
                victim = next(w for w in workers if f":{w.pid}:" in run.worker)
                os.killpg(victim.pid, signal.SIGKILL)
        time.sleep(0.1)
        if time.perf_counter() - began > 900:
            raise RuntimeError(f"not done: {run.state} {run.stage} {run.fault}")
    seconds = time.perf_counter() - began
    steps = "; ".join(f"{step} {len(figures)} figures up to {max(figures) / 1e6:.0f} MB" for step, figures in seen.items())
    return [
        f"{size / 1e6:.0f} MB: {run.verdict.overall} {run.verdict.grade} after {seconds:.1f} s (goal < {GOAL} s), attempt {run.attempt}, lane {run.get_lane_display()}",
        f"  sealed in the vault after {sealed:.1f} s, receipt after {received:.1f} s, first figure of progress after {first or 0:.1f} s",
        f"  progress: {steps or 'none'}",
    ]


def worker() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "manage.py", "run_jobs"], cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
