"""The public question "is this report yours?", answered without saying anything else."""

import hmac
import re

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.people import limits

from . import issuing
from .models import Report

QUESTIONS_MAX, QUESTIONS_SECONDS = 60, 300
"""Numbers, codes and digests that one address may ask about."""
PUBLIC_STATES = {
    Report.State.SIGNED: "in_force",
    Report.State.RELEASED: "in_force",
    Report.State.SUPERSEDED: "superseded",
    Report.State.REVOKED: "revoked",
}


@require_GET
def check(request: HttpRequest) -> HttpResponse:
    """Public: number and code, or the SHA-256 of a file -> in force, superseded or revoked, and nothing else.

    A wrong code, an unknown number and a report that is not signed give the same answer; the code has 50 bits, so asking again
    and again leads nowhere. A file is hashed on the asker's own device; only its digest comes here.
    """
    asked = {
        "number": request.GET.get("number", "").strip()[:40],
        "code": request.GET.get("code", "").strip().upper()[:20],
        "sha256": request.GET.get("sha256", "").strip().lower()[:64],
    }
    if any(asked.values()) and limits.spent(request, "report-check", most=QUESTIONS_MAX, seconds=QUESTIONS_SECONDS):
        return render(request, "429.html", status=429)
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
    found = Report.objects.filter(number=number, state__in=PUBLIC_STATES).first()
    known = found.check_code if found else "-" * issuing.CHECK_CODE_LENGTH
    same = hmac.compare_digest(known.encode(), code.encode())
    return found if found and same else None


def _by_file(sha256: str) -> Report | None:
    """Whoever has the bytes, of any revision, may know what became of them."""
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        return None
    return Report.objects.filter(revisions__sha256=sha256, state__in=PUBLIC_STATES).first()


def _public_state(found: Report | None) -> str:
    return PUBLIC_STATES.get(Report.State(found.state), "unknown") if found else "unknown"
