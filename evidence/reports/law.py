"""The rule matrix: what the checks of one exhibit say to the questions that the law asks (court-domain §3, §11.1 no. 7).

Data stands in `law_questions.json`. A check never answers for a person: where the law asks for a judgement, checks can only
contradict, and the answer stays open for whoever the row names. `settled_by` says what can answer a row:

    ledger          walk to a block that the court's anchors confirm, over the very bytes handed in (art. 16, first half)
    ledger_verdict  the verdict, where the evidence is on a ledger at all (art. 16, second half)
    verdict         the verdict
    integrity       the bytes against what was recorded, within a consistent verdict
    person          people

Each row says three things and leaves a fourth blank: the question; what the machine found (`Answer.found`, with the ids of the checks);
what it cannot say (`Row.cannot`); and a box for the court, which nothing here ever fills. Beside checks, `finds` names what else is on record:

    statement:HEAD   whether the submitter stated something under this head of art. 18 (court-domain §11.1 no. 8)
    undecided        why the verdict could not be reached
    custody          the acts in the court's own ledger
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from evidence.exhibits.axes import axes
from evidence.verification import catalogue
from evidence.verification.reasons import Reason

from .wording import SYMBOLS, WHO, Words, words

OUTCOMES = {
    "FAILED": Words("相反", "refuted"),
    "INDETERMINATE": Words("未能判定", "undecided"),
    "PASSED": Words("通过", "passed"),
}
"""In the order in which one of them speaks for a check that was answered for several subjects."""
NOTHING = Words("没有与此有关的检查结果", "no check bears on it")
STATED = Words("提交人有陈述，原文见第8节，未核验", "the submitter made a statement: see section 8, not verified")
NOT_STATED = Words("提交人没有陈述", "the submitter stated nothing")
CUSTODY = Words("本院收到之后的流转见第11节", "custody since receipt by the court: section 11")
DECIDED = Words("本件证据已得出结论，没有未能判定的原因", "a result was reached; nothing was left undecided")
SUPPORTED, CONTRADICTED = "supported_by_checks", "contradicted_by_checks"
NEEDS_HUMAN, NOT_APPLICABLE = "needs_human", "not_applicable"


@dataclass(frozen=True, slots=True)
class Row:
    """`checks` are ids of the message catalogue that bear on the question, `shows` such as are shown beside it and settle nothing;
    `who` answers what they do not. `finds` is empty for none."""

    id: str
    law: Words
    article: str
    question: Words
    settled_by: str
    checks: tuple[str, ...]
    shows: tuple[str, ...]
    who: tuple[str, ...]
    cannot: Words
    finds: str

    @property
    def people(self) -> Words:
        return Words("、".join(WHO[w].zh for w in self.who), ", ".join(WHO[w].en for w in self.who))


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that the machine found: a check with its outcome, or, where `check` is empty, something else on record."""

    check: str
    outcome: str
    words: Words

    @property
    def symbol(self) -> str:
        return SYMBOLS.get(self.outcome, "")


@dataclass(frozen=True, slots=True)
class Answer:
    """`checks` are those of the row that this verdict holds. What the court answers stands nowhere: its box is blank."""

    row: Row
    status: str
    checks: tuple[str, ...]
    found: tuple[Found, ...]

    @property
    def machine(self) -> tuple[tuple[Words, tuple[str, ...]], ...]:
        """What the machine found: each thing said, once, with the ids of the checks that say it; none where it is on record otherwise."""
        said: dict[Words, list[str]] = {}
        for one in self.found:
            said.setdefault(one.words, []).extend([one.check] if one.check else [])
        return tuple((words, tuple(checks)) for words, checks in said.items()) or ((NOTHING, ()),)

    @property
    def symbol(self) -> str:
        return SYMBOLS[self.status]

    @property
    def by(self) -> tuple[str, ...]:
        return self.row.who if self.status == NEEDS_HUMAN else ("system",)


@cache
def rows() -> tuple[Row, ...]:
    data = json.loads(Path(__file__).with_name("law_questions.json").read_bytes())
    return tuple(
        Row(
            id=r["id"],
            law=Words(**r["law"]),
            article=r["article"],
            question=Words(**r["question"]),
            settled_by=r["settled_by"],
            checks=tuple(r["checks"]),
            shows=tuple(r["shows"]),
            who=tuple(r["who"]),
            cannot=Words(**r["cannot"]),
            finds=r.get("finds", ""),
        )
        for r in data["rows"]
    )


def answers(document: Mapping[str, Any], *, stated: Collection[str] = ()) -> tuple[Answer, ...]:
    """One answer to each row, from the canonical JSON of a verdict. `stated`: heads under which the submitter says something."""
    found = axes(document, declared=False)
    held: dict[str, str] = {}
    for f in document["findings"]:
        held[f["check"]] = min(held.get(f["check"], f["outcome"]), f["outcome"], key=list(OUTCOMES).index)
    failed = {f["check"] for f in document["findings"] if f["outcome"] == "FAILED" and f["bearing"] != "ADVISORY"}
    return tuple(
        Answer(
            row,
            _status(row, document["overall"], found, failed),
            tuple(c for c in row.checks if c in held),
            (
                *_on_record(row.finds, document, stated),
                *(Found(c, held[c], OUTCOMES[held[c]]) for c in (*row.checks, *row.shows) if c in held),
            ),
        )
        for row in rows()
    )


def _on_record(finds: str, document: Mapping[str, Any], stated: Collection[str]) -> tuple[Found, ...]:
    kind, _, head = finds.partition(":")
    if kind == "statement":
        return (Found("", "", STATED if head in stated else NOT_STATED),)
    if kind == "custody":
        return (Found("", "", CUSTODY),)
    if kind == "undecided":
        reasons = document["reasons"] if document["overall"] == "INDETERMINATE" else []
        return tuple(Found("", "", words(catalogue.meaning, Reason(r))) for r in reasons) or (Found("", "", DECIDED),)
    return ()


def _status(row: Row, overall: str, found: Mapping[str, str], failed: set[str]) -> str:
    contradicted = bool(failed & set(row.checks))
    if row.settled_by == "person":
        return CONTRADICTED if contradicted else NEEDS_HUMAN
    if row.settled_by.startswith("ledger") and found["inclusion"] == "NOT_APPLICABLE":
        return NOT_APPLICABLE
    if row.settled_by in ("verdict", "ledger_verdict"):
        return {"CONSISTENT": SUPPORTED, "INCONSISTENT": CONTRADICTED}.get(overall, NEEDS_HUMAN)
    if contradicted or (row.settled_by == "integrity" and found["integrity"] == "MISMATCH"):
        return CONTRADICTED
    if row.settled_by == "ledger":
        whole = (found["integrity"], found["inclusion"], found["anchor_trust"]) == ("MATCH", "PROVEN", "TRUSTED")
        return SUPPORTED if whole else NEEDS_HUMAN
    return SUPPORTED if found["integrity"] == "MATCH" and overall == "CONSISTENT" else NEEDS_HUMAN
