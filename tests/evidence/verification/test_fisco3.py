"""FISCO BCOS 3: blocks written field by field by an independent builder, and every attack that a party could try on them."""

import copy
import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evidence.verification import Source, TrustStore
from evidence.verification.chains import fisco3 as engine
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall, ProofState
from portal.demonstration import fisco3
from tests.evidence.verification.fisco3_exhibits import (
    LADDER,
    OTHER,
    PAGE,
    answer,
    built,
    examine,
    files,
    finding,
    findings,
    trust,
)

SUITES = ("ECDSA", "SM")
FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"


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
    # A record of something else, whose file is not in the exhibit, contradicts no other file.
    alone = {name: data for name, data in both.items() if name != "b.html"}
    assert examine(alone, store).overall is Overall.CONSISTENT
    del both["tx b.json"]
    verdict = examine(both, store)
    assert verdict.overall is Overall.INDETERMINATE
    assert verdict.reasons == (Reason.PROOF_NOT_SUPPLIED,)


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


# ── attacks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def rebuilt(
    chain: fisco3.Built,
    *,
    transactions: Callable[[list[Any]], Any] = lambda _: None,
    receipts: Callable[[list[Any]], Any] = lambda _: None,
    sender: str = "demonstration sender",
) -> fisco3.Built:
    """The same block with other contents, hashed, rooted and sealed anew: what the chain itself could have recorded."""
    s = chain.suite
    key = s.key(sender)
    txs = [copy.deepcopy(t) for t in chain.transactions]
    transactions(txs)
    txs = [fisco3.sign_transaction(s, t, key) for t in txs]
    rcs = [copy.deepcopy(r) for r in chain.receipts]
    receipts(rcs)
    for tx, rc in zip(txs, rcs, strict=True):
        rc.update(transactionHash=tx["hash"], to=tx["to"], input=tx["input"])
        rc["hash"] = fisco3.hexed(s.hash(fisco3.receipt_bytes(rc)))
    block = fisco3.assemble(s, txs, rcs, chain.sealers, (0, 1, 3), number=1204, timestamp=1_790_000_000_000)
    return replace(chain, transactions=tuple(txs), receipts=tuple(rcs), block=block)


def flipped(text: str, at: int) -> str:
    """One hex digit changed."""
    return text[:at] + ("1" if text[at] != "1" else "2") + text[at + 1 :]


def change(answer_: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    holder: Any = answer_
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value(holder[path[-1]]) if callable(value) else value


TRANSACTION, RECEIPT, BLOCK = "transaction", "receipt", "block"
ONE_CHANGE = [
    (TRANSACTION, ("input",), lambda v: flipped(v, 20), "INCL.TRANSACTION", Reason.HASH_FAILURE),
    (TRANSACTION, ("input",), lambda v: flipped(v, 5), "INCL.TRANSACTION", Reason.HASH_FAILURE),
    (TRANSACTION, ("nonce",), lambda v: v[:-1] + ("1" if v[-1] != "1" else "2"), "INCL.TRANSACTION", Reason.HASH_FAILURE),
    (TRANSACTION, ("to",), lambda v: flipped(v, 30), "INCL.TRANSACTION", Reason.HASH_FAILURE),
    (TRANSACTION, ("blockLimit",), lambda v: v + 1, "INCL.TRANSACTION", Reason.HASH_FAILURE),
    (TRANSACTION, ("version",), 1, "INCL.TRANSACTION", Reason.HASH_FAILURE),
    (TRANSACTION, ("abi",), "[]", "INCL.TRANSACTION", Reason.HASH_FAILURE),
    (TRANSACTION, ("hash",), lambda v: flipped(v, 9), "INCL.TRANSACTION", Reason.HASH_FAILURE),
    (TRANSACTION, ("from",), lambda v: flipped(v, 9), "INCL.SENDER", Reason.HASH_FAILURE),
    (TRANSACTION, ("txProof", 2), lambda v: flipped(v, 9), "INCL.PATH", Reason.PROOF_FAILURE),
    (TRANSACTION, ("txProof", 0), "00000001" + "00" * 28, "INCL.PATH", Reason.PROOF_FAILURE),
    (TRANSACTION, ("txProof", 0), "00000003" + "00" * 28, "INCL.PATH", Reason.PROOF_FAILURE),
    (TRANSACTION, ("txProof", 0), "00000002" + "00" * 27 + "01", "INCL.PATH", Reason.PROOF_FAILURE),
    (TRANSACTION, ("txProof",), lambda v: v[:3], "INCL.PATH", Reason.PROOF_FAILURE),
    (TRANSACTION, ("txProof",), lambda v: [*v[3:6], *v[:3], *v[6:]], "INCL.PATH", Reason.PROOF_FAILURE),
    (TRANSACTION, ("txProof",), lambda v: [v[0], v[2], v[1], *v[3:]], "INCL.PATH", Reason.PROOF_FAILURE),
    (TRANSACTION, ("txProof",), [], "INCL.PATH", Reason.PROOF_FAILURE),
    (BLOCK, ("txsRoot",), lambda v: flipped(v, 9), "INCL.HEADER", Reason.HASH_FAILURE),
    (BLOCK, ("txsRoot",), lambda v: flipped(v, 9), "INCL.PATH", Reason.PROOF_FAILURE),
    (BLOCK, ("receiptsRoot",), lambda v: flipped(v, 9), "INCL.HEADER", Reason.HASH_FAILURE),
    (BLOCK, ("stateRoot",), lambda v: flipped(v, 9), "INCL.HEADER", Reason.HASH_FAILURE),
    (BLOCK, ("timestamp",), lambda v: v - 86_400_000, "INCL.HEADER", Reason.HASH_FAILURE),
    (BLOCK, ("gasUsed",), lambda v: v + "0", "INCL.HEADER", Reason.HASH_FAILURE),
    (BLOCK, ("gasUsed",), lambda v: "0" + v, "INCL.LEDGER_KIND", Reason.FORMAT_FAILURE),
    (BLOCK, ("sealer",), lambda v: v + 1, "INCL.HEADER", Reason.HASH_FAILURE),
    (BLOCK, ("version",), lambda v: v + 1, "INCL.HEADER", Reason.HASH_FAILURE),
    (BLOCK, ("extraData",), "0x00", "INCL.HEADER", Reason.HASH_FAILURE),
    (BLOCK, ("parentInfo", 0, "blockHash"), lambda v: flipped(v, 9), "INCL.HEADER", Reason.HASH_FAILURE),
    (BLOCK, ("parentInfo", 0, "blockNumber"), lambda v: v - 1, "INCL.LEDGER_KIND", Reason.FORMAT_FAILURE),
    (BLOCK, ("number",), lambda v: v + 1, "INCL.LEDGER_KIND", Reason.FORMAT_FAILURE),
    (BLOCK, ("hash",), lambda v: flipped(v, 9), "INCL.HEADER", Reason.HASH_FAILURE),
    (BLOCK, ("sealerList", 0), lambda v: flipped(v, 9), "INCL.HEADER", Reason.HASH_FAILURE),
    (BLOCK, ("sealerList",), lambda v: v[:3], "INCL.LEDGER_KIND", Reason.FORMAT_FAILURE),
    (BLOCK, ("consensusWeights", 0), 2, "INCL.HEADER", Reason.HASH_FAILURE),
    (BLOCK, ("consensusWeights", 0), 0, "INCL.LEDGER_KIND", Reason.FORMAT_FAILURE),
    (BLOCK, ("signatureList", 0, "signature"), lambda v: flipped(v, 9), "INCL.NODE_QUORUM", Reason.SIG_CRYPTO_FAILURE),
    (BLOCK, ("signatureList", 0, "signature"), lambda v: flipped(v, 99), "INCL.NODE_QUORUM", Reason.SIG_CRYPTO_FAILURE),
    (BLOCK, ("signatureList", 0, "signature"), lambda v: flipped(v, len(v) - 1), "INCL.NODE_QUORUM", Reason.SIG_CRYPTO_FAILURE),
    (BLOCK, ("signatureList", 0, "signature"), "0x" + "00" * 65, "INCL.NODE_QUORUM", Reason.SIG_CRYPTO_FAILURE),
    (BLOCK, ("signatureList", 0, "sealerIndex"), 2, "INCL.NODE_QUORUM", Reason.SIG_CRYPTO_FAILURE),
    (BLOCK, ("signatureList", 0, "sealerIndex"), 1, "INCL.NODE_QUORUM", Reason.QUORUM_FAILURE),
    (BLOCK, ("signatureList", 0, "sealerIndex"), 4, "INCL.NODE_QUORUM", Reason.FORMAT_FAILURE),
    (BLOCK, ("signatureList",), lambda v: v[:2], "INCL.NODE_QUORUM", Reason.QUORUM_FAILURE),
    (BLOCK, ("signatureList",), lambda v: [*v[:2], v[1]], "INCL.NODE_QUORUM", Reason.QUORUM_FAILURE),
    (BLOCK, ("signatureList",), lambda v: [*v[:2], {**v[1], "sealerIndex": 3}], "INCL.NODE_QUORUM", Reason.SIG_CRYPTO_FAILURE),
    (BLOCK, ("signatureList",), [], "INCL.NODE_QUORUM", Reason.QUORUM_FAILURE),
    (RECEIPT, ("status",), 16, "INCL.EXECUTION", Reason.HASH_FAILURE),
    (RECEIPT, ("output",), "0x", "INCL.EXECUTION", Reason.HASH_FAILURE),
    (RECEIPT, ("gasUsed",), "21009", "INCL.EXECUTION", Reason.HASH_FAILURE),
    (RECEIPT, ("blockNumber",), lambda v: v + 1, "INCL.EXECUTION", Reason.HASH_FAILURE),
    (RECEIPT, ("logEntries", 1, "topics", 1), lambda v: flipped(v, 9), "INCL.EXECUTION", Reason.HASH_FAILURE),
    (RECEIPT, ("logEntries",), lambda v: v[:1], "INCL.EXECUTION", Reason.HASH_FAILURE),
    (RECEIPT, ("hash",), lambda v: flipped(v, 9), "INCL.EXECUTION", Reason.HASH_FAILURE),
    (RECEIPT, ("txReceiptProof", 2), lambda v: flipped(v, 9), "INCL.EXECUTION", Reason.PROOF_FAILURE),
]  # fmt: skip


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    ("where", "path", "value", "check", "reason"),
    ONE_CHANGE,
    ids=[f"{w}-{'.'.join(map(str, p))}-{c}-{r.value}-{i}" for i, (w, p, _, c, r) in enumerate(ONE_CHANGE)],
)
def test_one_change_is_caught_where_it_was_made(
    where: str,
    path: tuple[Any, ...],
    value: Any,
    check: str,
    reason: Reason,
    suite: str,
    store: TrustStore,
    guomi_store: TrustStore,
) -> None:
    chain = built(suite)
    change({TRANSACTION: chain.transactions[0], RECEIPT: chain.receipts[0], BLOCK: chain.block}[where], path, value)
    verdict = examine(files(chain), store if suite == "ECDSA" else guomi_store)
    assert verdict.overall is Overall.INCONSISTENT
    assert any(f.outcome.value == FAILED and f.reason is reason for f in findings(verdict, check)), [
        (f.check, f.outcome.value, f.reason) for f in verdict.findings
    ]


@pytest.mark.parametrize("suite", SUITES)
def test_signature_of_the_sender(suite: str, store: TrustStore, guomi_store: TrustStore) -> None:
    chain = built(suite)
    # A changed ECDSA signature recovers to a stranger, a changed SM2 signature is invalid.
    change(chain.transactions[0], ("signature",), lambda v: flipped(v, 9))
    verdict = examine(files(chain), store if suite == "ECDSA" else guomi_store)
    assert finding(verdict, "INCL.SENDER").outcome.value == FAILED
    assert verdict.overall is Overall.INCONSISTENT


def test_proof_of_one_file_with_another(store: TrustStore) -> None:
    verdict = examine(files(built(), page=OTHER), store)
    assert answer(verdict, "DIGEST.MATCH") == (FAILED, Reason.HASH_FAILURE)
    assert verdict.overall is Overall.INCONSISTENT


def test_receipt_of_another_transaction(store: TrustStore) -> None:
    chain = built()
    given = {**files(chain), "receipt.json": chain.files(1)["receipt.json"]}
    assert answer(examine(given, store), "INCL.EXECUTION")[0] == OPEN
    assert examine(given, store).overall is Overall.INDETERMINATE
    # Relabelled as ours: nothing in the receipt's hash names its transaction, its place in the tree does.
    chain.receipts[1].update({k: chain.receipts[0][k] for k in ("transactionHash", "input", "from", "to")})
    verdict = examine({**files(chain), "receipt.json": chain.files(1)["receipt.json"]}, store)
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.RECEIPT_NOT_BOUND)
    assert verdict.overall is Overall.INDETERMINATE


def test_own_block_with_own_sealers(store: TrustStore) -> None:
    """Everything re-hashed and signed by the attacker: only the court's pinned set stands against it."""
    chain = fisco3.build([hashlib.sha256(PAGE).digest()], seed="attacker")
    verdict = examine(files(chain), store)
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert verdict.overall is Overall.INDETERMINATE and verdict.grade.value == "E"
    closed = copy.deepcopy(built().validators)
    closed["epochs"][0]["to_height"] = 5000
    verdict = examine(files(chain), trust(built(), validators=closed))
    assert answer(verdict, "INCL.NODE_QUORUM") == (FAILED, Reason.ANCHOR_MISMATCH)
    assert verdict.overall is Overall.INCONSISTENT


@pytest.mark.parametrize("suite", SUITES)
def test_own_signatures_under_the_pinned_list(suite: str, store: TrustStore, guomi_store: TrustStore) -> None:
    """The right sealer list in the header, the attacker's keys behind (and, on a guomi chain, inside) the signatures."""
    chain = built(suite)
    own = tuple(chain.suite.key(f"attacker {i}") for i in range(4))
    forged = replace(chain, block=fisco3.seal(chain.suite, {**chain.block, "timestamp": 1_600_000_000_000}, own, (0, 1, 3)))
    verdict = examine(files(forged), store if suite == "ECDSA" else guomi_store)
    assert answer(verdict, "INCL.HEADER") == (PASSED, None)
    assert answer(verdict, "INCL.NODE_QUORUM") == (FAILED, Reason.SIG_CRYPTO_FAILURE)


def test_a_repeated_index_refutes_beside_a_full_quorum(store: TrustStore) -> None:
    chain = built()
    chain.block["signatureList"].append(chain.block["signatureList"][1])
    assert answer(examine(files(chain), store), "INCL.NODE_QUORUM") == (FAILED, Reason.QUORUM_FAILURE)
    assert answer(examine(files(chain), trust(None)), "INCL.NODE_QUORUM") == (FAILED, Reason.QUORUM_FAILURE)


def test_an_invalid_signature_refutes_even_where_nothing_is_pinned() -> None:
    chain = built()
    change(chain.block, ("signatureList", 0, "signature"), lambda v: flipped(v, 9))
    assert answer(examine(files(chain), trust(None)), "INCL.NODE_QUORUM") == (FAILED, Reason.SIG_CRYPTO_FAILURE)


def test_a_height_outside_every_epoch() -> None:
    chain = built()
    validators = copy.deepcopy(chain.validators)
    validators["epochs"][0]["from_height"] = 5000
    verdict = examine(files(chain), trust(chain, validators=validators))
    assert answer(verdict, "INCL.NODE_QUORUM") == (OPEN, Reason.ANCHOR_UNAVAILABLE)
    assert verdict.overall is Overall.INDETERMINATE


def test_foreign_chain(store: TrustStore) -> None:
    foreign = built(chain_id="elsewhere")
    verdict = examine(files(foreign), store)
    assert answer(verdict, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    assert verdict.overall is Overall.INDETERMINATE
    # Calling it ours changes the transaction's hash; moving the border between the two ids does not, and names no chain.
    chain = built()
    chain.transactions[0].update(chainID="demonstration0g", groupID="roup0")
    verdict = examine(files(chain), store)
    assert answer(verdict, "INCL.TRANSACTION") == (PASSED, None)
    assert answer(verdict, "INCL.LEDGER_KIND") == (OPEN, Reason.ANCHOR_UNTRUSTED)
    foreign.transactions[0]["chainID"] = "demonstration0"
    verdict = examine(files(foreign), store)
    assert answer(verdict, "INCL.TRANSACTION") == (FAILED, Reason.HASH_FAILURE)


def test_an_inner_node_is_no_transaction(guomi_store: TrustStore) -> None:
    """A file of 64 bytes, two leaves side by side: its SM3 is a node of the tree, and the path above it is genuine."""
    chain = built("SM")
    document = b"".join(bytes.fromhex(t["hash"][2:]) for t in chain.transactions)
    node = fisco3.sm3(document)
    assert node.hex() == chain.transactions[0]["txProof"][4]
    chain.transactions[0].update(hash="0x" + node.hex(), txProof=chain.transactions[0]["txProof"][3:])
    verdict = examine(files(chain, page=document), guomi_store)
    assert verdict.overall is Overall.INCONSISTENT
    assert answer(verdict, "INCL.TRANSACTION") == (FAILED, Reason.HASH_FAILURE)
    # Fields that would make the body these very bytes are no chain of the court's.
    assert not any(w.complete for w in verdict.walks)


def test_a_body_as_long_as_a_tree_node_is_ambiguous() -> None:
    """Sixty-four bytes that are a transaction of a chain with short names could also be two children."""
    s = fisco3.SUITES["ECDSA"]
    fields = {
        "version": 0, "chainID": "c", "groupID": "g", "blockLimit": 9, "nonce": "7", "to": fisco3.CONTRACT,
        "input": "0x" + "ab" * 7, "abi": "",
    }  # fmt: skip
    assert len(fisco3.transaction_bytes(fields)) == 64
    tx = fisco3.sign_transaction(s, fields, s.key("demonstration sender"))
    verdict = examine({"page.html": PAGE, "transaction.json": fisco3.encode(tx)}, trust(None))
    assert answer(verdict, "INCL.TRANSACTION") == (OPEN, Reason.AMBIGUOUS_PREIMAGE)


def test_call_hidden_behind_a_long_nonce() -> None:
    """The bytes hashed have no borders: a call of the attacker's contract, read as a call of the evidence contract.

    What the chain ran: nonce = "1" ‖ evidence contract ‖ call, to = attacker. What is shown: nonce = "1", to = evidence
    contract, input = call ‖ attacker's address ‖ attacker's input. Both have the same hash.
    """
    digest = hashlib.sha256(PAGE).digest()
    attacker = "0x" + "ab" * 20
    hidden = attacker.encode() + b"anything"
    call = fisco3.keccak(b"createSaveRequest(bytes32,bytes)")[:4] + digest + (64).to_bytes(32)
    call += len(hidden).to_bytes(32) + hidden.ljust(64, b"\0")

    def recorded(transactions: list[Any]) -> None:
        transactions[0].update(nonce="1", input="0x" + call.hex())

    chain = rebuilt(built(), transactions=recorded)
    verdict = examine(files(chain), trust(chain))
    assert answer(verdict, "INCL.TRANSACTION") == (OPEN, Reason.AMBIGUOUS_PREIMAGE)
    assert verdict.overall is Overall.INDETERMINATE


def test_nonce_that_swallows_a_contract(store: TrustStore) -> None:
    """The other way round: nonce = "1" ‖ attacker's address ‖ input is shown, so that `to` is the evidence contract."""
    swallowed = b"1" + b"0x" + b"ab" * 20 + b"attacker's input"

    def recorded(transactions: list[Any]) -> None:
        transactions[0]["nonce"] = swallowed.decode()

    chain = rebuilt(built(), transactions=recorded)
    chain.transactions[0]["nonce"] = swallowed.hex()
    verdict = examine(files(chain), store)
    assert answer(verdict, "INCL.TRANSACTION") == (OPEN, Reason.AMBIGUOUS_PREIMAGE)
    assert verdict.overall is Overall.INDETERMINATE


def test_abi_on_a_call_is_ambiguous(store: TrustStore) -> None:
    chain = rebuilt(built(), transactions=lambda txs: txs[0].update(abi="[0x" + "ab" * 20 + "]"))
    assert answer(examine(files(chain), store), "INCL.TRANSACTION") == (OPEN, Reason.AMBIGUOUS_PREIMAGE)


def test_log_forged_from_the_output_of_another_contract(store: TrustStore) -> None:
    """A contract of the attacker returns bytes that read as the evidence contract's log, in the block of a mere request."""
    digest = hashlib.sha256(PAGE).digest()
    event = fisco3.log(built().suite, "EvidenceSaved(bytes32)", [digest], b"")
    as_output = event["address"].encode() + b"".join(bytes.fromhex(t[2:]) for t in event["topics"])

    def recorded(receipts: list[Any]) -> None:
        receipts[0]["logEntries"].pop()  # the vote did not reach the threshold
        receipts[1].update(output="0x" + as_output.hex(), logEntries=[])

    chain = rebuilt(built(), receipts=recorded)
    forged = {**chain.receipts[1], "output": "0x", "logEntries": [event]}
    assert fisco3.receipt_bytes(forged) == fisco3.receipt_bytes(chain.receipts[1])
    forged.update({k: chain.receipts[0][k] for k in ("transactionHash", "input", "from", "to")})
    verdict = examine({**files(chain), "receipt.json": fisco3.encode(forged)}, store)
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.RECEIPT_NOT_BOUND)
    assert verdict.overall is Overall.INDETERMINATE


def test_creation_shown_as_a_call(store: TrustStore) -> None:
    """A contract creation whose code begins with an address text reads as a call; its receipt names the new contract."""
    chain = rebuilt(built(), receipts=lambda rcs: rcs[0].update(contractAddress="cd" * 20))
    assert answer(examine(files(chain), store), "INCL.EXECUTION") == (OPEN, Reason.AMBIGUOUS_PREIMAGE)


def test_identical_receipts_are_told_apart_by_their_place() -> None:
    """As in a real block of 707 equal receipts: the node returns the path of the first, which is not ours."""

    def same(receipts: list[Any]) -> None:
        for rc in receipts:
            rc.update(copy.deepcopy(receipts[0]))

    chain = fisco3.build([hashlib.sha256(b"%d" % i).digest() for i in range(5)], others=0)
    chain = rebuilt(chain, receipts=same)
    store = trust(chain)
    verdict = examine(files(chain, page=b"4", index=4), store)
    assert answer(verdict, "INCL.EXECUTION")[1] is Reason.PROMISE_ONLY  # bound; the log speaks of another digest
    chain.receipts[4]["txReceiptProof"] = chain.receipts[0]["txReceiptProof"]
    verdict = examine(files(chain, page=b"4", index=4), store)
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.RECEIPT_NOT_BOUND)
    # Where both members of a group are equal, the subtrees are: leaf 0 and leaf 1 are one and the same receipt.
    chain.receipts[1]["txReceiptProof"] = chain.receipts[0]["txReceiptProof"]
    verdict = examine(files(chain, page=b"1", index=1), store)
    assert answer(verdict, "INCL.EXECUTION")[1] is Reason.PROMISE_ONLY


# ── hostile bytes ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "broken",
    [
        lambda b: b.replace(b'"number": 1204', b'"number": 1204, "number": 1204'),
        lambda b: b.replace(b'"number": 1204', b'"number": 1204.0'),
        lambda b: b.replace(b'"number": 1204', b'"number": 1e3'),
        lambda b: b.replace(b'"number": 1204', b'"number": -1204'),
        lambda b: b.replace(b'"number": 1204', b'"number": true'),
        lambda b: b.replace(b'"number": 1204', b'"number": "01204"'),
        lambda b: b.replace(b'"number": 1204', b'"number": ' + b"9" * 70),
        lambda b: b.replace(b'"number": 1204', b'"number": ' + b"9" * 5000),
        lambda b: b.replace(b'"number": 1204', b'"number": NaN'),
        lambda b: b.replace(b'"txsRoot": "0x', b'"txsRoot": "0X'),
        lambda b: b.replace(b'"txsRoot": "0x', b'"txsRoot": "0x00'),
        lambda b: b.replace(b'"txsRoot": "0x', b'"txsRoot": "0x '),
        lambda b: b.replace(b'"sealerList": [', b'"sealerList": [[],'),
        lambda b: b.replace(b'"sealerList": [', b'"sealerList": {"a":['),
        lambda b: b.replace(b'"extraData": "0x"', b'"extraData": ' + b"[" * 100_000),
        lambda b: b[: len(b) // 2],
        lambda b: b + b"{}",
        lambda b: b"\xef\xbb\xbf" + b,
        lambda b: b.replace(b'"signatureList": [', b'"signatureList": [7,'),
        lambda b: b.replace(b'"parentInfo": [', b'"parentInfo": [' + b'{"blockNumber":1203,"blockHash":"0x' + b"0" * 64 + b'"},'),
    ],
)  # fmt: skip
def test_a_broken_header_is_refused(broken: Callable[[bytes], bytes], store: TrustStore) -> None:
    given = files(built())
    damaged = broken(given["block.json"])
    assert damaged != given["block.json"]
    verdict = examine({**given, "block.json": damaged}, store)
    assert verdict.overall is Overall.INCONSISTENT
    assert any(f.reason is Reason.FORMAT_FAILURE for f in findings(verdict, "INCL.LEDGER_KIND"))


@pytest.mark.parametrize("items", [2_000, 1_000_000])
def test_a_path_longer_than_any_tree_is_not_walked(items: int, store: TrustStore) -> None:
    chain = built()
    chain.transactions[0]["txProof"] = ["00" * 32] * items
    verdict = examine(files(chain), store)
    assert verdict.overall is Overall.INDETERMINATE
    assert any(f.reason is Reason.RESOURCE_LIMIT for f in findings(verdict, "INCL.LEDGER_KIND"))


UNHASHED = {
    ("block", "transactions"),  # a list that the path makes superfluous
    ("transaction", "importTime"),
    ("transaction", "extraData"),
    ("receipt", "message"),
    ("receipt", "checksumContractAddress"),
}
"""Members that no hash covers and nothing is read from."""


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in leaves(v, (*path, k))]
    if isinstance(value, list):
        return [p for i, v in enumerate(value) for p in leaves(v, (*path, i))]
    return [path]


def altered(value: Any, rng: random.Random) -> Any:
    """Another value of the same kind."""
    if isinstance(value, int):
        return rng.choice([value + 1, value ^ 1, value * 2 + 1, 0 if value else 7])
    if len(value) <= 2:
        return value + "00"
    return flipped(value, rng.randrange(2 if value.startswith("0x") else 0, len(value)))


@pytest.mark.parametrize("suite", SUITES)
def test_random_changes_of_any_value_never_pass(suite: str, store: TrustStore, guomi_store: TrustStore) -> None:
    rng = random.Random(f"fisco3 {suite}")
    court = store if suite == "ECDSA" else guomi_store
    original = built(suite)
    parts = {"block": original.block, "transaction": original.transactions[0], "receipt": original.receipts[0]}
    places = [(n, p) for n, part in parts.items() for p in leaves(part) if (n, p[0]) not in UNHASHED]
    tried = 0
    for where, path in rng.sample(places, min(len(places), 60 if suite == "SM" else 120)):
        chain = built(suite)
        part = {"block": chain.block, "transaction": chain.transactions[0], "receipt": chain.receipts[0]}[where]

        change(part, path, lambda value: altered(value, rng))
        verdict = examine(files(chain), court)
        assert verdict.overall is not Overall.CONSISTENT, (where, path)
        tried += 1
    assert tried >= 60


def test_random_bits_never_pass(store: TrustStore) -> None:
    """Bits of the files as they lie there: whatever still parses to the same values may pass, nothing else."""
    rng = random.Random("fisco3 bits")
    given = files(built())
    values = {n: json.loads(d) for n, d in given.items() if n.endswith(".json")}

    def hashed(name: str, data: bytes) -> Any:
        kind = name.removesuffix(".json")
        parsed = json.loads(data)
        return {k: v for k, v in parsed.items() if (kind, k) not in UNHASHED}

    same = 0
    for _ in range(250):
        name = rng.choice(list(given))
        data = bytearray(given[name])
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        verdict = examine({**given, name: bytes(data)}, store)
        if verdict.overall is Overall.CONSISTENT:
            assert name != "page.html"
            assert hashed(name, bytes(data)) == {
                k: v for k, v in values[name].items() if (name.removesuffix(".json"), k) not in UNHASHED
            } or set(json.loads(bytes(data))) != set(values[name])
            same += 1
    assert same < 125


def test_only_answers_of_this_family_are_claimed() -> None:
    chain = built()
    for data in chain.files().values():
        assert engine.sniff(Source.from_bytes("x", data)) >= 50
    for data in (
        b"",
        b"{}",
        PAGE,
        b'{"txId":"1","blockHeight":2}',
        b'{"transactionsRoot":"0x","receiptsRoot":"0x","dbHash":"0x"}',
        b'[{"txsRoot":1,"receiptsRoot":2}]',
        b'{"blockHash":"0x","logs":[],"logsBloom":"0x","transactionHash":"0x","gasUsed":"0x"}',
    ):
        assert engine.sniff(Source.from_bytes("x.json", data)) == 0
