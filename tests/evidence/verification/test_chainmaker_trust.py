"""ChainMaker proofs under every kind of trust: profiles, epochs, roots, operators, checkpoints, genesis, path generations."""

import base64
import json
from typing import Any

import pytest

from evidence.verification import TrustStore
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from portal.demonstration.chainmaker import Built
from tests.evidence.verification.chainmaker_exhibits import (
    FAILED,
    OPEN,
    PASSED,
    alone,
    answer,
    built,
    changed,
    examine,
    files,
    finding,
    network,
    trust,
)


def test_no_profile() -> None:
    verdict = examine(files(built()), trust(None))
    assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "E")
    assert verdict.reasons == (Reason.CONTRACT_UNKNOWN, Reason.ANCHOR_UNTRUSTED)
    for check in (
        "DIGEST.MATCH",
        "INCL.TRANSACTION",
        "INCL.SENDER",
        "INCL.PATH",
        "INCL.HEADER",
        "INCL.EXECUTION",
    ):
        assert answer(verdict, check) == (PASSED, None)


def test_an_epoch_of_other_validators() -> None:
    """A closed epoch says who the validators were; an open one may only be out of date."""
    stranger = network(seed="somebody else")
    for to_height, outcome, reason, overall in (
        (100, FAILED, Reason.ANCHOR_MISMATCH, Overall.INCONSISTENT),
        (None, OPEN, Reason.ANCHOR_UNTRUSTED, Overall.INDETERMINATE),
    ):
        store = trust(built(), validators=stranger.validators(to_height=to_height))
        verdict = examine(files(built()), store)
        assert (verdict.overall, answer(verdict, "INCL.NODE_QUORUM")) == (overall, (outcome, reason))


def test_no_epoch_covers_the_height() -> None:
    store = trust(built(), validators=network().validators(to_height=8))
    verdict = examine(files(built()), store)
    assert (verdict.overall, answer(verdict, "INCL.NODE_QUORUM")) == (
        Overall.INDETERMINATE,
        (OPEN, Reason.ANCHOR_UNTRUSTED),
    )


def test_grades_follow_who_runs_the_validators() -> None:
    def operated(*operators: tuple[str, str]) -> TrustStore:
        sets = network().validators()
        for validator, (operator, role) in zip(sets["epochs"][0]["validators"], operators, strict=True):
            validator.update(operator=operator, role=role)
        return trust(built(), validators=sets)

    platform, court = ("platform", "platform"), ("court", "court")
    for operators, grade, overall in (
        ((platform, court, platform, platform), "B", Overall.CONSISTENT),
        ((platform,) * 4, "D", Overall.INDETERMINATE),
        ((court,) * 4, "C", Overall.CONSISTENT),
    ):
        verdict = examine(files(built()), operated(*operators))
        assert (verdict.overall, verdict.grade.value) == (overall, grade)


def test_roots_alone_count_organisations_and_stay_with_the_operator() -> None:
    """An authority can issue any number of certificates, so each organisation counts once; who runs them is not said."""
    chain = network("P256", "certificate")
    block = built("P256", "certificate")
    store = trust(block, validators=chain.validators(roots_only=True))
    verdict = examine(files(block), store)
    assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "D")
    assert answer(verdict, "INCL.NODE_QUORUM") == (PASSED, None)
    sets = chain.validators(roots_only=True)
    sets["org_roots"] = sets["org_roots"][:2]
    verdict = examine(files(block), trust(block, validators=sets))
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.NO_CERTIFICATE_CHAIN_FOUND)
    sets = chain.validators(roots_only=True)
    sets["epochs"][0]["quorum"] = None
    verdict = examine(files(block), trust(block, validators=sets))
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNAVAILABLE)


def test_a_raft_leader_is_one_signer() -> None:
    block = built()
    verdict = examine(files(block), trust(block, consensus="SINGLE"))
    assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "D")
    assert finding(verdict, "INCL.NODE_QUORUM").notes == ("SINGLE_SIGNER",)
    court = network().validators()
    for validator in court["epochs"][0]["validators"]:
        validator.update(operator="court", role="court")
    assert examine(files(block), trust(block, consensus="SINGLE", validators=court)).grade.value == "C"
    unknown = network(seed="somebody else").validators()
    verdict = examine(files(block), trust(block, consensus="SINGLE", validators=unknown))
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)


def test_a_lone_node_proves_nothing() -> None:
    verdict = examine(files(built()), trust(built(), consensus="NONE"))
    assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "E")
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.FINALITY_INSUFFICIENT)


def checkpoint(height: int, block_hash: bytes, basis: str, recorded_at: str | None = None) -> dict[str, Any]:
    return {"height": height, "hash": block_hash.hex(), "basis": basis, "recorded_at": recorded_at}


@pytest.mark.parametrize(("basis", "grade"), [("independent", "A"), ("copied", "B")])
def test_a_checkpoint_needs_no_votes(basis: str, grade: str) -> None:
    block = built()
    bare = {
        **files(block),
        "block.json": changed(block.block_json, lambda b: b["block"].pop("additional_data")),
    }
    pinned = trust(block, checkpoints=[checkpoint(9, block.block_hash, basis)], validators={"epochs": []})
    verdict = examine(bare, pinned)
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, grade)
    assert finding(verdict, "INCL.ROOT").notes == ("CHECKPOINT_EQUAL",)
    assert answer(verdict, "INCL.FINALITY") == (PASSED, None)


def test_successors_link_a_block_to_a_checkpoint() -> None:
    chain = network()
    block = built()
    headers: list[Built] = []
    previous = block.block_hash
    for height in (10, 11, 12):
        headers.append(
            chain.block([chain.record(b"x" * 32, record_id="x")], height=height, previous=previous)
        )
        previous = headers[-1].block_hash
    pins = [checkpoint(12, previous, "independent", "2026-02-01T00:00:00+00:00")]
    store = trust(block, checkpoints=pins, validators={"epochs": []})
    links = {f"h{i}": b.header_json if i % 2 else b.header_pb for i, b in enumerate(headers)}
    verdict = examine({**files(block), **links}, store)
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "A")
    assert finding(verdict, "INCL.ROOT").notes == ("CHECKPOINT_LINKED:3",)
    # full blocks link as well as bare headers
    full = {f"h{i}": b.block_json for i, b in enumerate(headers)}
    assert examine({**files(block), **full}, store).grade.value == "A"
    # a gap leaves the block unlinked
    verdict = examine({**files(block), "h0": links["h0"], "h2": links["h2"]}, store)
    assert answer(verdict, "INCL.ROOT") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
    # a header that does not follow, or does not hash to its own id, breaks the row
    stray = chain.block([chain.record(b"x" * 32, record_id="x")], height=11, previous=b"\x22" * 32)
    verdict = examine({**files(block), **links, "h1": stray.header_json}, store)
    assert (verdict.overall, answer(verdict, "INCL.ROOT")) == (
        Overall.INCONSISTENT,
        (FAILED, Reason.PROOF_FAILURE),
    )
    edited = changed(headers[1].header_json, lambda h: h.update(block_timestamp=1))
    verdict = examine({**files(block), **links, "h1": edited}, store)
    assert (verdict.overall, answer(verdict, "INCL.ROOT")) == (
        Overall.INCONSISTENT,
        (FAILED, Reason.PROOF_FAILURE),
    )
    # the court's pin says otherwise
    other = trust(block, checkpoints=[checkpoint(11, b"\x33" * 32, "copied")])
    verdict = examine({**files(block), **links}, other)
    assert (verdict.overall, answer(verdict, "INCL.ROOT")) == (
        Overall.INCONSISTENT,
        (FAILED, Reason.ANCHOR_MISMATCH),
    )


def test_the_earlier_of_block_time_and_checkpoint_bounds_the_time() -> None:
    block = built()
    early = checkpoint(9, block.block_hash, "independent", "2025-06-01T00:00:00+00:00")
    verdict = examine(files(block), trust(block, checkpoints=[early]))
    assert verdict.time is not None
    assert (verdict.time.basis, verdict.time.not_after.year) == ("CHECKPOINT", 2025)


def test_the_first_block_tells_one_chain_from_another_of_the_same_name() -> None:
    chain = network()
    genesis = chain.block([chain.record(b"g" * 32, record_id="g")], height=0)
    exhibit = files(built(), genesis=genesis.header_json)
    right = trust(built(), genesis_hash=genesis.block_hash.hex())
    assert examine(exhibit, right).overall is Overall.CONSISTENT
    assert examine(files(built()), right).overall is Overall.CONSISTENT
    wrong = trust(built(), genesis_hash="44" * 32)
    verdict = examine(exhibit, wrong)
    assert (verdict.overall, answer(verdict, "INCL.LEDGER_KIND")) == (
        Overall.INCONSISTENT,
        (FAILED, Reason.ANCHOR_MISMATCH),
    )


def test_two_chains_of_one_name_are_told_apart_by_their_validators() -> None:
    """`chain1` is the default name of a ChainMaker chain; the profile whose validators signed is the right one."""
    namesake = network(seed="somebody else")
    decoy = {
        "profile": {**namesake.profile(), "id": "decoy"},
        "validators": namesake.validators(to_height=99),
    }
    verdict = examine(files(built()), trust(built(), others={"a-decoy": decoy}))
    assert verdict.overall is Overall.CONSISTENT
    assert finding(verdict, "INCL.LEDGER_KIND").expected == built().profile["id"]
    other_hash = {**decoy, "profile": {**decoy["profile"], "suite": {"hash": "SM3", "signature": "SM2"}}}
    verdict = examine(files(built()), trust(None, others={"a-decoy": other_hash}))
    assert answer(verdict, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNTRUSTED)


def test_old_path_code_is_not_held_against_the_party() -> None:
    """Nodes of older generations return garbage: then the tree is recomputed, and without transactions nothing is said."""
    block = built()
    garbage = json.dumps([base64.b64encode(bytes([i]) * 32).decode() for i in range(3)]).encode()
    for generation in ("legacy", "unknown"):
        store = trust(block, path_generation=generation)
        for path in (garbage, b"[]"):
            verdict = examine({**files(block), "path.json": path}, store)
            assert verdict.overall is Overall.CONSISTENT
            assert finding(verdict, "INCL.PATH").notes == ("RECOMPUTED_FROM_LEAVES",)
            verdict = examine({**alone(block), "path.json": path}, store)
            assert (verdict.overall, answer(verdict, "INCL.PATH")) == (
                Overall.INDETERMINATE,
                (OPEN, Reason.PROOF_UNUSABLE),
            )
