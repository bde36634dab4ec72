"""Ordering, following, downloading and releasing a report; and the public question "is this report yours?"."""

import hmac
import re
import uuid

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cases.access import demand, may, visible_to
from cases.models import Case
from evidence.exhibits.models import Exhibit
from evidence.runs.models import Run, RunVerdict
from portal.ledger.entries import record
from portal.people.models import User
from portal.vault import Vault

from . import document, issuing
from .models import Report

EXHIBITS_MAX = 50
"""Exhibits in one report; bigger cases are issued in several."""
PUBLIC_STATES = {
    Report.State.SIGNED: "in_force",
    Report.State.RELEASED: "in_force",
    Report.State.SUPERSEDED: "superseded",
    Report.State.REVOKED: "revoked",
}


@login_required
@require_POST
def issue(request: HttpRequest, case_id: str) -> HttpResponse:
    """Order a report on the latest verdicts of the chosen exhibits (form field `exhibit`, public ids)."""
    case = get_object_or_404(visible_to(request.user, Case.objects.all()), public_id=case_id)
    user = _person(request)
    demand(user, "report.generate", case)
    exhibits = visible_to(request.user, Exhibit.objects.filter(case=case, public_id__in=_chosen(request)))
    verdicts = [v for e in exhibits if (v := _latest(e)) is not None]
    if not verdicts:
        messages.error(request, _("所选证据还没有核验结论，请等核验完成后再出具报告。"))
        return redirect("case", case.public_id)
    with transaction.atomic():
        ordered = issuing.order(case, verdicts, by=user)
    return redirect("reports:report", ordered.public_id)


@login_required
@require_GET
def report(request: HttpRequest, public_id: str) -> HttpResponse:
    return render(request, "evidence/reports/report.html", _shown(request, public_id))


@login_required
@require_GET
def state(request: HttpRequest, public_id: str) -> HttpResponse:
    """The part of the page that follows the work; htmx stops asking when the report is ready or has failed."""
    return render(request, "evidence/reports/_state_part.html", _shown(request, public_id))


@login_required
@require_GET
def download(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _visible(request, public_id)
    demand(request.user, "report.download", found)
    if not found.signed_sha256:
        raise Http404
    with Vault(settings.PORTAL_VAULT_DIR).open(found.signed_sha256) as stream:
        response = HttpResponse(stream.read(), content_type="application/pdf")
    with transaction.atomic():
        record(
            "report.download",
            actor=_person(request),
            case=found.case,
            subject_digest=found.signed_sha256,
            params={"report": found.number},
        )
    response["Content-Disposition"] = content_disposition_header(True, f"{found.number}.pdf") or "attachment"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_POST
def again(request: HttpRequest, public_id: str) -> HttpResponse:
    """Try a failed report once more."""
    found = _visible(request, public_id)
    demand(request.user, "report.generate", found.case)
    issuing.retry(found)
    return redirect("reports:report", found.public_id)


@login_required
@require_POST
def release(request: HttpRequest, public_id: str) -> HttpResponse:
    """Open the report to the parties (the presiding judge's act)."""
    found = _visible(request, public_id)
    demand(request.user, "report.release", found)
    with transaction.atomic():
        signed = Report.objects.filter(pk=found.pk, state=Report.State.SIGNED)
        if signed.update(state=Report.State.RELEASED, released_at=timezone.now()):
            record("report.release", actor=_person(request), case=found.case, params={"report": found.number})
            messages.success(request, _("报告已向当事人开放。"))
            if found.verdicts.filter(run__exhibit__exchanged=False).exists():
                messages.info(request, _("报告涉及还没有交换的证据：交换之前，对方看不到这份报告。"))
    return redirect("reports:report", found.public_id)


@require_GET
def check(request: HttpRequest) -> HttpResponse:
    """Public: number and code, or the SHA-256 of a file -> in force, superseded or revoked, and nothing else.

    A wrong code and an unknown number give the same answer; the code has 50 bits, so asking again and again leads nowhere.
    A file is hashed on the asker's own device; only its digest comes here.
    """
    asked = {
        "number": request.GET.get("number", "").strip()[:40],
        "code": request.GET.get("code", "").strip().upper()[:20],
        "sha256": request.GET.get("sha256", "").strip().lower()[:64],
    }
    answer, same_file = None, None
    if asked["sha256"]:
        same_file = _by_file(asked["sha256"])
        answer = _public_state(same_file)
    elif asked["number"] or asked["code"]:
        answer = _public_state(_by_code(asked["number"], asked["code"]))
    return render(
        request,
        "evidence/reports/check.html",
        {**asked, "answer": answer, "by_file": bool(asked["sha256"]), "same_file": same_file},
    )


def _by_code(number: str, code: str) -> Report | None:
    found = Report.objects.filter(number=number).exclude(signed_sha256="").first()
    known = found.check_code if found else "-" * issuing.CHECK_CODE_LENGTH
    same = hmac.compare_digest(known.encode(), code.encode())
    return found if found and same else None


def _by_file(sha256: str) -> Report | None:
    """Whoever has the bytes may know what became of them."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        return None
    return Report.objects.filter(signed_sha256=sha256).first()


def _public_state(found: Report | None) -> str:
    return PUBLIC_STATES.get(Report.State(found.state), "unknown") if found else "unknown"


def _person(request: HttpRequest) -> User:
    """Who is signed in; `login_required` stands before every view that asks."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def _chosen(request: HttpRequest) -> list[str]:
    chosen = []
    for text in request.POST.getlist("exhibit")[:EXHIBITS_MAX]:
        try:
            chosen.append(str(uuid.UUID(text)))
        except ValueError:
            continue  # not an id of ours: the same as an exhibit one may not see
    return chosen


def _latest(exhibit: Exhibit) -> RunVerdict | None:
    return (
        RunVerdict.objects.filter(run__exhibit=exhibit, run__state=Run.State.DONE)
        .order_by("-run__number")
        .first()
    )


def _visible(request: HttpRequest, public_id: str) -> Report:
    return get_object_or_404(
        visible_to(request.user, Report.objects.select_related("case__court", "created_by")), public_id=public_id
    )


def _shown(request: HttpRequest, public_id: str) -> dict[str, object]:
    found = _visible(request, public_id)
    return {
        "report": found,
        "case": found.case,
        "verdicts": document.ordered(found.verdicts.select_related("run__exhibit").defer("document")),
        "working": found.state == Report.State.PREPARING,
        "may_release": found.state == Report.State.SIGNED and bool(may(request.user, "report.release", found)),
        "may_retry": found.state == Report.State.FAILED and bool(may(request.user, "report.generate", found.case)),
    }
