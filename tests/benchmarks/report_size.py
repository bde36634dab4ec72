"""Reports on 1, 10 and 100 exhibits: everything from the rows to the conforming unsigned PDF, with the memory of the renderer.

Bounds of the design: 0.24 s, 0.47 s and 3.1 s for the rendering alone (100 exhibits: 57 pages, 236 MB). Peers print the same questions and
answers as a plain table, where they are installed (`reportlab`, `typst`; neither is a dependency): no tags, no PDF/A for reportlab.
"""

import importlib.util
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SIZES = (1, 10, 100)


def measure() -> list[str]:
    code = "from tests.benchmarks.report_size import inside; inside()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.splitlines() if done.returncode == 0 else [f"NOT MEASURED: {done.stderr[-500:]}"]


def inside() -> None:
    from .portal import running

    with running():
        from datetime import UTC, datetime

        from django.conf import settings
        from django.db import transaction

        from evidence.reports import bell, edition, issuing, rendering
        from tests import courtroom

        bell.ring = lambda pk: False  # type: ignore[assignment, return-value]
        at = datetime(2026, 11, 22, tzinfo=UTC)
        rendered: list[float] = []
        plain = rendering.render

        def timed(page: str, **options: object) -> bytes:
            start = time.perf_counter()
            made = plain(page, **options)  # type: ignore[arg-type]
            rendered.append(time.perf_counter() - start)
            return made

        rendering.render = timed
        for size in SIZES:
            case = courtroom.case(size)
            clerk, party = courtroom.person(f"clerk-{size}"), courtroom.person(f"party-{size}")
            courtroom.join(clerk, case, "clerk")
            courtroom.join(party, case, "litigant", "plaintiff")
            verdicts = [courtroom.run(courtroom.hand_in(case, party), courtroom.consistent()).verdict for _ in range(size)]
            with transaction.atomic():
                report = issuing.order(case, verdicts, by=clerk)
            if size == SIZES[0]:
                edition.make(report, issued=at)  # the renderer is warm in a worker
            rendered.clear()
            start = time.perf_counter()
            made = edition.make(report, issued=at)
            took = time.perf_counter() - start
            rendering._renderer(settings.PORTAL_FONT_DIR, settings.PORTAL_DATA_DIR / "fontcache").close()
            memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
            pages = issuing._pages(made.pdf) + sum(v.pages for v in made.volumes)
            print(
                f"{size} exhibits: {pages} pages in {1 + len(made.volumes)} files, {len(made.pdf) >> 10} KB; rendering {sum(rendered):.2f} s"
                f" (longest {max(rendered):.2f} s), all {took:.2f} s, renderer {memory} MB"
            )
            lines = [f"{f['check']} {f['outcome']} {f['subject']}" for v in verdicts for f in courtroom.consistent().as_dict()["findings"]]
            for name, peer in (("reportlab", _reportlab), ("typst", _typst)):
                if importlib.util.find_spec(name) is None:
                    print(f"    {name}: not installed")
                    continue
                start = time.perf_counter()
                peer(lines)
                print(f"    {name}: {len(lines)} rows in {time.perf_counter() - start:.2f} s")


def _reportlab(lines: list[str]) -> None:
    import io

    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate

    style = getSampleStyleSheet()["BodyText"]
    SimpleDocTemplate(io.BytesIO()).build([LongTable([[Paragraph(line, style)] for line in lines])])


def _typst(lines: list[str]) -> None:
    import json

    import typst

    text = f"#table(columns: 1, ..json(bytes({json.dumps(json.dumps(lines))})).map(l => [#l]))"
    typst.compile(text.encode(), pdf_standards=["a-3a"])
