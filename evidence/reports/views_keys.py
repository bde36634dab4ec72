"""The drill for a compromised key, for offices of the court: which certificates signed, and what each of them signed.

An office opens no case: a report stands here by its number and state, never with its case or contents.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cases.access.offices import demand_in_office
from portal.ledger.entries import record

from . import keys
from .models import Signature
from .views import person

View = Callable[..., HttpResponse]

REVISIONS_PER_PAGE = 50
UNREAD_SHOWN = 20


def office(view: View) -> View:
    """For offices with the right, and absent for all others whatever they send."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        demand_in_office(request.user, "report.drill")
        return view(request, *args, **kwargs)

    return never_cache(login_required(asked))


@office
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Certificates that were used; or straight to one by its fingerprint (`fingerprint`)."""
    typed = request.GET.get("fingerprint", "").strip()[:200]
    if typed:
        found = keys.fingerprint(typed)
        if found is not None:
            return redirect("reports:key", found)
        messages.error(request, _("证书指纹应为 SHA-256，共 64 位十六进制数字；冒号和空格可以保留。"))
    context: dict[str, Any] = {"used": keys.used(), "typed": typed, "unread": keys.unread()[:UNREAD_SHOWN]}
    return render(request, "evidence/reports/keys.html", context)


@office
@require_safe
def key(request: HttpRequest, certificate: str) -> HttpResponse:
    certificate = _digest(certificate)
    page = Paginator(keys.revisions_signed_with(certificate), REVISIONS_PER_PAGE).get_page(request.GET.get("page"))
    signed = Signature.objects.filter(certificate_sha256=certificate).select_related("person").order_by("-at", "-pk")
    context = {
        "certificate": certificate,
        "signature": signed.first(),
        "reports": signed.order_by().values("report").distinct().count(),
        "page": page,
        "revisions": page.object_list,
    }
    return render(request, "evidence/reports/key.html", context)


@office
@require_safe
def key_csv(request: HttpRequest, certificate: str) -> HttpResponse:
    certificate = _digest(certificate)
    with transaction.atomic():
        record("report.drill", actor=person(request), params={"certificate": certificate})
    response = HttpResponse(keys.as_csv(certificate), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"certificate-{certificate[:16]}.csv") or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


def _digest(text: str) -> str:
    found = keys.fingerprint(text)
    if found is None:
        raise Http404
    return found
