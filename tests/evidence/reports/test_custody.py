"""The custody of a report: its rows hang together by the annex alone, and a gap in the numbers is not taken for a loss."""

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from cases.models import Role, Side
from evidence.reports import annex, custody, edition, issuing
from evidence.reports.annex_schema import validate
from portal.ledger.entries import record
from portal.ledger.models import Entry
from tests import courtroom

pytestmark = pytest.mark.django_db
START = "0" * 64


@pytest.fixture(autouse=True)
def vault_dir(tmp_path: object, settings: object) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]


def broken(data: dict[str, Any]) -> list[str]:
    """Every fault of the chain, from the annex and the sentence in its schema alone: nothing of the product is called."""
    found, prev = [], data["custody_chain"]["start"]
    if prev != START:
        found.append("start")
    for n, row in enumerate(data["custody"]):
        bare = {name: value for name, value in row.items() if name != "hash"}
        digest = hashlib.sha256(json.dumps(bare, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
        found += [f"prev {n}"] * (row["prev"] != prev) + [f"hash {n}"] * (row["hash"] != digest)
        prev = row["hash"]
    if data["custody_chain"]["end"] != prev:
        found.append("end")
    seqs = [row["seq"] for row in data["custody"]]
    return found + ["order"] * (seqs != sorted(set(seqs)))


@pytest.fixture
def data() -> dict[str, Any]:
    """A report of one exhibit, while another case of the court was at work between its acts."""
    case, other = courtroom.case(1), courtroom.case(2)
    clerk, party = courtroom.person("clerk"), courtroom.person("party")
    courtroom.join(clerk, case, Role.CLERK)
    courtroom.join(party, case, Role.LITIGANT, Side.PLAINTIFF)
    exhibit, elsewhere = courtroom.hand_in(case, party), courtroom.hand_in(other, party)
    for position in range(1, 4):
        for where, what in ((case, exhibit), (other, elsewhere), (other, elsewhere)):
            record("evidence.download", actor=party, case=where, params={"exhibit": str(what.public_id), "position": position})
    verdict = courtroom.run(exhibit, courtroom.consistent()).verdict
    with transaction.atomic():
        report = issuing.order(case, [verdict], by=clerk)
    built = annex.build(edition._contents(report, issued=timezone.now()))
    found: dict[str, Any] = json.loads(built)
    validate(found)
    return found


def test_the_chain_can_be_computed_from_the_annex_alone(data: dict[str, Any]) -> None:
    assert [row["act"] for row in data["custody"]] == ["evidence.download"] * 3 + ["report.order"]
    assert broken(data) == []


def test_each_row_is_the_entry_of_the_ledger_that_it_names(data: dict[str, Any]) -> None:
    for row in data["custody"]:
        assert bytes(Entry.objects.get(pk=row["seq"]).leaf_hash).hex() == row["leaf_hash"]


def test_the_acts_of_other_cases_are_gaps_and_the_annex_says_so(data: dict[str, Any]) -> None:
    """To see it fail: number the rows one, two, three; or leave the explanation out."""
    seqs = [row["seq"] for row in data["custody"]]
    assert [b - a for a, b in zip(seqs, seqs[1:], strict=False)][:2] == [3, 3]
    assert data["custody_chain"]["gaps"] == {"zh": custody.GAP.zh, "en": custody.GAP.en}
    assert "不表示本表缺行" in custody.GAP.zh and "do not mean that a row is missing" in custody.GAP.en


ATTACKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a row taken out": lambda d: d["custody"].pop(1),
    "the last row taken out": lambda d: d["custody"].pop(),
    "the first row taken out": lambda d: d["custody"].pop(0),
    "two rows changed about": lambda d: d["custody"].insert(0, d["custody"].pop(1)),
    "a row twice": lambda d: d["custody"].insert(1, copy.deepcopy(d["custody"][0])),
    "all taken out": lambda d: d["custody"].clear(),
    **{f"another {name}": lambda d, name=name: d["custody"][1].update({name: other(d["custody"][1][name])}) for name in (
        "seq", "at", "act", "actor_role", "item", "leaf_hash", "prev", "hash")},
}  # fmt: skip


def other(value: Any) -> Any:
    return value + 1 if isinstance(value, int) else f"{value}x"


@pytest.mark.parametrize("attack", ATTACKS)
def test_whatever_is_done_to_a_row_shows(data: dict[str, Any], attack: str) -> None:
    ATTACKS[attack](data)
    assert broken(data)


def test_what_is_too_old_to_be_carried_is_counted(data: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from evidence.reports.models import Report

    monkeypatch.setattr(custody, "EVENTS_MAX", 2)
    again = json.loads(annex.build(edition._contents(Report.objects.get(), issued=timezone.now())))
    assert len(again["custody"]) == 2 and again["custody_chain"]["earlier"] == 2
    assert data["custody_chain"]["earlier"] == 0 and broken(again) == []
