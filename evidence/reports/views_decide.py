"""The buttons of a report's life, and the page before the signature: what this report says otherwise than the one before it."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases.access import demand, visible_to

from . import decisions, differences, issuing
from .decisions import Refused
from .models import Report
from .views import inside, person, shown, visible
from .wording import VERDICTS

Decision = Callable[[], Report]


@login_required
@require_POST
def approve(request: HttpRequest, public_id: str) -> HttpResponse:
    """Checked: by another person than the one who made it."""
    found = visible(request, public_id)
    if request.POST.get("read") != "yes":
        demand(request.user, "report.generate", found.case)
        return _refused(request, found, _("请先通读草稿，再勾选“我已通读草稿”。"))
    annex = request.POST.get("annex", "")
    return _decided(request, found, lambda: decisions.check(found, by=person(request), annex=annex), _("已记为复核通过。现在可以签发。"))


@login_required
@require_POST
def give_back(request: HttpRequest, public_id: str) -> HttpResponse:
    found = visible(request, public_id)
    reason = request.POST.get("reason", "")
    return _decided(request, found, lambda: decisions.give_back(found, by=person(request), reason=reason), _("已退回草稿。"))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: HttpRequest, public_id: str) -> HttpResponse:
    """GET: the comparison with the report before, and the digest to confirm. POST: the second person sends it to be signed."""
    found = visible(request, public_id)
    demand(request.user, "report.generate", found.case)
    if request.method != "POST":
        if found.state != Report.State.CHECKED:
            return redirect("reports:report", found.public_id)
        return render(request, "evidence/reports/sign.html", _before_signing(request, found))
    if request.POST.get("read") != "yes" and found.state == Report.State.CHECKED:
        context = _before_signing(request, found) | {"refused": _("请先看完比较和草稿，再勾选确认。")}
        return render(request, "evidence/reports/sign.html", context, status=422)
    annex = request.POST.get("annex", "")
    return _decided(request, found, lambda: decisions.send(found, by=person(request), annex=annex), _("已决定签发，正在签名。"))


@never_cache
@login_required
@require_GET
def difference(request: HttpRequest, public_id: str) -> HttpResponse:
    """What a report says otherwise than the one before it; for the court's side, at any time."""
    found = visible(request, public_id)
    if not inside(request.user, found.case):
        raise Http404
    if not found.annex_sha256:
        return redirect("reports:report", found.public_id)
    return render(request, "evidence/reports/difference.html", {"report": found, "case": found.case, **_compared(request, found)})


@login_required
@require_POST
def release(request: HttpRequest, public_id: str) -> HttpResponse:
    """Open the report to the parties (the presiding judge's act)."""
    found = visible(request, public_id)
    answer = _decided(request, found, lambda: decisions.release(found, by=person(request)), _("报告已向当事人开放。"))
    if found.verdicts.filter(run__exhibit__exchanged=False).exists():
        messages.info(request, _("报告涉及还没有交换的证据：交换之前，对方看不到这份报告。"))
    return answer


@login_required
@require_POST
def discard(request: HttpRequest, public_id: str) -> HttpResponse:
    found = visible(request, public_id)
    return _decided(request, found, lambda: decisions.discard(found, by=person(request)), _("草稿已作废，编号不再使用。"))


@login_required
@require_POST
def again(request: HttpRequest, public_id: str) -> HttpResponse:
    """Try a failed report once more, from where it failed."""
    found = visible(request, public_id)
    return _decided(request, found, lambda: decisions.retry(found, by=person(request)), "")


@login_required
@require_POST
def ask_revoke(request: HttpRequest, public_id: str) -> HttpResponse:
    found = visible(request, public_id)
    reason = request.POST.get("reason", "")
    return _decided(
        request, found, lambda: decisions.ask_to_revoke(found, by=person(request), reason=reason), _("已提请撤销，等另一人决定。报告在此之前仍然有效。")
    )


@login_required
@require_POST
def drop_revoke(request: HttpRequest, public_id: str) -> HttpResponse:
    found = visible(request, public_id)
    return _decided(request, found, lambda: decisions.drop_request(found, by=person(request)), _("撤销提请已结束，报告仍然有效。"))


@login_required
@require_POST
def revoke(request: HttpRequest, public_id: str) -> HttpResponse:
    found = visible(request, public_id)
    return _decided(request, found, lambda: decisions.revoke(found, by=person(request)), _("报告已撤销。公开查验从现在起答复“已撤销”。"))


# ── what these have in common ─────────────────────────────────────────────────────────────────────────────────────────


def _decided(request: HttpRequest, found: Report, decide: Decision, done: str) -> HttpResponse:
    try:
        decide()
    except Refused as why:
        return _refused(request, found, str(why))
    if done:
        messages.success(request, done)
    return redirect("reports:report", found.public_id)


def _refused(request: HttpRequest, found: Report, why: str) -> HttpResponse:
    """Back to the report's page as it stands now, with the reason on top; that address can be loaded again."""
    messages.error(request, why)
    return redirect("reports:report", found.public_id)


def _before_signing(request: HttpRequest, found: Report) -> dict[str, object]:
    return shown(request, found) | _compared(request, found)


def _compared(request: HttpRequest, found: Report) -> dict[str, object]:
    """With the report it replaces; else with the last one of the case in force on any of the same exhibits."""
    before = found.supersedes
    if before is None:
        exhibits = found.verdicts.values("run__exhibit")
        others = Report.objects.filter(case=found.case, state__in=issuing.IN_FORCE, verdicts__run__exhibit__in=exhibits).exclude(pk=found.pk)
        before = visible_to(request.user, others).order_by("-signed_at", "-pk").first()
    context: dict[str, object] = {"before": before, "words": VERDICTS}
    try:
        now = differences.annex_of(found)
    except differences.Unread as fault:
        return context | {"unread": str(fault), "nothing_to_sign": True}
    try:
        return context | {"difference": differences.between(differences.annex_of(before) if before else {}, now)}
    except differences.Unread as fault:
        return context | {"unread": str(fault)}
