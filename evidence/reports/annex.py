"""The machine-readable annex embedded in every report: canonical JSON of `docs/schema/report_annex.schema.json` (0.4).

It carries each verdict whole and each text of a party exactly as it was handed in, so that a reader needs nothing of the
printed page.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evidence.verification import catalogue
from evidence.verification.reasons import Reason
from evidence.verification.verdict import ENGINE

from . import attention, custody, law, standing
from .annex_schema import validate
from .document import FILE_ROLES, Item
from .wording import SEAL_INTENDED, SEAL_NOTE, Words, statement, words

if TYPE_CHECKING:
    from .edition import Contents
    from .volumes import Bound

SCHEMA = "court-evidence-report/0.4"
BUNDLE_COMMAND = "python -m evidence.verification --digest BUNDLE_SHA256 BUNDLE.zip"
COMMAND = "python -m evidence.verification --json --trust TRUST_DIR --at AT FILE…"
COMMANDS = (BUNDLE_COMMAND, COMMAND)
"""As docs/verify.md explains them."""
AT_ONCE = 50
"""Exhibits that are set out, held against the schema and written before the next ones: all of a thousand at once fill the memory."""
WRITTEN = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def build(contents: "Contents", volumes: "Sequence[Bound]" = ()) -> bytes:
    """AnnexFault when it is not of its schema."""
    whole = _whole(contents, volumes)
    rows: dict[str, list[bytes]] = {}
    for start in range(0, len(contents.items), AT_ONCE):
        part = _of_each(contents.items[start : start + AT_ONCE])
        # No rule of the schema speaks of two rows: they are all of it when each part is.
        validate({**whole, **part})
        for name, found in part.items():
            rows.setdefault(name, []).extend(map(_written, found))
    pieces: list[bytes] = []
    for name in sorted({*whole, *rows}):
        value = b"[%b]" % b",".join(rows.pop(name)) if name in rows else _written(whole[name])
        pieces += [b"," if pieces else b"{", _written(name), b":", value]
    return b"".join((*pieces, b"}"))


def _written(value: Any) -> bytes:
    return WRITTEN.encode(value).encode()


def _of_each(items: Sequence[Item]) -> dict[str, list[dict[str, Any]]]:
    """The members that have rows for each exhibit."""
    return {
        "items": [_item(i) for i in items],
        "results": [_result(i) for i in items],
        "legal": [
            {
                "item": i.label.zh,
                "id": a.row.id,
                "status": a.status,
                "checks": list(a.checks),
                "found": [{"check": f.check or None, "outcome": f.outcome or None, "words": _pair(f.words)} for f in a.found],
                "by": list(a.by),
                "court": None,
            }
            for i in items
            for a in i.law
        ],
    }


def _whole(contents: "Contents", volumes: "Sequence[Bound]") -> dict[str, Any]:
    """The members that speak of all exhibits at once."""
    report, case = contents.report, contents.report.case
    return {
        "schema": SCHEMA,
        "report": {
            "no": report.number,
            "version": report.version,
            "kind": report.kind,
            "issued_at": contents.issued.utc,
            "language": report.language,
            "supersedes": contents.supersedes or None,
            "reason": report.reason,
            "profiles": list(report.profiles),
            "page_end_mark": True,
            "public_check_code": report.check_code,
            "signature": {"intended": SEAL_INTENDED, "reached": None, "note": _pair(SEAL_NOTE)},
        },
        "case": {
            "number": case.number,
            "number_structured": {
                "year": case.year,
                "court": case.court_code,
                "type": case.case_type,
                "seq": case.sequence,
            },
            "court": _pair(contents.court),
            "cause": case.cause,
            "procedure": case.procedure,
            "sealed": case.sealed,
        },
        "request": {
            "requested_by_role": contents.requester_role,
            "requested_at": contents.requested.utc,
            "scope": [i.label.zh for i in contents.items],
            "out_of_scope": [_pair(w) for w in standing.texts().out_of_scope],
            "questions": [_pair(w) for w in standing.texts().questions],
            "authority": _pair(standing.texts().authority),
        },
        "policy": {
            "trust_stores": [dict(t) for t in contents.trust_stores],
            "id": contents.policy.id,
            "version": contents.policy.version,
            "digest": _digest(contents.policy.sha256),
            "decision_rule": _pair(statement("S-DECISION")),
        },
        "engine": {
            "name": ENGINE.split("/")[0],
            "version": ENGINE.split("/")[1],
            "source_sha256": contents.source_sha256,
            "dependencies_digest": _digest(contents.dependencies_sha256),
            "known_issues": [_pair(w) for w in standing.texts().known_issues],
            "deviations": _pair(standing.texts().deviations),
            "libraries": dict(contents.libraries),
            "selftest": {"vectors": contents.selftest.vectors, "passed": contents.selftest.passed},
            "network": "offline",
            "ml_used": False,
        },
        "texts": _texts(contents.items),
        "questions": {
            row.id: {"law": _pair(row.law), "article": row.article, "question": _pair(row.question), "cannot": _pair(row.cannot)}
            for row in law.rows()
        },
        "limitations": [_pair(w) for w in contents.limitations],
        "attention": [_line(x) for x in attention.lines(contents.items, limit=None)[0]],
        "not_run": [_line(x) for x in attention.not_run(contents.items, limit=None)[0]],
        "anchors": [{"trust_store": m.store, "path": m.path, "sha256": m.sha256} for m in contents.reverify.members],
        "volumes": [
            {"number": v.number, "sha256": v.sha256, "pages": v.pages, "first_item": v.first.zh, "last_item": v.last.zh} for v in volumes
        ],
        "attachments": [{"name": name, "sha256": hashlib.sha256(data).hexdigest()} for name, data in contents.etsi],
        "custody": custody.rows(contents.custody),
        "custody_chain": {
            "alg": "SHA-256",
            "start": custody.START,
            "end": contents.custody[-1].hash if contents.custody else custody.START,
            "earlier": contents.custody_earlier,
            "gaps": _pair(custody.GAP),
        },
        "reverify": {
            "bundle_digest": _digest(contents.reverify.bundle_sha256) if contents.reverify.bundle_sha256 else None,
            "commands": list(COMMANDS),
            "second_tools": [{"for": _pair(purpose), "tools": tools} for purpose, tools in standing.texts().second_tools],
        },
        "statements": {
            "system": _pair(statement("S-NOML")),
            "not_expert_opinion": _pair(statement("S-NOTEXPERT")),
            "before_recording": _pair(statement("S-R18")),
            "self_test": _pair(statement("S-SELFTEST")),
            "operator": {"name": contents.requester, "role": contents.requester_role},
            "judge_section_blank": True,
        },
    }


def digest(annex: bytes) -> str:
    return hashlib.sha256(annex).hexdigest()


def _item(item: Item) -> dict[str, Any]:
    exhibit = item.exhibit
    return {
        "evidence_no": item.label.zh,
        "name": exhibit.name,
        "submitted_by": exhibit.party.name if exhibit.party else exhibit.submitted_by.get_full_name(),
        "received_at": item.received.utc,
        "category": exhibit.category,
        "original_form": exhibit.original_form,
        "purpose": exhibit.purpose,
        "origin_statement": exhibit.origin,
        "pre_chain": [dict(head) for head in item.prechain_carried],
        "files": [
            {
                "id": f"{item.label.zh}-{n}",
                "filename": stored.name,
                "bytes": stored.size,
                "media_type_detected": stored.detected_type,
                "media_type_declared": stored.declared_type,
                "format_detected": shown.format,
                "role": FILE_ROLES.get(shown.format, "CONTENT").lower(),
                "condition": [_pair(w) for w in shown.condition],
                "hashed_on_device": stored.hashed_on_device,
                "digests": [{"alg": "SHA-256", "hex": stored.sha256}, {"alg": "SM3", "hex": stored.sm3}],
            }
            for n, (stored, shown) in enumerate(zip(exhibit.files.all(), item.files, strict=True), start=1)
        ],
    }


def _result(item: Item) -> dict[str, Any]:
    return {
        "item": item.label.zh,
        "run_id": item.run,
        "run_number": item.run_number,
        "overall": item.overall,
        "assurance": item.grade,
        "sub": list(item.document["reasons"]),
        "axes": dict(item.axes),
        "sentences": [_pair(w) for w in item.sentences],
        "obtained": [
            {
                "name": o.name,
                "bytes": o.size,
                "format_detected": o.format,
                "digests": [{"alg": "SHA-256", "hex": o.sha256}, {"alg": "SM3", "hex": o.sm3}],
                "node_host": o.host,
                "obtained_at": o.at.utc if o.at else None,
            }
            for o in item.obtained
        ],
        "verdict_sha256": item.verdict_sha256,
        "verdict": item.document,
        **({"as_of_receipt": item.as_of_receipt} if item.as_of_receipt else {}),
    }


def _texts(items: tuple[Item, ...]) -> dict[str, Any]:
    """The sentences behind the ids that the verdicts use."""
    checks = {f["check"] for i in items for f in i.document["findings"]}
    reasons = {f["reason"] for i in items for f in i.document["findings"] if f["reason"]}
    reasons |= {r for i in items for r in i.document["reasons"]}
    not_proven = {n for i in items for n in i.document["not_proven"]}
    return {
        "checks": {c: _pair(words(catalogue.question, c)) for c in sorted(checks)},
        "standards": {c: standing.standard(c) for c in sorted(checks)},
        "legal": {c: standing.legal(c) for c in sorted(checks) if standing.legal(c)},
        "declared": sorted(c for c in checks if standing.source(c, "") == "declared"),
        "reasons": {r: _pair(words(catalogue.meaning, Reason(r))) for r in sorted(reasons)},
        "not_proven": {n: _pair(statement(n)) for n in sorted(not_proven)},
    }


def _pair(words: Words) -> dict[str, str]:
    return {"zh": words.zh, "en": words.en}


def _digest(sha256: str) -> dict[str, str]:
    return {"alg": "SHA-256", "hex": sha256}


def _line(line: attention.Line) -> dict[str, Any]:
    return {"item": line.item.zh, "what": _pair(line.what), "detail": line.detail.zh}
