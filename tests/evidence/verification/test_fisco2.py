"""FISCO BCOS 2 on blocks written field by field: what passes, what is missing, what the court has pinned."""

import copy
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from evidence.verification import Source, TrustStore
from evidence.verification.chains import fisco2 as engine
from evidence.verification.chains import fisco3 as sibling
from evidence.verification.chains.fisco2_rungs import too_old
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall, ProofState
from tests.evidence.verification import fisco2_exhibits as fisco2
from tests.evidence.verification import fisco3_exhibits
from tests.evidence.verification.fisco2_exhibits import (
    CONTRACT,
    built,
    encode,
    hexed,
    log,
    package,
    raw,
    rebuilt,
    resealed,
)
from tests.evidence.verification.fisco3_exhibits import (
    FAILED,
    LADDER,
    OPEN,
    OTHER,
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


# ── a good record ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("remain_gas", [False, True])
@pytest.mark.parametrize("suite", SUITES)
def test_a_recorded_page(suite: str, remain_gas: bool) -> None:
    chain = built(suite, remain_gas=remain_gas)
    verdict = examine(chain.files(), trust(chain))
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "B")
    assert all(answer(verdict, check) == (PASSED, None) for check in LADDER)
    assert {w.state for w in verdict.walks} == {ProofState.PROVEN}
    assert verdict.time is not None and verdict.time.basis == "PROPOSER"
    assert verdict.time.not_after.timestamp() == 1_790_000_000
    noted = "RECEIPT_HASHED_AS:remainGas" in finding(verdict, "INCL.EXECUTION").notes
    assert noted is remain_gas


@pytest.mark.parametrize("transactions", [1, 2, 15, 16, 17, 18, 33, 257, 273])
def test_every_place_of_every_tree(transactions: int) -> None:
    """One transaction, full groups, a group of one, three levels: first, last and border places."""
    chain = fisco2.build([DIGEST], others=transactions - 1)
    store = trust(chain)
    for index in sorted({0, 1, 15, 16, transactions - 1} & set(range(transactions))):
        verdict = examine(chain.files(index), store)
        assert answer(verdict, "INCL.PATH") == (PASSED, None)
        assert answer(verdict, "INCL.EXECUTION") == (PASSED, None)
        assert verdict.overall is (Overall.CONSISTENT if index == 0 else Overall.INCONSISTENT)


def test_the_node_prints_a_gas_that_its_chain_does_not_hash() -> None:
    chain = built()
    for receipt in chain.outcomes:
        receipt["remainGas"] = "0x10"
    verdict = examine(chain.files(), trust(chain))
    assert verdict.overall is Overall.CONSISTENT


def test_spellings(store: TrustStore) -> None:
    """Envelope or bare; numbers as 0x, JSON integers or decimal text; the header's number either way."""
    chain = built()
    given = chain.files()
    wrapped = {
        n: d if n == "page.html" else json.dumps({"jsonrpc": "2.0", "id": 1, "result": json.loads(d)}).encode()
        for n, d in given.items()
    }
    assert examine(wrapped, store).overall is Overall.CONSISTENT
    header = {**chain.header, "number": hex(chain.header["number"]), "timestamp": int(chain.header["timestamp"], 16), "sealer": "1"}
    assert examine({**given, "header.json": encode(header)}, store).overall is Overall.CONSISTENT
    transaction = chain.transaction()
    transaction["transaction"].update(blockLimit=str(int(transaction["transaction"]["blockLimit"], 16)), chainId=1, groupId="1")
    assert examine({**given, "transaction.json": encode(transaction)}, store).overall is Overall.CONSISTENT
    for wrong in ("0x01", "0X1", "1.0", " 1", "0x", "", "01", "+1"):
        changed = copy.deepcopy(transaction)
        changed["transaction"]["chainId"] = wrong
        verdict = examine({**given, "transaction.json": encode(changed)}, store)
        assert verdict.overall is Overall.INCONSISTENT
        assert answer(verdict, "INCL.LEDGER_KIND")[0] == FAILED


def test_all_hashes_of_the_block_instead_of_a_path(store: TrustStore) -> None:
    chain = built()
    transaction = {**chain.transaction(), "txProof": None}
    whole = {**chain.header, "transactions": [hexed(h) for h in chain.tx_hashes]}
    given = {**chain.files(), "transaction.json": encode(transaction), "header.json": encode(whole)}
    verdict = examine(given, store)
    assert verdict.overall is Overall.CONSISTENT
    assert finding(verdict, "INCL.PATH").notes == ("RECOMPUTED_FROM_LEAVES:18",)
    whole["transactions"][3] = whole["transactions"][4]
    verdict = examine({**given, "header.json": encode(whole)}, store)
    # Chains before 2.2.0 root their transactions otherwise, and nothing here tells the version.
    assert answer(verdict, "INCL.PATH") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert verdict.overall is Overall.INDETERMINATE
    del whole["transactions"]
    assert answer(examine({**given, "header.json": encode(whole)}, store), "INCL.PATH") == (OPEN, Reason.PROOF_NOT_SUPPLIED)


def test_a_list_at_another_place(store: TrustStore) -> None:
    chain = built()
    transaction = {**chain.transaction(), "txProof": None}
    transaction["transaction"]["transactionIndex"] = "0x1"
    whole = {**chain.header, "transactions": [hexed(h) for h in chain.tx_hashes]}
    given = {**chain.files(), "transaction.json": encode(transaction), "header.json": encode(whole)}
    assert answer(examine(given, store), "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)


def test_a_block_with_whole_transactions_is_enough(store: TrustStore) -> None:
    chain = built()
    block = {**chain.header, "transactions": [*chain.bodies]}
    given = {**chain.files(), "block.json": encode(block)}
    del given["transaction.json"], given["header.json"]
    verdict = examine(given, store)
    assert verdict.overall is Overall.CONSISTENT
    assert len(findings(verdict, "INCL.TRANSACTION")) == 1


@pytest.mark.parametrize("suite", SUITES)
def test_a_package_says_the_same(suite: str) -> None:
    chain = built(suite)
    packed = package(chain, [("page.html", "SHA-256", DIGEST)])
    verdict = examine({"page.html": PAGE, "p.mjproof.json": encode(packed)}, trust(chain))
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "B")
    apart = examine(chain.files(), trust(chain))
    assert [answer(verdict, c) for c in LADDER] == [answer(apart, c) for c in LADDER]
    packed["transaction"]["txProof"] = None
    packed["tx_hashes"] = [h.hex() for h in chain.tx_hashes]
    assert examine({"page.html": PAGE, "p.mjproof.json": encode(packed)}, trust(chain)).overall is Overall.CONSISTENT
    packed["tx_hashes"][2] = "00" * 32
    verdict = examine({"page.html": PAGE, "p.mjproof.json": encode(packed)}, trust(chain))
    assert answer(verdict, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)


@pytest.mark.parametrize(
    ("name", "value"),
    [("chain_id", "2"), ("group_id", 2), ("hash", "SM3"), ("signature", "SM2"), ("genesis_hash", "00" * 32)],
)
def test_what_a_package_says_of_the_chain_must_agree(name: str, value: Any) -> None:
    chain = built()
    packed = package(chain, [("page.html", "SHA-256", DIGEST)])
    packed["chain"][name] = value
    verdict = examine({"page.html": PAGE, "p.mjproof.json": encode(packed)}, trust(chain))
    due = Reason.ANCHOR_MISMATCH if name == "genesis_hash" else Reason.CERT_FIELDS_CONFLICT
    assert answer(verdict, "INCL.LEDGER_KIND") == (FAILED, due)
    assert verdict.overall is Overall.INCONSISTENT


def test_two_records_of_two_groups(store: TrustStore) -> None:
    """Two groups of one chain have the same sealers; each transaction names its own under its hash."""
    chain, other = built(), fisco2.build([hashlib.sha256(OTHER).digest()], group=2)
    assert chain.header["sealerList"] == other.header["sealerList"]
    theirs = {f"second {n}": d for n, d in other.files(page=OTHER).items()}
    verdict = examine({**chain.files(), **theirs}, store)
    assert verdict.overall is Overall.INDETERMINATE
    second = next(f for f in findings(verdict, "INCL.LEDGER_KIND") if "second" in f.subject)
    assert (second.outcome.value, second.reason) == (OPEN, Reason.ANCHOR_UNTRUSTED)


def test_only_answers_of_this_family_are_claimed() -> None:
    chain = built()
    for name, data in chain.files(page=None).items():
        assert engine.sniff(Source.from_bytes(name, data)) >= 50
        assert sibling.sniff(Source.from_bytes(name, data)) == 0
    for data in fisco3_exhibits.built().files().values():
        assert engine.sniff(Source.from_bytes("x", data)) == 0
    old = fisco3_exhibits.built()
    old.transactions[0].update(txProof=None, transactionProof=[{"left": [], "right": []}])
    old.receipts[0].update(txReceiptProof=None, receiptProof=[{"left": [], "right": []}])
    for data in old.files().values():
        assert engine.sniff(Source.from_bytes("x", data)) == 0
        assert sibling.sniff(Source.from_bytes("x", data)) >= 50
    ethereum = b'{"blockHash":"0x","logs":[],"logsBloom":"0x","transactionHash":"0x","gasUsed":"0x","root":"0x"}'
    for data in (b"", b"{}", PAGE, ethereum, b'[{"transactionsRoot":1,"dbHash":2,"sealerList":3}]'):
        assert engine.sniff(Source.from_bytes("x.json", data)) == 0


# ── what is missing ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("absent", "check"),
    [
        ("transaction.json", "INCL.TRANSACTION"),
        ("receipt.json", "INCL.EXECUTION"),
        ("header.json", "INCL.HEADER"),
        ("page.html", "DIGEST.MATCH"),
    ],
)
def test_missing_files_refute_nothing(absent: str, check: str, store: TrustStore) -> None:
    given = built().files()
    del given[absent]
    verdict = examine(given, store)
    assert verdict.overall is Overall.INDETERMINATE
    due = Reason.SIGNED_DATA_NOT_FOUND if absent == "page.html" else Reason.PROOF_NOT_SUPPLIED
    assert answer(verdict, check) == (OPEN, due)


@pytest.mark.parametrize("name", ["blockLimit", "chainId", "groupId", "extraData", "signature", "nonce", "input", "to", "hash"])
def test_a_body_as_nodes_before_270_print_it(name: str, store: TrustStore) -> None:
    chain = built()
    transaction = chain.transaction()
    del transaction["transaction"][name]
    verdict = examine({**chain.files(), "transaction.json": encode(transaction)}, store)
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, "INCL.TRANSACTION") == (OPEN, Reason.TX_INCOMPLETE)
    assert answer(verdict, "INCL.CONTENT")[0] == OPEN or name == "hash"
    assert not any(w.complete for w in verdict.walks)
    if name != "hash":
        assert finding(verdict, "INCL.PATH").notes == ("LEAF_CLAIMED",)


def test_an_incomplete_body_that_claims_a_recorded_hash(store: TrustStore) -> None:
    """The hash of a real transaction with a body of one's own: without its signature the body cannot be held against it."""
    chain = built()
    transaction = chain.transaction()
    wanted = fisco2.call_data(chain.suite, hashlib.sha256(OTHER).digest(), True)
    transaction["transaction"]["input"] = hexed(wanted)
    del transaction["transaction"]["signature"]
    receipt = chain.receipt()
    receipt["transactionReceipt"]["input"] = hexed(wanted)
    given = {"page.html": OTHER, "t.json": encode(transaction), "r.json": encode(receipt), "h.json": encode(chain.header)}
    verdict = examine(given, store)
    assert verdict.overall is Overall.INDETERMINATE
    assert not any(w.complete for w in verdict.walks)


@pytest.mark.parametrize(
    ("engine_version", "old"),
    [
        ("2.1.0", "2.1.0"), ("v2.0.0-rc1", "2.0.0-rc1"), ("2.9.1 (supported 2.1.0)", "2.1.0"), ("1.3", "1.3"),
        ("2.2.0", None), ("v2.9.1", None), ("2.11.0", None), ("FISCO BCOS", None),
    ],
)  # fmt: skip
def test_chains_before_220_are_named(engine_version: str, old: str | None) -> None:
    assert too_old(engine_version) == old
    chain = built()
    packed = package(chain, [("page.html", "SHA-256", DIGEST)])
    packed["chain"]["engine"] = engine_version
    verdict = examine({"page.html": PAGE, "p.json": encode(packed)}, trust(chain))
    if old is None:
        assert verdict.overall is Overall.CONSISTENT
        return
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, "INCL.PATH") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert finding(verdict, "INCL.PATH").actual == old


# ── evidence contracts ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_request_alone_is_a_promise() -> None:
    chain = built(saved=False)
    verdict = examine(chain.files(), trust(chain))
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)
    assert {w.state for w in verdict.walks} == {ProofState.PROMISED}


@pytest.mark.parametrize("change", ["no event", "other digest", "other contract"])
def test_the_event_must_be_the_contracts_and_about_the_digest(change: str, store: TrustStore) -> None:
    def altered(receipts: list[Any]) -> None:
        if change == "no event":
            receipts[0]["logs"].pop()
        elif change == "other digest":
            receipts[0]["logs"][1]["topics"][1] = hexed(hashlib.sha256(OTHER).digest())
        else:
            receipts[0]["logs"][1]["address"] = "0x" + "22" * 20

    verdict = examine(rebuilt(built(), outcomes=altered).files(), store)
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)
    assert verdict.overall is Overall.INDETERMINATE


def test_failed_execution_refutes(store: TrustStore) -> None:
    chain = rebuilt(built(), outcomes=lambda rcs: rcs[0].update(status="0x16", logs=[]))
    verdict = examine(chain.files(), store)
    assert answer(verdict, "INCL.EXECUTION") == (FAILED, Reason.EXECUTION_FAILED)
    assert verdict.overall is Overall.INCONSISTENT


CHILD = "0x" + "c1" * 20
NEW = "newEvidence(string,string,string,uint8,bytes32,bytes32)"
NEW_EVENT = "newSignaturesEvent(string,string,string,uint8,bytes32,bytes32,address)"


def texts(values: list[bytes], fixed: list[bytes]) -> bytes:
    """ABI of some texts followed by fixed words."""
    head, tail, at = b"", b"", 32 * (len(values) + len(fixed))
    for value in values:
        padded = value.ljust(-(-len(value) // 32) * 32, b"\0")
        head += (at + len(tail)).to_bytes(32)
        tail += len(value).to_bytes(32) + padded
    return head + b"".join(fixed) + tail


def sample(
    event: str = NEW_EVENT, *, child: str = CHILD, emitter: str = CHILD, evi: bytes | None = None, factory: str = CONTRACT
) -> fisco2.Built:
    """A record of the older sample: the factory made a contract, which announced an event."""
    digest = DIGEST.hex().encode()
    fixed = [(27).to_bytes(32), b"r" * 32, b"s" * 32]

    def call(bodies: list[Any]) -> None:
        s = fisco2.SUITES["ECDSA"]
        bodies[0]["input"] = hexed(s.hash(NEW.encode())[:4] + texts([digest, b"info", b"id"], fixed))

    def said(receipts: list[Any]) -> None:
        s = fisco2.SUITES["ECDSA"]
        data = texts([evi or digest, b"info", b"id"], [*fixed, raw(factory).rjust(32, b"\0")])
        announcement = {**log(s, event, [], data), "address": emitter}
        made = log(s, "newEvidenceEvent(address)", [], raw(child).rjust(32, b"\0"))
        receipts[0]["logs"] = [announcement, {**made, "address": CONTRACT}]
        receipts[0]["output"] = hexed(raw(child).rjust(32, b"\0"))

    return rebuilt(built(), bodies=call, outcomes=said)


def sample_store(**more: Any) -> TrustStore:
    mapped = {"name": CONTRACT, "method": NEW, "digest_param": "evi", "encoding": "hex-text", "alg": "SHA-256", **more}
    return trust(built(), contracts=[mapped])


def test_the_older_sample_stores_with_one_signature() -> None:
    verdict = examine(sample().files(), sample_store())
    assert verdict.overall is Overall.CONSISTENT
    assert "ONE_PARTY_SIGNED" in finding(verdict, "INCL.EXECUTION").notes
    assert finding(verdict, "INCL.EXECUTION").actual == NEW_EVENT


def test_the_older_sample_refuses_a_stranger_with_status_0() -> None:
    verdict = examine(sample("error" + NEW_EVENT[0].upper() + NEW_EVENT[1:]).files(), sample_store())
    assert verdict.overall is Overall.INCONSISTENT
    assert answer(verdict, "INCL.EXECUTION") == (FAILED, Reason.EXECUTION_FAILED)


@pytest.mark.parametrize(
    "options", [{"emitter": "0x" + "dd" * 20}, {"child": "0x" + "dd" * 20}, {"evi": b"00" * 32}, {"factory": "0x" + "dd" * 20}]
)
def test_the_new_contract_must_be_the_one_that_the_factory_made(options: dict[str, Any]) -> None:
    verdict = examine(sample(**options).files(), sample_store())
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)
    assert verdict.overall is Overall.INDETERMINATE


def test_a_signature_added_records_nothing() -> None:
    s = fisco2.SUITES["ECDSA"]
    data = s.hash(b"addSignatures(uint8,bytes32,bytes32)")[:4] + (27).to_bytes(32) + b"r" * 32 + b"s" * 32

    def said(receipts: list[Any]) -> None:
        event = "addSignaturesEvent(string,string,string,uint8,bytes32,bytes32)"
        body = texts([DIGEST.hex().encode(), b"", b""], [(27).to_bytes(32), b"r" * 32, b"s" * 32])
        receipts[0]["logs"] = [{**log(s, event, [], body), "address": CONTRACT}]

    chain = rebuilt(built(), bodies=lambda txs: txs[0].update(input=hexed(data)), outcomes=said)
    verdict = examine(chain.files(), sample_store())
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, "INCL.EXECUTION") == (OPEN, Reason.PROMISE_ONLY)
    assert "SIGNATURE_ADDED_ONLY" in finding(verdict, "INCL.EXECUTION").notes


def test_contract_that_the_court_has_not_mapped() -> None:
    chain = built()
    verdict = examine(chain.files(), trust(chain, contracts=[]))
    assert answer(verdict, "INCL.CONTENT") == (OPEN, Reason.CONTRACT_UNKNOWN)
    assert verdict.overall is Overall.INDETERMINATE
    assert examine(chain.files(), trust(chain, contracts=[], accept_raw_hit=True)).overall is Overall.CONSISTENT


@pytest.mark.parametrize("to", [None, "0x" + "00" * 20])
def test_creation_of_a_contract(to: str | None, store: TrustStore) -> None:
    """Nodes print it as a call of the zero address; a real call of that address has other bytes and is told apart by them."""

    def create(bodies: list[Any]) -> None:
        bodies[0].update(to=to, input="0x6080" + DIGEST.hex())

    verdict = examine(rebuilt(built(), bodies=create).files(), store)
    assert answer(verdict, "INCL.TRANSACTION") == (PASSED, None)
    assert finding(verdict, "INCL.TRANSACTION").notes == ("RENDERING_USED:to=create",)
    assert answer(verdict, "INCL.EXECUTION") == (PASSED, None)
    assert answer(verdict, "INCL.CONTENT") == (OPEN, Reason.CONTRACT_UNKNOWN)


# ── what the court has pinned ──────────────────────────────────────────────────────────────────────────────────────────


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
