"""Time lines from the rows of the database: of one file for the page that compares two, and the page over a whole case."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cases.access import cases_where, visible_to
from evidence.exhibits import axes
from evidence.exhibits.models import Exhibit, ExhibitFile
from evidence.runs.models import RunVerdict

from . import kept, timeline
from .capture import TEXT_MAX, Capture
from .timeline import Track

EXHIBITS_MAX = 200
"""Exhibits of a case on one page; nobody reads more times in a row."""
FILES_MAX = 200
TEXT_TOTAL_MAX = 4 * TEXT_MAX
"""Bytes of text in which dates of publication are looked for while somebody waits."""


def track_of(
    exhibit: Exhibit,
    file: ExhibitFile,
    verdict: RunVerdict | None,
    *,
    captures: Sequence[Capture] = (),
    text: bool = False,
    label: str = "",
) -> Track:
    """The times of one file; `timeline.of_two(left, right)` puts two beside each other for `_timeline.html`.

    verdict    the newest that the person may read (`kept.newest_verdict`), None without one
    captures   the capture that is compared, or all of the file
    text       may the person see the content (`evidence.view_content`)?
    label      "" for the exhibit's label and the file's name
    """
    document: Any = json.loads(bytes(verdict.document)) if verdict else None
    return timeline.track(
        label or f"{exhibit.label} · {file.name}",
        name=file.name,
        sha256=file.sha256,
        document=document,
        captures=captures,
        text=text,
        received=exhibit.submitted_at,
    )


@never_cache
@login_required
@require_safe
def case(request: HttpRequest, public_id: str) -> HttpResponse:
    """Every file of evidence in a case with its times. For those who may read the content and the results of every exhibit, whosever
    it is: the bench and the clerk."""
    cases = cases_where(request.user, "evidence.view_content").filter(
        pk__in=cases_where(request.user, "verify.view_detail").values("pk")
    )
    found = get_object_or_404(visible_to(request.user, cases), public_id=public_id)
    exhibits = list(visible_to(request.user, Exhibit.objects.filter(case=found))[: EXHIBITS_MAX + 1])
    listed = exhibits[:EXHIBITS_MAX]
    tracks, unread, left_out = _of_case(listed, kept.newest_verdicts(request.user, listed))
    context = {
        "case": found,
        "timeline": timeline.of_case(tracks) if tracks else None,
        "unread": unread,
        "more_exhibits": len(exhibits) > len(listed),
        "files_left_out": left_out,
        "exhibits_max": EXHIBITS_MAX,
    }
    return render(request, "evidence/captures/timeline.html", context)


def _of_case(exhibits: Sequence[Exhibit], verdicts: dict[int, RunVerdict]) -> tuple[list[Track], int, int]:
    """(tracks, files whose pages were not read for dates, files beyond the bound). A question to the database for the files and one
    for their readings, however many."""
    by_key = {e.pk: e for e in exhibits}
    files = list(ExhibitFile.objects.filter(exhibit__in=exhibits).order_by("exhibit__side", "exhibit__number", "position"))
    documents: dict[int, Any] = {key: json.loads(bytes(v.document)) for key, v in verdicts.items()}
    told = [f for f in files if _is_evidence(f, documents.get(f.exhibit_id))]
    of_exhibit = Counter(f.exhibit_id for f in told)
    tracks: list[Track] = []
    unread = read = 0
    for shown in kept.of_files(told[:FILES_MAX]):
        file, exhibit = shown.file, by_key[shown.file.exhibit_id]
        captures: Sequence[Capture] = ()
        if read < TEXT_TOTAL_MAX and not (shown.waiting or shown.parked):
            captures = shown.captures
            read += sum(len(run.text) for c in captures for run in c.text)
        else:
            unread += 1
        tracks.append(
            timeline.track(
                exhibit.label if of_exhibit[exhibit.pk] == 1 else f"{exhibit.label} · {file.name}",
                name=file.name,
                sha256=file.sha256,
                document=documents.get(file.exhibit_id),
                captures=captures,
                text=True,
                received=exhibit.submitted_at,
                brief=True,
                url=reverse("exhibits:exhibit", args=[exhibit.public_id]),
            )
        )
    return tracks, unread, max(0, len(told) - FILES_MAX)


def _is_evidence(file: ExhibitFile, document: Any) -> bool:
    """Not a proof or a certificate: those say when, and have no time of their own on the line. Without a verdict nobody knows."""
    return document is None or file.name in {name for name, _walk in axes.speaking_walks(document)}
