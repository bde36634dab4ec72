"""The host of evidence: it answers one kind of address with a safe view and everything else with a bare 404.

`evidence_host` stands before every other middleware and answers by itself whatever is asked of that host: no session, no
cookie, no language, no form, no static file, none of the portal's pages. Its headers hold the page still even if the
reader had let something through (docs/safe-view.md has the measurement).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, path, resolve

from portal.vault import Missing, Vault

from . import addresses, origin

log = logging.getLogger(__name__)

HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-DNS-Prefetch-Control": "off",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "no-store",
}
"""On every answer of this host, whatever its status; there are no others but type and length."""


def evidence_host(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, the first of all."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.META.get("HTTP_HOST", "").lower() != origin.netloc():
            return get_response(request)
        try:
            response = _answer(request)
        except Exception:  # the portal's page for faults has no place on this host
            log.exception("a safe view could not be shown")
            response = _bare(500)
        return response

    return answer


def _answer(request: HttpRequest) -> HttpResponse:
    if request.method != "GET" or (settings.SECURE_SSL_REDIRECT and not request.is_secure()):
        return _bare(404)
    try:
        found = resolve(request.path_info, urlconf=__name__)
    except Resolver404:
        return _bare(404)
    response: HttpResponse = found.func(request, **found.kwargs)
    return response


def _view(request: HttpRequest, token: str) -> HttpResponse:
    sha256 = addresses.redeem(token)
    if sha256 is None:
        return _bare(404)
    try:
        with Vault(settings.PORTAL_VAULT_DIR).open(sha256) as stream:
            blob = stream.read(addresses.BLOB_MAX + 1)
    except Missing:
        log.error("safe view %s is not in the vault", sha256)
        return _bare(404)
    if not addresses.whole(blob, sha256):
        log.error("safe view %s is not what was made", sha256)
        return _bare(404)
    return _headed(HttpResponse(blob, content_type="text/html; charset=utf-8"))


def _bare(status: int) -> HttpResponse:
    response = _headed(HttpResponse(b"", status=status, content_type="text/plain"))
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django would write the address, which may still be good, into the log
    return response


def _headed(response: HttpResponse) -> HttpResponse:
    for name, value in HEADERS.items():
        response[name] = value
    response["Content-Length"] = str(len(response.content))
    return response


urlpatterns = [path("<str:token>", _view)]
"""All of this host."""
