"""Reports on 1, 10, 100 and 1,000 exhibits: everything from the rows to the conforming unsigned PDF, then the seal, with the memory.

Goals: 1 exhibit made and sealed to PAdES-B-LTA in 0.6 s warm, 100 exhibits in 4 s, 1,000 in volumes in 40 s with no process above 400 MB.
Peers print the same questions and answers as a plain table in the same run, where they are installed (`reportlab`, `weasyprint`; neither
is a dependency): no tags, no PDF/A, nothing but the table.
"""

import hashlib
import importlib.util
import io
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evidence.runs.models import RunVerdict

ROOT = Path(__file__).parents[2]
SIZES = (1, 10, 100, 1_000)
SECONDS_GOAL = {1: 0.6, 100: 4.0, 1_000: 40.0}


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

        from evidence.reports import bell, edition, issuing, rendering, signing
        from tests import courtroom

        bell.ring = lambda pk: False  # type: ignore[assignment, return-value]
        at = datetime(2026, 11, 22, tzinfo=UTC)
        rendered: list[float] = []
        plain = rendering.render

        def timed(main: str, data: Any, **options: Any) -> bytes:
            start = time.perf_counter()
            made = plain(main, data, **options)
            rendered.append(time.perf_counter() - start)
            return made

        rendering.render = timed

        def sealed_by(pdf: bytes) -> None:
            done = signing.seal(pdf, keys=settings.PORTAL_SIGNING_DIR, words=("试验法院", "演示用章"), fonts=settings.PORTAL_FONT_DIR)
            if done.level != "PAdES-B-LTA":
                raise RuntimeError(done.pending)

        for size in SIZES:
            with transaction.atomic():
                report = issuing.order(courtroom.case(size), exhibits(size), by=courtroom.person(f"clerk-{size}"))
            if size == SIZES[0]:  # a worker has made and sealed reports before
                sealed_by(edition.make(report, issued=at).pdf)
            press = rendering._renderer(settings.PORTAL_FONT_DIR, rendering.TEMPLATES)
            for renderer in press.renderers:
                renderer.ask(b"{}\n")  # answered by a fault: in a worker the renderers are warm
            rendered.clear()
            start, used = time.perf_counter(), processor()
            made = edition.make(report, issued=at)
            took = time.perf_counter() - start
            sealed_by(made.pdf)
            sealed = time.perf_counter() - start
            press.close()
            used = processor() - used
            printer = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
            worker = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            pages = issuing._pages(made.pdf) + sum(v.pages for v in made.volumes)
            goal = f" (goal {SECONDS_GOAL[size]} s)" if size in SECONDS_GOAL else ""
            print(
                f"{size} exhibits: {pages} pages in {1 + len(made.volumes)} files, {len(made.pdf) >> 10} KB; {len(rendered)} renders {sum(rendered):.2f} s"
                f" (longest {max(rendered):.2f} s), made {took:.2f} s, with seal {sealed:.2f} s{goal}; processor {used:.2f} s; peak renderer {printer} MB, worker {worker} MB",
                flush=True,
            )
            found = courtroom.consistent().as_dict()["findings"]
            peers([f"{f['check']} {f['outcome']} {f['subject']}" for f in found] * size)


def processor() -> float:
    """Seconds of processor of this process and of the children it has buried: on a busy machine the truer figure."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def exhibits(count: int) -> "list[RunVerdict]":
    """As many exhibits with a verdict each, of one case, in four statements to the database."""
    from cases.models import Case, Party, Side
    from evidence.exhibits.models import Category, Exhibit, ExhibitFile, OriginalForm
    from evidence.runs.models import Run, RunVerdict
    from tests import courtroom

    case = Case.objects.get(sequence=count)
    user, verdict = courtroom.person(f"party-{count}"), courtroom.consistent()
    party = Party.objects.create(case=case, side=Side.PLAINTIFF, position=1, name="原告公司")
    made = Exhibit.objects.bulk_create(
        Exhibit(
            case=case, number=n, side=Side.PLAINTIFF, party=party, name=f"第{n}件网页快照", category=Category.WEB,
            original_form=OriginalForm.NATIVE, origin="本公司员工用取证工具固定", purpose="证明被告传播涉案作品",
            receipt_number=f"R-{count}-{n}", submitted_by=user,
        )
        for n in range(1, count + 1)
    )  # fmt: skip
    ExhibitFile.objects.bulk_create(
        ExhibitFile(exhibit=e, position=1, name="page.html", size=30, sha256=f"{e.pk:064x}", sm3=f"{e.pk:064x}", detected_type="text/html")
        for e in made
    )
    runs = Run.objects.bulk_create(Run(exhibit=e, number=1, state=Run.State.DONE) for e in made)
    document = verdict.to_json()
    sha256 = hashlib.sha256(document).hexdigest()
    return RunVerdict.objects.bulk_create(
        RunVerdict(
            run=r, document=document, sha256=sha256, overall=verdict.overall, grade=verdict.grade, engine=verdict.engine,
            trust_sha256=verdict.trust["sha256"], at=verdict.at,
        )
        for r in runs
    )  # fmt: skip


def peers(lines: Sequence[str]) -> None:
    known: dict[str, Callable[[Sequence[str]], None]] = {"reportlab": _reportlab, "weasyprint": _weasyprint}
    for name, peer in known.items():
        if importlib.util.find_spec(name) is None:
            print(f"    {name}: not installed")
        elif name == "weasyprint" and len(lines) > 5_000:
            print(f"    {name}: not asked for {len(lines)} rows")
        else:
            start = time.perf_counter()
            peer(lines)
            print(f"    {name}: {len(lines)} rows in {time.perf_counter() - start:.2f} s", flush=True)


def _reportlab(lines: Sequence[str]) -> None:
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate

    style = getSampleStyleSheet()["BodyText"]
    SimpleDocTemplate(io.BytesIO()).build([LongTable([[Paragraph(line, style)] for line in lines])])


def _weasyprint(lines: Sequence[str]) -> None:
    import weasyprint

    rows = "".join(f"<tr><td>{escape(line)}" for line in lines)
    weasyprint.HTML(string=f"<table style='table-layout: fixed; width: 100%'>{rows}</table>").write_pdf()
