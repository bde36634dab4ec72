"""Attacks between the families: one exhibit with several kinds of proof, certificate and content, each of them in order by itself.

Every exhibit begins as a good one (`families`). An attack changes what one family leaves to another; an honest variation adds what
must not be held against anybody.
"""

import itertools
import json
import random
from typing import Any

import pytest

from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from tests.evidence.verification.attacked import examine, refusals
from tests.evidence.verification.chainmaker_exhibits import PAGE
from tests.evidence.verification.families import fabric_chain, merged, proofs, store, whole_store

FAMILIES = tuple(proofs())
ONE_OPERATOR = ("fabric", "fabric package")
"""All its orderers are run by one company: grade D, which only the court's policy accepts."""


def of(family: str) -> dict[str, bytes]:
    return {"page.html": PAGE, **proofs()[family]}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_exhibits_that_are_attacked_are_good(family: str) -> None:
    verdict = examine(of(family), whole_store())
    grade = "D" if family in ONE_OPERATOR else "B"
    assert (verdict.overall is Overall.CONSISTENT, verdict.grade) == (grade == "B", grade)
    assert refusals(verdict) == []


# ── whose word decides that the platform's own chain is enough ────────────────────────────────────────────────────────


def platform(identity: str) -> dict[str, Any]:
    return {"id": identity, "title": {"zh": "甲", "en": "A"}, "operator": "o", "hosts": [], "registration": None, "checked_on": None}


def reply(tx: str) -> bytes:
    """What anybody can write: an answer of a platform that the policy lists, about the transaction of one that it does not."""
    return json.dumps({"retCode": 0, "retMsg": "ok", "data": {"txId": tx, "blockHeight": 1, "txTime": 1772328600000}}).encode()


def test_a_file_does_not_say_whose_chain_the_court_accepts() -> None:
    listed = store(policy={"accept_d": ["zxchain"]}, platforms=[platform("zxchain")])
    for more in ({}, {"reply.json": reply(fabric_chain().records[0].id)}):
        verdict = examine({**of("fabric"), **more}, listed)
        assert (verdict.overall, verdict.grade) == (Overall.INDETERMINATE, "D")
        assert Reason.PLATFORM_NOT_IN_POLICY in verdict.reasons


def test_the_operator_of_the_chain_is_the_platform_that_the_policy_names() -> None:
    for family in ONE_OPERATOR:
        assert examine(of(family), store(policy={"accept_d": ["platform"]})).overall is Overall.CONSISTENT


# ── the same things again, in another order, under other names ────────────────────────────────────────────────────────


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_handed_in_twice_counts_once(family: str) -> None:
    good = of(family)
    before = examine(good, whole_store())
    again = [{**good, f"{prefix} {name}": data} for name, data in good.items() for prefix in ("0", "zz")]
    for more in (*again, {**good, **{f"again {n}": d for n, d in good.items()}}):
        after = examine(more, whole_store())
        assert (after.overall, after.grade, refusals(after)) == (before.overall, before.grade, [])


@pytest.mark.parametrize("family", FAMILIES)
def test_names_and_their_order_decide_nothing(family: str) -> None:
    good = of(family)
    before = examine(good, whole_store())
    chance = random.Random(family)
    for _ in range(6):
        after = examine({f"{chance.random()}.bin": d for d in good.values()}, whole_store())
        assert (after.overall, after.grade) == (before.overall, before.grade)


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations(FAMILIES, 2)))
def test_two_proofs_of_one_file_are_no_worse_than_the_better(a: str, b: str) -> None:
    verdict = examine(merged([of(a), of(b)]), whole_store())
    best = "D" if {a, b} == set(ONE_OPERATOR) else "B"
    assert (verdict.grade, refusals(verdict)) == (best, [])
    assert (verdict.overall is Overall.CONSISTENT) is (best == "B")
