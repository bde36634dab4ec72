"""The page that puts two captures beside each other. For display only; it counts what is equal and says nothing of what it means."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal.vault import Vault

from .. import card, timeline, timelines
from ..views import png
from . import facts, pictures_page, queue, resources
from .models import ComparedPair
from .pictures_page import Pictures
from .queue import Item, pair
from .result import THRESHOLDS, PictureResult, TextResult
from .sides import Side, side
from .text_page import TextPage

POLL = ((30, 2), (300, 10))
"""(seconds that the oldest pair has waited, seconds until the page asks again); later once a minute."""
POLL_SLOWEST = 60
WHICH = ("overlay", "difference")
KEPT_IN_MEMORY = 4
"""Results of this process that are not parsed again while somebody turns their pages; they never change."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the queue says of a comparison. `text` None: not compared (yet)."""

    text: TextPage | None
    text_parked: bool
    pictures: list[Pictures]
    more_pictures: int
    waiting: list[ComparedPair]
    no_room: bool

    @property
    def poll_seconds(self) -> int:
        """When the page asks again; 0: everything is there that there will be."""
        if not self.waiting and not self.no_room:
            return 0
        age = max(((timezone.now() - r.queued_at).total_seconds() for r in self.waiting), default=POLL[-1][0])
        return next((seconds for most, seconds in POLL if age < most), POLL_SLOWEST)


@never_cache
@login_required
@require_safe
def compare(
    request: HttpRequest, public_id: uuid.UUID, position: int, number: int, other_id: uuid.UUID, other_position: int, other_number: int
) -> HttpResponse:
    left, right = _sides(request, public_id, position, number, other_id, other_position, other_number)
    asked = _asked(left, right)
    least = _least(request)
    found = None if left.file.pk == right.file.pk else resources.compare(left.resources, right.resources)
    headers = facts.headers(left, right)
    context = {
        "case": left.exhibit.case,
        "left": left,
        "right": right,
        "swapped": _address(right, left),
        "same_capture": left.token == right.token,
        "asked": asked,
        "facts": facts.rows(left, right),
        "headers": headers,
        "headers_unlike": [h for h in headers if h.stands != facts.Stands.SAME],
        "resources": found,
        "reading_notes": [(s, _notes(s)) for s in (left, right)],
        "timeline": timeline.of_two(*(_track(s) for s in (left, right))),
        "least": least,
        "thresholds": THRESHOLDS,
        "page": asked.text.page(request.GET.get("page")) if asked.text else None,
        "passages": asked.text.passages(least) if asked.text else [],
        "passages_left_out": asked.text.passages_left_out(least) if asked.text else 0,
        "shared": asked.text.shared(least) if asked.text else (0, 0),
    }
    return render(request, "evidence/captures/compare.html", context)


@never_cache
@login_required
@require_safe
def picture(
    request: HttpRequest,
    public_id: uuid.UUID,
    position: int,
    number: int,
    other_id: uuid.UUID,
    other_position: int,
    other_number: int,
    nth: int,
    which: str,
) -> HttpResponseBase:
    """The overlay or the map of differences of the nth pair, as `image/png`; never a byte of a party's file."""
    left, right = _sides(request, public_id, position, number, other_id, other_position, other_number)
    chosen, _more = pictures_page.pairs(left, right)
    if not 1 <= nth <= len(chosen) or which not in WHICH:
        raise Http404
    ((asked, turned),) = pictures_page.wanted(chosen[nth - 1 : nth])
    result = _picture(queue.wanted([asked]).get(asked), turned=turned)
    if result is None:
        raise Http404
    return png(_stored(result.overlay if which == "overlay" else result.difference), name=f"{which}.png")


# ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sides(
    request: HttpRequest, public_id: uuid.UUID, position: int, number: int, other_id: uuid.UUID, other_position: int, other_number: int
) -> tuple[Side, Side]:
    """Two captures of one case whose content is open to this person; anything else does not exist."""
    left, right = side(request, public_id, position, number), side(request, other_id, other_position, other_number)
    if left.exhibit.case_id != right.exhibit.case_id:
        raise Http404
    return left, right


def _asked(left: Side, right: Side) -> Asked:
    """The rows of the texts and of the pictures, in one question to the database; they are made when this is the first to ask."""
    chosen, more = pictures_page.pairs(left, right)
    texts = pair(ComparedPair.What.TEXTS, Item(left.reading_sha256, left.number), Item(right.reading_sha256, right.number))
    shown = pictures_page.wanted(chosen)
    rows = queue.wanted(list(dict.fromkeys([texts[0], *(p for p, _turned in shown)])))
    row = rows.get(texts[0])
    waiting = [r for r in rows.values() if r.state in (ComparedPair.State.QUEUED, ComparedPair.State.RUNNING)]
    return Asked(
        text=_text(row, left, right, turned=texts[1]),
        text_parked=row is not None and row.state == ComparedPair.State.PARKED,
        pictures=[
            Pictures(one, other, rows.get(p), _picture(rows.get(p), turned=turned))
            for (one, other), (p, turned) in zip(chosen, shown, strict=True)
        ],
        more_pictures=more,
        waiting=waiting,
        no_room=any(p not in rows for p in (texts[0], *(p for p, _turned in shown))),
    )


def _text(row: ComparedPair | None, left: Side, right: Side, *, turned: bool) -> TextPage | None:
    if row is None or row.state != ComparedPair.State.DONE:
        return None
    result = _text_result(row.result_sha256)
    page = TextPage(result.mirrored() if turned else result, left.lines, right.lines)
    return page if page.fits else None


def _picture(row: ComparedPair | None, *, turned: bool) -> PictureResult | None:
    if row is None or row.state != ComparedPair.State.DONE:
        return None
    result = PictureResult.from_bytes(_stored(row.result_sha256))
    return result.mirrored() if turned else result


@lru_cache(maxsize=KEPT_IN_MEMORY)
def _text_result(sha256: str) -> TextResult:
    return TextResult.from_bytes(_stored(sha256))


def _stored(sha256: str) -> bytes:
    with Vault(settings.PORTAL_VAULT_DIR).open(sha256) as stream:
        return stream.read()


def _notes(one: Side) -> list[str]:
    """What the reader left out of what is compared; what it left out of the page without scripts (SAFE_…) is said where that is shown."""
    return [card.note(n) for n in (*one.capture.notes, *one.shown.notes) if not n.startswith("SAFE_")]


def _track(one: Side) -> timeline.Track:
    return timelines.track_of(one.exhibit, one.file, one.verdict, captures=[one.capture], text=True)


def _least(request: HttpRequest) -> int:
    """From how many characters on a passage is listed: one of THRESHOLDS."""
    given = request.GET.get("least", "")
    return next((n for n in THRESHOLDS if given == str(n)), THRESHOLDS[0])


def _address(left: Side, right: Side) -> list[object]:
    return [one for s in (left, right) for one in (s.exhibit.public_id, s.file.position, s.number)]
