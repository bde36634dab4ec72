"""Ordering a report, following it, and taking the file: the draft by the court only, the signed report by whoever may.

What people decide about it is in `views_decide`; the keys it was signed with in `views_keys`; the public check in `public`.
"""

import logging
import uuid
from collections import Counter
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from cases.access import demand, may, visible_to, who_may
from cases.catalogue import in_order_of_sides
from cases.models import Case
from evidence.exhibits.models import Exhibit
from evidence.runs.models import RunVerdict
from portal.ledger.entries import record
from portal.people.models import User
from portal.vault import Vault, VaultError

from . import decisions, document, issuing
from .models import Report, Step
from .wording import VERDICTS

log = logging.getLogger(__name__)

EXHIBITS_MAX = 500
"""Exhibits in one report; from 50 on in volumes. A bigger case is issued in several reports."""
REPORTS_PER_PAGE = 20
AHEAD: dict[str, tuple[Step.Act, ...]] = {
    Report.State.PREPARING: (Step.Act.DRAFTED, Step.Act.CHECKED, Step.Act.SIGNED, Step.Act.RELEASED),
    Report.State.DRAFT: (Step.Act.CHECKED, Step.Act.SIGNED, Step.Act.RELEASED),
    Report.State.CHECKED: (Step.Act.SIGNED, Step.Act.RELEASED),
    Report.State.SEALING: (Step.Act.SIGNED, Step.Act.RELEASED),
    Report.State.SIGNED: (Step.Act.RELEASED,),
}
"""What still lies before a report."""
OUTSIDE_STEPS = (Step.Act.SIGNED, Step.Act.RELEASED, Step.Act.SUPERSEDED, Step.Act.REVOKED)
"""What the parties see of a report's life; the rest is the court's own work."""


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A draft, as a thing that rights are asked about: never released, so a condition of release never opens it."""

    case: Case
    released: bool = False


def inside(user: User | AnonymousUser, case: Case) -> bool:
    """Is this person of the court's side of the case, to whom drafts may be shown?"""
    return bool(may(user, "report.download", Unsigned(case)))


# ── ordering ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@never_cache
@login_required
@require_GET
def order(request: HttpRequest, case_id: str) -> HttpResponse:
    """What a report would speak of, and how: before anything is made. `exhibit` (several) or `whole`, or `supersedes`, a report to be
    replaced, or `like`, one to be made anew: it may hold more exhibits than an address."""
    case = _case_to_report(request, case_id)
    like = _of_case(request, case, request.GET.get("like", ""))
    previous = like.supersedes if like is not None else _of_case(request, case, request.GET.get("supersedes", ""))
    if (source := like or previous) is not None and not request.GET.getlist("exhibit"):
        chosen = visible_to(request.user, Exhibit.objects.filter(runs__verdict__reports=source).distinct())
    else:
        chosen = _chosen(request, case, request.GET)
    verdicts = _latest(chosen)
    concluded = {v.run.exhibit_id for v in verdicts}
    context = {
        "case": case,
        "previous": previous,
        "verdicts": verdicts,
        "without": [e for e in chosen.order_by(in_order_of_sides("side"), "number")[:EXHIBITS_MAX] if e.pk not in concluded],
        "whole": bool(request.GET.get("whole")),
        "languages": Report.Language.choices,
        "profiles": Report.Profile.choices,
        "kinds": [(k.value, k.label) for k in issuing.SUCCESSORS],
        "too_many": len(verdicts) > EXHIBITS_MAX,
        "most": EXHIBITS_MAX,
    }
    return render(request, "evidence/reports/order.html", context)


@login_required
@require_POST
def issue(request: HttpRequest, case_id: str) -> HttpResponse:
    """Order a report on the latest verdicts of the chosen exhibits (form fields `exhibit`, public ids, or `whole`)."""
    case = _case_to_report(request, case_id)
    verdicts = _latest(_chosen(request, case, request.POST))
    if not verdicts:
        messages.error(request, _("所选证据还没有核验结论，请等核验完成后再出具报告。"))
        return redirect("case", case.public_id)
    if len(verdicts) > EXHIBITS_MAX:
        messages.error(request, _("一份报告最多 %(most)s 件证据，请分几份生成。") % {"most": EXHIBITS_MAX})
        return redirect("case", case.public_id)
    previous = _of_case(request, case, request.POST.get("supersedes", ""))
    kind, reason = None, ""
    if previous is not None:
        try:
            kind, reason = _kind_and_reason(request.POST)
        except decisions.Refused as why:
            messages.error(request, str(why))
            return redirect(f"{reverse('reports:order', args=[case.public_id])}?supersedes={previous.public_id}")
    language, profiles = request.POST.get("language", Report.Language.BOTH), request.POST.getlist("profile")
    try:
        with transaction.atomic():
            ordered = issuing.order(
                case,
                verdicts,
                by=person(request),
                language=language if language in Report.Language.values else Report.Language.BOTH,
                profiles=tuple(p for p in profiles if p in Report.Profile.values),
                supersedes=previous,
                kind=kind,
                reason=reason,
            )
    except issuing.NotInForce as fault:
        messages.error(request, _("原报告 %(number)s 已被取代或者撤销，不能再取代一次。") % {"number": fault.report.number})
        return redirect("reports:report", fault.report.public_id)
    return redirect("reports:report", ordered.public_id)


def _kind_and_reason(form: QueryDict) -> tuple[str, str]:
    """Of a report that replaces another. Refused."""
    kind, reason = form.get("kind", ""), form.get("reason", "")
    if kind not in issuing.SUCCESSORS or not reason.strip():
        raise decisions.Refused(_("请选择是更正还是补充，并写明理由。"))
    return kind, decisions.plain_reason(reason)


def _case_to_report(request: HttpRequest, case_id: str) -> Case:
    case = get_object_or_404(visible_to(request.user, Case.objects.select_related("court")), public_id=case_id)
    demand(request.user, "report.generate", case)
    return case


def _of_case(request: HttpRequest, case: Case, public_id: str) -> Report | None:
    """A report by its public id, None without one; 404 for an id that is none of this case."""
    if not public_id:
        return None
    ids = _uuids([public_id])
    return get_object_or_404(visible_to(request.user, Report.objects.filter(case=case)), public_id__in=ids)


def _chosen(request: HttpRequest, case: Case, asked: QueryDict) -> QuerySet[Exhibit]:
    found = visible_to(request.user, Exhibit.objects.filter(case=case))
    return found if asked.get("whole") else found.filter(public_id__in=_uuids(asked.getlist("exhibit")))


def _uuids(texts: list[str]) -> list[str]:
    """What is not an id of ours is passed over: the same as a thing one may not see."""
    found = []
    for text in texts:
        try:
            found.append(str(uuid.UUID(text)))
        except ValueError:
            continue
    return found


def _latest(exhibits: QuerySet[Exhibit]) -> list[RunVerdict]:
    return list(issuing.latest(exhibits)[: EXHIBITS_MAX + 1])


# ── following ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@never_cache
@login_required
@require_GET
def of_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Every report of a case that this person may know, newest first."""
    case = get_object_or_404(visible_to(request.user, Case.objects.all()), public_id=case_id)
    found = visible_to(request.user, Report.objects.filter(case=case).select_related("supersedes"))
    page = Paginator(found.order_by("-created_at", "-pk"), REPORTS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"case": case, "page": page, "reports": page.object_list, "may_order": bool(may(request.user, "report.generate", case))}
    return render(request, "evidence/reports/of_case.html", context)


@never_cache
@login_required
@require_GET
def report(request: HttpRequest, public_id: str) -> HttpResponse:
    return render(request, "evidence/reports/report.html", shown(request, visible(request, public_id)))


@never_cache
@login_required
@require_GET
def state(request: HttpRequest, public_id: str) -> HttpResponse:
    """The part of the page that follows the work; htmx stops asking when there is nothing more to wait for."""
    return render(request, "evidence/reports/_state_part.html", shown(request, visible(request, public_id)))


def shown(request: HttpRequest, found: Report) -> dict[str, object]:
    """What the report's page says to this person, and what the person may do now."""
    user, states = request.user, Report.State
    within = inside(user, found.case)
    steps = found.steps.select_related("by")
    verdicts = list(document.ordered(found.verdicts.select_related("run__exhibit").defer("document")))
    count = Counter(v.overall for v in verdicts)
    context: dict[str, object] = {
        "report": found,
        "case": found.case,
        "inside": within,
        "steps": steps if within else steps.filter(act__in=OUTSIDE_STEPS),
        "verdicts": verdicts,
        "tally": [(overall, count[overall]) for overall in VERDICTS if count[overall]],
        "working": found.state in issuing.WORK,
        "waiting": issuing.before(found) if found.state in issuing.WORK and not found.attempts else 0,
        "signed": found.signed_sha256 != "",
        "newest": found.newest,
        "volumes": found.volumes.all() if found.signed_sha256 or within else (),
        "successor": visible_to(user, Report.objects.filter(supersedes=found, signed_sha256__gt="")).order_by("-pk").first(),
        "successor_revoked": found.state == Report.State.SUPERSEDED and found.successors.filter(state=Report.State.REVOKED).exists(),
        "predecessor": visible_to(user, Report.objects.filter(pk=found.supersedes_id)).first(),
    }
    if not within:
        return context
    generates = bool(may(user, "report.generate", found.case))
    signs = bool(may(user, "report.sign", found))
    request_ = decisions.request_of(found) if found.state in issuing.IN_FORCE else None
    open_ = found.state in (states.DRAFT, states.CHECKED)
    context |= {
        "ahead": [act.label for act in AHEAD.get(found.state, ())],
        "generates": generates,
        "own": found.created_by_id == person(request).pk,
        "signs": signs,
        "others": who_may("report.sign", found) if open_ and generates and not signs else (),
        "outdated": decisions.outdated(found) if open_ else (),
        "has_draft": bool(found.draft_sha256) and not found.signed_sha256,
        "may_release": found.state == states.SIGNED and bool(may(user, "report.release", found)),
        "in_force": found.state in issuing.IN_FORCE,
        "revocation": request_,
        "may_revoke": request_ is not None and request_.by_id != person(request).pk and decisions.may_revoke(person(request), request_),
        "contents_changed": issuing.CHANGED in found.fault,
    }
    return context


# ── files ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@login_required
@require_GET
def download(request: HttpRequest, public_id: str) -> HttpResponse:
    """The newest revision of a signed report. One out of force says so in its file name."""
    found = visible(request, public_id)
    demand(request.user, "report.download", found)
    newest = found.newest
    if newest is None:
        raise Http404
    out_of_force = {Report.State.SUPERSEDED: "-已被取代-SUPERSEDED", Report.State.REVOKED: "-已撤销-REVOKED"}
    name = f"{found.number}{out_of_force.get(Report.State(found.state), '')}.pdf"
    return pdf(request, found, newest.sha256, name=name, act="report.download")


@login_required
@require_GET
def draft(request: HttpRequest, public_id: str) -> HttpResponse:
    """The watermarked draft, for the court's side only, until there is a signed report in its place."""
    found = visible(request, public_id)
    if not inside(request.user, found.case) or not found.draft_sha256 or found.signed_sha256:
        raise Http404
    return pdf(request, found, found.draft_sha256, name=f"草稿-未签名-DRAFT-UNSIGNED-{found.number}.pdf", act="report.draft_download")


def pdf(request: HttpRequest, found: Report, sha256: str, *, name: str, act: str) -> HttpResponse:
    """The bytes under this digest, or word that they are gone or no longer what was stored: other bytes are never handed out."""
    try:
        response = HttpResponse(Vault(settings.PORTAL_VAULT_DIR).read(sha256), content_type="application/pdf")
    except (VaultError, OSError):
        log.exception("report %s cannot be handed out", found.number)
        messages.error(request, _("现在不能下载：文件不在原处，或者与登记的摘要不符。请告诉法院的系统管理员。"))
        return redirect("reports:report", found.public_id)
    with transaction.atomic():
        record(act, actor=person(request), case=found.case, subject_digest=sha256, params={"report": found.number})
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


# ── who asks, and for what ────────────────────────────────────────────────────────────────────────────────────────────


def person(request: HttpRequest) -> User:
    """Who is signed in; `login_required` stands before every view that asks."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def visible(request: HttpRequest, public_id: str) -> Report:
    rows = Report.objects.select_related("case__court", "created_by", "checked_by", "signed_by", "supersedes")
    return get_object_or_404(visible_to(request.user, rows), public_id=public_id)
