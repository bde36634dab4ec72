"""FISCO BCOS 2 on blocks written field by field: what passes, what is missing, what the court has pinned."""

import copy
import hashlib
import json
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
    built,
    encode,
    hexed,
    package,
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
