"""What a person sees of one exhibit: the bench and the clerk in full, a party in plain words and as far as it is open.

Every page starts from `visible_to`; what is not visible answers like what does not exist. What may be shown of a result
is asked of the run it belongs to, because a result is opened to the parties run by run.
"""

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from cases.access import demand, may, membership_of, visible_to
from evidence.captures import packages
from evidence.captures import section as captures
from evidence.connectors.reading import court_nodes
from evidence.runs import queue, receipt
from evidence.runs.models import Lane, Run
from portal.ledger.entries import record

from . import download, statements
from .models import Exhibit, ExhibitFile
from .reading import Reading, changed
from .statement_form import StatementForm
from .two_times import TwoTimes

IN_PROGRESS = (Run.State.QUEUED, Run.State.RUNNING)
RUNS_SHOWN = 20
"""Runs of an exhibit listed in its history, newest first; more than this many re-verifications nobody reads on one page."""
POLL = ((15, 2), (40, 5), (100, 15))
"""(up to this many questions, seconds between them): two seconds at first, then less and less often, at last once a minute."""
POLL_SLOWEST = 60


@dataclass(frozen=True, slots=True)
class Shown:
    """Where the verification of an exhibit stands, as far as this person may know. `run` is the newest one visible."""

    runs: list[Run]
    run: Run | None
    done: Run | None
    """The newest run with a verdict."""
    detail: bool
    """May this person read findings and walks, or the summary only?"""
    reading: Reading | None
    said: tuple[statements.Said, ...]
    """What the submitter states of the time before recording."""

    @property
    def working(self) -> bool:
        return self.run is not None and self.run.state in IN_PROGRESS

    @property
    def parked(self) -> bool:
        return self.run is not None and self.run.state == Run.State.PARKED

    @property
    def disagree(self) -> bool:
        return changed([r.verdict.overall for r in self.runs if r.state == Run.State.DONE])


@never_cache
@login_required
@require_safe
def exhibit(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _visible(request, public_id)
    shown = _shown(request, found)
    page = "exhibit" if _in_full(request, found, shown) else "summary"
    return render(request, f"evidence/exhibits/{page}.html", _context(request, found, shown))


@never_cache
@login_required
@require_safe
def progress(request: HttpRequest, public_id: str) -> HttpResponse:
    """The part of the page that follows the work; once the work has ended, the whole result in its place.

    Asked by htmx: `n` counts the questions, `was` is what the page says now, so that only news is spoken aloud.
    """
    found = _visible(request, public_id)
    if not request.htmx:
        return redirect("exhibits:exhibit", found.public_id)
    shown = _shown(request, found)
    context = _context(request, found, shown)
    if shown.working:
        said = "" if request.GET.get("was") == context["stands"] else context["said"]
        parts = ["evidence/exhibits/_progress_part.html"]
    else:
        said = _("核验已结束：%(word)s") % {"word": shown.reading.word if shown.reading and not shown.parked else _("没有完成")}
        parts = [f"evidence/exhibits/_{'result' if _in_full(request, found, shown) else 'summary'}_part.html"]
    response = HttpResponse(render_to_string(parts, context, request))
    if said:
        response.write(render_to_string("evidence/exhibits/_said.html", {"said": said}, request))
    if not shown.working:
        response["HX-Retarget"] = "#result"
        response["HX-Reswap"] = "outerHTML"
    return response


@login_required
@require_POST
def verify(request: HttpRequest, public_id: str) -> HttpResponse:
    """Verify once more: a new run beside the old ones. While one is waiting or working, another would tell nothing new."""
    found = _visible(request, public_id)
    demand(request.user, "verify.run", found)
    with transaction.atomic():
        Exhibit.objects.select_for_update().get(pk=found.pk)
        if Run.objects.filter(exhibit=found, state__in=IN_PROGRESS).exists():
            messages.info(request, _("这件证据正在核验，结果出来之前不必再发起。"))
        else:
            queue.request(found, by=request.user, lane=Lane.INTERACTIVE)
    return redirect("exhibits:exhibit", found.public_id)


@never_cache
@login_required
@require_safe
def file(request: HttpRequest, public_id: str, position: int) -> HttpResponseBase:
    """The bytes as they were handed in, never shown by our own pages: always a download, and an act in the book."""
    found = _visible(request, public_id)
    demand(request.user, "evidence.view_content", found)
    wanted = get_object_or_404(ExhibitFile, exhibit=found, position=position)
    response = download.attachment(request, wanted)
    if request.method == "GET" and download.begins(response):
        with transaction.atomic():
            params = {"exhibit": str(found.public_id), "position": position}
            record("evidence.download", actor=request.user, case=found.case, subject_digest=wanted.sha256, params=params)
    return response


@never_cache
@login_required
def state(request: HttpRequest, public_id: str) -> HttpResponse:
    """The submitter's own side adds to what it said of the time before recording, or corrects it: a new record beside the old."""
    found = _visible(request, public_id)
    for action in ("verify.self_check", "evidence.submit"):
        demand(request.user, action, found)
    standing = membership_of(request.user, found.case)  # type: ignore[arg-type]
    if standing is None or standing.side != found.side:
        raise Http404
    said = statements.of(found)
    now = {one.head.value: one.current.text if one.current else "" for one in said}
    form = StatementForm(request.POST) if request.method == "POST" else StatementForm(initial=now)
    if form.is_valid():
        # A box that did not arrive was not emptied.
        sent = {head: text for head, text in form.answers().items() if head in request.POST}
        try:
            made = statements.state(found, sent, by=request.user, standing=standing)  # type: ignore[arg-type]
        except statements.Full as full:
            form.add_error(full.args[0], _("这一项已经更正过很多次，不能再改。请联系承办法官或者书记员"))
        else:
            messages.success(request, _("已记录，先前写的仍然保留。") if made else _("没有改动，所以没有新的记录。"))
            return redirect(f"{reverse('exhibits:exhibit', args=[found.public_id])}#prechain")
    context = {"exhibit": found, "case": found.case, "form": form, "said": said}
    return render(request, "evidence/exhibits/statements.html", context, status=422 if form.errors else 200)


# ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _visible(request: HttpRequest, public_id: str) -> Exhibit:
    rows = Exhibit.objects.select_related("case__court", "party", "submitted_by")
    return get_object_or_404(visible_to(request.user, rows), public_id=public_id)


def _shown(request: HttpRequest, found: Exhibit) -> Shown:
    rows = Run.objects.filter(exhibit=found).exclude(state=Run.State.CANCELLED)
    rows = rows.select_related("verdict", "requested_by").defer("verdict__document").order_by("-number")
    runs = list(visible_to(request.user, rows)[:RUNS_SHOWN])
    for run in runs:
        run.exhibit = found
    done = next((r for r in runs if r.state == Run.State.DONE), None)
    said, reading = statements.of(found), None
    if done is not None:
        declared = bool(found.origin.strip()) or statements.declared(said)
        reading = Reading(bytes(done.verdict.document), language=_language(), declared=declared)
    return Shown(
        runs=runs,
        run=runs[0] if runs else None,
        done=done,
        detail=done is not None and bool(may(request.user, "verify.view_detail", done)),
        reading=reading,
        said=said,
    )


def _in_full(request: HttpRequest, found: Exhibit, shown: Shown) -> bool:
    """The judge's page, or a party's: whoever may verify works with the findings; a party reads them once they are open."""
    return shown.detail or bool(may(request.user, "verify.run", found))


def _context(request: HttpRequest, found: Exhibit, shown: Shown) -> dict[str, object]:
    run, asked = shown.run, _asked(request)
    may_verify, own = bool(may(request.user, "verify.run", found)), bool(may(request.user, "verify.self_check", found))
    in_full = shown.detail or may_verify
    files = _files(found, shown.reading)
    ahead = queue.position(run) if run and run.state == Run.State.QUEUED else 0
    return {
        "exhibit": found,
        "case": found.case,
        "shown": shown,
        "run": run,
        "reading": shown.reading,
        "times": _times(request, found, shown) if in_full else None,
        "events": shown.reading.events(received=found.submitted_at) if shown.reading else [],
        "packages": packages.of_document(shown.reading.document, received=found.submitted_at) if in_full and shown.reading else [],
        "files": files,
        "captures": captures.section(found, [f for f, _format in files], shown.done.verdict if shown.done else None),
        "said": _progress(run, ahead) if run else "",
        "stands": f"{run.state}{run.stage}{ahead}" if run else "",
        "asked": asked + 1,
        "poll_seconds": next((seconds for upto, seconds in POLL if asked < upto), POLL_SLOWEST),
        "court_nodes": court_nodes(found, shown.done, detail=shown.detail, may_ask=may_verify) if in_full else None,
        "own": own,
        "stated": any(one.records for one in shown.said),
        "may_state": own and bool(may(request.user, "evidence.submit", found)),
        "may_read": bool(may(request.user, "evidence.view_content", found)),
        "may_verify": may_verify,
        "may_issue": shown.done is not None and bool(may(request.user, "report.generate", found.case)),
    }


def _times(request: HttpRequest, found: Exhibit, shown: Shown) -> TwoTimes | None:
    """Beside the newest verdict the first one that this person may see, where there are signatures."""
    if shown.done is None or shown.reading is None or not receipt.is_signed(shown.reading.document):
        return None
    rows = Run.objects.filter(exhibit=found, state=Run.State.DONE).select_related("verdict")
    first = visible_to(request.user, rows).order_by("number").first()
    return TwoTimes(found, first, shown.done, shown.reading) if first is not None else None


def _progress(run: Run, ahead: int) -> str:
    if run.state == Run.State.QUEUED:
        if run.attempt:
            return _("上一次没有做完，马上再来一次。")
        return _("排队中，前面还有 %(n)d 件。") % {"n": ahead} if ahead else _("排队中，下一个就是。")
    stages = {
        "copying": _("正在从证据库取出文件。"),
        "verifying": _("正在逐项核对：文件、登记的记录、证明、签名。"),
        "digests": _("正在计算文件的摘要（SHA-256与SM3）。"),
        "container": _("正在逐个核对压缩包里的文件。"),
        "records": _("正在逐条核对网页存档里的记录。"),
        "storing": _("正在登记结论。"),
    }
    return stages.get(run.stage, _("正在核对。"))


def _files(found: Exhibit, reading: Reading | None) -> list[tuple[ExhibitFile, str]]:
    """Each file with the format the engine recognised, "" before a verdict."""
    formats = {s["sha256"]: s["format"] for s in reading.document["sources"]} if reading else {}
    return [(f, formats.get(f.sha256, "")) for f in found.files.all()]


def _asked(request: HttpRequest) -> int:
    text = request.GET.get("n", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh"


