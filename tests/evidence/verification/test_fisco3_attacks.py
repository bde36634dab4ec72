"""FISCO BCOS 3: every attack that a party could try on blocks written field by field, and hostile bytes."""

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
from evidence.verification.verdict import Overall
from portal.demonstration import fisco3
from tests.evidence.verification.fisco3_exhibits import (
    FAILED,
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


# ── attacks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


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
