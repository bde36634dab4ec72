"""The machine-readable annex embedded in every report: canonical JSON of `docs/schema/report_annex.schema.json` (0.2).

It carries each verdict whole, so that a reader needs nothing of the printed page.
"""

import hashlib
import json
from typing import Any

from evidence.verification.selftest import SelfTest
from evidence.verification.verdict import ENGINE

from .document import Item, Words
from .models import Report

SCHEMA = "court-evidence-report/0.2"


def build(
    report: Report,
    items: tuple[Item, ...],
    *,
    issued_at: str,
    court: Words,
    selftest: SelfTest,
    limitations: tuple[Words, ...],
    system: Words,
    not_expert: Words,
    decision_rule: Words,
) -> bytes:
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "report": {
            "no": report.number,
            "version": 1,
            "kind": "single" if len(items) == 1 else "catalogue",
            "issued_at": issued_at,
            "language": report.language,
            "supersedes": None,
            "page_end_mark": True,
            "public_check_code": report.check_code,
        },
        "case": {
            "number": report.case.number,
            "number_structured": {
                "year": report.case.year,
                "court": report.case.court_code,
                "type": report.case.case_type,
                "seq": report.case.sequence,
            },
            "court": _pair(court),
            "cause": report.case.cause,
            "procedure": report.case.procedure,
            "sealed": report.case.sealed,
        },
        "items": [_item(i) for i in items],
        "policy": {"trust_store": items[0].trust, "decision_rule": _pair(decision_rule)},
        "engine": {
            "name": ENGINE.split("/")[0],
            "version": ENGINE.split("/")[1],
            "selftest": {"vectors": selftest.vectors, "passed": selftest.passed},
            "network": "offline",
            "ml_used": False,
        },
        "results": [
            {
                "item": i.label,
                "run_id": i.run,
                "overall": i.overall,
                "assurance": i.grade,
                "sub": [code for code, _, _ in i.reasons],
                "verdict_sha256": i.verdict_sha256,
                "verdict": i.document,
            }
            for i in items
        ],
        "limitations": [_pair(w) for w in limitations],
        "reverify": {"commands": ["python -m evidence.verification --json --trust TRUST_DIR --at AT FILE…"]},
        "statements": {
            "system": _pair(system),
            "not_expert_opinion": _pair(not_expert),
            "operator": None,
            "judge_section_blank": True,
        },
    }
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest(annex: bytes) -> str:
    return hashlib.sha256(annex).hexdigest()


def _item(item: Item) -> dict[str, Any]:
    return {
        "evidence_no": item.label,
        "name": item.name,
        "submitted_by": item.submitter,
        "received_at": item.received.utc,
        "purpose": item.purpose,
        "origin_statement": item.origin,
        "files": [
            {
                "id": f"{item.label}-{n}",
                "filename": f.name,
                "bytes": f.size,
                "format_detected": f.format,
                "digests": [{"alg": "SHA-256", "hex": f.sha256}, {"alg": "SM3", "hex": f.sm3}],
            }
            for n, f in enumerate(item.files, start=1)
        ],
    }


def _pair(words: Words) -> dict[str, str]:
    return {"zh": words.zh, "en": words.en}
