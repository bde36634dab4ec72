"""What a report says, as plain data in both languages: built from stored verdicts, shown by the PDF and carried by the annex.

Nothing is decided here. Sentences come from the engine's message catalogue and from `wording`; evidence texts are data,
made safe to print by `printable`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cases.models import Side
from evidence.connectors.reading import pieces
from evidence.exhibits import axes
from evidence.exhibits.models import Exhibit
from evidence.runs import receipt
from evidence.runs.models import RunVerdict
from evidence.verification import ALWAYS_NOT_PROVEN, catalogue
from evidence.verification.codecs import strict_json
from evidence.verification.reasons import Reason
from evidence.verification.registry import FORMATS, UNKNOWN
from evidence.verification.verdict import Bearing, Finding, Outcome

from . import attention, cleanliness, drawing, law, prechain, standing, times
from .printable import NAME_MAX, TEXT_MAX, VALUE_MAX, clean
from .times import Event, Moment, moment
from .wording import (
    CATEGORIES,
    ORIGINAL_FORMS,
    SENTENCES,
    SIDES,
    SYMBOLS,
    VERDICTS,
    Words,
    statement,
    words,
)
from .wording import FILE_ROLES as ROLE_WORDS

REASONS_SHOWN = 3
ORIGIN_MAX = 4_000
"""Characters printed of the source as stated: as many as the form takes."""
PLACES_MAX = 20
"""Subjects printed of one answer; a damaged archive may hold one answer for each of 50,000 records."""
FILE_ROLES = {f.name: f.role.value for f in (*FORMATS, UNKNOWN)}


@dataclass(frozen=True, slots=True)
class File:
    name: str
    size: int
    sha256: str
    sm3: str
    format: str
    role: str
    role_words: Words
    declared_type: str
    detected_type: str
    hashed_on_device: bool
    condition: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Obtained:
    """What the court itself obtained for the run, of one of its nodes; `host` and `at` are None for its own record of questions."""

    name: str
    size: int
    sha256: str
    sm3: str
    format: str
    host: str | None
    at: Moment | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a check was made and what it found there."""

    subject: str
    expected: str | None
    actual: str | None
    source: Words
    """Whether the answer was computed, declared by the material, or came from a node of the court."""
    digest: str
    """The beginning of the SHA-256 of the file that was looked at; empty where it is none that was handed in."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question with its answer; `places` are all the subjects that it was answered so for."""

    id: str
    outcome: str
    symbol: str
    question: Words
    answer: Words
    reason: str | None
    next_step: Words | None
    places: tuple[Place, ...]
    places_more: int
    notes: tuple[Words, ...]
    advisory: bool
    standard: str
    legal: str


@dataclass(frozen=True, slots=True)
class Edge:
    symbol: str
    outcome: str
    start_kind: Words
    start: str
    end_kind: Words
    end: str
    question: Words

    @property
    def between(self) -> Words:
        return Words(f"{self.start_kind.zh} → {self.end_kind.zh}", f"{self.start_kind.en} → {self.end_kind.en}")


@dataclass(frozen=True, slots=True)
class Walked:
    """The walk that speaks for one file of evidence: drawn, and step by step in words. No edges: there is no walk."""

    file: str
    complete: bool
    state: Words | None
    drawing: drawing.Drawing
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Item:
    exhibit: Exhibit
    label: Words
    name: str
    submitter: str
    received: Moment
    category: Words
    original_form: Words
    purpose: str
    origin: str
    prechain: tuple[prechain.Answered, ...]
    """What the submitter states under the six heads of art. 18, each with who said it and when; not verified."""
    prechain_carried: tuple[Mapping[str, Any], ...]
    """The same, every record whole, for the annex."""
    files: tuple[File, ...]
    obtained: tuple[Obtained, ...]
    run: str
    run_number: int
    engine: str
    at: str
    trust: Mapping[str, str]
    overall: str
    symbol: str
    verdict: Words
    sentence: Words
    grade: str
    grade_meaning: Words
    reasons: tuple[tuple[str, Words], ...]
    not_after: Moment | None
    time_basis: Words | None
    events: tuple[Event, ...]
    events_more: int
    walks: tuple[Walked, ...]
    walks_more: int
    open_checks: tuple[Check, ...]
    advisory_checks: tuple[Check, ...]
    passed_checks: tuple[Check, ...]
    passed_more: int
    not_proven: tuple[Words, ...]
    """What this kind of evidence leaves open beyond what holds for every exhibit."""
    sentences: tuple[Words, ...]
    """The court's standard sentences (court-domain §12) that hold for this exhibit."""
    axes: Mapping[str, str]
    law: tuple[law.Answer, ...]
    verdict_sha256: str
    document: Mapping[str, Any]
    """The whole verdict as stored, for the annex."""
    as_of_receipt: Mapping[str, Any] | None = None
    """Where there are signatures: the verdict as of receipt and what of theirs this one answers otherwise; for the annex."""


def ordered(verdicts: Iterable[RunVerdict]) -> list[RunVerdict]:
    """By side as courts list them, then by number."""
    sides = list(SIDES)
    return sorted(verdicts, key=lambda v: (sides.index(v.run.exhibit.side), v.run.exhibit.number))


def item(stored: RunVerdict, *, passed_max: int, until: datetime, prechain_max: int = prechain.PRINTED_MAX) -> Item:
    """One exhibit with the verdict of one run.

    passed_max     passed checks that are printed; the others are counted
    until          what the submitter stated later is not in the report
    prechain_max   characters printed of these statements
    """
    run = stored.run
    exhibit: Exhibit = run.exhibit
    data: dict[str, Any] = strict_json.loads(bytes(stored.document))
    formats = {s["sha256"]: s["format"] for s in data["sources"]}
    shown = {s["check"] for w in (w for _, w in axes.speaking_walks(data) if w) for s in w["steps"]}
    digests = {s["name"]: s["sha256"] for s in data["sources"]}
    open_ = _grouped((f for f in data["findings"] if f["outcome"] != "PASSED"), digests)
    passed = _grouped((f for f in data["findings"] if f["outcome"] == "PASSED" and f["check"] not in shown), digests)
    said = prechain.answers(exhibit, until=until, most=prechain_max)
    stated = frozenset(one.id for one in said if one.current)
    events, events_more = times.events(data, received=exhibit.submitted_at)
    five = axes.axes(data, declared=bool(exhibit.origin or stated))
    return Item(
        exhibit=exhibit,
        label=label(exhibit),
        name=clean(exhibit.name, NAME_MAX),
        submitter=clean(exhibit.party.name if exhibit.party else exhibit.submitted_by.get_full_name(), NAME_MAX),
        received=moment(exhibit.submitted_at),
        category=CATEGORIES[exhibit.category],
        original_form=ORIGINAL_FORMS[exhibit.original_form],
        purpose=clean(exhibit.purpose, TEXT_MAX),
        origin=clean(exhibit.origin, ORIGIN_MAX),
        prechain=said,
        prechain_carried=tuple(prechain.carried(exhibit, until=until)),
        files=tuple(
            File(
                name=clean(f.name, NAME_MAX),
                size=f.size,
                sha256=f.sha256,
                sm3=f.sm3,
                format=formats.get(f.sha256, UNKNOWN.name),
                role=(role := FILE_ROLES.get(formats.get(f.sha256, UNKNOWN.name), "CONTENT")),
                role_words=ROLE_WORDS[role],
                declared_type=clean(f.declared_type, NAME_MAX),
                detected_type=clean(f.detected_type, NAME_MAX),
                hashed_on_device=f.hashed_on_device,
                condition=attention.condition(data, name=f.name, declared=f.declared_type, detected=f.detected_type),
            )
            for f in exhibit.files.all()
        ),
        obtained=tuple(
            Obtained(
                name=clean(piece.source.name, NAME_MAX),
                size=piece.source.size,
                sha256=piece.source.sha256,
                sm3=piece.source.sm3,
                format=formats.get(piece.source.sha256, UNKNOWN.name),
                host=piece.exchange.host if piece.exchange else None,
                at=moment(piece.exchange.ended_at) if piece.exchange else None,
            )
            for piece in pieces(run)
        ),
        run=str(run.public_id),
        run_number=run.number,
        engine=stored.engine,
        at=data["at"],
        trust=data["trust"],
        overall=stored.overall,
        symbol=SYMBOLS[stored.overall],
        verdict=VERDICTS[stored.overall],
        sentence=SENTENCES[stored.overall],
        grade=stored.grade,
        grade_meaning=statement(f"GRADE.{stored.grade}"),
        reasons=tuple((r, words(catalogue.meaning, Reason(r))) for r in data["reasons"][:REASONS_SHOWN]),
        not_after=moment(datetime.fromisoformat(data["time"]["not_after"])) if data["time"]["not_after"] else None,
        time_basis=statement(f"TIME.{data['time']['basis']}") if data["time"]["basis"] else None,
        events=events,
        events_more=events_more,
        walks=tuple(_walked(name, walk) for name, walk in axes.speaking_walks(data)),
        walks_more=len(data["walk"]) - sum(1 for _, w in axes.speaking_walks(data) if w),
        open_checks=tuple(c for c in open_ if not c.advisory),
        advisory_checks=tuple(c for c in open_ if c.advisory),
        passed_checks=tuple(passed[:passed_max]),
        passed_more=max(0, len(passed) - passed_max),
        not_proven=tuple(statement(n) for n in data["not_proven"] if n not in ALWAYS_NOT_PROVEN),
        sentences=tuple(statement(s) for s in _sentences(data, five)),
        axes=five,
        law=law.answers(data, stated=stated),
        verdict_sha256=stored.sha256,
        document=data,
        as_of_receipt=receipt.beside(exhibit, data) if receipt.is_signed(data) else None,
    )


def _sentences(data: Mapping[str, Any], five: Mapping[str, str]) -> list[str]:
    """S-R16 where there is a verdict on a ledger, S-NOTLEDGER where no block was found, S-ASSERTED where a platform only says so."""
    found = ["S-TIME"] if data["time"]["not_after"] else []
    if five["inclusion"] == "ASSERTED_BY_PLATFORM":
        return [*found, "S-ASSERTED"]
    ledger = five["inclusion"] in ("PROVEN", "PROMISED", "REFUTED")
    return [*found, "S-R16" if ledger else "S-NOTLEDGER"]


def label(exhibit: Exhibit) -> Words:
    side = SIDES[Side(exhibit.side)]
    return Words(f"{side.zh}证据{exhibit.number}", f"{side.en} exhibit {exhibit.number}")


def _grouped(findings: Iterable[Mapping[str, Any]], digests: Mapping[str, str]) -> list[Check]:
    """Findings with the same question and answer become one check with several places; contradictions first."""
    groups: dict[tuple[str, str, str | None, str], list[Mapping[str, Any]]] = {}
    for f in findings:
        groups.setdefault((f["check"], f["outcome"], f["reason"], f["bearing"]), []).append(f)
    checks = [_check(group, digests) for group in groups.values()]
    return sorted(checks, key=lambda c: (c.outcome != "FAILED", c.advisory))


def _check(group: list[Mapping[str, Any]], digests: Mapping[str, str]) -> Check:
    first = group[0]
    finding = Finding(
        check=first["check"],
        outcome=Outcome(first["outcome"]),
        reason=Reason(first["reason"]) if first["reason"] else None,
        subject=first["subject"],
        bearing=Bearing(first["bearing"]),
    )
    matrix, notes = cleanliness.line(dict.fromkeys(note for f in group for note in f["notes"]))
    return Check(
        id=finding.check,
        outcome=finding.outcome.value,
        symbol=SYMBOLS[finding.outcome.value],
        question=words(catalogue.question, finding.check),
        answer=words(catalogue.answer, finding),
        reason=finding.reason.value if finding.reason else None,
        next_step=words(catalogue.next_step, finding.reason) if finding.reason else None,
        places=tuple(
            Place(
                clean(f["subject"], VALUE_MAX),
                clean(f["expected"], VALUE_MAX) if f["expected"] is not None else None,
                clean(f["actual"], VALUE_MAX) if f["actual"] is not None else None,
                standing.SOURCES[standing.source(finding.check, f["subject"])],
                digests.get(f["subject"], digests.get(f["subject"].partition(" · ")[0], ""))[:16],
            )
            for f in group[:PLACES_MAX]
        ),
        places_more=max(0, len(group) - PLACES_MAX),
        notes=(*([matrix] if matrix else []), *(_cleaned(words(catalogue.note, n)) for n in notes)),
        advisory=finding.bearing is Bearing.ADVISORY,
        standard=standing.standard(finding.check),
        legal=standing.legal(finding.check),
    )


def _cleaned(text: Words) -> Words:
    """A note may carry a detail from the evidence."""
    return Words(clean(text.zh, VALUE_MAX), clean(text.en, VALUE_MAX))


def _walked(name: str, walk: Mapping[str, Any] | None) -> Walked:
    """The walk of one file; without one, the gap where it should be."""
    file = clean(name, NAME_MAX)
    steps = walk["steps"] if walk else []
    nodes = [steps[0]["from"], *(s["to"] for s in steps)] if steps else [{"kind": "FILE", "label": file}]
    outcomes = [s["outcome"] for s in steps]
    reached = bool(steps) and set(outcomes) == {"PASSED"}
    boxes = [
        drawing.Box(
            statement(f"NODE.{node['kind']}"),
            clean(node["label"], NAME_MAX),
            pinned=reached and node["kind"] == "ANCHOR",
            absent=not reached and node["kind"] == "ANCHOR",
        )
        for node in nodes
    ]
    if nodes[-1]["kind"] != "ANCHOR":
        # It ends at somebody's word: what leads from there to the court's anchor was not handed in.
        boxes.append(drawing.Box(statement("NODE.ANCHOR"), "—", absent=True))
        outcomes.append("INDETERMINATE")
    passed = outcomes.count("PASSED")
    title = Words(
        f"从 {file} 到法院的信任锚：共 {len(outcomes)} 步，{passed} 步通过",
        f"From {file} to the court's anchor: {len(outcomes)} steps, {passed} passed",
    )
    return Walked(
        file=file,
        complete=bool(walk and walk["complete"]),
        state=statement(f"STATE.{walk['state']}") if walk else None,
        drawing=drawing.drawn(boxes, outcomes, title=title),
        edges=tuple(
            Edge(
                symbol=SYMBOLS[s["outcome"]],
                outcome=s["outcome"],
                start_kind=statement(f"NODE.{s['from']['kind']}"),
                start=clean(s["from"]["label"], NAME_MAX),
                end_kind=statement(f"NODE.{s['to']['kind']}"),
                end=clean(s["to"]["label"], NAME_MAX),
                question=words(catalogue.question, s["check"]),
            )
            for s in steps
        ),
    )
