"""When a file is said to have come into being, and when it is proven to have existed, point by point: the time line of one file, of
two beside each other, or of a whole case. Verdict documents, readings and the court's own receipts in, rows out; no database.

A proven time is an upper bound: the bytes existed no later than then. It never says when they came into being, and of two files it
never says that the later proven one did not exist before. The order in which things are *claimed* decides nothing here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from evidence.verification.snapshots.time_order import SKEW

from . import alarms, moments, points, priority
from .alarms import Alarm
from .capture import Capture
from .points import Document, Point, Stands

CLAIMED_SHOWN = 12
"""Claimed times of one file that are drawn: of each kind the first and the last, then the earliest. The engine keeps a hundred."""
CLAIMED_BRIEF = 4
"""The same of one file among those of a case."""
PROVEN_SHOWN = 6
UNPLACED_SHOWN = 6
LABEL_MAX = 40
"""Characters of a file's name in the sentence; the whole of it stands below."""
@dataclass(frozen=True, slots=True)
class Track:
    """The times of one file, earliest first.

    key        甲, 乙, …: how the drawing and the sentence name it
    bound      the earliest proven point; its grade and clock are those of the walk that proves it
    unplaced   times without a zone
    left_out   claimed times that are not listed
    overall    of the newest verdict that the reader may see; "" without one
    alarms     where statements about a capture do not go together
    url        of the page of its exhibit, where the row links to it
    """

    label: str
    sha256: str
    points: tuple[Point, ...]
    unplaced: tuple[Point, ...]
    left_out: int
    overall: str
    alarms: tuple[Alarm, ...] = ()
    key: str = ""
    url: str = ""

    @property
    def bound(self) -> Point | None:
        return next((p for p in self.points if p.stands is Stands.PROVEN), None)

    @property
    def received(self) -> Point | None:
        return next((p for p in self.points if p.stands is Stands.RECEIVED), None)

    @property
    def first_claim(self) -> Point | None:
        """The first that is not absurd."""
        return next((p for p in self.points if p.stands is Stands.CLAIMED and not p.absurd), None)

    @property
    def refuted(self) -> bool:
        return self.overall == "INCONSISTENT"

    @property
    def name(self) -> str:
        """As the sentence calls it: `甲（原告证据1）`."""
        label = self.label if len(self.label) <= LABEL_MAX else self.label[: LABEL_MAX - 1] + "…"
        return _("%(key)s（%(label)s）") % {"key": self.key, "label": label} if self.key else label

    @property
    def late(self) -> tuple[Point, ...]:
        return tuple(p for p in self.points if p.late)


@dataclass(frozen=True, slots=True)
class Lane:
    """The line of one track beside one row: above the mark, the mark if it is its own, and below. A line is `open` where there are
    only claims, `known` from the first proven or received point on, "" before anything is said."""

    above: str
    mark: str
    below: str


@dataclass(frozen=True, slots=True)
class Row:
    """One point in the drawing, with the line of each track beside it, or one plain line. `gap`: time to the next row, "" of the last."""

    track: Track
    point: Point
    lanes: tuple[Lane, ...]
    gap: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """`sentence`: the answer first; `caveats`: what must be read with it."""

    tracks: tuple[Track, ...]
    sentence: str
    caveats: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def paired(self) -> bool:
        return any(t.key for t in self.tracks)

    @property
    def unplaced(self) -> list[tuple[Track, Point]]:
        return [(t, p) for t in self.tracks for p in t.unplaced]

    @property
    def alarms(self) -> list[tuple[Track, Alarm]]:
        return [(t, a) for t in self.tracks for a in t.alarms]

    @property
    def left_out(self) -> int:
        return sum(t.left_out for t in self.tracks)


def track(
    label: str,
    *,
    name: str,
    sha256: str,
    document: Document | None,
    captures: Sequence[Capture] = (),
    text: bool = False,
    received: datetime | None,
    brief: bool = False,
    url: str = "",
) -> Track:
    """The times of the file `name` with this digest.

    document   the verdict of its exhibit (`json.loads` of the canonical bytes; of any engine), None without one
    captures   what was read of the file: one capture where two are compared, else as many as there are
    text       may the reader see the content? Only then are dates of publication taken from it
    received   when this court had the bytes, by its own book
    brief      fewer points: one among many files
    """
    proven = sorted(points.proven(document, sha256), key=_order)[: 1 if brief else PROVEN_SHOWN]
    known = [Point(Stands.RECEIVED, "RECEIVED", "", received, "", clock="COURT")] if received else []
    # What stands in the bytes is no later than these; what else was handed in with them is no later than the receipt.
    limits = {own: min((p.at for p in (*(proven if own else ()), *known) if p.at), default=None) for own in (True, False)}
    told = (
        *points.said_by_captures(name, captures, text=text),
        *points.stated(document, name),
        *points.unproven(document, sha256),
    )
    claimed = [_late(p, limits[p.own]) for p in _distinct(told)]
    placed = [p for p in claimed if p.at is not None]
    shown = _shown(placed, CLAIMED_BRIEF if brief else CLAIMED_SHOWN)
    unplaced = [p for p in claimed if p.at is None]
    return Track(
        label=label,
        sha256=sha256,
        points=tuple(sorted((*shown, *proven, *known), key=_order)),
        unplaced=tuple(unplaced[:UNPLACED_SHOWN]),
        left_out=len(placed) - len(shown) + max(0, len(unplaced) - UNPLACED_SHOWN),
        overall=str(document.get("overall", "")) if document else "",
        alarms=alarms.of_captures(captures),
        url=url,
    )


def of_two(left: Track, right: Track) -> Timeline:
    """Two files beside each other, and the one sentence about which is proven earlier."""
    pair = (replace(left, key=_("甲")), replace(right, key=_("乙")))
    sentence, caveats = priority.of_two(*pair)
    return Timeline(pair, sentence, caveats, _rows(pair))


def of_case(tracks: Sequence[Track]) -> Timeline:
    """Every file of a case, the earliest proven first."""
    ordered = tuple(sorted(tracks, key=_rank))
    sentence, caveats = priority.of_case(ordered)
    return Timeline(ordered, sentence, caveats, _rows(ordered))


# ── which of them are shown ───────────────────────────────────────────────────────────────────────────────────────────────


def _late(point: Point, limit: datetime | None) -> Point:
    return replace(point, late=True) if point.at and limit and point.at > moments.after(limit, SKEW) else point


def _distinct(points: Iterable[Point]) -> list[Point]:
    """Each time once: what the reading and the verdict both say of a capture is one statement."""
    found: dict[tuple[str, object], Point] = {}
    for point in points:
        found.setdefault((point.what, point.at or point.text), point)
    return list(found.values())


def _shown(points: Sequence[Point], most: int) -> list[Point]:
    ordered = sorted(points, key=_order)
    kinds: dict[str, list[Point]] = {}
    for point in ordered:
        kinds.setdefault(point.what, []).append(point)
    late = [p for p in ordered if p.late]
    first = [*late[-1:], *(p for told in kinds.values() for p in (told[0], told[-1])), *ordered]
    return list(dict.fromkeys(first))[:most]


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_LAST = datetime.max.replace(tzinfo=UTC)


def _order(point: Point) -> tuple[datetime, bool, str, str]:
    return point.at or _LAST, point.stands is Stands.CLAIMED, point.what, point.source


def _rank(track: Track) -> tuple[bool, datetime, datetime, str]:
    bound, received = track.bound, track.received
    return bound is None, (bound and bound.at) or _LAST, (received and received.at) or _LAST, track.label


def _rows(tracks: Sequence[Track]) -> tuple[Row, ...]:
    """All points in order; a lane for each file that has a key. A line is open from the first claim on, and known from the first proven or received point on."""
    every = sorted(((p, n) for n, t in enumerate(tracks) for p in t.points), key=lambda pair: (_order(pair[0]), pair[1]))
    states = [""] * len(tracks)
    rows: list[Row] = []
    for i, (point, n) in enumerate(every):
        above = list(states)
        states[n] = "known" if point.stands is not Stands.CLAIMED else states[n] or "open"
        mark = "late" if point.late else point.stands.value
        lanes = tuple(Lane(a, mark if k == n else "", b) for k, (a, b) in enumerate(zip(above, states, strict=True)))
        following = every[i + 1][0].at if i + 1 < len(every) else None
        gap = moments.gap(following - point.at) if following and point.at else ""
        rows.append(Row(tracks[n], point, lanes if tracks[n].key else (Lane("rail", mark, "rail"),), gap))
    return tuple(rows)
