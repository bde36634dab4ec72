"""The rule matrix: what the checks of one exhibit say to the questions that the law asks (court-domain §3, §11.1 no. 7).

Data stands in `law_questions.json`. A check never answers for a person: where the law asks for a judgement, checks can only
contradict, and the answer stays open for whoever the row names. `settled_by` says what can answer a row:

    ledger          walk to a block that the court's anchors confirm, over the very bytes handed in (art. 16, first half)
    ledger_verdict  the verdict, where the evidence is on a ledger at all (art. 16, second half)
    verdict         the verdict
    integrity       the bytes against what was recorded, within a consistent verdict
    person          people
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from evidence.exhibits.axes import axes

from .wording import SYMBOLS, WHO, Words

SUPPORTED, CONTRADICTED = "supported_by_checks", "contradicted_by_checks"
NEEDS_HUMAN, NOT_APPLICABLE = "needs_human", "not_applicable"


@dataclass(frozen=True, slots=True)
class Row:
    """`checks` are ids of the message catalogue that bear on the question; `who` answers what they do not."""

    id: str
    law: Words
    article: str
    question: Words
    settled_by: str
    checks: tuple[str, ...]
    who: tuple[str, ...]

    @property
    def people(self) -> Words:
        return Words("、".join(WHO[w].zh for w in self.who), ", ".join(WHO[w].en for w in self.who))


@dataclass(frozen=True, slots=True)
class Answer:
    """`checks` are those of the row that this verdict holds."""

    row: Row
    status: str
    checks: tuple[str, ...]

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
            who=tuple(r["who"]),
        )
        for r in data["rows"]
    )


def answers(document: Mapping[str, Any]) -> tuple[Answer, ...]:
    """One answer to each row, from the canonical JSON of a verdict."""
    found = axes(document, declared=False)
    held = {f["check"] for f in document["findings"]}
    failed = {f["check"] for f in document["findings"] if f["outcome"] == "FAILED" and f["bearing"] != "ADVISORY"}
    return tuple(
        Answer(row, _status(row, document["overall"], found, failed), tuple(c for c in row.checks if c in held))
        for row in rows()
    )


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
