"""The pages of "find this sentence": over one exhibit, and for the bench over a case."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cases.access import cases_where, demand, visible_to
from evidence.exhibits.models import Exhibit, ExhibitFile
from evidence.runs.models import RunVerdict

from . import citing, kept, views
from .capture import TEXT_MAX, Capture
from .citing import Citation
from .finding import HITS_MAX, QUERY_MAX, Hit, find, normal

HITS_SHOWN = 60
FILES_MAX = 300
"""Files of a case that are looked through."""
TEXT_TOTAL_MAX = 8 * TEXT_MAX
"""Bytes of text of a case that are looked through while somebody waits: some seconds."""


@dataclass(frozen=True, slots=True)
class Place:
    exhibit: Exhibit
    file: ExhibitFile
    number: int
    capture: Capture
    hit: Hit
    citation: Citation


@dataclass(slots=True)
class Found:
    """`unread`: files that could not be looked through; `more`: there are places that are not listed; `stopped`: at a bound."""

    places: list[Place]
    unread: list[str]
    more: bool = False
    stopped: bool = False


@never_cache
@login_required
@require_safe
def exhibit(request: HttpRequest, public_id: str) -> HttpResponse:
    found = views.visible(request, public_id)
    demand(request.user, "evidence.view_content", found)
    verdict = kept.newest_verdict(request.user, found)
    files = list(found.files.all())
    for file in files:
        file.exhibit = found
    context = {"exhibit": found, "case": found.case, "back": found.label}
    return _page(request, context, files, {found.pk: verdict} if verdict else {})


@never_cache
@login_required
@require_safe
def case(request: HttpRequest, public_id: str) -> HttpResponse:
    """For those who may read the content of every exhibit of the case, whosever it is: the bench and the clerk."""
    cases = cases_where(request.user, "evidence.view_content")
    found = get_object_or_404(visible_to(request.user, cases), public_id=public_id)
    exhibits = visible_to(request.user, Exhibit.objects.filter(case=found))
    files = list(
        ExhibitFile.objects.filter(exhibit__in=exhibits).select_related("exhibit").order_by("exhibit__side", "exhibit__number", "position")[:FILES_MAX]
    )
    verdicts = kept.newest_verdicts(request.user, {f.exhibit for f in files}) if request.GET.get("q") else {}
    return _page(request, {"case": found, "of_case": True}, files, verdicts)


def _page(
    request: HttpRequest, context: dict[str, object], files: list[ExhibitFile], verdicts: dict[int, RunVerdict]
) -> HttpResponse:
    query = request.GET.get("q", "").replace("\0", "").strip()
    asked = "q" in request.GET
    fault = _("请输入要找的原句，最多 500 字。") if asked and (len(query) > QUERY_MAX or not normal(query)) else ""
    found = look(files, query, verdicts) if asked and not fault else None
    return render(
        request, "evidence/captures/find.html", context | {"query": query[:QUERY_MAX], "fault": fault, "found": found}
    )


def look(files: Iterable[ExhibitFile], sentence: str, verdicts: dict[int, RunVerdict]) -> Found:
    """Every place of the sentence in the texts of these files, in their order."""
    found = Found([], [])
    text = 0
    for shown in kept.of_files(files):
        exhibit = shown.file.exhibit
        if shown.waiting or shown.parked:
            found.unread.append(f"{exhibit.label} {shown.file.name}")
            continue
        for number, capture in enumerate(shown.captures, start=1):
            text += sum(len(run.text) for run in capture.text)
            if text > TEXT_TOTAL_MAX:
                found.stopped = True
                return found
            hits = find(capture, sentence)
            if not hits:
                continue
            proven = kept.proven(verdicts.get(exhibit.pk), shown.file.sha256)
            for hit in hits[:HITS_MAX]:
                if len(found.places) >= HITS_SHOWN:
                    found.more = True
                    return found
                citation = citing.cite(exhibit, shown.file, capture, hit, proven)
                found.places.append(Place(exhibit, shown.file, number, capture, hit, citation))
            found.more |= len(hits) > HITS_MAX
    return found
