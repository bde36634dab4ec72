"""The single points of a time line: one time of one file, who says it, and how far its clock may be off. Out of a verdict document and a
reading; no database."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from evidence.verification.certificates import printed_time
from evidence.verification.snapshots.mhtml import instant_of
from evidence.verification.snapshots.time_order import SKEW

from . import moments, priority
from .capture import Capture, lines

CLAIMED_READ = 2_000
"""Claimed times of one file that are looked at at all; a document of another engine may hold any number."""
PUBLISHED_MAX = 3
"""Dates of publication that are taken from the text of one capture."""
LINES_READ = 400
"""Lines at the head of a page in which its date of publication is looked for; what follows are comments and other articles."""

TOKEN_CLOCK = timedelta(seconds=1)
"""What a time-stamp is good for where it names no accuracy, or a smaller one (ETSI EN 319 422 §5.2.2 asks for a second)."""
CLOCKS = {"TSA": TOKEN_CLOCK, "PROPOSER": SKEW, "CHECKPOINT": SKEW}
OTHER_CLOCK = timedelta(hours=2)
"""By how much each clock may be off; one that is not known here like a block of Bitcoin, which may run two hours ahead."""

Document = Mapping[str, Any]
"""A verdict as `json.loads` gives it, of whatever engine."""


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
    earliest, latest   of a proven time: what its clock leaves open on either side
    own       it stands in the bytes of the file itself; a certificate beside it may well be later than they are proven to be
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
    latest: datetime | None = None
    own: bool = True
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
        """A receipt's to the second, as the receipt itself has it."""
        return moments.court_time(self.at, seconds=self.stands is Stands.RECEIVED) if self.at else ""

    @property
    def utc(self) -> str:
        return moments.utc(self.at, seconds=self.stands is Stands.RECEIVED) if self.at else ""

    @property
    def absurd(self) -> bool:
        """A year in which there was no web: a clock that was never set, or a date that was never filled in."""
        return self.at is not None and self.stands is Stands.CLAIMED and self.at.year < moments.WEB_BEGAN


def proven(document: Document | None, sha256: str) -> Iterator[Point]:
    for walk in (document or {}).get("walk") or ():
        time = walk.get("time") or {}
        at = moments.parsed(time.get("not_after"))
        if not walk.get("complete") or walk.get("sha256") != sha256 or at is None:
            continue
        basis = str(time.get("basis") or "")
        token = _token_time(walk) if basis == "TSA" else None
        # genTime ± accuracy for a token, whose upper end is `at`; for any other clock what it is good for.
        shown = token if token is not None and token <= at else at
        off = max(at - shown, CLOCKS.get(basis, OTHER_CLOCK))
        what = {"TSA": "STAMPED", "PROPOSER": "ON_CHAIN", "CHECKPOINT": "CHECKPOINTED"}.get(basis, "BOUND")
        yield Point(
            Stands.PROVEN,
            what,
            "",
            at,
            str(walk.get("source") or ""),
            clock=basis,
            grade=str(walk.get("grade") or ""),
            earliest=moments.before(shown, off),
            latest=moments.after(shown, off),
        )


def _token_time(walk: Mapping[str, Any]) -> datetime | None:
    """genTime of the token on a walk: what it states, before its accuracy is added."""
    nodes = [s["to"] for s in walk.get("steps") or () if s["to"]["kind"] == "STATEMENT"]
    return moments.parsed(nodes[0]["label"]) if len(nodes) == 1 else None


def said_by_captures(name: str, captures: Sequence[Capture], *, text: bool) -> Iterator[Point]:
    for capture in captures:
        facts, where = capture.facts, f"{name} · {capture.place.member}" if capture.place.member else name
        if facts.claimed_time:
            yield Point(Stands.CLAIMED, "CAPTURED", facts.claimed_time, moments.placed(facts.claimed_instant), where)
        for field, value in facts.headers:
            if field.lower() == "date":
                yield Point(Stands.CLAIMED, "SERVER_DATE", value[:80], moments.placed(instant_of(value)), where)
        if text:
            yield from (Point(Stands.CLAIMED, "PUBLISHED", said, at, where) for said, at in published(capture))


def stated(document: Document | None, name: str) -> Iterator[Point]:
    """Verdicts of an older engine state nothing. What a platform's certificate says is said of the exhibit; what another file of
    the exhibit says of itself is not said of this one."""
    for time in ((document or {}).get("stated") or ())[:CLAIMED_READ]:
        source = str(time.get("source") or "")
        own = source == name or source.startswith(f"{name} · ")
        if own or time.get("by") == "PLATFORM":
            what, at = str(time.get("what") or ""), moments.parsed(time.get("instant"))
            yield Point(Stands.CLAIMED, what, str(time.get("text") or ""), at, source, own=own)


def unproven(document: Document | None, sha256: str) -> Iterator[Point]:
    """Times of proofs of this file that do not reach an anchor: statements, until they do."""
    for walk in (document or {}).get("walk") or ():
        at = moments.parsed((walk.get("time") or {}).get("not_after"))
        if at is not None and not walk.get("complete") and walk.get("sha256") == sha256:
            yield Point(Stands.CLAIMED, "UNANCHORED", moments.utc(at), at, str(walk.get("source") or ""), own=False)


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


