"""When a file is said to have come into being, and when it is proven to have existed, point by point: the time line of one file, of
two beside each other, or of a whole case. Verdict documents, readings and the court's own receipts in, rows out; no database.

A proven time is an upper bound: the bytes existed no later than then. It never says when they came into being, and of two files it
never says that the later proven one did not exist before. The order in which things are *claimed* decides nothing here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from evidence.verification.certificates import printed_time
from evidence.verification.snapshots.mhtml import instant_of
from evidence.verification.snapshots.time_order import SKEW

from . import moments, priority
from .capture import Capture, lines

CLAIMED_SHOWN = 12
"""Claimed times of one file that are drawn: of each kind the first and the last, then the earliest. The engine keeps a hundred."""
LANES_MAX = 2
"""Lines beside each other; more do not fit on a phone, and each row names its file."""
PROVEN_SHOWN = 6
UNPLACED_SHOWN = 6
CLAIMED_READ = 2_000
"""Claimed times of one file that are looked at at all; a document of another engine may hold any number."""
PUBLISHED_MAX = 3
"""Dates of publication that are taken from the text of one capture."""
LINES_READ = 400
"""Lines at the head of a page in which its date of publication is looked for; what follows are comments and other articles."""

TOKEN_CLOCK = timedelta(seconds=1)
"""What a time-stamp is good for where it names no accuracy, or a smaller one (ETSI EN 319 422 §5.2.2 asks for a second)."""
CLOCKS = {"TSA": TOKEN_CLOCK, "PROPOSER": SKEW, "CHECKPOINT": SKEW, "COURT": TOKEN_CLOCK}
OTHER_CLOCK = timedelta(hours=2)
"""By how much each clock may be off; one that is not known here like a block of Bitcoin, which may run two hours ahead."""

Document = Mapping[str, Any]


class Stands(StrEnum):
    """CLAIMED: somebody wrote it. PROVEN: a walk to an anchor of the court shows that the bytes existed no later. RECEIVED: the
    court's own record that it had the bytes."""

    CLAIMED = "claimed"
    PROVEN = "proven"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class Point:
    """One time of one file.

    what      PUBLISHED, SERVER_DATE, LOGGED, CAPTURE_BEGUN, CAPTURED, PACKAGED, RECORDED, ISSUED (claimed); STAMPED, ON_CHAIN,
              CHECKPOINTED, BOUND (proven); RECEIVED
    text      as it is written; "" for a proven or received time, which has no other form than `at`
    at        None where no zone is written down: such a time has no place on the line
    source    the file, and the place in it, that says so
    earliest  of a proven time: the other end of what its clock leaves open
    late      a claimed time after the file is proven, or known to the court, to have existed: both cannot be
    """

    stands: Stands
    what: str
    text: str
    at: datetime | None
    source: str
    clock: str = ""
    grade: str = ""
    earliest: datetime | None = None
    late: bool = False

    @property
    def heading(self) -> str:
        return moments.heading(self.stands)

    @property
    def said(self) -> str:
        return moments.said(self.what)

    @property
    def whose(self) -> str:
        return priority.clock_of(self)

    @property
    def zone(self) -> str:
        """`UTC+08:00`; "" where none is written down."""
        return moments.zone(self.text) if self.at is not None else ""

    @property
    def court_time(self) -> str:
        return moments.court_time(self.at) if self.at else ""

    @property
    def utc(self) -> str:
        return moments.utc(self.at) if self.at else ""

    @property
    def absurd(self) -> bool:
        """A year in which there was no web: a clock that was never set, or a date that was never filled in."""
        return self.at is not None and self.stands is Stands.CLAIMED and self.at.year < moments.WEB_BEGAN


@dataclass(frozen=True, slots=True)
class Track:
    """The times of one file, earliest first.

    key        甲, 乙, …: how the drawing and the sentence name it
    bound      the earliest proven point; its grade and clock are those of the walk that proves it
    unplaced   times without a zone
    left_out   claimed times that are not listed
    overall    of the newest verdict that the reader may see; "" without one
    """

    label: str
    sha256: str
    points: tuple[Point, ...]
    unplaced: tuple[Point, ...]
    left_out: int
    overall: str
    key: str = ""

    @property
    def bound(self) -> Point | None:
        return next((p for p in self.points if p.stands is Stands.PROVEN), None)

    @property
    def received(self) -> Point | None:
        return next((p for p in self.points if p.stands is Stands.RECEIVED), None)

    @property
    def refuted(self) -> bool:
        return self.overall == "INCONSISTENT"

    @property
    def name(self) -> str:
        """As the sentence calls it: `甲（原告证据1）`."""
        return _("%(key)s（%(label)s）") % {"key": self.key, "label": self.label} if self.key else self.label

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
    """One point in the drawing, with the line of each track beside it. `gap`: time since the row before."""

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
        return len(self.tracks) == 2

    @property
    def unplaced(self) -> list[tuple[Track, Point]]:
        return [(t, p) for t in self.tracks for p in t.unplaced]

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
) -> Track:
    """The times of the file `name` with this digest.

    document   the verdict of its exhibit (`json.loads` of the canonical bytes; of any engine), None without one
    captures   what was read of the file: one capture where two are compared, else as many as there are
    text       may the reader see the content? Only then are dates of publication taken from it
    received   when this court had the bytes, by its own book
    """
    proven = sorted(_proven(document, sha256), key=_order)[:PROVEN_SHOWN]
    known = [Point(Stands.RECEIVED, "RECEIVED", "", received, "", clock="COURT", earliest=received)] if received else []
    limit = min((p.at for p in (*proven, *known) if p.at), default=None)
    told = (*_said_by_captures(name, captures, text=text), *_stated(document, name), *_unproven(document, sha256))
    claimed = [_late(p, limit) for p in _distinct(told)]
    placed = [p for p in claimed if p.at is not None]
    shown = _shown(placed)
    unplaced = [p for p in claimed if p.at is None]
    return Track(
        label=label,
        sha256=sha256,
        points=tuple(sorted((*shown, *proven, *known), key=_order)),
        unplaced=tuple(unplaced[:UNPLACED_SHOWN]),
        left_out=len(placed) - len(shown) + max(0, len(unplaced) - UNPLACED_SHOWN),
        overall=str(document.get("overall", "")) if document else "",
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


# ── points ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _proven(document: Document | None, sha256: str) -> Iterator[Point]:
    for walk in (document or {}).get("walk") or ():
        time = walk.get("time") or {}
        at = moments.parsed(time.get("not_after"))
        if not walk.get("complete") or walk.get("sha256") != sha256 or at is None:
            continue
        basis = str(time.get("basis") or "")
        token = _token_time(walk) if basis == "TSA" else None
        off = max(at - token, TOKEN_CLOCK) if token is not None and token <= at else CLOCKS.get(basis, OTHER_CLOCK)
        # Not later than genTime + accuracy, which is `at`; not earlier than genTime - accuracy.
        earliest = moments.before(token or at, off)
        what = {"TSA": "STAMPED", "PROPOSER": "ON_CHAIN", "CHECKPOINT": "CHECKPOINTED"}.get(basis, "BOUND")
        yield Point(
            Stands.PROVEN,
            what,
            "",
            at,
            str(walk.get("source") or ""),
            clock=basis,
            grade=str(walk.get("grade") or ""),
            earliest=earliest,
        )


def _token_time(walk: Mapping[str, Any]) -> datetime | None:
    """genTime of the token on a walk: what it states, before its accuracy is added."""
    nodes = [s["to"] for s in walk.get("steps") or () if s["to"]["kind"] == "STATEMENT"]
    return moments.parsed(nodes[0]["label"]) if len(nodes) == 1 else None


def _said_by_captures(name: str, captures: Sequence[Capture], *, text: bool) -> Iterator[Point]:
    for capture in captures:
        facts, where = capture.facts, f"{name} · {capture.place.member}" if capture.place.member else name
        if facts.claimed_time:
            yield Point(Stands.CLAIMED, "CAPTURED", facts.claimed_time, moments.placed(facts.claimed_instant), where)
        for field, value in facts.headers:
            if field.lower() == "date":
                yield Point(Stands.CLAIMED, "SERVER_DATE", value[:80], moments.placed(instant_of(value)), where)
        if text:
            yield from (Point(Stands.CLAIMED, "PUBLISHED", said, at, where) for said, at in published(capture))


def _stated(document: Document | None, name: str) -> Iterator[Point]:
    """Verdicts of an older engine state nothing. What a platform's certificate says is said of the exhibit; what another file of
    the exhibit says of itself is not said of this one."""
    for time in ((document or {}).get("stated") or ())[:CLAIMED_READ]:
        source = str(time.get("source") or "")
        if source == name or source.startswith(f"{name} · ") or time.get("by") == "PLATFORM":
            at = moments.parsed(time.get("instant"))
            yield Point(Stands.CLAIMED, str(time.get("what") or ""), str(time.get("text") or ""), at, source)


def _unproven(document: Document | None, sha256: str) -> Iterator[Point]:
    """Times of proofs of this file that do not reach an anchor: statements, until they do."""
    for walk in (document or {}).get("walk") or ():
        at = moments.parsed((walk.get("time") or {}).get("not_after"))
        if at is not None and not walk.get("complete") and walk.get("sha256") == sha256:
            yield Point(Stands.CLAIMED, "UNANCHORED", moments.utc(at), at, str(walk.get("source") or ""))


_PUBLISHED = re.compile(
    r"(?:发布时间|发布日期|发表时间|发表日期|发布于|发表于|首发于|上传时间|published(?: on| at)?|posted(?: on| at)?|date published)"
    r"\s*[:：]?\s*(\d{4}[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?"
    r"(?:[T\s]{1,2}\d{1,2}[:时]\d{2}(?:[:分]\d{2}(?:\.\d{1,9})?秒?)?(?:\s?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}|北京时间|[(（]北京时间[)）]))?)?)",
    re.IGNORECASE,
)


def published(capture: Capture) -> list[tuple[str, datetime | None]]:
    """The dates of publication that the visible text of a page states: (as written, instant where it names a zone)."""
    found: list[tuple[str, datetime | None]] = []
    for line in lines(capture.text)[:LINES_READ]:
        for match in _PUBLISHED.finditer(line[:2_000]):
            read = printed_time.read(match[1], unit=None)
            found.append((match[1], read.instant if read else None))
            if len(found) >= PUBLISHED_MAX:
                return found
    return found


def _late(point: Point, limit: datetime | None) -> Point:
    return replace(point, late=True) if point.at and limit and point.at > moments.after(limit, SKEW) else point


def _distinct(points: Iterable[Point]) -> list[Point]:
    """Each time once: what the reading and the verdict both say of a capture is one statement."""
    found: dict[tuple[str, object], Point] = {}
    for point in points:
        found.setdefault((point.what, point.at or point.text), point)
    return list(found.values())


def _shown(points: Sequence[Point]) -> list[Point]:
    ordered = sorted(points, key=_order)
    kinds: dict[str, list[Point]] = {}
    for point in ordered:
        kinds.setdefault(point.what, []).append(point)
    late = [p for p in ordered if p.late]
    first = [*late[-1:], *(p for told in kinds.values() for p in (told[0], told[-1])), *ordered]
    return list(dict.fromkeys(first))[:CLAIMED_SHOWN]


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_LAST = datetime.max.replace(tzinfo=UTC)


def _order(point: Point) -> tuple[datetime, bool, str, str]:
    return point.at or _LAST, point.stands is Stands.CLAIMED, point.what, point.source


def _rank(track: Track) -> tuple[bool, datetime, datetime, str]:
    bound, received = track.bound, track.received
    return bound is None, (bound and bound.at) or _LAST, (received and received.at) or _LAST, track.label


def _rows(tracks: Sequence[Track]) -> tuple[Row, ...]:
    """All points in order. A line is open from the first claim on, and known from the first proven or received point on."""
    every = sorted(((p, n) for n, t in enumerate(tracks) for p in t.points), key=lambda pair: (_order(pair[0]), pair[1]))
    states = [""] * len(tracks)
    rows: list[Row] = []
    last: datetime | None = None
    for point, n in every:
        above = list(states)
        states[n] = "known" if point.stands is not Stands.CLAIMED else states[n] or "open"
        mark = "late" if point.late else point.stands.value
        lanes = [Lane(a, mark if i == n else "", b) for i, (a, b) in enumerate(zip(above, states, strict=True))]
        gap = moments.span(point.at - last) if last is not None and point.at else ""
        rows.append(Row(tracks[n], point, tuple(lanes) if len(tracks) <= LANES_MAX else (), gap))
        last = point.at
    return tuple(rows)
