"""Which two captures? First the left one, then the right one, each out of what the person may see of the case. Everything stands in
the address: nothing is remembered, and a page can be reloaded, kept and sent on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cases.access import visible_to
from cases.catalogue import in_order_of_sides
from cases.models import Case
from evidence.exhibits.models import ExhibitFile

from .. import card, kept
from ..capture import Capture
from .sides import Side, open_to, parse, side

FILES_PER_PAGE = 20
QUERY_MAX = 60


@dataclass(frozen=True, slots=True)
class Choice:
    """One file that can be chosen. `address`: on from here, with its one capture or to the list of its captures; "" while it has none."""

    shown: kept.Shown
    count: int
    address: str
    same: bool
    """It is what was chosen for the left side."""


@dataclass(frozen=True, slots=True)
class Item:
    """One capture of an opened file."""

    capture: Capture
    title: str
    kind: object
    address: str
    same: bool


@never_cache
@login_required
@require_safe
def choose(request: HttpRequest, public_id: str) -> HttpResponse:
    found = get_object_or_404(visible_to(request.user, Case.objects.all()), public_id=public_id)
    left = _left(request, found)
    opened = _opened(request, found)
    query = request.GET.get("q", "").replace("\0", "").strip()[:QUERY_MAX]
    files = open_to(request.user, ExhibitFile.objects.filter(exhibit__case=found)).filter(_matching(query))
    files = files.select_related("exhibit").order_by(in_order_of_sides("exhibit__side"), "exhibit__number", "position")
    page = Paginator(files, FILES_PER_PAGE).get_page(request.GET.get("page"))
    shown = kept.of_files(page)
    context = {
        "case": found,
        "left": left,
        "query": query,
        "page": page,
        "opened": opened,
        "items": _items(found, opened, left) if opened else [],
        "choices": [_choice(found, s, left) for s in shown] if not opened else [],
        "again": reverse("captures:compare_choose", args=[found.public_id]),
    }
    return render(request, "evidence/captures/compare_choose.html", context)


def _left(request: HttpRequest, case: Case) -> Side | None:
    given = request.GET.get("left")
    if not given:
        return None
    exhibit, position, number = parse(given)
    found = side(request, exhibit, position, number or 1)
    if number is None or found.exhibit.case_id != case.pk:
        raise Http404
    return found


def _opened(request: HttpRequest, case: Case) -> kept.Shown | None:
    """The file whose captures are listed."""
    given = request.GET.get("file")
    if not given:
        return None
    exhibit, position, _number = parse(given)
    files = open_to(request.user, ExhibitFile.objects.filter(exhibit__case=case, exhibit__public_id=exhibit))
    (shown,) = kept.of_files([get_object_or_404(files.select_related("exhibit"), position=position)])
    return shown


def _matching(query: str) -> Q:
    """By the name of the exhibit or of the file, or by the number of the exhibit."""
    if not query:
        return Q()
    number = re.search(r"([0-9]{1,6})\s*$", query)
    return Q(exhibit__name__icontains=query) | Q(name__icontains=query) | (Q(exhibit__number=int(number[1])) if number else Q(pk__in=[]))


def _choice(case: Case, shown: kept.Shown, left: Side | None) -> Choice:
    """By the row alone: how many captures a file has is known without opening its reading."""
    count = shown.row.captures if shown.row and not shown.waiting and not shown.parked else 0
    file = shown.file
    token = f"{file.exhibit.public_id}.{file.position}"
    address = _on(case, f"{token}.1", left) if count == 1 else _step(case, left=left, file=token) if count else ""
    return Choice(shown, count, address, left is not None and left.token == f"{token}.1" and count == 1)


def _items(case: Case, opened: kept.Shown, left: Side | None) -> Sequence[Item]:
    file = opened.file
    tokens = (f"{file.exhibit.public_id}.{file.position}.{n}" for n in range(1, len(opened.captures) + 1))
    return [
        Item(
            c,
            c.facts.title or c.facts.url or file.name,
            card.KINDS[c.kind],
            _on(case, token, left),
            left is not None and left.token == token,
        )
        for token, c in zip(tokens, opened.captures, strict=True)
    ]


def _on(case: Case, token: str, left: Side | None) -> str:
    """What choosing this capture leads to: the list for the other side, or the comparison."""
    if left is None:
        return _step(case, left=token)
    exhibit, position, number = parse(token)
    here = [left.exhibit.public_id, left.file.position, left.number, exhibit, position, number]
    return reverse("captures:compare", args=here)


def _step(case: Case, *, left: Side | str | None, file: str = "") -> str:
    token = left.token if isinstance(left, Side) else left or ""
    parameters = {k: v for k, v in (("left", token), ("file", file)) if v}
    return reverse("captures:compare_choose", args=[case.public_id]) + "?" + urlencode(parameters)
