"""One report of one exhibit: document, PDF/A-3a + PDF/UA-1, seal to PAdES-B-LTA, own check (goal < 1 s warm)."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUNDS = 5


def measure() -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", "from tests.benchmarks.report import inside; inside()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines() if done.returncode == 0 else [f"NOT MEASURED: {done.stderr[-500:]}"]


def inside() -> None:
    from .portal import running

    with running():
        from django.conf import settings
        from django.db import transaction

        from evidence.reports import bell as report_bell
        from evidence.reports import decisions, issuing
        from evidence.runs import queue, working
        from evidence.runs.models import RunVerdict
        from portal.vault import Vault
        from tests import courtroom
        from tests.evidence.runs import court

        queue.ring = report_bell.ring = lambda *hints: False  # type: ignore[assignment, return-value]
        user, judge, case = court.person("bench"), court.person("judge"), court.case()
        courtroom.join(judge, case, "presiding_judge")
        exhibit = court.exhibit(case, user, Vault(settings.PORTAL_VAULT_DIR), {"note.txt": b"evidence\n"})
        with transaction.atomic():
            queue.request(exhibit, by=user)
        working.work_once()
        times = []
        pages = 0
        for _ in range(ROUNDS):
            with transaction.atomic():
                ordered = issuing.order(case, list(RunVerdict.objects.all()), by=user)
            drafted = issuing.produce(ordered.pk)
            decisions.check(drafted, by=judge, annex=drafted.annex_sha256)
            decisions.send(drafted, by=judge, annex=drafted.annex_sha256)
            start = time.perf_counter()
            made = issuing.produce(ordered.pk)
            times.append(time.perf_counter() - start)
            if not made.signed_sha256:
                raise RuntimeError(made.fault)
            pages = made.pages
    print(f"{pages} pages, {made.signature_level}: first {times[0]:.2f} s, warm {min(times[1:]):.2f} s (goal < 1 s for 4 pages)")
