"""Small exhibits through the real queue, jail and engine, stored with their acts, by as many workers as cores (goal ≥ 20/s)."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXHIBITS = 200


def measure() -> list[str]:
    # A process of its own: Django can be set up only once.
    done = subprocess.run(
        [sys.executable, "-c", "from tests.benchmarks.end_to_end import inside; inside()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines() if done.returncode == 0 else [f"NOT MEASURED: {done.stderr[-500:]}"]


def inside() -> None:
    from .portal import running

    workers = os.cpu_count() or 1
    with running():
        _file_exhibits()
        start = time.perf_counter()
        processes = [
            subprocess.Popen([sys.executable, "manage.py", "run_jobs", "--drain"], cwd=ROOT) for _ in range(workers)
        ]
        for process in processes:
            process.wait()
        seconds = time.perf_counter() - start
        from evidence.runs.models import RunVerdict

        made = RunVerdict.objects.count()
    print(f"{made} exhibits verified in {seconds:.1f} s by {workers} workers, start-up included: {made / seconds:.0f}/s (goal ≥ 20/s)")


def _file_exhibits() -> None:
    from django.conf import settings
    from django.db import transaction

    from evidence.runs import queue
    from portal.vault import Vault
    from tests.evidence.runs import court

    queue.ring = lambda task, run_id: False  # type: ignore[assignment]
    vault = Vault(settings.PORTAL_VAULT_DIR)
    user, case = court.person("bench"), court.case()
    for number in range(EXHIBITS):
        exhibit = court.exhibit(case, user, vault, {"note.txt": b"evidence %d\n" % number})
        with transaction.atomic():
            queue.request(exhibit, by=user)
