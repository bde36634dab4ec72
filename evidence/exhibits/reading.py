"""A stored verdict, read for people: the canonical JSON of a run becomes the sentences and drawings of a page.

Old verdicts stay readable for ever: a check, reason or note that a later engine no longer knows is shown by its id.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.functional import cached_property
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from evidence.verification import catalogue
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Finding, Outcome
from portal.legible import legible

from . import axes, walk_drawing, words

REASONS_SHOWN = 3
FLAG_REASONS = frozenset(
    {
        "CERT_HOST_MISMATCH",
        "CERT_FIELDS_CONFLICT",
        "FACTS_CONFLICT",
        "UNLISTED_MEMBER",
        "KNOWN_WRITER_DEFECT",
        "INDEX_MISMATCH",
        "TIMESTAMP_ORDER_FAILURE",
        "TIME_ZONE_AMBIGUOUS",
        "CRYPTO_CONSTRAINTS_FAILURE",
        "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
        "PLATFORM_NOT_IN_POLICY",
    }
)
"""Reasons a judge must see even where they decided nothing."""
IN_A_TABLE = re.compile(r"CLEAN_[A-Z_]+:\d").match
"""Notes that stand as rows of a table on the page (`captures.packages`): the items that a cleanliness log mentions."""
MIDDLE_CHECKS = ("INCL.ROOT", "INCL.NODE_QUORUM", "WAUTH.CHAIN", "TST.SIGNATURE", "INCL.PATH")
"""Of the steps between the bytes and the anchor, the first of these tells most."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One finding with its texts. `anchor` is its id on the page."""

    anchor: str
    check: str
    word: str
    family: str
    outcome: str
    said: str
    advisory: bool
    question: str
    answer: str
    reason: str
    meaning: str
    next_step: str
    subject: str
    expected: str
    actual: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """One walk, drawn. `steps` is the same in words, in order."""

    file: str
    source: str
    grade: str
    state: str
    complete: bool
    drawings: SafeString
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """A point on the time line. `stands` is claimed, proven or received; `spans` fills the stretch to the next point."""

    stands: str
    heading: str
    what: str
    at: datetime
    clock: str
    spans: bool = False

    @property
    def beijing(self) -> str:
        return words.beijing(self.at)

    @property
    def utc(self) -> str:
        return _utc(self.at)


class Reading:
    """`document` is the canonical JSON of a verdict; `language` is `zh` or `en`; `declared`: something was said about origin."""

    def __init__(self, document: bytes, *, language: str, declared: bool) -> None:
        self.document: dict[str, Any] = _legible(json.loads(document))
        self.language = language
        self.declared = declared

    # ── the answer first ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def overall(self) -> str:
        return str(self.document["overall"])

    @property
    def word(self) -> str:
        return self._statement("WORD", self.overall)

    @property
    def tone(self) -> str:
        return self.overall.lower()

    @property
    def grade(self) -> str:
        return str(self.document["grade"])

    @property
    def grade_meaning(self) -> str:
        return self._statement("GRADE", self.grade)

    @property
    def sentence(self) -> str:
        return words.sentence(self.overall, not_after=self.not_after, clock=self._clock)

    @property
    def sentence_litigant(self) -> str:
        return self._statement("VERDICT", self.overall)

    @property
    def not_after(self) -> datetime | None:
        text = self.document["time"]["not_after"]
        return _instant(text) if text else None

    @property
    def demonstration(self) -> bool:
        return bool(self.document["trust"]["label"] == "demonstration")

    @cached_property
    def reasons(self) -> list[str]:
        """The three strongest, in words: the whole way for a pass, the contradictions for a refutation, else what is missing."""
        if self.overall == "CONSISTENT":
            chosen = self._telling_steps()
        elif self.overall == "INCONSISTENT":
            failed = [a for a in self.answers if a.outcome == "FAILED"]
            chosen = [a for a in failed if not a.advisory] or failed
        else:
            return [self._meaning(code) for code in self.document["reasons"]][:REASONS_SHOWN]
        said = (_("%(word)s：%(said)s。%(answer)s") % {"word": a.word, "said": a.said, "answer": a.answer} for a in chosen)
        return list(dict.fromkeys(said))[:REASONS_SHOWN]

    @cached_property
    def missing(self) -> list[tuple[str, str]]:
        """(why it is not CONSISTENT, what can be done), without repeats."""
        return [(self._meaning(code), self._next(code)) for code in self.document["reasons"]]

    @cached_property
    def flags(self) -> list[Answer]:
        """What must not be overlooked though it did not decide: advisory contradictions, and reasons on the list above."""
        return [
            a
            for a in self.answers
            if (a.advisory and a.outcome == "FAILED") or (a.outcome == "INDETERMINATE" and a.reason in FLAG_REASONS)
        ]

    @cached_property
    def axes(self) -> list[tuple[str, str, str]]:
        """(axis, value in words, tone)."""
        found = axes.axes(self.document, declared=self.declared)
        return [(self._statement("AXIS", k.upper()), str(words.AXIS_VALUES[v]), words.tone(v)) for k, v in found.items()]

    @cached_property
    def not_proven(self) -> list[str]:
        return [self._catalogue(catalogue.statement, key) for key in self.document["not_proven"]]

    # ── findings ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def answers(self) -> list[Answer]:
        return [self._answer(f, n) for n, f in enumerate(self.document["findings"], start=1)]

    @property
    def unsettled(self) -> list[Answer]:
        """Everything that did not pass: contradictions first, what decides before what only informs."""
        rest = [a for a in self.answers if a.outcome != "PASSED"]
        return sorted(rest, key=lambda a: (a.outcome != "FAILED", a.advisory))

    @property
    def settled(self) -> dict[str, list[Answer]]:
        """What passed, by family."""
        groups: dict[str, list[Answer]] = {}
        for answer in self.answers:
            if answer.outcome == "PASSED":
                groups.setdefault(answer.family, []).append(answer)
        return groups

    @property
    def settled_count(self) -> int:
        return sum(a.outcome == "PASSED" for a in self.answers)

    # ── the walk and the time ─────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def ways(self) -> list[Way]:
        """For each file of evidence the walk that speaks for it, or the gap where one should be."""
        files = axes.speaking_walks(self.document)
        return [self._way(w, n) if w and w["steps"] else self._gap(f, n) for n, (f, w) in enumerate(files, start=1)]

    @cached_property
    def other_ways(self) -> list[Way]:
        shown = [id(w) for _file, w in axes.speaking_walks(self.document)]
        rest = [w for w in self.document["walk"] if id(w) not in shown and w["steps"]]
        return [self._way(w, n) for n, w in enumerate(rest, start=len(self.ways) + 1)]

    def events(self, *, received: datetime) -> list[Event]:
        """Claimed, proven and received times in order; only from the first proven point on is the line filled."""
        found = [Event("received", _("收到"), _("本院收到文件"), received, _("本院的时钟"))]
        if self.not_after is not None:
            found.append(Event("proven", _("已证明"), _("不晚于此时已存在"), self.not_after, self._clock))
        for what, text, source in self._claimed_times():
            moment = _instant(text)
            if moment is not None and moment != self.not_after:
                clock = _("%(source)s 的说法，未经证明") % {"source": source}
                found.append(Event("claimed", _("声称"), what, moment, clock))
        found.sort(key=lambda e: e.at)
        proven = next((e.at for e in found if e.stands == "proven"), received)
        return [
            Event(e.stands, e.heading, e.what, e.at, e.clock, spans=e.at >= proven and n + 1 < len(found))
            for n, e in enumerate(found)
        ]

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _claimed_times(self) -> Iterator[tuple[str, str, str]]:
        """(what, time, whose word it is): times that files state of themselves and the court can place, and times of proofs
        that do not reach an anchor. Verdicts of an older engine have neither."""
        for time in self.document.get("stated", ()):
            if time["instant"]:
                yield str(words.CLAIMED.get(time["what"], _("声称的时间"))), time["instant"], time["source"]
        for walk in self.document["walk"]:
            if walk.get("time") and not walk["complete"]:
                yield _("声称的时间"), walk["time"]["not_after"], walk["source"]

    def _telling_steps(self) -> list[Answer]:
        walk = next((w for _file, w in axes.speaking_walks(self.document) if w), None)
        if walk is None:
            return [a for a in self.answers if a.outcome == "PASSED"]
        steps = walk["steps"]
        middle = min(
            steps[1:-1],
            key=lambda s: MIDDLE_CHECKS.index(s["check"]) if s["check"] in MIDDLE_CHECKS else len(MIDDLE_CHECKS),
            default=None,
        )
        chosen = [steps[0], *([middle] if middle else []), *(steps[-1:] if len(steps) > 1 else [])]
        return [found for s in chosen if (found := self._finding_of(s, walk))]

    def _finding_of(self, step: Mapping[str, Any], walk: Mapping[str, Any]) -> Answer | None:
        """The finding that a step is the edge of: same check, same outcome, and of the same proof and file where told."""
        same = [a for a in self.answers if a.check == step["check"] and a.outcome == step["outcome"]]
        file = step["from"]["label"] if step["from"]["kind"] == "FILE" else ""
        return min(same, key=lambda a: (walk["source"] not in a.subject, file not in a.subject), default=None)

    def _way(self, walk: Mapping[str, Any], n: int) -> Way:
        steps = walk["steps"]
        nodes = [steps[0]["from"], *(s["to"] for s in steps)]
        reached = all(s["outcome"] == "PASSED" for s in steps)
        last = len(nodes) - 1
        things = tuple(
            walk_drawing.Thing(
                self._statement("NODE", node["kind"]),
                node["label"],
                pinned=i == last and node["kind"] == "ANCHOR" and reached,
                absent=i == last and node["kind"] == "ANCHOR" and not reached,
            )
            for i, node in enumerate(nodes)
        )
        arrows = []
        for i, step in enumerate(steps):
            finding = self._finding_of(step, walk)
            arrows.append(
                walk_drawing.Arrow(
                    word=words.check(step["check"]),
                    outcome=step["outcome"],
                    said=self._statement("OUTCOME", step["outcome"]),
                    href=f"#{finding.anchor}" if finding else "#findings",
                    sentence=self._step_sentence(i + 1, things[i], things[i + 1], step, finding),
                )
            )
        if nodes[-1]["kind"] != "ANCHOR":
            # The walk ends at somebody's word: what leads from there to the court's pin was not handed in.
            things += (self._unreached(),)
            arrows.append(self._missing(_("没有收到从这里到信任锚的证明。")))
        title = _("从%(file)s到%(anchor)s的证明路径") % {"file": nodes[0]["label"], "anchor": nodes[-1]["label"]}
        return self._draw(f"walk-{n}", title, things, tuple(arrows), walk)

    def _gap(self, name: str, n: int) -> Way:
        things = (walk_drawing.Thing(self._statement("NODE", "FILE"), name), self._unreached())
        sentence = _("没有收到能把%(file)s连到信任锚的证明。") % {"file": name}
        arrow = self._missing(sentence)
        nothing = {"source": "", "grade": "E", "state": "ASSERTED", "complete": False, "file": name}
        return self._draw(f"walk-{n}", sentence, things, (arrow,), nothing)

    def _unreached(self) -> walk_drawing.Thing:
        return walk_drawing.Thing(self._statement("NODE", "ANCHOR"), _("没有到达"), absent=True)

    def _missing(self, sentence: str) -> walk_drawing.Arrow:
        said = self._statement("OUTCOME", "INDETERMINATE")
        return walk_drawing.Arrow(_("没有证明"), "INDETERMINATE", said, "#findings", sentence)

    def _draw(
        self,
        key: str,
        title: str,
        things: tuple[walk_drawing.Thing, ...],
        arrows: tuple[walk_drawing.Arrow, ...],
        walk: Mapping[str, Any],
    ) -> Way:
        passed = sum(a.outcome == "PASSED" for a in arrows)
        description = _("共 %(all)d 步，%(passed)d 步通过。") % {"all": len(arrows), "passed": passed}
        first = next((a for a in arrows if a.outcome != "PASSED"), None)
        if first is not None:
            description += " " + _("最先未通过的是：%(step)s") % {"step": first.sentence}
        picture = walk_drawing.Picture(key, title, description, things, arrows)
        return Way(
            file=walk["file"] or _("（没有对应的文件）"),
            source=walk["source"],
            grade=walk["grade"],
            state=self._statement("STATE", walk["state"]),
            complete=walk["complete"],
            drawings=_drawings(picture),
            steps=tuple(a.sentence for a in arrows),
        )

    def _step_sentence(
        self, n: int, start: walk_drawing.Thing, end: walk_drawing.Thing, step: Mapping[str, Any], finding: Answer | None
    ) -> str:
        text = _("第 %(n)d 步，%(start)s %(start_label)s → %(end)s %(end_label)s：%(word)s，%(said)s。") % {
            "n": n,
            "start": start.kind,
            "start_label": start.label,
            "end": end.kind,
            "end_label": end.label,
            "word": words.check(step["check"]),
            "said": self._statement("OUTCOME", step["outcome"]),
        }
        return f"{text}{finding.answer}" if finding else text

    def _answer(self, f: Mapping[str, Any], n: int) -> Answer:
        return Answer(
            anchor=f"finding-{n}",
            check=f["check"],
            word=words.check(f["check"]),
            family=words.family(f["check"]),
            outcome=f["outcome"],
            said=self._statement("OUTCOME", f["outcome"]),
            advisory=f["bearing"] == "ADVISORY",
            question=self._catalogue(catalogue.question, f["check"]),
            answer=self._said(f),
            reason=f["reason"] or "",
            meaning=self._meaning(f["reason"]) if f["reason"] else "",
            next_step=self._next(f["reason"]) if f["reason"] else "",
            subject=f["subject"],
            expected=f["expected"] or "",
            actual=f["actual"] or "",
            notes=tuple(self._catalogue(catalogue.note, code) for code in f["notes"] if not IN_A_TABLE(code)),
        )

    def _said(self, f: Mapping[str, Any]) -> str:
        try:
            reason = Reason(f["reason"]) if f["reason"] else None
            return catalogue.answer(Finding(f["check"], Outcome(f["outcome"]), reason, f["subject"]), self.language)
        except (catalogue.CatalogueError, ValueError):
            return f"{f['check']} {f['reason'] or ''}".strip()

    def _meaning(self, code: str) -> str:
        return self._of_reason(catalogue.meaning, code)

    def _next(self, code: str) -> str:
        return self._of_reason(catalogue.next_step, code)

    def _of_reason(self, text: Any, code: str) -> str:
        try:
            return str(text(Reason(code), self.language))
        except (catalogue.CatalogueError, ValueError):
            return code

    @property
    def _clock(self) -> str:
        basis = self.document["time"]["basis"]
        return self._statement("TIME", basis) if basis else ""

    def _statement(self, family: str, name: str) -> str:
        """A statement of the catalogue; the bare name where a later engine no longer has it."""
        found = self._catalogue(catalogue.statement, f"{family}.{name}")
        return name if found == f"{family}.{name}" else found

    def _catalogue(self, text: Any, key: str) -> str:
        try:
            return str(text(key, self.language))
        except catalogue.CatalogueError:
            return key


def _drawings(picture: walk_drawing.Picture) -> SafeString:
    """Desk, paper and phone; the style sheet shows one. Built of escaped parts, to which the tests hold `walk_drawing`."""
    drawn = (
        walk_drawing.row(picture),
        walk_drawing.row(picture, most=walk_drawing.PAPER),
        walk_drawing.column(picture),
    )
    return mark_safe("".join(drawn))  # noqa: S308


def changed(overalls: Sequence[str]) -> bool:
    """Did the runs of an exhibit not all end with the same word?"""
    return len(set(overalls)) > 1


def _legible(value: Any) -> Any:
    """The document with every text in it made legible: much of it is words of the evidence."""
    if isinstance(value, dict):
        return {name: _legible(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_legible(inner) for inner in value]
    return legible(value) if isinstance(value, str) else value


def _instant(text: str) -> datetime | None:
    """The moment; None for one that no calendar here can show, such as a 99th month or the last hour of the year 9999."""
    try:
        moment = datetime.fromisoformat(text)
        words.beijing(moment), _utc(moment)  # noqa: B018  (a time zone away it must still be a date)
    except (ValueError, OverflowError):
        return None
    return moment


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
