"""What a report says, as plain data in both languages: built from stored verdicts, shown by the PDF and carried by the annex.

Nothing is decided here. Sentences come from the engine's message catalogue; evidence texts are shown as data, cleaned of
control characters, with bidirectional controls made visible, and cut at named lengths.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from evidence.exhibits.models import Exhibit
from evidence.runs.models import RunVerdict
from evidence.verification import catalogue
from evidence.verification.codecs import strict_json
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Bearing, Finding, Outcome

COURT_ZONE = ZoneInfo("Asia/Shanghai")
NAME_MAX = 200
TEXT_MAX = 2_000
VALUE_MAX = 400
"""Characters shown of an expected or actual value; the annex carries it whole."""
PASSED_SHOWN_MAX = 40
"""Passed checks printed for one exhibit; the others are counted and stand in the annex."""

_BIDI = {chr(c): f"⟨U+{c:04X}⟩" for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)}


@dataclass(frozen=True, slots=True)
class Words:
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant in the court's time and in UTC."""

    court: str
    utc: str


@dataclass(frozen=True, slots=True)
class File:
    name: str
    size: int
    sha256: str
    sm3: str
    format: str
    hashed_on_device: bool


@dataclass(frozen=True, slots=True)
class Check:
    id: str
    outcome: str
    symbol: str
    question: Words
    answer: Words
    reason: str | None
    meaning: Words | None
    next_step: Words | None
    subject: str
    expected: str | None
    actual: str | None
    notes: tuple[Words, ...]
    advisory: bool


@dataclass(frozen=True, slots=True)
class Edge:
    symbol: str
    outcome: str
    start_kind: Words
    start: str
    end_kind: Words
    end: str
    check: str
    question: Words


@dataclass(frozen=True, slots=True)
class Walked:
    file: str
    complete: bool
    grade: str
    state: Words
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Item:
    label: str
    name: str
    submitter: str
    received: Moment
    category: Words
    purpose: str
    origin: str
    files: tuple[File, ...]
    run: str
    run_number: int
    engine: str
    trust: dict[str, str]
    overall: str
    verdict: Words
    sentence: Words
    grade: str
    grade_meaning: Words
    reasons: tuple[tuple[str, Words, Words], ...]
    not_after: Moment | None
    time_basis: Words | None
    walks: tuple[Walked, ...]
    open_checks: tuple[Check, ...]
    passed_checks: tuple[Check, ...]
    passed_more: int
    not_proven: tuple[Words, ...]
    verdict_sha256: str
    document: dict[str, Any]
    """The whole verdict as stored, for the annex."""


VERDICT_WORDS = {
    "CONSISTENT": Words("核验一致", "CONSISTENT"),
    "INCONSISTENT": Words("核验不一致", "INCONSISTENT"),
    "INDETERMINATE": Words("无法判定", "INDETERMINATE"),
}
SYMBOLS = {"PASSED": "✓", "FAILED": "✗", "INDETERMINATE": "?"}
CATEGORIES = {
    "web": Words("网页等网络平台发布的信息", "web page or other platform content"),
    "communication": Words("通信信息", "communications"),
    "log_transaction": Words("注册、认证、交易、日志信息", "registration, identity, transaction or log data"),
    "file": Words("电子文件", "electronic files"),
    "other": Words("其他", "other"),
}


def item(stored: RunVerdict) -> Item:
    """One exhibit with the verdict of one run."""
    run = stored.run
    exhibit: Exhibit = run.exhibit
    data: dict[str, Any] = strict_json.loads(bytes(stored.document))
    formats = {s["sha256"]: s["format"] for s in data["sources"]}
    checks = [check(f) for f in data["findings"]]
    passed = [c for c in checks if c.outcome == "PASSED"]
    open_ = sorted((c for c in checks if c.outcome != "PASSED"), key=lambda c: (c.outcome != "FAILED", c.advisory))
    return Item(
        label=exhibit.label,
        name=clean(exhibit.name, NAME_MAX),
        submitter=clean(exhibit.party.name if exhibit.party else exhibit.submitted_by.get_full_name(), NAME_MAX),
        received=moment(exhibit.submitted_at),
        category=CATEGORIES[exhibit.category],
        purpose=clean(exhibit.purpose, TEXT_MAX),
        origin=clean(exhibit.origin, TEXT_MAX),
        files=tuple(
            File(clean(f.name, NAME_MAX), f.size, f.sha256, f.sm3, formats.get(f.sha256, "unknown"), f.hashed_on_device)
            for f in exhibit.files.all()
        ),
        run=str(run.public_id),
        run_number=run.number,
        engine=stored.engine,
        trust=data["trust"],
        overall=stored.overall,
        verdict=VERDICT_WORDS[stored.overall],
        sentence=words(catalogue.statement, f"VERDICT.{stored.overall}"),
        grade=stored.grade,
        grade_meaning=words(catalogue.statement, f"GRADE.{stored.grade}"),
        reasons=tuple(
            (r, words(catalogue.meaning, Reason(r)), words(catalogue.next_step, Reason(r))) for r in data["reasons"]
        ),
        not_after=moment(datetime.fromisoformat(data["time"]["not_after"])) if data["time"]["not_after"] else None,
        time_basis=words(catalogue.statement, f"TIME.{data['time']['basis']}") if data["time"]["basis"] else None,
        walks=tuple(_walked(w) for w in data["walk"]),
        open_checks=tuple(open_),
        passed_checks=tuple(passed[:PASSED_SHOWN_MAX]),
        passed_more=max(0, len(passed) - PASSED_SHOWN_MAX),
        not_proven=tuple(words(catalogue.statement, n) for n in data["not_proven"]),
        verdict_sha256=stored.sha256,
        document=data,
    )


def check(data: dict[str, Any]) -> Check:
    """A finding of a stored verdict with its sentences."""
    finding = Finding(
        check=data["check"],
        outcome=Outcome(data["outcome"]),
        reason=Reason(data["reason"]) if data["reason"] else None,
        subject=data["subject"],
        bearing=Bearing(data["bearing"]),
    )
    reason = finding.reason
    return Check(
        id=finding.check,
        outcome=finding.outcome.value,
        symbol=SYMBOLS[finding.outcome.value],
        question=words(catalogue.question, finding.check),
        answer=words(catalogue.answer, finding),
        reason=reason.value if reason else None,
        meaning=words(catalogue.meaning, reason) if reason else None,
        next_step=words(catalogue.next_step, reason) if reason else None,
        subject=clean(data["subject"], VALUE_MAX),
        expected=clean(data["expected"], VALUE_MAX) if data["expected"] is not None else None,
        actual=clean(data["actual"], VALUE_MAX) if data["actual"] is not None else None,
        notes=tuple(words(catalogue.note, n) for n in data["notes"]),
        advisory=finding.bearing is Bearing.ADVISORY,
    )


def _walked(walk: dict[str, Any]) -> Walked:
    return Walked(
        file=clean(walk["file"], NAME_MAX),
        complete=walk["complete"],
        grade=walk["grade"],
        state=words(catalogue.statement, f"STATE.{walk['state']}"),
        edges=tuple(
            Edge(
                symbol=SYMBOLS[s["outcome"]],
                outcome=s["outcome"],
                start_kind=words(catalogue.statement, f"NODE.{s['from']['kind']}"),
                start=clean(s["from"]["label"], NAME_MAX),
                end_kind=words(catalogue.statement, f"NODE.{s['to']['kind']}"),
                end=clean(s["to"]["label"], NAME_MAX),
                check=s["check"],
                question=words(catalogue.question, s["check"]),
            )
            for s in walk["steps"]
        ),
    )


def words(function: Callable[..., str], *arguments: Any) -> Words:
    return Words(function(*arguments, "zh"), function(*arguments, "en"))


def moment(instant: datetime) -> Moment:
    return Moment(
        instant.astimezone(COURT_ZONE).strftime("%Y-%m-%d %H:%M:%S"),
        instant.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def clean(text: str, limit: int) -> str:
    """Evidence text made safe to print: NFC, no control characters, bidirectional controls shown, cut at `limit`."""
    kept = []
    for character in unicodedata.normalize("NFC", text[: 2 * limit]):
        if character in _BIDI:
            kept.append(_BIDI[character])
        elif character in "\n\t":
            kept.append(" ")
        elif unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn"):
            kept.append(character)
    joined = "".join(kept)
    return joined if len(joined) <= limit else joined[: limit - 1] + "…"


def text_of(items: Iterable[Item], extra: Sequence[str] = ()) -> str:
    """Every character that evidence or parties bring into the report, for the glyph guard."""
    parts: list[str] = list(extra)
    for one in items:
        parts += [one.label, one.name, one.submitter, one.purpose, one.origin]
        parts += [f.name for f in one.files]
        parts += [t for c in (*one.open_checks, *one.passed_checks) for t in (c.subject, c.expected or "", c.actual or "")]
        parts += [t for w in one.walks for e in w.edges for t in (e.start, e.end)]
        parts += [n for c in one.open_checks for note in c.notes for n in (note.zh, note.en)]
    return "".join(parts)
