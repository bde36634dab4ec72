"""What a capture shows: its facts, text and pictures drawn anew. For display only; no page here says anything about a verdict
but what the verdict itself says. Facts need `evidence.view_meta`, content `evidence.view_content`; else 404."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cases.access import demand, may, visible_to
from evidence.exhibits.models import Exhibit, ExhibitFile
from portal.vault import Vault

from . import card, kept, replay
from .capture import Capture, ViewKind
from .capture import lines as text_lines
from .display import left_out
from .rendering import section as rendering

LINES_SHOWN = 2_000
"""Lines of text on a page; a page that long nobody reads on a screen. The search goes over all of it."""
RESOURCES_SHOWN = 200


@never_cache
@login_required
@require_safe
def capture(request: HttpRequest, public_id: str, position: int, number: int) -> HttpResponse:
    found, file, shown = of_capture(request, public_id, position, number)
    verdict = kept.newest_verdict(request.user, found)
    may_read = bool(may(request.user, "evidence.view_content", found))
    one = shown.captures[number - 1]
    every = text_lines(one.text) if may_read else []
    context = {
        "exhibit": found,
        "case": found.case,
        "file": file,
        "number": number,
        "capture": one,
        "title": one.facts.title or one.facts.url or file.name,
        "kind": card.kind(one),
        "total": len(shown.captures),
        "card": card.lines(one, kept.proven(verdict, file.sha256)),
        "notes": [card.note(n) for n in one.notes if not n.startswith(left_out.PREFIX)],
        "pictures": _pictures(one) if may_read else [],
        "text": every[:LINES_SHOWN],
        "lines_left": max(0, len(every) - LINES_SHOWN),
        "resources": one.resources[:RESOURCES_SHOWN],
        "resources_left": max(0, len(one.resources) - RESOURCES_SHOWN),
        "archive_aware": any(n.startswith("ARCHIVE_AWARE:") for n in one.notes),
        "verdict": verdict,
        "may_read": may_read,
        "safe_view": may_read and left_out.offered(one),
        "replay": replay.address(file, one) if may_read else None,
        "render": rendering.section(file, one, number, exhibit=found) if may_read else None,
    }
    return render(request, "evidence/captures/capture.html", context)


@never_cache
@login_required
@require_safe
def picture(request: HttpRequest, public_id: str, position: int, number: int, view: int) -> HttpResponseBase:
    """A picture of our own making as `image/png`; never a byte of a party's file."""
    found, _file, shown = of_capture(request, public_id, position, number)
    demand(request.user, "evidence.view_content", found)
    views = shown.captures[number - 1].views
    if not 1 <= view <= len(views) or views[view - 1].kind is ViewKind.SAFE_HTML:
        raise Http404
    with Vault(settings.PORTAL_VAULT_DIR).open(views[view - 1].sha256) as stream:
        return png(stream.read(), name="page.png")


def png(data: bytes, *, name: str) -> HttpResponse:
    """A picture that the jail drew, as nothing but a picture."""
    response = HttpResponse(data, content_type="image/png")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def visible(request: HttpRequest, public_id: str) -> Exhibit:
    rows = Exhibit.objects.select_related("case__court", "party", "submitted_by")
    return get_object_or_404(visible_to(request.user, rows), public_id=public_id)


def of_capture(request: HttpRequest, public_id: str, position: int, number: int) -> tuple[Exhibit, ExhibitFile, kept.Shown]:
    found = visible(request, public_id)
    file = get_object_or_404(ExhibitFile, exhibit=found, position=position)
    (shown,) = kept.of_files([file])
    if not 1 <= number <= len(shown.captures):
        raise Http404
    return found, file, shown


def _pictures(one: Capture) -> list[tuple[int, int, int, int | None]]:
    """(number, width, height, page) of each picture."""
    return [
        (n, v.width, v.height, v.page) for n, v in enumerate(one.views, start=1) if v.kind is not ViewKind.SAFE_HTML
    ]
