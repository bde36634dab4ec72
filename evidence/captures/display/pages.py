"""The portal's page with the safe view in a frame. Each look issues an address of its own, which is an act in the book."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from cases.access import demand
from evidence.exhibits.models import Exhibit, ExhibitFile

from .. import kept, views
from ..capture import Capture, View, ViewKind
from . import addresses, left_out, origin


@never_cache
@login_required
@require_GET
def page(request: HttpRequest, public_id: str, position: int, number: int) -> HttpResponse:
    """The frame, what was left out of it, a fresh address at every load; or why there is none."""
    found, file, one, view = _asked(request, public_id, position, number)
    where = origin.usable()
    address = ""
    if view is not None and where:
        address = f"{where}/{_issued(request, found, position, number, view)}"
    context = {
        "exhibit": found,
        "case": found.case,
        "file": file,
        "number": number,
        "capture": one,
        "verdict": kept.newest_verdict(request.user, found),
        "title": one.facts.title or one.facts.url or file.name,
        "address": address,
        "off": where is None,
        "left_out": left_out.lines(one.notes),
        "why_none": left_out.why_none(one.notes),
    }
    response = render(request, "evidence/captures/safe_view.html", context)
    if address:
        # django-csp adds this to the policy of this one answer: the frame may come from the host of evidence and from nowhere else.
        response._csp_update = {"frame-src": [where]}  # type: ignore[attr-defined]
    return response


@never_cache
@login_required
@require_GET
def alone(request: HttpRequest, public_id: str, position: int, number: int) -> HttpResponse:
    """The same without the portal around it: the headers of that host hold it as still as the frame does."""
    found, _file, _one, view = _asked(request, public_id, position, number)
    where = origin.usable()
    if view is None or where is None:
        raise Http404
    return HttpResponseRedirect(f"{where}/{_issued(request, found, position, number, view)}")


def _asked(request: HttpRequest, public_id: str, position: int, number: int) -> tuple[Exhibit, ExhibitFile, Capture, View | None]:
    found, file, shown = views.of_capture(request, public_id, position, number)
    demand(request.user, "evidence.view_content", found)
    one = shown.captures[number - 1]
    if not left_out.offered(one):
        raise Http404
    return found, file, one, next((v for v in one.views if v.kind is ViewKind.SAFE_HTML), None)


def _issued(request: HttpRequest, found: Exhibit, position: int, number: int, view: View) -> str:
    return addresses.issue(addresses.Shown(found, position, number, view.sha256), to=request.user)  # type: ignore[arg-type]
