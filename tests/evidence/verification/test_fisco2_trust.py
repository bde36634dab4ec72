"""FISCO BCOS 2: what the court has pinned: sealers by epoch, quorum, checkpoints."""

import copy
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from evidence.verification import TrustStore
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from tests.evidence.verification import fisco2_exhibits as fisco2
from tests.evidence.verification.fisco2_exhibits import (
    built,
    encode,
    package,
    resealed,
)
from tests.evidence.verification.fisco3_exhibits import (
    FAILED,
    OPEN,
    PAGE,
    PASSED,
    SUITES,
    answer,
    examine,
    finding,
    findings,
    trust,
)

DIGEST = hashlib.sha256(PAGE).digest()


@pytest.fixture(scope="module")
def store() -> TrustStore:
    return trust(built())


@pytest.mark.parametrize("suite", SUITES)
def test_nothing_pinned(suite: str) -> None:
    verdict = examine(built(suite).files(), trust(None))
    assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "E")
    assert answer(verdict, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert answer(verdict, "INCL.CONTENT") == (OPEN, Reason.CONTRACT_UNKNOWN)
    for check in ("INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.EXECUTION", "DIGEST.MATCH"):
        assert answer(verdict, check) == (PASSED, None)


def test_a_profile_of_the_other_suite_is_another_chain() -> None:
    chain = built()
    verdict = examine(chain.files(), trust(chain, suite={"hash": "SM3", "signature": "SM2"}))
    assert verdict.overall is Overall.INCONSISTENT
    assert answer(verdict, "INCL.TRANSACTION") == (FAILED, Reason.HASH_FAILURE)


def epochs(chain: fisco2.Built, **changes: Any) -> dict[str, Any]:
    validators: dict[str, Any] = copy.deepcopy(chain.validators)
    validators["epochs"][0].update(changes)
    return validators


def test_closed_and_open_epochs_with_another_set(store: TrustStore) -> None:
    stranger = fisco2.build([DIGEST], seed="attacker")
    verdict = examine(stranger.files(), store)
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "E")
    verdict = examine(stranger.files(), trust(built(), validators=epochs(built(), to_height=5000)))
    assert answer(verdict, "INCL.NODE_QUORUM") == (FAILED, Reason.ANCHOR_MISMATCH)
    assert verdict.overall is Overall.INCONSISTENT
    verdict = examine(built().files(), trust(built(), validators=epochs(built(), from_height=5000)))
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNAVAILABLE)


def test_raft_signs_nothing() -> None:
    chain = resealed(built(), signers=())
    for consensus, due in (("NONE", (OPEN, Reason.FINALITY_INSUFFICIENT)), ("BFT", (FAILED, Reason.QUORUM_FAILURE))):
        verdict = examine(chain.files(), trust(chain, consensus=consensus))
        assert answer(verdict, "INCL.NODE_QUORUM") == due
        assert verdict.overall is not Overall.CONSISTENT and verdict.grade.value == "E"
    # Signatures that a chain without finality cannot have make nothing final either.
    verdict = examine(built().files(), trust(built(), consensus="NONE"))
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.FINALITY_INSUFFICIENT)


def test_rpbft_needs_a_number_from_the_court() -> None:
    """Two of a working set of two: too few for PBFT, enough where the court has set the number, and said so."""
    chain = resealed(built(), signers=(0, 3))
    assert answer(examine(chain.files(), trust(chain)), "INCL.NODE_QUORUM") == (FAILED, Reason.QUORUM_FAILURE)
    verdict = examine(chain.files(), trust(chain, validators=epochs(chain, quorum=2)))
    assert verdict.overall is Overall.CONSISTENT
    assert finding(verdict, "INCL.NODE_QUORUM").notes == ("QUORUM_SET_BY_COURT:2/4",)
    one = resealed(built(), signers=(3,))
    assert answer(examine(one.files(), trust(chain, validators=epochs(chain, quorum=2))), "INCL.NODE_QUORUM")[0] == FAILED


def test_one_operator_behind_all_sealers() -> None:
    chain = built()
    validators = copy.deepcopy(chain.validators)
    for v in validators["epochs"][0]["validators"]:
        v.update(operator="platform", role="platform")
    verdict = examine(chain.files(), trust(chain, validators=validators))
    assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "D")


# ── checkpoints ────────────────────────────────────────────────────────────────────────────────────────────────────────


def pin(header: dict[str, Any], basis: str = "independent", **changes: Any) -> dict[str, Any]:
    point = {"height": fisco2.number(header["number"]), "hash": header["hash"][2:], "recorded_at": "2026-10-01T00:00:00Z"}
    return {**point, "basis": basis, **changes}


def linked(chain: fisco2.Built) -> dict[str, bytes]:
    return {**chain.files(), **{f"link {i}.json": encode(link) for i, link in enumerate(chain.links)}}


def test_a_pinned_block_needs_no_quorum() -> None:
    chain = resealed(built(), signers=(1,))
    verdict = examine(chain.files(), trust(chain, checkpoints=[pin(chain.header)]))
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "A")
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.FINALITY_INSUFFICIENT)
    raft = resealed(built(), signers=())
    verdict = examine(raft.files(), trust(raft, consensus="NONE", checkpoints=[pin(raft.header, "copied")]))
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "B")
    other = trust(chain, checkpoints=[pin(chain.header, hash="ab" * 32)])
    assert answer(examine(chain.files(), other), "INCL.ROOT") == (FAILED, Reason.ANCHOR_MISMATCH)


def test_later_headers_lead_to_a_pinned_block() -> None:
    chain = built(links=3)
    verdict = examine(linked(chain), trust(chain, checkpoints=[pin(chain.links[2])]))
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "A")
    assert finding(verdict, "INCL.ROOT").notes == ("CHECKPOINT_LINKED:3",)
    assert len(findings(verdict, "INCL.HEADER")) == 1
    packed = package(chain, [("page.html", "SHA-256", DIGEST)], links=list(chain.links))
    verdict = examine({"page.html": PAGE, "p.json": encode(packed)}, trust(chain, checkpoints=[pin(chain.links[2])]))
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "A")


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("name", ["parentHash", "stateRoot"])
def test_a_broken_link_refutes(at: int, name: str) -> None:
    chain = built(links=3)
    chain.links[at][name] = "0x" + "00" * 32
    verdict = examine(linked(chain), trust(chain, checkpoints=[pin(built(links=3).links[2])]))
    assert verdict.overall is Overall.INCONSISTENT
    assert answer(verdict, "INCL.ROOT")[0] == FAILED


def test_a_gap_in_the_links_says_nothing() -> None:
    chain = built(links=3)
    gap = linked(chain)
    del gap["link 1.json"]
    verdict = examine(gap, trust(chain, checkpoints=[pin(chain.links[2])]))
    assert answer(verdict, "INCL.ROOT") == (OPEN, Reason.ANCHOR_UNAVAILABLE)


def test_genesis_of_another_chain() -> None:
    chain = resealed(built(), number="0x0")
    verdict = examine(chain.files(), trust(chain))
    assert answer(verdict, "INCL.LEDGER_KIND") == (FAILED, Reason.ANCHOR_MISMATCH)
    first = replace(chain, profile={**chain.profile, "genesis_hash": chain.header["hash"][2:]})
    assert answer(examine(chain.files(), trust(first)), "INCL.LEDGER_KIND") == (PASSED, None)
