"""The docket, and the page of a case with its evidence catalogue."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.people.models import User

from . import catalogue
from . import delegations as delegation
from .access import cases_where, may, membership_of, visible_to
from .models import Case, Delegation, Role, Side

CASES_PER_PAGE = 20
EXHIBITS_PER_PAGE = 25
QUERY_MAX = 60
ENDED_SHOWN = 20
ASSISTING = (Role.CLERK, Role.JUDGE_ASSISTANT)
"""Roles to which a presiding judge may hand something on."""


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
    if acts.party or not (acts.court or user.court_staff):  # type: ignore[union-attr]
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
    membership = membership_of(user, found)  # type: ignore[arg-type]
    given = delegation.holding(timezone.now()).filter(case=found, to=user.pk).select_related("by")
    context = {
        "case": found,
        "membership": membership,
        "presiding": membership is not None and membership.role == Role.PRESIDING_JUDGE,
        "given": given if membership is not None and membership.role in ASSISTING else [],
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


@never_cache
@login_required
def delegations(request: HttpRequest, public_id: str) -> HttpResponse:
    """What the presiding judge hands on to others in this case, and takes back. For everybody else the page is absent."""
    user = request.user
    found = get_object_or_404(visible_to(user, Case.objects.select_related("court")), public_id=public_id)
    if not isinstance(user, User) or not delegation.presides(user, found):
        raise Http404
    holding = list(delegation.holding(timezone.now()).filter(case=found).select_related("to", "by"))
    offered = [(action, words, delegation.recipients(found, action)) for action, words in delegation.OFFERED.items()]
    if request.method == "POST":
        return _delegate(request, found, holding, offered)
    held = {(d.action, d.to_id): d for d in holding}
    rows = [(action, words, m, held.get((action, m.user_id))) for action, words, members in offered for m in members]
    ended = Delegation.objects.filter(case=found, ended_at__isnull=False).select_related("to", "by", "ended_by").order_by("-ended_at")
    return render(request, "cases/delegations.html", {"case": found, "rows": rows, "ended": ended[:ENDED_SHOWN]})


def _delegate(request: HttpRequest, found: Case, holding: list[Delegation], offered: list[Any]) -> HttpResponse:
    """One button: `give` names action and membership, `end` a delegation that holds."""
    given, taken = request.POST.get("give", ""), request.POST.get("end", "")
    by = cast(User, request.user)
    for action, _words, members in offered:
        for member in members:
            if given == f"{action}:{member.pk}":
                delegation.give(found, action, to=member.user, by=by)
                messages.success(request, _("已交办给 %(name)s。") % {"name": member.user.get_full_name()})
                return redirect("delegations", found.public_id)
    for one in holding:
        if taken == str(one.pk):
            delegation.end(one, by=by)
            messages.success(request, _("已收回。从现在起，%(name)s 不能再办理这一事项。") % {"name": one.to.get_full_name()})
            return redirect("delegations", found.public_id)
    messages.info(request, _("没有改动：请看本页上的最新情况。"))
    return redirect("delegations", found.public_id)
