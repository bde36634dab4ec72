"""FISCO BCOS 3: blocks written field by field by an independent builder: what holds, what is missing, what is pinned."""

import copy
import hashlib
from typing import Any

import pytest

from evidence.verification import TrustStore
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall, ProofState
from portal.demonstration import fisco3
from tests.evidence.verification.fisco3_exhibits import (
    FAILED,
    LADDER,
    OPEN,
    OTHER,
    PAGE,
    PASSED,
    SUITES,
    answer,
    built,
    examine,
    files,
    finding,
    findings,
    rebuilt,
    trust,
)


@pytest.fixture(scope="module")
def store() -> TrustStore:
    return trust(built())


@pytest.fixture(scope="module")
def guomi_store() -> TrustStore:
    return trust(built("SM"))


# ── what holds ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suite", SUITES)
def test_a_stored_record_is_consistent(suite: str, store: TrustStore, guomi_store: TrustStore) -> None:
    verdict = examine(files(built(suite)), store if suite == "ECDSA" else guomi_store)
    assert (verdict.overall, verdict.grade.value, verdict.reasons) == (Overall.CONSISTENT, "B", ())
    assert {check: answer(verdict, check) for check in LADDER} == dict.fromkeys(LADDER, (PASSED, None))
    assert answer(verdict, "INCL.ROOT") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
    assert verdict.time is not None and verdict.time.basis == "PROPOSER"
    assert verdict.time.not_after.isoformat() == "2026-09-21T14:13:20+00:00"
    walk = next(w for w in verdict.walks if w.complete)
    assert walk.file == hashlib.sha256(PAGE).hexdigest() and walk.state is ProofState.PROVEN
    assert [s.end.kind.value for s in walk.steps] == [
        "DIGEST", "RECORD", "TRANSACTION", "LEAF", "ROOT", "BLOCK", "VALIDATORS", "ANCHOR",
    ]  # fmt: skip
    quorum = finding(verdict, "INCL.NODE_QUORUM")
    assert quorum.expected == "≥3/4" and quorum.actual is not None and quorum.actual.startswith("3/4: node-")


def test_names_and_order_of_files_do_not_matter(store: TrustStore) -> None:
    chain = built()
    given = files(chain)
    first = examine(given, store)
    assert examine(dict(reversed(given.items())), store).to_json() == first.to_json()
    renamed = examine({f"{9 - i}": data for i, data in enumerate(given.values())}, store)
    assert renamed.overall is Overall.CONSISTENT


def test_answers_may_come_in_their_rpc_envelope(store: TrustStore) -> None:
    chain = built()
    wrapped = {
        name: data if name == "page.html" else b'{"id":1,"jsonrpc":"2.0","result":' + data + b"}"
        for name, data in files(chain).items()
    }
    bare, enveloped = examine(files(chain), store), examine(wrapped, store)
    assert enveloped.findings == bare.findings and enveloped.walks == bare.walks


def test_nonce_printed_as_hex(store: TrustStore) -> None:
    chain = built(nonce_as_hex=True)
    verdict = examine(files(chain), store)
    assert verdict.overall is Overall.CONSISTENT
    assert finding(verdict, "INCL.TRANSACTION").notes == ("RENDERING_USED:nonce=hex",)


@pytest.mark.parametrize("others", [-1, 0, 1, 2, 3, 5, 6, 12])
@pytest.mark.parametrize("index", [0, 1])
def test_every_place_in_blocks_of_many_sizes(others: int, index: int) -> None:
    page = (PAGE, OTHER)[index]
    digests = [hashlib.sha256(p).digest() for p in ((PAGE, OTHER) if others >= 0 else (page,))]
    chain = fisco3.build(digests, others=max(others, 0))
    verdict = examine(files(chain, page=page, index=index if others >= 0 else 0), trust(chain))
    assert verdict.overall is Overall.CONSISTENT


def test_two_records_of_one_block_cover_two_files(store: TrustStore) -> None:
    chain = built()
    both = {
        "a.html": PAGE,
        "b.html": OTHER,
        "block.json": chain.block_json,
        "tx a.json": chain.files(0)["transaction.json"],
        "tx b.json": chain.files(1)["transaction.json"],
        "receipt a.json": chain.files(0)["receipt.json"],
        "receipt b.json": chain.files(1)["receipt.json"],
    }
    assert examine(both, store).overall is Overall.CONSISTENT
    # A record of something else, whose file is not in the exhibit, contradicts no other file; the exhibit stays open for it.
    alone = {name: data for name, data in both.items() if name != "b.html"}
    assert examine(alone, store).overall is Overall.INDETERMINATE
    assert [w.complete for w in examine(alone, store).walks if w.file] == [True]
    del both["tx b.json"]
    verdict = examine(both, store)
    assert verdict.overall is Overall.INDETERMINATE
    assert verdict.reasons == (Reason.SIGNED_DATA_NOT_FOUND, Reason.NO_POE)


def test_without_a_path_all_transaction_hashes_will_do(store: TrustStore) -> None:
    chain = built()
    del chain.transactions[0]["txProof"]
    verdict = examine(files(chain), store)
    assert verdict.overall is Overall.CONSISTENT
    assert finding(verdict, "INCL.PATH").notes == ("RECOMPUTED_FROM_LEAVES:5",)
    chain.block["transactions"][3] = "0x" + "11" * 32
    assert answer(examine(files(chain), store), "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)
    del chain.block["transactions"]
    assert answer(examine(files(chain), store), "INCL.PATH") == (OPEN, Reason.PROOF_NOT_SUPPLIED)


def test_a_block_with_whole_transactions_is_enough(store: TrustStore) -> None:
    """getBlockByNumber(onlyTxHash=false): the record is found in it by the digest, its neighbours are left alone."""
    chain = built()
    chain.block["transactions"] = [
        *chain.transactions,
        *({"hash": h} for h in chain.block["transactions"][2:]),
    ]
    given = files(chain)
    del given["transaction.json"]
    verdict = examine(given, store)
    assert verdict.overall is Overall.CONSISTENT
    assert len(findings(verdict, "INCL.TRANSACTION")) == 1


# ── what is missing ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("absent", "check"),
    [
        ("transaction.json", "INCL.TRANSACTION"),
        ("receipt.json", "INCL.EXECUTION"),
        ("block.json", "INCL.HEADER"),
        ("page.html", "DIGEST.MATCH"),
    ],
)
def test_missing_files_refute_nothing(absent: str, check: str, store: TrustStore) -> None:
    given = files(built())
    del given[absent]
    verdict = examine(given, store)
    assert verdict.overall is Overall.INDETERMINATE
    due = Reason.SIGNED_DATA_NOT_FOUND if absent == "page.html" else Reason.PROOF_NOT_SUPPLIED
    assert answer(verdict, check) == (OPEN, due)


@pytest.mark.parametrize("name", ["blockLimit", "nonce", "input", "to", "groupID", "hash"])
def test_transaction_without_a_field_that_is_hashed(name: str, store: TrustStore) -> None:
    chain = built()
    del chain.transactions[0][name]
    verdict = examine(files(chain), store)
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, "INCL.TRANSACTION") == (OPEN, Reason.TX_INCOMPLETE)


def test_request_alone_is_a_promise() -> None:
    chain = built(saved=False)
    verdict = examine(files(chain), trust(chain))
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)
    assert {w.state for w in verdict.walks} == {ProofState.PROMISED}


def test_known_methods_need_their_event_whatever_the_map_says() -> None:
    chain = built(saved=False)
    contracts = [{**c, "final_event": None} for c in chain.profile["contracts"]]
    verdict = examine(files(chain), trust(chain, contracts=contracts))
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)


def test_output_that_the_method_cannot_have_is_ambiguous(store: TrustStore) -> None:
    chain = rebuilt(built(), receipts=lambda rcs: rcs[0].update(output="0x" + "00" * 64))
    assert answer(examine(files(chain), store), "INCL.EXECUTION") == (OPEN, Reason.AMBIGUOUS_PREIMAGE)


def test_a_vote_below_the_threshold_is_a_promise(store: TrustStore) -> None:
    chain = rebuilt(built(), receipts=lambda rcs: rcs[0]["logEntries"].pop())
    assert answer(examine(files(chain), store), "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)


def test_the_event_of_another_digest_or_contract_stores_nothing(store: TrustStore) -> None:
    def other_digest(receipts: list[Any]) -> None:
        receipts[0]["logEntries"][1]["topics"][1] = "0x" + hashlib.sha256(OTHER).hexdigest()

    def other_contract(receipts: list[Any]) -> None:
        receipts[0]["logEntries"][1]["address"] = "22" * 20

    for change in (other_digest, other_contract):
        verdict = examine(files(rebuilt(built(), receipts=change)), store)
        assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)
        assert verdict.overall is Overall.INDETERMINATE


def test_failed_execution_refutes(store: TrustStore) -> None:
    def reverted(receipts: list[Any]) -> None:
        receipts[0].update(status=16, logEntries=[], output="0x")

    verdict = examine(files(rebuilt(built(), receipts=reverted)), store)
    assert answer(verdict, "INCL.EXECUTION") == (FAILED, Reason.EXECUTION_FAILED)
    assert verdict.overall is Overall.INCONSISTENT


def test_ethereum_transactions_are_said_to_be_unreadable(store: TrustStore) -> None:
    chain = built()
    chain.transactions[0].update(gasLimit=21000, value="0", gasPrice="0")
    verdict = examine(files(chain), store)
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, "INCL.TRANSACTION") == (OPEN, Reason.TX_INCOMPLETE)
    assert finding(verdict, "INCL.TRANSACTION").notes == ("ETHEREUM_TRANSACTION",)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("value", ["", "0x0", "0x1f"])
def test_later_transaction_versions(version: int, value: str) -> None:
    def later(transactions: list[Any]) -> None:
        transactions[0].update(
            version=version, value=value, gasPrice="0x1", gasLimit=30_000_000, maxFeePerGas="", maxPriorityFeePerGas=""
        )
        if version == 2:
            transactions[0]["extension"] = []

    chain = rebuilt(built(), transactions=later)
    if value == "":
        # Nodes print the empty value as a quantity.
        chain.transactions[0]["value"] = "0x0"
    verdict = examine(files(chain), trust(chain))
    assert verdict.overall is Overall.CONSISTENT


def test_later_receipt_version_and_renderings() -> None:
    def later(receipts: list[Any]) -> None:
        receipts[0].update(version=1, effectiveGasPrice="0x1")

    chain = rebuilt(built(), receipts=later)
    assert examine(files(chain), trust(chain)).overall is Overall.CONSISTENT
    for entry in chain.receipts[0]["logEntries"]:
        entry["address"] = "0x" + entry["address"]
    verdict = examine(files(chain), trust(chain))
    assert verdict.overall is Overall.CONSISTENT
    assert "RENDERING_USED:log=0x" in finding(verdict, "INCL.EXECUTION").notes


def test_old_nodes_return_paths_that_prove_nothing() -> None:
    chain = fisco3.resealed(built(), version=0x03000001)
    path = [{"left": [], "right": [chain.transactions[1]["hash"][2:]]}]
    chain.transactions[0].update(txProof=None, transactionProof=path)
    chain.receipts[0].update(txReceiptProof=None, receiptProof=path)
    store = trust(chain)
    verdict = examine(files(chain), store)
    assert answer(verdict, "INCL.PATH") == (PASSED, None)
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROOF_UNUSABLE)
    assert verdict.overall is Overall.INDETERMINATE
    del chain.block["transactions"]
    assert answer(examine(files(chain), store), "INCL.PATH") == (OPEN, Reason.PROOF_UNUSABLE)


# ── what the court has pinned ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suite", SUITES)
def test_nothing_pinned(suite: str) -> None:
    verdict = examine(files(built(suite)), trust(None))
    assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "E")
    assert answer(verdict, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert answer(verdict, "INCL.CONTENT") == (OPEN, Reason.CONTRACT_UNKNOWN)
    for check in ("INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.EXECUTION", "DIGEST.MATCH"):
        assert answer(verdict, check) == (PASSED, None)


def test_trust_handed_in_with_the_evidence_is_evidence(tmp_path: Any) -> None:
    from tests.anchor_packs import write_pack

    chain = built()
    pack = write_pack(tmp_path, chains={"mine": {"profile": chain.profile, "validators": chain.validators}})
    own = {p.name: p.read_bytes() for p in pack.rglob("*.json")}
    verdict = examine({**files(chain), **own}, trust(None))
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNTRUSTED)


def test_one_operator_behind_all_sealers() -> None:
    chain = built()
    validators = copy.deepcopy(chain.validators)
    for v in validators["epochs"][0]["validators"]:
        v.update(operator="platform", role="platform")
    verdict = examine(files(chain), trust(chain, validators=validators))
    assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "D")
    assert verdict.reasons == (Reason.PLATFORM_NOT_IN_POLICY,)


def test_consensus_of_one_and_of_none() -> None:
    chain = fisco3.resealed(built(), signers=(2,))
    verdict = examine(files(chain), trust(chain, consensus="SINGLE"))
    assert answer(verdict, "INCL.NODE_QUORUM") == (PASSED, None) and verdict.grade.value in "CD"
    verdict = examine(files(built()), trust(built(), consensus="NONE"))
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.FINALITY_INSUFFICIENT)
    assert (verdict.overall, verdict.grade.value) == (Overall.INDETERMINATE, "E")


def weighted(*weights: int) -> fisco3.Built:
    chain = built()
    for v, w in zip(chain.validators["epochs"][0]["validators"], weights, strict=True):
        v["weight"] = w
    return fisco3.resealed(chain, consensusWeights=list(weights))


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        # W − ⌊(W−1)/3⌋ with sealers 0, 1 and 3 signing
        ((1, 1, 1, 1), (PASSED, None)),  # 3 of 4, 3 due
        ((1, 1, 5, 1), (FAILED, Reason.QUORUM_FAILURE)),  # 3 of 8, 6 due
        ((5, 1, 3, 1), (PASSED, None)),  # 7 of 10, 7 due
        ((4, 1, 4, 1), (FAILED, Reason.QUORUM_FAILURE)),  # 6 of 10, 7 due
    ],
)
def test_weights_decide(weights: tuple[int, ...], expected: tuple[str, Reason | None]) -> None:
    chain = weighted(*weights)
    assert answer(examine(files(chain), trust(chain)), "INCL.NODE_QUORUM") == expected


def test_weights_are_pinned_too(store: TrustStore) -> None:
    verdict = examine(files(weighted(2, 1, 1, 1)), store)
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)


def test_contract_that_the_court_has_not_mapped() -> None:
    chain = built()
    verdict = examine(files(chain), trust(chain, contracts=[]))
    assert answer(verdict, "INCL.CONTENT") == (OPEN, Reason.CONTRACT_UNKNOWN)
    assert verdict.overall is Overall.INDETERMINATE
    assert examine(files(chain), trust(chain, contracts=[], accept_raw_hit=True)).overall is Overall.CONSISTENT


def test_a_mapped_contract_of_another_kind() -> None:
    """A method only the court knows, with the digest as hex text; the event it names must carry the digest."""
    digest = hashlib.sha256(PAGE).hexdigest()
    method = "store(string,uint256)"
    body = (64).to_bytes(32) + (7).to_bytes(32) + (64).to_bytes(32) + digest.encode()

    def call(transactions: list[Any]) -> None:
        transactions[0]["input"] = "0x" + (fisco3.keccak(method.encode())[:4] + body).hex()

    def stored(receipts: list[Any]) -> None:
        topics = ["0x" + fisco3.keccak(b"Stored(string)").hex()]
        data = (32).to_bytes(32) + (64).to_bytes(32) + digest.encode()
        receipts[0]["logEntries"] = [
            {"address": fisco3.CONTRACT[2:], "topics": topics, "data": "0x" + data.hex()}
        ]

    contract = {
        "name": fisco3.CONTRACT,
        "method": method,
        "digest_param": "0",
        "encoding": "hex-text",
        "alg": "SHA-256",
        "final_event": "Stored(string)",
    }
    chain = rebuilt(built(), transactions=call, receipts=stored)
    assert examine(files(chain), trust(chain, contracts=[contract])).overall is Overall.CONSISTENT
    silent = rebuilt(built(), transactions=call, receipts=lambda rcs: rcs[0].update(logEntries=[]))
    verdict = examine(files(silent), trust(chain, contracts=[contract]))
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)


# ── checkpoints ────────────────────────────────────────────────────────────────────────────────────────────────────────


def pin(block: dict[str, Any], basis: str = "independent", **changes: Any) -> dict[str, Any]:
    point = {"height": block["number"], "hash": block["hash"][2:], "recorded_at": "2026-10-01T00:00:00Z"}
    return {**point, "basis": basis, **changes}


def test_a_pinned_block_needs_no_quorum() -> None:
    chain = fisco3.resealed(built(), signers=(1,))
    verdict = examine(files(chain), trust(chain, checkpoints=[pin(chain.block)]))
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "A")
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.FINALITY_INSUFFICIENT)
    copied = examine(files(chain), trust(chain, checkpoints=[pin(chain.block, "copied")]))
    assert copied.grade.value == "B"


def test_a_pinned_height_with_another_hash(store: TrustStore) -> None:
    chain = built()
    verdict = examine(files(chain), trust(chain, checkpoints=[pin(chain.block, hash="ab" * 32)]))
    assert answer(verdict, "INCL.ROOT") == (FAILED, Reason.ANCHOR_MISMATCH)
    assert verdict.overall is Overall.INCONSISTENT


def linked(chain: fisco3.Built) -> dict[str, bytes]:
    return {**files(chain), **{f"link {i}.json": fisco3.encode(link) for i, link in enumerate(chain.links)}}


def test_later_headers_lead_to_a_pinned_block() -> None:
    chain = built(links=3)
    verdict = examine(linked(chain), trust(chain, checkpoints=[pin(chain.links[2])]))
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "A")
    assert finding(verdict, "INCL.ROOT").notes == ("CHECKPOINT_LINKED:3",)
    assert len(findings(verdict, "INCL.HEADER")) == 1


def test_a_broken_link_refutes() -> None:
    chain = built(links=3)
    chain.links[1]["parentInfo"][0]["blockHash"] = "0x" + "00" * 32
    verdict = examine(linked(chain), trust(chain, checkpoints=[pin(chain.links[2])]))
    assert answer(verdict, "INCL.ROOT") == (FAILED, Reason.PROOF_FAILURE)
    assert verdict.overall is Overall.INCONSISTENT
    chain = built(links=3)
    chain.links[1]["stateRoot"] = "0x" + "00" * 32
    verdict = examine(linked(chain), trust(chain, checkpoints=[pin(chain.links[2])]))
    assert answer(verdict, "INCL.ROOT") == (FAILED, Reason.PROOF_FAILURE)
    gap = linked(built(links=3))
    del gap["link 1.json"]
    verdict = examine(gap, trust(chain, checkpoints=[pin(built(links=3).links[2])]))
    assert answer(verdict, "INCL.ROOT") == (OPEN, Reason.ANCHOR_UNAVAILABLE)


def test_links_to_a_pinned_height_with_another_hash() -> None:
    chain = built(links=2)
    verdict = examine(linked(chain), trust(chain, checkpoints=[pin(chain.links[1], hash="ab" * 32)]))
    assert answer(verdict, "INCL.ROOT") == (FAILED, Reason.ANCHOR_MISMATCH)
    # The last link does not hash to the id it states, though its parent is right.
    chain.links[1]["stateRoot"] = "0x" + "00" * 32
    verdict = examine(linked(chain), trust(chain))
    assert answer(verdict, "INCL.ROOT") == (FAILED, Reason.PROOF_FAILURE)


def test_genesis_of_another_chain() -> None:
    chain = fisco3.resealed(built(), number=0, parentInfo=[])
    chain.receipts[0]["blockNumber"] = 0
    verdict = examine(files(chain), trust(chain))
    assert answer(verdict, "INCL.LEDGER_KIND") == (FAILED, Reason.ANCHOR_MISMATCH)
