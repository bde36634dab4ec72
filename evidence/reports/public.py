"""The public question "is this report yours?", answered without saying anything else."""

import hmac
import re
import unicodedata

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from portal.people import limits

from . import issuing
from .dropped import FILE_MAX
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
        "number": _typed(request.GET.get("number", "")[:40]),
        "code": _typed(request.GET.get("code", "")[:40]),
        "sha256": re.sub(r"[\s:]", "", request.GET.get("sha256", "")[:200]).lower(),
    }
    if any(asked.values()) and limits.spent(request, "report-check", most=QUESTIONS_MAX, seconds=QUESTIONS_SECONDS):
        return too_often(request, QUESTIONS_SECONDS)
    context: dict[str, object] = {**asked, "by_file": bool(asked["sha256"]), "most_mb": FILE_MAX >> 20}
    missing = _missing(**asked)
    if missing:
        context |= {"fault_at": missing[0], "fault": missing[1]}
    elif asked["sha256"]:
        same_file = _by_file(asked["sha256"])
        context |= {"same_file": same_file, "answer": _public_state(same_file.state if same_file else None)}
    elif asked["number"]:
        context["answer"] = _by_code(asked["number"], asked["code"])
    return render(request, "evidence/reports/check.html", context, status=422 if missing else 200)


def too_often(request: HttpRequest, seconds: int) -> HttpResponse:
    return render(request, "evidence/reports/check_often.html", {"minutes": seconds // 60}, status=429)


def _typed(text: str) -> str:
    """As people type it from paper: full width, small letters, spaces, whatever dash the keyboard has."""
    text = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()
    return re.sub("[\u2010-\u2015\u2212\u30fc]", "-", text)


def _missing(*, number: str, code: str, sha256: str) -> tuple[str, str] | None:
    """The field that is not filled as it must be, and what is wrong with it."""
    if sha256:
        return None if re.fullmatch(r"[0-9a-f]{64}", sha256) else ("sha256", _("文件的 SHA-256 应为 64 位十六进制数字。"))
    if number and not code:
        return "code", _("请把查验码也填上：报告首页二维码下的 10 位字符。")
    if code and not number:
        return "number", _("请把报告编号也填上，例如 HY2026-000001。")
    return None


def _by_code(number: str, code: str) -> str:
    """One row of two texts comes back whether or not there is such a report, so that the time it takes tells nothing."""
    found = Report.objects.filter(number=number, state__in=PUBLIC_STATES).aggregate(code=Max("check_code"), state=Max("state"))
    known = found["code"] or "-" * issuing.CHECK_CODE_LENGTH
    same = hmac.compare_digest(known.encode(), code.encode())
    return _public_state(found["state"] if same else None)


def _by_file(sha256: str) -> Report | None:
    """Whoever has the bytes, of any revision, may know what became of them."""
    return Report.objects.filter(revisions__sha256=sha256, state__in=PUBLIC_STATES).first()


def _public_state(state: str | None) -> str:
    return PUBLIC_STATES.get(Report.State(state), "unknown") if state else "unknown"
