"""The annex: of its schema, whole, exact, and tied to the page it rides in."""

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from evidence.reports import annex, edition, sheets
from evidence.reports.models import Report
from evidence.verification import catalogue
from portal.ledger.acts import ACTS

from .conftest import Printed
from .test_rendering import text_of

pytestmark = pytest.mark.django_db
SCHEMAS = Path(__file__).parents[3] / "docs" / "schema"


@cache
def validator() -> jsonschema.Draft202012Validator:
    own, verdict = (json.loads((SCHEMAS / f"{n}.schema.json").read_bytes()) for n in ("report_annex", "verdict"))
    registry: Any = Registry().with_resource(verdict["$id"], Resource.from_contents(verdict))
    return jsonschema.Draft202012Validator(own, registry=registry, format_checker=jsonschema.FormatChecker())


def test_the_annex_is_of_its_schema(printed: Printed) -> None:
    assert [f"{'/'.join(map(str, e.path))}: {e.message[:200]}" for e in validator().iter_errors(printed.annex)] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.pop("custody"),
        lambda a: a.update(extra=1),
        lambda a: a["engine"].update(ml_used=True),
        lambda a: a["statements"].update(judge_section_blank=False),
        lambda a: a["results"][0]["verdict"].pop("findings"),
        lambda a: a["results"][0].update(assurance="F"),
        lambda a: a["limitations"][0].update(en=""),
        lambda a: a["items"][0]["files"][0]["digests"].pop(),
    ],
)
def test_the_schema_can_say_no(printed: Printed, change: Any) -> None:
    changed = printed.annex
    change(changed)
    assert list(validator().iter_errors(changed))


def test_it_is_canonical(printed: Printed) -> None:
    again = json.dumps(printed.annex, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    assert again == printed.annex_bytes


def test_each_verdict_is_carried_whole(printed: Printed) -> None:
    """Its digest, printed on paper, is the digest of exactly these bytes."""
    for result in printed.annex["results"]:
        document = json.dumps(result["verdict"], ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        assert hashlib.sha256(document).hexdigest() == result["verdict_sha256"]
        assert result["verdict_sha256"] in re.sub(r"\s", "", text_of(printed.sealed))


def test_the_foot_of_each_page_names_the_embedded_annex(printed: Printed) -> None:
    import pypdfium2

    digest = hashlib.sha256(printed.annex_bytes).hexdigest()
    pages = [p.get_textpage().get_text_bounded() for p in pypdfium2.PdfDocument(printed.sealed)]
    assert all(f"result.json SHA-256 {digest}" in page for page in pages)


def test_the_qr_code_is_that_of_this_report(printed: Printed) -> None:
    """Nothing here reads QR codes: the same payload makes the same picture, another one does not."""
    report = Report(number=printed.number, check_code=printed.check_code)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edition, "public_check_url", lambda r: f"https://court.example/reports/check/?number={r.number}&code={r.check_code}")
        payload = edition.qr_payload(report, hashlib.sha256(printed.annex_bytes).hexdigest())
    assert payload.startswith(f"https://court.example/reports/check/?number={printed.number}&code={printed.check_code}#")
    assert sheets._qr(payload) == printed.data["qr"] != sheets._qr(payload + "x")


def test_every_id_has_its_sentence(printed: Printed) -> None:
    data = printed.annex
    findings = [f for r in data["results"] for f in r["verdict"]["findings"]]
    assert {f["check"] for f in findings} == set(data["texts"]["checks"])
    assert {f["reason"] for f in findings if f["reason"]} <= set(data["texts"]["reasons"])
    assert {n for r in data["results"] for n in r["verdict"]["not_proven"]} == set(data["texts"]["not_proven"])


def test_items_results_and_law_speak_of_the_same_exhibits(printed: Printed) -> None:
    data = printed.annex
    labels = [i["evidence_no"] for i in data["items"]]
    assert labels == ["原告证据1", "原告证据2", "原告证据3", "被告证据1"]  # the plaintiff's first
    assert [r["item"] for r in data["results"]] == labels == data["request"]["scope"]
    assert {(a["item"], a["id"]) for a in data["legal"]} == {(n, a["id"]) for n in labels for a in data["legal"]}


def test_custody_comes_from_the_ledger(printed: Printed) -> None:
    events = printed.annex["custody"]
    assert events[-1]["act"] == "report.order" and events[-1]["actor_role"] == "clerk"
    assert {e["act"] for e in events} <= set(ACTS)
    assert all(re.fullmatch("[0-9a-f]{64}", e["leaf_hash"]) for e in events)


def test_the_command_is_the_one_that_is_printed(printed: Printed) -> None:
    assert annex.COMMAND in " ".join(text_of(printed.sealed).split())


def test_check_ids_in_the_law_table_exist() -> None:
    from evidence.reports import law

    assert {c for row in law.rows() for c in row.checks} <= catalogue.keys("checks")
