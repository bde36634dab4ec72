"""What the pages of a report say, as plain JSON-able data for `templates/typeset/report`: the main report and its volumes.

Contents are settled in `edition`, the layout in the templates; here the one is cut into what the other prints. Values that come
from the evidence were made legible by `printable` where they were read; in the templates they are strings, never markup.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import segno

from evidence.verification import catalogue

from . import attention, custody, law, prechain, profiles, proofs, standing, times, volumes
from .annex import COMMANDS
from .checking import ARCHIVES
from .document import Item
from .printable import NAME_MAX, clean
from .wording import (
    KINDS,
    LANGUAGES,
    ROLES,
    SEAL_LEVEL,
    SEAL_NOTE,
    SENTENCES,
    SYMBOLS,
    VERDICTS,
    Words,
    statement,
    words,
)

if TYPE_CHECKING:
    from .edition import Contents

TEMPLATE = "report/report.typ"
MATRIX_COLUMNS = 6
"""Exhibits beside one another in the rule matrix."""
EVENTS_SHOWN_MAX = 60
NOT_PRINTED = frozenset({"exhibit", "document", "law", "axes", "prechain_carried", "as_of_receipt"})
"""Of an `Item`: rows of the database and the whole verdict, from which other parts are made."""


def main(
    contents: "Contents", *, annex_sha256: str, bound: Sequence[volumes.Bound], draft: bool, check_url: str, qr_payload: str
) -> dict[str, Any]:
    report, items = contents.report, contents.items
    shown = volumes.shown_in_main(items)
    lines, lines_more = attention.lines(items)
    not_run, not_run_more = attention.not_run(items)
    manifest, manifest_more = proofs.manifest(shown)
    anchors, anchors_more = proofs.anchors(shown)
    flags = attention.flags(items)
    members = contents.reverify.members
    return {
        **_common(contents, shown),
        "draft": draft,
        "version": report.version,
        "kind": plain(KINDS[report.kind]),
        "profiles": list(report.profiles),
        "forms": plain([form for name, form in profiles.profiles().items() if name in report.profiles]),
        "cause": clean(report.case.cause, NAME_MAX),
        "issued": plain(contents.issued),
        "requested": plain(contents.requested),
        "requester": contents.requester,
        "role": plain(ROLES[contents.requester_role]),
        "issuer": contents.issuer,
        "bears": list(contents.bears),
        "sm2_seal": contents.sm2_seal,
        "report_language": plain(LANGUAGES[report.language]),
        "supersedes": contents.supersedes,
        "reason": contents.reason,
        "limitations": plain(contents.limitations),
        "counts": [
            (SYMBOLS[name], name, plain(word), sum(i.overall == name for i in items), plain(SENTENCES[name]))
            for name, word in VERDICTS.items()
        ],
        "summary": [_summed(i, flags.get(i.label.zh, 0)) for i in items],
        "labels": [plain(i.label) for i in items],
        "engines": sorted({i.engine for i in items}),
        "standards": sorted({s for i in items for c in (*i.open_checks, *i.passed_checks) for s in c.standard.split("; ")}),
        "standing": plain(standing.texts()),
        "policy": plain(contents.policy),
        "trust_stores": [{"version": clean(s["version"], NAME_MAX), "sha256": s["sha256"]} for s in contents.trust_stores],
        "selftest": f"{contents.selftest.passed}/{contents.selftest.vectors}",
        "source_sha256": contents.source_sha256,
        "dependencies_sha256": contents.dependencies_sha256,
        "libraries": dict(contents.libraries),
        "annex_digest": annex_sha256,
        "stamps": ARCHIVES[2:],
        "check_url": check_url,
        "check_code": report.check_code,
        "qr": _qr(qr_payload),
        "decision": plain(statement("S-DECISION")),
        "seal_level": plain(SEAL_LEVEL),
        "seal_note": plain(SEAL_NOTE),
        "custody_gap": plain(custody.GAP),
        "no_ml": plain(statement("S-NOML")),
        "not_expert": plain(statement("S-NOTEXPERT")),
        "grades": [(g, plain(statement(f"GRADE.{g}"))) for g in sorted({i.grade for i in items})],
        "custody": [
            {
                "seq": e.seq,
                "at": plain(times.moment(e.at)),
                "label": plain(contents.labels.get(e.exhibit)),
                "words": plain(e.words),
                "role": plain(e.role),
                "leaf_hash": e.leaf_hash,
            }
            for e in contents.custody[-EVENTS_SHOWN_MAX:]
        ],
        "custody_more": max(0, len(contents.custody) - EVENTS_SHOWN_MAX),
        "custody_earlier": contents.custody_earlier,
        "custody_last": contents.custody[-1].hash if contents.custody else custody.START,
        "commands": COMMANDS,
        "reverify": {"bundle_sha256": contents.reverify.bundle_sha256, "lost_store": contents.reverify.lost_store},
        "volumes": [
            {"number": v.number, "sha256": v.sha256, "pages": v.pages, "first": plain(v.first), "last": plain(v.last)} for v in bound
        ],
        "bounds": {"most": volumes.ITEMS_MAX, "full": volumes.FULL_MAX, "first": volumes.FIRST_MAX},
        "attention": plain(lines),
        "attention_more": lines_more,
        "not_run": plain(not_run),
        "not_run_more": not_run_more,
        "proofs": plain(manifest),
        "proofs_more": manifest_more,
        "anchors": plain(anchors),
        "anchors_more": anchors_more,
        "members": plain(members[: proofs.ROWS_MAX]),
        "members_more": max(0, len(members) - proofs.ROWS_MAX),
        "etsi": contents.etsi_digests,
        "quoted": plain(standing.quoted()),
    }


def volume(contents: "Contents", number: int, items: Sequence[Item]) -> dict[str, Any]:
    return {**_common(contents, items), "volume": number}


def _common(contents: "Contents", shown: Sequence[Item]) -> dict[str, Any]:
    return {
        "language": contents.report.language,
        "number": contents.report.number,
        "court": plain(contents.court),
        "case": contents.report.case.number,
        "demonstration": contents.demonstration,
        "shown": [_item(i) for i in shown],
        "matrix": matrix(shown),
        "before_recording": plain(statement("S-R18")),
        "prechain_label": plain(prechain.LABEL),
        "nothing_stated": plain(prechain.NOT_STATED),
        "taken_back": plain(prechain.TAKEN_BACK),
        "cut": plain(prechain.CUT),
    }


def _item(item: Item) -> dict[str, Any]:
    found = {f.name: plain(getattr(item, f.name)) for f in fields(item) if f.name not in NOT_PRINTED | {"reasons", "walks", "prechain"}}
    found["reasons"] = [{"code": code, "words": plain(meaning)} for code, meaning in item.reasons]
    found["walks"] = [
        {**plain(walk), "edges": [{**plain(edge), "between": plain(edge.between)} for edge in walk.edges]} for walk in item.walks
    ]
    found["prechain"] = [
        {
            "head": plain(one.head),
            "current": _stated(one.current) if one.current else None,
            "earlier": [_stated(e) for e in one.earlier],
            "earlier_more": one.earlier_more,
        }
        for one in item.prechain
    ]
    found["receipt"] = _as_of_receipt(item)
    return found


def _as_of_receipt(item: Item) -> dict[str, Any] | None:
    """What the first verdict answered about signatures where the one in the report answers otherwise; None: they are one verdict."""
    first = item.as_of_receipt
    if first is None or first["run_number"] == item.run_number:
        return None
    return {
        "at": plain(times.moment(datetime.fromisoformat(first["at"]))),
        "overall": first["overall"],
        "symbol": SYMBOLS[first["overall"]],
        "verdict": plain(VERDICTS[first["overall"]]),
        "grade": first["assurance"],
        "differs": [
            {
                "question": plain(words(catalogue.question, one["check"])),
                "subject": clean(one["subject"], NAME_MAX),
                "then": _outcome(one["receipt"]),
                "now": _outcome(one["now"]),
            }
            for one in first["differs"]
        ],
    }


def _outcome(said: Mapping[str, str | None] | None) -> str:
    """Symbol and reason; a dash where the question was not asked."""
    return f"{SYMBOLS[str(said['outcome'])]} {said['reason'] or ''}".strip() if said else "—"


def _stated(one: prechain.Stated) -> dict[str, Any]:
    return {**plain(one), "who": plain(one.who)}


def _summed(item: Item, flags: int) -> dict[str, Any]:
    """The line of one exhibit on page 1."""
    return {
        "label": plain(item.label),
        "name": item.name,
        "overall": item.overall,
        "symbol": item.symbol,
        "verdict": plain(item.verdict),
        "grade": item.grade,
        "reason": plain(item.reasons[0][1] if item.reasons else item.grade_meaning),
        "not_after": plain(item.not_after),
        "flags": flags,
    }


def _qr(payload: str) -> str:
    """As SVG."""
    drawn = io.BytesIO()
    segno.make(payload, error="m").save(drawn, kind="svg", border=2)
    return drawn.getvalue().decode()


def matrix(items: Sequence[Item]) -> dict[str, Any]:
    """The rule matrix in two parts: what the checks answer, exhibit by exhibit, and what is left to people."""
    alone = len(items) == 1  # then the page has room for what was found on each question
    answered: list[tuple[law.Row, tuple[law.Answer, ...]]] = []
    open_: list[tuple[law.Row, law.Answer]] = []
    for answers in zip(*(i.law for i in items), strict=True):
        if all(a.status == law.NEEDS_HUMAN for a in answers) and answers[0].row.settled_by == "person":
            open_.append((answers[0].row, answers[0]))
        else:
            answered.append((answers[0].row, answers))
    parts = [
        {
            "labels": [plain(i.label) for i in items[n : n + MATRIX_COLUMNS]],
            "rows": [
                {
                    "law": plain(row.law),
                    "article": row.article,
                    "question": plain(row.question),
                    "cannot": plain(row.cannot),
                    "answers": [_answer(a, alone=alone) for a in answers[n : n + MATRIX_COLUMNS]],
                }
                for row, answers in answered
            ],
        }
        for n in range(0, len(items), MATRIX_COLUMNS)
    ]
    laws: list[Words] = list(dict.fromkeys(r.law for r, _ in open_))
    return {
        "answered": parts,
        "open": [
            {
                "law": plain(one),
                "rows": [
                    {"article": r.article, "question": plain(r.question), "cannot": plain(r.cannot), "people": plain(r.people)}
                    | ({"answer": _answer(first, alone=True)} if alone else {})
                    for r, first in open_
                    if r.law == one
                ],
            }
            for one in laws
        ],
    }


def _answer(answer: law.Answer, *, alone: bool) -> dict[str, Any]:
    return {"status": answer.status, "symbol": answer.symbol} | ({"found": plain(answer.machine)} if alone else {})


def plain(value: Any) -> Any:
    """Records of this package as JSON: each field by its name. What is none of the plain kinds is a fault of the program."""
    if value is None or isinstance(value, (str, int, bool)):
        return value
    if isinstance(value, Words):  # by far the most
        return {"zh": value.zh, "en": value.en}
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    raise TypeError(f"not to be printed: {type(value).__name__}")


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))
