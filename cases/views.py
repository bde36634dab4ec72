"""The docket, and the page of a case with its evidence catalogue."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from . import catalogue
from .access import cases_where, may, membership_of, visible_to
from .models import Case, Side

CASES_PER_PAGE = 20
EXHIBITS_PER_PAGE = 25
QUERY_MAX = 60


@never_cache
@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What waits for this person first, then every case the person belongs to."""
    user = request.user
    acts = catalogue.capacity(user)
    query = request.GET.get("q", "").strip()[:QUERY_MAX]
    page = Paginator(catalogue.my_cases(user, query=query), CASES_PER_PAGE).get_page(request.GET.get("page"))
    context = {"acts": acts, "query": query, "page": page, "cases": catalogue.docketed(user, page)}
    if acts.court:
        context |= {**catalogue.waiting(user), "reports": catalogue.unissued_reports(user)}
    if acts.party or not acts.court:
        context |= {"submissions": catalogue.submissions(user), "drafts": catalogue.drafts(user)}
    return render(request, "cases/home.html", context)


@never_cache
@login_required
@require_safe
def case(request: HttpRequest, public_id: str) -> HttpResponse:
    """The case and its evidence catalogue, as far as this person may know it."""
    user = request.user
    found = get_object_or_404(visible_to(user, Case.objects.select_related("court")), public_id=public_id)
    page = Paginator(catalogue.catalogue(user, found), EXHIBITS_PER_PAGE).get_page(request.GET.get("page"))
    shown = catalogue.lines(user, page)
    context = {
        "case": found,
        "membership": membership_of(user, found),
        "parties": found.parties.order_by(catalogue.in_order_of_sides("side"), "position"),
        "page": page,
        "lines": shown,
        "may_submit": bool(may(user, "evidence.submit", found)),
        "may_issue": any(line.verdict for line in shown) and bool(may(user, "report.generate", found)),
        "may_export": cases_where(user, "report.download").filter(pk=found.pk).exists(),
        "court_side": Side.COURT,
        "reports": catalogue.reports(user, found),
        "reports_shown": catalogue.REPORTS_SHOWN,
    }
    return render(request, "cases/case.html", context)
