"""Findings, walks and the verdict they make.

A *finding* answers one question. A *walk* leads from one file of the exhibit, step by step, to an anchor that the court
has pinned; each step is a finding seen as an edge. The verdict is the state of the walks (DESIGN §2 idea 1, §4):

1. a FAILED finding that bears on the verdict          -> INCONSISTENT 核验不一致
2. every content file has an unbroken walk to a pin,
   and no decisive finding is open                      -> CONSISTENT 核验一致
3. anything else                                        -> INDETERMINATE 无法判定

Everything here is frozen, ordered and free of floats, clocks and locale, so that the same input gives the same bytes.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from .certificates.claim import Claim
from .reasons import Reason
from .selftest import SelfTest
from .stated import Stated

if TYPE_CHECKING:
    from .chains.ladder import Proof
    from .exhibit import Source

ENGINE = "mingjian-core/0.1.0"


class Outcome(StrEnum):
    PASSED = "PASSED"
    FAILED = "FAILED"
    INDETERMINATE = "INDETERMINATE"


class Overall(StrEnum):
    CONSISTENT = "CONSISTENT"
    INCONSISTENT = "INCONSISTENT"
    INDETERMINATE = "INDETERMINATE"


class Grade(StrEnum):
    """How independent the anchor is of the platform that issued the evidence; A is best, E never CONSISTENT."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"


class ProofState(StrEnum):
    """Only PROVEN may be shown as proof."""

    PROVEN = "PROVEN"
    PROMISED = "PROMISED"
    PENDING = "PENDING"
    ASSERTED = "ASSERTED"


class Bearing(StrEnum):
    """What a finding can do to the verdict, beside the walks.

    DECISIVE  FAILED makes the exhibit INCONSISTENT, INDETERMINATE keeps it from being CONSISTENT.
    REFUTING  FAILED makes it INCONSISTENT; INDETERMINATE only matters where a walk needs this step.
    ADVISORY  shown, never decides.
    """

    DECISIVE = "DECISIVE"
    REFUTING = "REFUTING"
    ADVISORY = "ADVISORY"


@dataclass(frozen=True, slots=True)
class Finding:
    """One question, answered.

    check     stable id `FAMILY.NAME`, a key of the message catalogue
    subject   name of the source and where in it, for example `page.wacz · archive/data.warc.gz`
    expected, actual   short texts (hex digests, counts, names), never evidence markup
    law       ids of `domain/law_questions.json`
    notes     UPPER_SNAKE facts that change no outcome, each a key of the message catalogue; text after `:` is its detail
    """

    check: str
    outcome: Outcome
    reason: Reason | None
    subject: str
    expected: str | None = None
    actual: str | None = None
    law: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    bearing: Bearing = Bearing.REFUTING

    def __post_init__(self) -> None:
        if (self.outcome is Outcome.PASSED) != (self.reason is None):
            raise ValueError("a finding carries a reason exactly when it is not PASSED")


def passed(
    check: str,
    subject: str,
    *,
    expected: str | None = None,
    actual: str | None = None,
    law: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    bearing: Bearing = Bearing.REFUTING,
) -> Finding:
    return Finding(check, Outcome.PASSED, None, subject, expected, actual, law, notes, bearing)


def failed(
    check: str,
    reason: Reason,
    subject: str,
    *,
    expected: str | None = None,
    actual: str | None = None,
    law: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    bearing: Bearing = Bearing.REFUTING,
) -> Finding:
    return Finding(check, Outcome.FAILED, reason, subject, expected, actual, law, notes, bearing)


def indeterminate(
    check: str,
    reason: Reason,
    subject: str,
    *,
    expected: str | None = None,
    actual: str | None = None,
    law: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    bearing: Bearing = Bearing.REFUTING,
) -> Finding:
    return Finding(check, Outcome.INDETERMINATE, reason, subject, expected, actual, law, notes, bearing)


class NodeKind(StrEnum):
    """The things a walk passes: each is a box in the judge's drawing."""

    FILE = "FILE"
    DIGEST = "DIGEST"
    MANIFEST = "MANIFEST"
    RECORD = "RECORD"
    TRANSACTION = "TRANSACTION"
    LEAF = "LEAF"
    ROOT = "ROOT"
    BLOCK = "BLOCK"
    VALIDATORS = "VALIDATORS"
    TOKEN = "TOKEN"
    SIGNATURE = "SIGNATURE"
    CERTIFICATE = "CERTIFICATE"
    STATEMENT = "STATEMENT"
    ANCHOR = "ANCHOR"


@dataclass(frozen=True, slots=True)
class Node:
    kind: NodeKind
    label: str
    """What to print in the box: a file name, a shortened digest, a height. Data, to be escaped wherever it is shown."""


@dataclass(frozen=True, slots=True)
class Step:
    start: Node
    end: Node
    check: str
    outcome: Outcome
    reason: Reason | None


def step(start: Node, end: Node, finding: Finding) -> Step:
    """The edge that a finding is on a walk."""
    return Step(start, end, finding.check, finding.outcome, finding.reason)


@dataclass(frozen=True, slots=True)
class ProvenTime:
    """`not_after`: the bytes existed no later than this instant (UTC); `basis` names the clock: TSA, PROPOSER, …"""

    not_after: datetime
    basis: str


@dataclass(frozen=True, slots=True)
class Walk:
    """The way from one file to one anchor.

    file    sha256 of the content file that is covered; "" when the proof fits no file of the exhibit
    grade   what the walk is worth once every step is PASSED
    time    what it proves about time once every step is PASSED
    """

    source: str
    file: str
    steps: tuple[Step, ...]
    grade: Grade
    state: ProofState
    time: ProvenTime | None = None

    @property
    def complete(self) -> bool:
        return (
            self.state is ProofState.PROVEN
            and self.grade is not Grade.E
            and bool(self.steps)
            and all(s.outcome is Outcome.PASSED for s in self.steps)
            and self.steps[-1].end.kind is NodeKind.ANCHOR
        )

    @property
    def steps_passed(self) -> int:
        return sum(1 for s in self.steps if s.outcome is Outcome.PASSED)


@dataclass(frozen=True, slots=True)
class Examination:
    """What one format found in its sources. Never raised, always returned."""

    findings: tuple[Finding, ...] = ()
    walks: tuple[Walk, ...] = ()
    claims: tuple[Claim, ...] = ()
    proofs: tuple["Proof", ...] = ()
    """Chain proofs as recomputed. They are put on the ladder once for the whole exhibit (`chains.assembly`)."""
    spoken_of: frozenset["Source"] = frozenset()
    """Content files whose digest one of these sources holds."""
    not_proven: tuple[str, ...] = ()
    """Ids of catalogue statements naming what even a full pass of this format does not show."""
    stated: tuple[Stated, ...] = ()
    """Times that the sources state of themselves."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    name: str
    size: int
    sha256: str
    sm3: str
    format: str


@dataclass(frozen=True, slots=True)
class Verdict:
    engine: str
    at: datetime
    trust: Mapping[str, str]
    sources: tuple[SourceRecord, ...]
    overall: Overall
    grade: Grade
    time: ProvenTime | None
    findings: tuple[Finding, ...]
    walks: tuple[Walk, ...]
    not_proven: tuple[str, ...]
    selftest: SelfTest
    """What the engine found of itself before it looked at the exhibit."""
    reasons: tuple[Reason, ...] = field(default=())
    """Why the verdict is not CONSISTENT, most telling first, without repeats; empty when it is."""
    stated: tuple[Stated, ...] = field(default=())
    """Times that the files state of themselves; none of them is proven by being here."""

    def to_json(self) -> bytes:
        """Canonical JSON (DESIGN §6; `docs/schema/verdict.schema.json`): sorted keys, UTF-8, no spaces, no floats."""
        return json.dumps(
            self.as_dict(), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
        ).encode()

    def as_dict(self) -> dict[str, object]:
        names = {s.sha256: s.name for s in reversed(self.sources)}
        return {
            "engine": self.engine,
            "selftest": self.selftest.as_dict(),
            "at": instant(self.at),
            "trust": dict(self.trust),
            "sources": [
                {"name": s.name, "size": s.size, "sha256": s.sha256, "sm3": s.sm3, "format": s.format}
                for s in self.sources
            ],
            "overall": self.overall.value,
            "grade": self.grade.value,
            "reasons": [r.value for r in self.reasons],
            "time": {"not_before": None, **_time(self.time)},
            "findings": [
                {
                    "check": f.check,
                    "outcome": f.outcome.value,
                    "reason": f.reason.value if f.reason else None,
                    "subject": f.subject,
                    "expected": f.expected,
                    "actual": f.actual,
                    "law": list(f.law),
                    "notes": list(f.notes),
                    "bearing": f.bearing.value,
                }
                for f in self.findings
            ],
            "walk": [
                {
                    "file": names.get(w.file, ""),
                    "sha256": w.file,
                    "source": w.source,
                    "grade": w.grade.value,
                    "state": w.state.value,
                    "complete": w.complete,
                    "time": _time(w.time) if w.time else None,
                    "steps": [
                        {
                            "from": {"kind": s.start.kind.value, "label": s.start.label},
                            "to": {"kind": s.end.kind.value, "label": s.end.label},
                            "check": s.check,
                            "outcome": s.outcome.value,
                            "reason": s.reason.value if s.reason else None,
                        }
                        for s in w.steps
                    ],
                }
                for w in self.walks
            ],
            "stated": [
                {
                    "source": t.source,
                    "what": t.what.value,
                    "text": t.text,
                    "instant": instant(t.instant) if t.instant else None,
                    "by": t.by.value,
                }
                for t in self.stated
            ],
            "not_proven": list(self.not_proven),
        }


def _time(time: ProvenTime | None) -> dict[str, str | None]:
    return {"not_after": bound(time.not_after) if time else None, "basis": time.basis if time else None}


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, the one rendering of a time in a verdict. (Not `strftime`, whose %Y has fewer than
    four digits in early years on some systems.)"""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def bound(moment: datetime) -> str:
    """The same for "not later than": a part of a millisecond counts as a whole one, never as none."""
    late = moment.microsecond % 1000 and timedelta(microseconds=1000 - moment.microsecond % 1000)
    return instant(moment + late) if late and moment < _LATEST else instant(moment)


_LATEST = datetime.max.replace(tzinfo=UTC) - timedelta(milliseconds=1)


def conclude(
    *, findings: Sequence[Finding], walks: Sequence[Walk], content: Sequence[str], accept_d: bool = False
) -> tuple[Overall, Grade, ProvenTime | None, tuple[Reason, ...]]:
    """Findings and walks -> overall verdict, grade, proven time and the reasons (module docstring, rules 1 to 3).

    content   sha256 of every content file of the exhibit; each must be covered by a complete walk of its own
    accept_d  the court's policy lists the platform, so that grade D may be CONSISTENT
    """
    chosen = [best_walk(walks, sha256) for sha256 in content]
    grade = max((w.grade if w else Grade.E for w in chosen), default=Grade.E)
    refuted = [f for f in findings if f.outcome is Outcome.FAILED and f.bearing is not Bearing.ADVISORY]
    open_ = [f for f in findings if f.outcome is Outcome.INDETERMINATE and f.bearing is Bearing.DECISIVE]

    if refuted:
        return Overall.INCONSISTENT, grade, None, _distinct(f.reason for f in refuted)

    reasons: list[Reason | None] = [f.reason for f in open_]
    for walk in chosen:
        if walk is None:
            # Whatever its format: nothing outside these bytes binds them. A proof that begins and lacks a part has a walk,
            # and says PROOF_NOT_SUPPLIED at the step that lacks it.
            reasons.append(Reason.NO_POE)
        elif not walk.complete:
            broken = [s.reason for s in walk.steps if s.outcome is not Outcome.PASSED]
            reasons.extend(broken or [Reason.PLATFORM_ASSERTION_ONLY])
        elif walk.grade is Grade.D and not accept_d:
            reasons.append(Reason.PLATFORM_NOT_IN_POLICY)
    if not content:
        reasons.append(Reason.SIGNED_DATA_NOT_FOUND)

    # Rule 2: the interval is bounded by the weakest covered file, the latest of the earliest proofs.
    complete = [w for w in chosen if w is not None and w.complete]
    times = [w.time for w in complete if w.time is not None]
    time = max(times, key=lambda t: (t.not_after, t.basis)) if times and len(times) == len(chosen) else None
    if reasons:
        return Overall.INDETERMINATE, grade, time, _distinct(reasons)
    return Overall.CONSISTENT, grade, time, ()


def best_walk(walks: Iterable[Walk], sha256: str) -> Walk | None:
    """The walk that speaks for a file: complete before broken, better grade, earlier time, then the longest way passed."""
    far_future = datetime.max.replace(tzinfo=UTC)
    mine = [w for w in walks if w.file == sha256]
    return min(
        mine,
        key=lambda w: (
            not w.complete,
            w.grade.value if w.complete else "",
            w.time.not_after if w.time and w.complete else far_future,
            -w.steps_passed,
            w.grade.value,
            w.source,
        ),
        default=None,
    )


def _distinct(reasons: Iterable[Reason | None]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(r for r in reasons if r is not None))
