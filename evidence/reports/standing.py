"""What stands in every report alike: the questions asked, standards, known issues, other tools, glossary (`standing.json`), and the law
that it quotes (`law_texts.json`). Quoted law is the only place where the court's own words may stand; it is marked so on the page.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from . import law
from .wording import Words

DECLARED = frozenset({"CERT.DEPOSITOR", "CERT.FIELDS", "CERT.HOST", "CERT.TIME"})
"""Checks whose answer is what a certificate states; `STATED.*` is what files state."""
NODE = "court-node/"
SOURCES = {
    "computed": Words("由系统计算", "computed"),
    "declared": Words("由材料陈述", "declared by the material"),
    "external": Words("来自法院节点", "obtained from the court's node"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    questions: tuple[Words, ...]
    out_of_scope: tuple[Words, ...]
    authority: Words
    standards: Mapping[str, str]
    known_issues: tuple[Words, ...]
    deviations: Words
    second_tools: tuple[tuple[Words, str], ...]
    glossary: tuple[tuple[Words, Words], ...]


@dataclass(frozen=True, slots=True)
class Quoted:
    """An article of the law, word for word, in the language in which it was enacted."""

    law: Words
    article: str
    text: tuple[str, ...]
    source: str
    """Where the text was compared, character by character."""


@cache
def texts() -> Standing:
    data = _read("standing.json")
    return Standing(
        questions=tuple(Words(**q) for q in data["questions"]),
        out_of_scope=tuple(Words(**q) for q in data["out_of_scope"]),
        authority=Words(**data["authority"]),
        standards=data["standards"],
        known_issues=tuple(Words(**q) for q in data["known_issues"]),
        deviations=Words(**data["deviations"]),
        second_tools=tuple((Words(**t["for"]), t["tools"]) for t in data["second_tools"]),
        glossary=tuple((Words(**word), Words(**meaning)) for word, meaning in data["glossary"]),
    )


@cache
def quoted() -> tuple[Quoted, ...]:
    return tuple(
        Quoted(Words(**one["law"]), article["article"], tuple(article["text"]), one["source"])
        for one in _read("law_texts.json")["laws"]
        for article in one["articles"]
    )


def standard(check: str) -> str:
    """What the check follows: a published standard, or the product's own page on the format."""
    return texts().standards.get(check.partition(".")[0], "docs/formats")


@cache
def legal(check: str) -> str:
    """Short names of the questions of the law that the check bears on: `R16; I11(5)`; empty for none."""
    found = (f"{r.id.removeprefix('CN-')[0]}{r.article}" for r in law.rows() if check in (*r.checks, *r.shows))
    return "; ".join(dict.fromkeys(found))


def source(check: str, subject: str) -> str:
    """`computed`, `declared` or `external` (court-domain §11.1 no. 4)."""
    if subject.startswith(NODE):
        return "external"
    return "declared" if check in DECLARED or check.startswith("STATED.") else "computed"


def _read(name: str) -> Any:
    return json.loads(Path(__file__).with_name(name).read_bytes())
