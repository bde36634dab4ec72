"""Choosing what to export, following the work, taking the archive. For those of the court's side of a case; absent for all others.

Choosing needs no script: what was chosen on other pages of the list travels in one field of the form.
"""

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from cases import catalogue
from cases.access import may, visible_to
from cases.models import Case
from evidence.exhibits import download as handing_out
from evidence.exhibits.models import Exhibit
from evidence.reports.models import Report
from evidence.reports.views import person
from portal.ledger.entries import record

from . import archive, queue
from .models import PENDING, Batch, Export
from .rights import closed_since, may_export

EXHIBITS_PER_PAGE = 50
EXPORTS_PER_PAGE = 20
BATCHES_SHOWN = 10
REPORTS_SHOWN = 100
"""Signed reports offered one by one; the others go along with their exhibits."""
POLL = ((30, 2), (300, 5))
"""(seconds since the order, seconds until the page asks again); later four times a minute."""
POLL_SLOWEST = 15
SIGNED = (Report.State.SIGNED, Report.State.RELEASED, Report.State.SUPERSEDED, Report.State.REVOKED)


@dataclass(frozen=True, slots=True)
class Kept:
    """An archive, as a thing that `exhibits.download` hands out."""

    name: str
    size: int
    sha256: str
    position: int = 1


@dataclass(frozen=True, slots=True)
class Choice:
    """One exhibit to choose from. `reports`: numbers of the reports in force on it."""

    line: catalogue.Line
    chosen: bool
    reports: tuple[str, ...]


# ── choosing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, case_id: str) -> HttpResponse:
    """A page of exhibits with what is chosen so far. `exhibit` chosen here, `kept` on other pages, `go` a page, `all` or `none`."""
    case = _case(request, case_id)
    asked = request.POST if request.method == "POST" else request.GET
    chosen = set(uuids([*asked.getlist("exhibit"), *asked.get("kept", "").split()]))
    known = catalogue.catalogue(request.user, case)
    go = asked.get("go", "")
    if go in ("all", "none"):
        chosen = {str(e) for e in known.values_list("public_id", flat=True)[: queue.EXHIBITS_MAX]} if go == "all" else set()
    here = asked.get("page") if go in ("all", "none", "") else go
    page = Paginator(known, EXHIBITS_PER_PAGE).get_page(here)
    lines = catalogue.lines(request.user, page)
    on_page = {str(line.exhibit.public_id) for line in lines}
    reports = _numbers(request, case, [line.exhibit for line in lines])
    taken = set(uuids(asked.getlist("report")))
    signed = [(r, str(r.public_id) in taken) for r in _signed(request, case)[:REPORTS_SHOWN]]
    context = {
        "case": case,
        "page": page,
        "choices": [Choice(line, str(line.exhibit.public_id) in chosen, reports.get(line.exhibit.pk, ())) for line in lines],
        "kept": " ".join(sorted(chosen - on_page)),
        "elsewhere": len(chosen - on_page),
        "signed": signed,
        "any_report": any(chosen for _report, chosen in signed),
        "key": uuid.uuid4(),
        "modes": Batch.Mode.choices,
        "languages": Report.Language.choices,
        "may_issue": bool(may(request.user, "report.generate", case)),
    }
    return render(request, "evidence/exports/choose.html", context)


@login_required
@require_POST
def make(request: HttpRequest, case_id: str) -> HttpResponse:
    """Order the export of `exhibit`, `kept` and `report` (public ids), or of the `whole` case."""
    case = _case(request, case_id)
    whole = bool(request.POST.get("whole"))
    known = Exhibit.objects.filter(case=case)
    chosen = uuids([*request.POST.getlist("exhibit"), *request.POST.get("kept", "").split()])
    reports = _signed(request, case).filter(public_id__in=uuids(request.POST.getlist("report")))
    return _ordered(request, case, known if whole else known.filter(public_id__in=chosen), reports=[] if whole else list(reports), whole=whole)


@login_required
@require_POST
def again(request: HttpRequest, public_id: str) -> HttpResponse:
    """The same choice once more, with the reports in force and the rights of today; the old row stands."""
    old = _visible(request, public_id)
    exhibits = Exhibit.objects.filter(case=old.case)
    if not old.whole:
        exhibits = exhibits.filter(pk__in=old.exhibits.filter(listed=True).values("exhibit"))
    reports = _signed(request, old.case).filter(pk__in=old.reports.values("report"))
    return _ordered(request, old.case, exhibits, reports=[] if old.whole else list(reports), whole=old.whole)


def _ordered(request: HttpRequest, case: Case, exhibits: QuerySet[Exhibit], *, reports: list[Report], whole: bool) -> HttpResponse:
    try:
        made = queue.order(case, exhibits, by=person(request), reports=reports, whole=whole)
    except queue.ExportRefused as refused:
        said = {
            "nothing": _("没有选择证据或者报告，请先选择。"),
            "too_many": _("一次最多导出 %(exhibits)s 件证据、%(reports)s 份报告，请分几次导出。")
            % {"exhibits": queue.EXHIBITS_MAX, "reports": queue.REPORTS_MAX},
            "pending": _("您有 %(n)s 个导出还没有做完，请等其中一个完成后再来。") % {"n": queue.PENDING_MAX},
        }
        messages.error(request, said.get(refused.reason) or _("所选报告涉及您不能查看的证据，不能导出。"))
        return redirect("exports:choose", case.public_id)
    return redirect("exports:export", made.public_id)


def _case(request: HttpRequest, case_id: str) -> Case:
    case = get_object_or_404(visible_to(request.user, Case.objects.select_related("court")), public_id=case_id)
    if not may_export(request.user, case):
        raise Http404
    return case


def _signed(request: HttpRequest, case: Case) -> QuerySet[Report]:
    found = visible_to(request.user, Report.objects.filter(case=case, state__in=SIGNED))
    return found.order_by("-created_at", "-pk")


def _numbers(request: HttpRequest, case: Case, exhibits: list[Exhibit]) -> dict[int, tuple[str, ...]]:
    """The reports in force on each exhibit: one question for a page."""
    in_force = queue.reports_of(person(request), case, Exhibit.objects.filter(pk__in=[e.pk for e in exhibits]))
    rows = Report.verdicts.through.objects.filter(report__in=in_force, runverdict__run__exhibit__in=[e.pk for e in exhibits])
    found: dict[int, tuple[str, ...]] = {}
    for exhibit, number in rows.values_list("runverdict__run__exhibit", "report__number").order_by("report__number").distinct():
        found[exhibit] = (*found.get(exhibit, ()), number)
    return found


def uuids(texts: list[str]) -> list[str]:
    """What is not an id of ours is passed over: the same as a thing one may not see."""
    found = []
    for text in texts[: queue.EXHIBITS_MAX + 1]:
        try:
            found.append(str(uuid.UUID(text)))
        except ValueError:
            continue
    return found


# ── following ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@never_cache
@login_required
@require_GET
def of_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Every export of a case, by whom and when. Each is taken by whoever ordered it, and by nobody else."""
    case = _case(request, case_id)
    found = visible_to(request.user, Export.objects.filter(case=case)).select_related("ordered_by", "case")
    page = Paginator(found, EXPORTS_PER_PAGE).get_page(request.GET.get("page"))
    batches = visible_to(request.user, Batch.objects.filter(case=case)).select_related("ordered_by")[:BATCHES_SHOWN] if page.number == 1 else ()
    return render(request, "evidence/exports/of_case.html", {"case": case, "page": page, "exports": page.object_list, "batches": batches})


@never_cache
@login_required
@require_GET
def export(request: HttpRequest, public_id: str) -> HttpResponse:
    return render(request, "evidence/exports/export.html", _shown(request, _visible(request, public_id)))


@never_cache
@login_required
@require_GET
def state(request: HttpRequest, public_id: str) -> HttpResponse:
    """The part of the page that follows the work; htmx stops asking when there is nothing more to wait for."""
    return render(request, "evidence/exports/_state_part.html", _shown(request, _visible(request, public_id)))


def _shown(request: HttpRequest, found: Export) -> dict[str, object]:
    working = found.state in PENDING
    waited = (timezone.now() - found.ordered_at).total_seconds()
    listed = found.exhibits.filter(listed=True)
    spoken = Report.verdicts.through.objects.filter(report__in=found.reports.values("report")).values("runverdict__run__exhibit")
    own = found.ordered_by_id == person(request).pk
    return {
        "export": found,
        "case": found.case,
        "working": working,
        "poll_seconds": next((seconds for upto, seconds in POLL if waited < upto), POLL_SLOWEST),
        "exhibits": listed.count(),
        "without": listed.exclude(exhibit__in=spoken).count(),
        "withheld": found.exhibits.filter(content=False).count() if found.reports_total else 0,
        "own": own,
        "closed": closed_since(found.ordered_by, found) if own and found.state == Export.State.DONE else "",
        "may_issue": bool(may(request.user, "report.generate", found.case)),
    }


# ── the archive ───────────────────────────────────────────────────────────────────────────────────────────────────────


@never_cache
@login_required
@require_safe
def download(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The archive, for the person who ordered it. The rights to every part are asked again; what is closed since is in no new copy."""
    found = _visible(request, public_id)
    if found.ordered_by_id != person(request).pk or found.state not in (Export.State.DONE, Export.State.EXPIRED):
        raise Http404
    path = archive.path(found.public_id, found.attempt)
    over = found.state == Export.State.EXPIRED or found.expires_at is None or found.expires_at <= timezone.now()
    if over or closed_since(person(request), found):
        return redirect("exports:export", found.public_id)
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        messages.error(request, _("导出包已经不在了，请重新导出。"))
        return redirect("exports:export", found.public_id)
    response = handing_out.attachment(request, Kept(found.name, found.size, found.sha256), stream=stream)
    if request.method == "GET" and handing_out.begins(response):
        with transaction.atomic():
            record("export.download", actor=person(request), case=found.case, subject_digest=found.sha256, params={"export": str(found.public_id)})
    return response


def _visible(request: HttpRequest, public_id: str) -> Export:
    return get_object_or_404(visible_to(request.user, Export.objects.select_related("case__court", "ordered_by")), public_id=public_id)
