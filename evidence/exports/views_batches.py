"""Ordering reports for the exhibits that were chosen, and following them. For those who may order a report in the case; absent for all others."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Case as WhenCase
from django.db.models import Count, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from cases.access import demand, visible_to
from cases.models import Case
from evidence.exhibits.models import Exhibit
from evidence.reports import issuing
from evidence.reports.models import Report
from evidence.reports.views import person

from . import batches
from .models import Batch
from .views import POLL, POLL_SLOWEST, uuids

ITEMS_PER_PAGE = 50
REFUSALS_SHOWN = 5


@login_required
@require_POST
def order(request: HttpRequest, case_id: str) -> HttpResponse:
    """Order reports on `exhibit` and `kept` (public ids): `mode` each or group, `language`, and `key`, the number of the form."""
    case = get_object_or_404(visible_to(request.user, Case.objects.all()), public_id=case_id)
    demand(request.user, "report.generate", case)
    chosen = uuids([*request.POST.getlist("exhibit"), *request.POST.get("kept", "").split()])
    mode, language, keys = request.POST.get("mode", ""), request.POST.get("language", ""), uuids([request.POST.get("key", "")])
    if mode not in Batch.Mode.values:
        messages.error(request, _("请选择是每件证据各一份报告，还是所选证据合为一份报告。"))
        return redirect("exports:choose", case.public_id)
    try:
        made = batches.order(
            case,
            Exhibit.objects.filter(public_id__in=chosen),
            by=person(request),
            mode=mode,
            language=language if language in Report.Language.values else Report.Language.BOTH,
            key=uuid.UUID(keys[0]) if keys else uuid.uuid4(),
        )
    except batches.BatchRefused as refused:
        said = {
            "nothing": _("没有选择证据，请先选择。"),
            "no_verdict": _("所选证据还没有核验结论，请等核验完成后再出具报告。"),
            "too_many": _("一次最多为 %(most)s 件证据生成报告，请分几次选择。") % {"most": batches.EACH_MAX},
        }
        messages.error(request, said.get(refused.reason) or _("您在本案不能生成报告。"))
        return redirect("exports:choose", case.public_id)
    return redirect("exports:batch", made.public_id)


@never_cache
@login_required
@require_GET
def batch(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _visible(request, public_id)
    kept = " ".join(str(public_id) for public_id in found.items.values_list("exhibit__public_id", flat=True))
    return render(request, "evidence/exports/batch.html", {**_shown(request, found), "kept": kept})


@never_cache
@login_required
@require_GET
def state(request: HttpRequest, public_id: str) -> HttpResponse:
    """The part of the page that follows the reports; htmx stops asking when no worker has anything to do."""
    return render(request, "evidence/exports/_batch_part.html", _shown(request, _visible(request, public_id)))


@login_required
@require_POST
def retry(request: HttpRequest, public_id: str) -> HttpResponse:
    """Try again what failed, and nothing else."""
    found = _visible(request, public_id)
    tried, refused = batches.retry(found, by=person(request))
    if tried:
        messages.success(request, ngettext("%(n)s 份报告重新制作。", "%(n)s 份报告重新制作。", tried) % {"n": tried})
    for why in refused[:REFUSALS_SHOWN]:
        messages.error(request, why)
    if not tried and not refused:
        messages.info(request, _("没有可以重试的报告。"))
    return redirect("exports:batch", found.public_id)


def _shown(request: HttpRequest, found: Batch) -> dict[str, object]:
    # What needs somebody comes first: among hundreds it would not be found.
    needs = WhenCase(When(report__state=Report.State.FAILED, obstacle="", then=Value(0)), When(obstacle="", then=Value(2)), default=Value(1))
    items = found.items.select_related("exhibit", "report").order_by(needs, "pk")
    page = Paginator(items, ITEMS_PER_PAGE).get_page(request.GET.get("page"))
    reports = batches.reports_of(found)
    counted = {row["state"]: row["n"] for row in reports.order_by().values("state").annotate(n=Count("pk"))}
    total, obstacles = sum(counted.values()), found.items.exclude(obstacle="").count()
    curable = reports.filter(state=Report.State.FAILED).exclude(fault__contains=issuing.CHANGED).count()
    working = sum(counted.get(state, 0) for state in issuing.WORK)
    waited = (timezone.now() - found.ordered_at).total_seconds()
    return {
        "batch": found,
        "case": found.case,
        "page": page,
        "items": page.object_list,
        "changed": issuing.CHANGED,
        "counts": [(state, Report.State(state).label, counted[state]) for state in Report.State.values if state in counted],
        "total": total,
        "done": total - working - counted.get(Report.State.FAILED, 0),
        "working": working,
        "failed": counted.get(Report.State.FAILED, 0),
        "curable": curable,
        "obstacles": obstacles,
        "drafts": counted.get(Report.State.DRAFT, 0),
        "poll_seconds": next((seconds for upto, seconds in POLL if waited < upto), POLL_SLOWEST),
    }


def _visible(request: HttpRequest, public_id: str) -> Batch:
    return get_object_or_404(visible_to(request.user, Batch.objects.select_related("case__court", "ordered_by")), public_id=public_id)
