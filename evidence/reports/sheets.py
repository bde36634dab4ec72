"""The pages of a report as HTML: the main report and its volumes, in the language of the report. What they say is settled in `edition`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import segno
from django.template.loader import render_to_string

from . import attention, law, proofs, standing, times, volumes
from .annex import COMMANDS
from .checking import ARCHIVES
from .document import Item
from .wording import KINDS, LANGUAGES, ROLES, SENTENCES, SYMBOLS, VERDICTS, Words, statement

if TYPE_CHECKING:
    from .edition import Contents

MATRIX_COLUMNS = 6
"""Exhibits beside one another in the rule matrix."""
EVENTS_SHOWN_MAX = 60
TEMPLATE = "report/report.html"


def main(
    contents: "Contents", *, annex_sha256: str, bound: Sequence[volumes.Bound], draft: bool, check_url: str, qr_payload: str
) -> str:
    report, items = contents.report, contents.items
    shown = volumes.shown_in_main(items)
    lines, lines_more = attention.lines(items)
    not_run, not_run_more = attention.not_run(items)
    manifest, manifest_more = proofs.manifest(shown)
    anchors, anchors_more = proofs.anchors(shown)
    flags = attention.flags(items)
    members = contents.reverify.members
    return render_to_string(
        TEMPLATE,
        {
            **_common(contents, shown),
            "draft": draft,
            "role": ROLES[contents.requester_role],
            "kind": KINDS[report.kind],
            "report_language": LANGUAGES[report.language],
            "counts": [(SYMBOLS[name], word, sum(i.overall == name for i in items), SENTENCES[name]) for name, word in VERDICTS.items()],
            "summary": [(i, flags.get(i.label.zh, 0)) for i in items],
            "engines": sorted({i.engine for i in items}),
            "standards": sorted({s for i in items for c in (*i.open_checks, *i.passed_checks) for s in c.standard.split("; ")}),
            "annex_digest": annex_sha256,
            "stamps": ARCHIVES[2:],
            "check_url": check_url,
            "qr": segno.make(qr_payload, error="m").svg_data_uri(border=2),
            "decision": statement("S-DECISION"),
            "before_recording": statement("S-R18"),
            "no_ml": statement("S-NOML"),
            "not_expert": statement("S-NOTEXPERT"),
            "grades": [(g, statement(f"GRADE.{g}")) for g in sorted({i.grade for i in items})],
            "custody": [(e, times.moment(e.at), contents.labels.get(e.exhibit)) for e in contents.custody][-EVENTS_SHOWN_MAX:],
            "custody_more": max(0, len(contents.custody) - EVENTS_SHOWN_MAX),
            "commands": COMMANDS,
            "volumes": bound,
            "volume_items": volumes.ITEMS_MAX,
            "full_max": volumes.FULL_MAX,
            "first_max": volumes.FIRST_MAX,
            "attention": lines,
            "attention_more": lines_more,
            "not_run": not_run,
            "not_run_more": not_run_more,
            "proofs": manifest,
            "proofs_more": manifest_more,
            "anchors": anchors,
            "anchors_more": anchors_more,
            "members": members[: proofs.ROWS_MAX],
            "members_more": max(0, len(members) - proofs.ROWS_MAX),
            "etsi": [(name, digest) for name, digest in contents.etsi_digests],
            "quoted": standing.quoted(),
        },
    )


def volume(contents: "Contents", number: int, items: Sequence[Item]) -> str:
    return render_to_string(TEMPLATE, {**_common(contents, items), "volume": number, "last": items[-1]})


def _common(contents: "Contents", shown: Sequence[Item]) -> dict[str, Any]:
    return {
        "c": contents,
        "report": contents.report,
        "case": contents.report.case,
        "language": contents.report.language,
        "standing": standing.texts(),
        "shown": shown,
        "matrix": matrix(shown),
        "time_sentence": statement("S-TIME"),
    }


def matrix(items: Sequence[Item]) -> dict[str, object]:
    """The rule matrix in two parts: what the checks answer, exhibit by exhibit, and what is left to people."""
    answered: list[tuple[law.Row, tuple[law.Answer, ...]]] = []
    open_: list[law.Row] = []
    for answers in zip(*(i.law for i in items), strict=True):
        if all(a.status == law.NEEDS_HUMAN for a in answers) and answers[0].row.settled_by == "person":
            open_.append(answers[0].row)
        else:
            answered.append((answers[0].row, answers))
    parts = [
        {
            "items": items[n : n + MATRIX_COLUMNS],
            "rows": [(row, answers[n : n + MATRIX_COLUMNS]) for row, answers in answered],
        }
        for n in range(0, len(items), MATRIX_COLUMNS)
    ]
    laws: list[Words] = list(dict.fromkeys(r.law for r in open_))
    return {"answered": parts, "open": [(one, [r for r in open_ if r.law == one]) for one in laws]}
