"""XuperChain: a record leads to the court's pin in every version, suite, spelling and way to the root, and stops where it must."""

import base64
import hashlib
import io
import json
import zipfile

import pytest

from evidence.verification.reasons import Reason
from evidence.verification.trust import TrustError
from evidence.verification.verdict import Grade, Overall, ProofState
from tests.evidence.verification import xuperchain_exhibits as x
from tests.evidence.verification.xuperchain_exhibits import (
    answer,
    built,
    examine,
    finding,
    findings,
    trust,
    verdict,
    wire,
)

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"
OK = (PASSED, None)
LADDER = (
    "INCL.LEDGER_KIND", "DIGEST.MATCH", "INCL.CONTENT", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER",
    "INCL.NODE_QUORUM", "INCL.EXECUTION",
)  # fmt: skip


# ── a good record ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suite", x.SUITES)
@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("desc", [False, True])
def test_a_record_is_consistent(suite: str, version: int, desc: bool) -> None:
    found = verdict(built(suite, version=version, desc=desc))
    assert (found.overall, found.grade) == (Overall.CONSISTENT, Grade.B)
    for check in LADDER:
        assert answer(found, check) == OK
    assert finding(found, "INCL.NODE_QUORUM").actual == "4/4: node0, node2, node3, node1"
    assert finding(found, "INCL.HEADER").notes == (f"HEIGHT_UNPROVEN:{x.HEIGHT}",)
    assert finding(found, "INCL.LEDGER_KIND").notes == ("CHAIN_NAME_UNSIGNED",)
    assert "NOT_PROVEN.XUPERCHAIN_HEIGHT" in found.not_proven
    block = next(s.end for w in found.walks for s in w.steps if s.check == "INCL.HEADER")
    assert block.label.startswith("– · ")  # the drawing shows no height that is not proven


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_every_place_of_every_tree(count: int) -> None:
    for index in range(count):
        chain = built(count=count, index=index)
        assert verdict(chain).overall is Overall.CONSISTENT
        found = examine(x.raw_files(chain), trust(chain))
        assert answer(found, "INCL.PATH") == OK
        assert finding(found, "INCL.PATH").notes == (f"RECOMPUTED_FROM_LEAVES:{count}",)
        assert found.overall is Overall.CONSISTENT


def test_one_transaction_needs_no_path() -> None:
    chain = built(count=1, index=0)
    assert verdict(chain, merkle_path=None, tx_index=None).overall is Overall.CONSISTENT
    assert verdict(chain, merkle_path=[]).overall is Overall.CONSISTENT


@pytest.mark.parametrize("suite", x.SUITES)
def test_bare_files_and_a_whole_block(suite: str) -> None:
    chain = built(suite)
    assert examine(x.raw_files(chain), trust(chain)).overall is Overall.CONSISTENT
    whole = {"page.html": x.PAGE, "b.pb": wire(x.BLOCK, chain.block), "next.pb": wire(x.BLOCK, chain.blocks[1])}
    found = examine(whole, trust(chain))
    assert found.overall is Overall.CONSISTENT
    assert len(findings(found, "INCL.TRANSACTION")) == 1  # the others are strangers' records


def test_relay_proof() -> None:
    chain = built(index=2)
    files = x.raw_files(chain)
    files["block0.pb"] = wire(x.BLOCK, {k: v for k, v in chain.block.items() if k not in ("transactions", "merkle_tree")})
    assert answer(examine(files, trust(chain)), "INCL.PATH") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    relay = {
        "blockid": chain.block["blockid"].hex(),
        "txid": chain.tx["txid"].hex(),
        "txIndex": "2",
        "proofPath": [s.hex() for s in chain.path],
    }
    assert examine({**files, "proof.json": json.dumps(relay).encode()}, trust(chain)).overall is Overall.CONSISTENT
    for change in ({"txIndex": "3"}, {"blockid": "00" * 32}, {"proofPath": relay["proofPath"][::-1]}):
        found = examine({**files, "proof.json": json.dumps({**relay, **change}).encode()}, trust(chain))
        assert answer(found, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE), change
    # A path of another transaction is not passed over.
    found = examine({**files, "proof.json": json.dumps({**relay, "txid": "00" * 32}).encode()}, trust(chain))
    assert found.overall is Overall.INDETERMINATE
    assert "xuperchain · proof.json" in [f.subject for f in findings(found, "INCL.PATH")]


def test_a_package_as_an_archive() -> None:
    """The node's bytes as they are, beside the package that speaks of them."""
    chain = built()
    package, raw = chain.package(), {}
    for member in ("block", "transaction", "next_block"):
        data = base64.b64decode(package[member])
        raw[f"raw/{member}.pb"] = data
        package[member] = {"file": f"raw/{member}.pb", "sha256": hashlib.sha256(data).hexdigest()}
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, data in {"package.json": json.dumps(package).encode(), **raw}.items():
            archive.writestr(name, data)
    files = {"page.html": x.PAGE, "page.mjproof.zip": held.getvalue()}
    assert examine(files, trust(chain)).overall is Overall.CONSISTENT


def test_two_records_of_one_block() -> None:
    chain = built()
    other = hashlib.sha256(b"1").hexdigest()
    files = {**x.raw_files(chain), "tx1.pb": wire(x.TX, chain.transactions[1]), "one.txt": b"1"}
    found = examine(files, trust(chain))
    assert found.overall is Overall.CONSISTENT
    assert {w.file for w in found.walks if w.complete} == {hashlib.sha256(x.PAGE).hexdigest(), other}


# ── finality and anchors ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_single_proposer_is_graded_by_who_runs_it() -> None:
    chain = built()
    listed = x.validators(chain)
    store = trust(chain, consensus="SINGLE")
    found = verdict(chain, store, next_block=None)
    assert (found.grade, answer(found, "INCL.NODE_QUORUM")) == (Grade.D, OK)
    assert finding(found, "INCL.NODE_QUORUM").notes == ("SINGLE_SIGNER",)
    assert found.overall is Overall.INDETERMINATE and found.reasons == (Reason.PLATFORM_NOT_IN_POLICY,)
    for validator in listed["epochs"][0]["validators"]:
        validator["role"] = "court"
    found = verdict(chain, trust(chain, consensus="SINGLE", sets=listed), next_block=None)
    assert (found.overall, found.grade) == (Overall.CONSISTENT, Grade.C)
    found = verdict(chain, trust(chain, consensus="NONE"), next_block=None)
    assert (found.grade, answer(found, "INCL.NODE_QUORUM")) == (Grade.E, (OPEN, Reason.FINALITY_INSUFFICIENT))


def test_votes_stand_in_the_next_block() -> None:
    chain = built()
    found = verdict(chain, next_block=None)
    assert answer(found, "INCL.NODE_QUORUM") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    assert found.overall is Overall.INDETERMINATE
    # The block's own certificate is about the block before.
    old = x.rebuilt(built())
    old.blocks[1]["Justify"] = old.block["Justify"]
    x.sealed(old.blocks[1], old.keys[1])
    assert answer(verdict(old), "INCL.NODE_QUORUM") == (OPEN, Reason.PROOF_NOT_SUPPLIED)


def test_the_quorum_counts_proposer_voters_and_the_next_proposer() -> None:
    chain = built()
    for voters, outcome, count in (
        ((0, 2, 3), OK, 4),
        ((2,), OK, 3),  # with both proposers
        ((), (FAILED, Reason.QUORUM_FAILURE), 2),
        ((0,), (FAILED, Reason.QUORUM_FAILURE), 2),
    ):
        found = verdict(x.rebuilt(built(), votes=[chain.keys[i] for i in voters]))
        assert answer(found, "INCL.NODE_QUORUM") == outcome
        assert (finding(found, "INCL.NODE_QUORUM").actual or "").startswith(f"{count}/4")
        assert (found.overall is Overall.CONSISTENT) is (outcome == OK)


def test_checkpoints() -> None:
    chain = built()
    links = [x.b64(wire(x.BLOCK, b)) for b in chain.blocks[2:]]
    equal = verdict(chain, trust(chain, checkpoints=[x.pin(chain.block)]), next_block=None)
    assert (equal.overall, equal.grade) == (Overall.CONSISTENT, Grade.A)
    assert finding(equal, "INCL.ROOT").notes == ("CHECKPOINT_EQUAL",)
    linked = verdict(chain, trust(chain, checkpoints=[x.pin(chain.blocks[3], basis="copied")]), links=links)
    assert (linked.overall, linked.grade) == (Overall.CONSISTENT, Grade.B)
    assert finding(linked, "INCL.ROOT").notes == ("CHECKPOINT_LINKED:3",)
    for found in (equal, linked):
        assert finding(found, "INCL.HEADER").notes == finding(found, "INCL.LEDGER_KIND").notes == ()
        assert "NOT_PROVEN.XUPERCHAIN_HEIGHT" not in found.not_proven
        block = next(s.end for w in found.walks for s in w.steps if s.check == "INCL.HEADER")
        assert block.label.startswith(f"{x.HEIGHT} · ")
    bare = examine(x.raw_files(chain, successors=3), trust(chain, checkpoints=[x.pin(chain.blocks[3])]))
    assert (bare.overall, bare.grade) == (Overall.CONSISTENT, Grade.A)
    # One link is missing: nothing leads there.
    gap = examine({n: d for n, d in x.raw_files(chain, successors=3).items() if n != "block2.pb"}, trust(chain, checkpoints=[x.pin(chain.blocks[3])]))
    assert answer(gap, "INCL.ROOT") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
    assert gap.overall is Overall.INDETERMINATE  # a block that hangs together with nothing keeps it open


def test_a_pinned_block_below_proves_the_height_and_no_more() -> None:
    chain = built()
    below = {"height": x.HEIGHT - 1, "hash": chain.block["pre_hash"].hex(), "recorded_at": None, "basis": "independent"}
    found = verdict(chain, trust(chain, checkpoints=[below]))
    assert answer(found, "INCL.ROOT") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
    assert (found.overall, found.grade) == (Overall.CONSISTENT, Grade.B)
    assert finding(found, "INCL.HEADER").notes == ()
    alone = verdict(chain, trust(chain, checkpoints=[below]), next_block=None)
    assert alone.overall is Overall.INDETERMINATE  # anybody can put a block upon a pinned one
    wrong = verdict(chain, trust(chain, checkpoints=[{**below, "height": 10}]))
    assert answer(wrong, "INCL.ROOT") == (FAILED, Reason.ANCHOR_MISMATCH)


def test_epochs_count_only_at_a_proven_height() -> None:
    chain = built()
    others = [{"key": x.key(f"other {i}").point.hex(), "operator": "o"} for i in range(4)]
    mine = x.validators(chain)["epochs"][0]["validators"]
    sets = {"epochs": [
        {"from_height": 0, "to_height": 8000, "validators": others}, {"from_height": 8001, "to_height": None, "validators": mine},
    ]}  # fmt: skip
    # Whoever hands the block in could state any height; so the stated one decides nothing.
    assert answer(verdict(chain, trust(chain, sets=sets)), "INCL.NODE_QUORUM") == OK
    below = {"height": x.HEIGHT - 1, "hash": chain.block["pre_hash"].hex(), "recorded_at": None, "basis": "independent"}
    found = verdict(chain, trust(chain, sets=sets, checkpoints=[below]))
    assert answer(found, "INCL.NODE_QUORUM") == (FAILED, Reason.ANCHOR_MISMATCH)
    closed = {"epochs": sets["epochs"][:1]}
    assert answer(verdict(chain, trust(chain, sets=closed)), "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    gap = {"epochs": [{"from_height": 8001, "to_height": None, "validators": mine}]}
    found = verdict(chain, trust(chain, sets=gap, checkpoints=[below]))
    assert answer(found, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNAVAILABLE)


def test_of_several_epochs_the_one_that_knows_the_proposer_answers() -> None:
    chain = built()
    mine = x.validators(chain)["epochs"][0]["validators"]
    others = [{"key": x.key(f"other {i}").point.hex(), "operator": "o"} for i in range(4)]
    sets = {"epochs": [
        {"from_height": 0, "to_height": 8000, "validators": others}, {"from_height": 8001, "to_height": None, "validators": mine},
    ]}  # fmt: skip
    short = x.rebuilt(built(), votes=[])
    assert answer(verdict(short, trust(chain, sets=sets)), "INCL.NODE_QUORUM") == (FAILED, Reason.QUORUM_FAILURE)
    # A false vote of a validator of any epoch refutes, though another epoch has enough without it.
    sets["epochs"][0]["validators"] = mine[:1]
    assert answer(verdict(built(), trust(chain, sets=sets)), "INCL.NODE_QUORUM") == OK
    bad = built()
    bad.blocks[1]["Justify"]["SignInfos"]["QCSignInfos"][1]["Sign"] = chain.keys[2].sign(b"\0" * 32)
    x.sealed(bad.blocks[1], bad.keys[1])
    assert answer(verdict(bad, trust(chain, sets=sets)), "INCL.NODE_QUORUM") == (FAILED, Reason.SIG_CRYPTO_FAILURE)


def test_without_a_profile_nothing_rests_on_the_court() -> None:
    chain = built()
    found = verdict(chain, trust(None))
    assert (found.overall, found.grade) == (Overall.INDETERMINATE, Grade.E)
    assert answer(found, "INCL.LEDGER_KIND") == answer(found, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert answer(found, "INCL.CONTENT") == (OPEN, Reason.CONTRACT_UNKNOWN)
    for check in ("DIGEST.MATCH", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.EXECUTION"):
        assert answer(found, check) == OK
    assert all(w.state is not ProofState.PROVEN for w in found.walks)
    bare = examine(x.raw_files(chain), trust(None))
    assert len(findings(bare, "INCL.HEADER")) == 1  # the next block is a link, as in the package


def test_chains_of_one_key_are_not_told_apart() -> None:
    chain = built()
    twin = {"profile": x.profile(chain, id="parallel", chain_id="parallel", genesis_hash=None), "validators": x.validators(chain)}
    twin["profile"].pop("genesis_hash")
    store = trust(chain, others={"parallel": twin})
    found = examine(x.raw_files(chain), store)
    assert finding(found, "INCL.LEDGER_KIND").notes == ("CHAINS_OF_ONE_KEY",)
    assert found.overall is Overall.INDETERMINATE
    # A package says which it means; but it is the party's word, and a contract of that name may be anybody's on the other chain.
    said = verdict(chain, store)
    assert answer(said, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert finding(said, "INCL.LEDGER_KIND").notes == ("CHAINS_OF_ONE_KEY",)
    assert said.overall is Overall.INDETERMINATE
    # Links to a block that the court has pinned for the chain tell it apart,
    pinned = trust(chain, others={"parallel": twin}, checkpoints=[x.pin(chain.blocks[1])])
    assert examine(x.raw_files(chain), pinned).overall is Overall.CONSISTENT
    assert verdict(chain, pinned).overall is Overall.CONSISTENT
    # and then it is not the other one, whatever the package says.
    swapped = chain.package()
    swapped["chain"] = {**swapped["chain"], "chain_id": "parallel"}
    files = {"page.html": x.PAGE, "p.json": json.dumps(swapped).encode()}
    assert examine(files, pinned).overall is Overall.INDETERMINATE


def test_a_validator_is_pinned_by_its_point() -> None:
    chain = built()
    for wrong in ({"key": chain.keys[0].address.encode().hex()}, {"key": "04" + chain.keys[0].point.hex()}, {"cert_sha256": "00" * 32}):
        sets = {"epochs": [{"from_height": 0, "validators": [{**wrong, "operator": "o"}]}]}
        with pytest.raises(TrustError):
            trust(chain, sets=sets)


def test_time_is_the_proposers_and_never_too_early() -> None:
    chain = x.rebuilt(built(), lambda b: b.update(timestamp=x.NOW + 1))
    found = verdict(chain)
    assert found.time is not None and found.time.basis == "PROPOSER"
    assert found.time.not_after.microsecond == 1
    late = x.rebuilt(built(), lambda b: b.update(timestamp=1 << 62))
    assert verdict(late).overall is Overall.INDETERMINATE


def test_contents_of_a_block_that_is_only_shown() -> None:
    chain = built()
    found = examine(x.raw_files(chain, page=None), trust(chain))
    assert found.overall is Overall.INDETERMINATE
    alone = examine({"b.pb": wire(x.BLOCK, chain.blocks[3])}, trust(chain))
    assert answer(alone, "INCL.HEADER") == OK and alone.overall is Overall.INDETERMINATE


def test_a_recorded_pre_image() -> None:
    inner = b"case 7: " + hashlib.sha256(x.PAGE).hexdigest().encode()
    chain = built(desc=True)
    chain.tx["desc"] = hashlib.sha256(inner).hexdigest().encode()
    x.signed_tx(chain.tx, [x.key("user")])
    x.rebuilt(chain)
    package = chain.package()
    package["evidence"][0]["location"]["pre_image"] = base64.b64encode(inner).decode()
    files = {"page.html": x.PAGE, "p.json": json.dumps(package).encode()}
    assert examine(files, trust(chain)).overall is Overall.CONSISTENT
    package["evidence"][0]["location"]["pre_image"] = base64.b64encode(inner + b" ").decode()
    assert examine({**files, "p.json": json.dumps(package).encode()}, trust(chain)).overall is not Overall.CONSISTENT
