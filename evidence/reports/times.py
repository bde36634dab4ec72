"""The time line of one exhibit (court-domain §11.1 no. 5): claimed, proven and received times in order, each with whose clock it is and
what that clock leaves open. Claims never count as proof.

The points are those of the page "time line" (`evidence.captures.timeline`), without what is read from captures: a reading may arrive
after the draft, and what was checked must be what is signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from evidence.captures import timeline
from evidence.captures.points import Point, Stands
from evidence.exhibits import axes

from .printable import NAME_MAX, clean
from .wording import COURT_CLOCK, EVENTS, NO_CLOCK, Words, statement

COURT_ZONE = ZoneInfo("Asia/Shanghai")
EARLIEST, LATEST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)
"""Between these a stated time can be shown on any clock of the earth."""
EVENTS_MAX = 24
"""Times printed of one exhibit; the annex carries all."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant in the court's time and in UTC."""

    court: str
    utc: str


@dataclass(frozen=True, slots=True)
class Event:
    """`between`: what the clock leaves open, of a proven time. `late`: a claim that comes after what is proven or received."""

    at: Moment
    what: Words
    clock: Words
    source: str
    proven: bool
    between: tuple[Moment, Moment] | None = None
    late: bool = False


def moment(instant: datetime) -> Moment:
    return Moment(
        instant.astimezone(COURT_ZONE).strftime("%Y-%m-%d %H:%M:%S"),
        instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def events(data: Mapping[str, Any], *, received: datetime) -> tuple[tuple[Event, ...], int]:
    """(the times of an exhibit in order, how many more there are). `data` is the canonical JSON of a verdict of any engine."""
    digests = {s["name"]: s["sha256"] for s in data["sources"]}
    # A verdict without a file of evidence has only what its certificates say.
    names = [name for name, _ in axes.speaking_walks(data)] or [""]
    points: dict[tuple[object, ...], Point] = {}
    for name in names:
        track = timeline.track(name, name=name, sha256=digests.get(name, ""), document=data, received=received)
        for point in track.points:
            # Each time once, however many files it is said of; one that is late for any of them is late.
            key = (point.stands, point.what, point.at, point.source)
            if key not in points or point.late:
                points[key] = point
    for walk in data["walk"]:
        # A time that covers no file at hand is a claim too.
        told = walk.get("time")
        if told and not walk["complete"] and walk["sha256"] not in digests.values():
            found = Point(Stands.CLAIMED, "UNANCHORED", "", datetime.fromisoformat(told["not_after"]), walk["source"])
            points.setdefault((found.stands, found.what, found.at, found.source), found)
    shown = [(p.at, _event(p, p.at)) for p in points.values() if p.at and EARLIEST <= p.at <= LATEST]
    at = datetime.fromisoformat(data["at"])
    shown.append((at, Event(moment(at), EVENTS["verified"], COURT_CLOCK, "", proven=False)))
    ordered = [event for _, event in sorted(shown, key=lambda pair: pair[0])]
    if len(ordered) <= EVENTS_MAX:
        return tuple(ordered), 0
    # What is proven, late or the court's own is never left out for a claim.
    kept = sorted(range(len(ordered)), key=lambda n: (ordered[n].clock == NO_CLOCK and not ordered[n].late, n))[:EVENTS_MAX]
    return tuple(ordered[n] for n in sorted(kept)), len(ordered) - EVENTS_MAX


def _event(point: Point, at: datetime) -> Event:
    clock = COURT_CLOCK if point.stands is Stands.RECEIVED else NO_CLOCK
    if point.stands is Stands.PROVEN:
        clock = statement(f"TIME.{point.clock}")
    between = None
    if point.earliest is not None and point.latest is not None and EARLIEST <= point.earliest <= point.latest <= LATEST:
        between = (moment(point.earliest), moment(point.latest))
    return Event(
        at=moment(at),
        what=EVENTS.get(point.what, EVENTS[""]),
        clock=clock,
        source=clean(point.source, NAME_MAX),
        proven=point.stands is Stands.PROVEN,
        between=between,
        late=point.late,
    )
