"""Verifying again under the trust store in force: what it touches, and one button."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cases.access import cases_where
from evidence.trust import words
from portal.people.models import User

from . import reverification

REASONS_SHOWN = 3


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def again(request: HttpRequest) -> HttpResponse:
    """For whoever may start verifications in some case; for others the page does not exist."""
    user = request.user
    if not isinstance(user, User) or not cases_where(user, "verify.run").exists():
        raise Http404
    if request.method == "POST":
        count = reverification.again(user, request.POST.getlist("exhibit")[: reverification.SHOWN_MAX])
        if count:
            messages.success(request, ngettext("已发起 %(n)d 件证据的重新核验。", "已发起 %(n)d 件证据的重新核验。", count) % {"n": count})
        else:
            messages.info(request, _("没有需要重新核验的证据。"))
        return redirect("runs:again")
    found = reverification.touched(user)
    context = {"lines": [_line(one) for one in found], "full": len(found) == reverification.SHOWN_MAX}
    return render(request, "evidence/runs/again.html", context)


def _line(one: reverification.Touched) -> dict[str, Any]:
    """What of it the page says: the result, and why it may become another."""
    shown = one.differences[:REASONS_SHOWN]
    more = len(one.differences) if len(one.differences) > REASONS_SHOWN else 0
    return {"verdict": one.verdict, "unknown": one.unknown, "why": [words.heading(d) for d in shown], "more": more}
