"""The button "render by the court", and the picture it led to. Needs `evidence.view_content`; else 404."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from cases.access import demand
from portal.vault import Vault

from .. import views
from . import queue, section
from .models import CourtRender


@login_required
@require_POST
def ask(request: HttpRequest, public_id: str, position: int, number: int) -> HttpResponse:
    """Asks for a render of one capture, once for each version of the browser; this only writes it down, a renderer makes it."""
    found, file, shown = views.of_capture(request, public_id, position, number)
    demand(request.user, "evidence.view_content", found)
    capture = shown.captures[number - 1]
    given = section.source(file, capture, number)
    if given is None:
        raise Http404
    renderer = queue.live()
    if renderer is None or not renderer.browser or renderer.fault:
        messages.error(request, _("本院现在没有可以绘制网页的浏览器，没有发出请求。"))
    else:
        form, sha256 = given
        asked = queue.ask(file, capture=capture.id, form=form, source_sha256=sha256, browser=renderer.browser, by=request.user, again=True)
        if not asked:
            messages.info(request, _("已经请求过，没有重复发出。"))
    return redirect(reverse("captures:capture", args=[public_id, position, number]) + "#court-render")


@never_cache
@login_required
@require_safe
def picture(request: HttpRequest, public_id: str, position: int, number: int) -> HttpResponseBase:
    """The newest render of a capture: a PNG that the jail drew anew, never the browser's own bytes."""
    found, file, shown = views.of_capture(request, public_id, position, number)
    demand(request.user, "evidence.view_content", found)
    row = section.newest(file, shown.captures[number - 1].id)
    if row is None or row.state != CourtRender.State.DONE:
        raise Http404
    with Vault(settings.PORTAL_VAULT_DIR).open(row.picture_sha256) as stream:
        return views.png(stream.read(), name="court-render.png")
