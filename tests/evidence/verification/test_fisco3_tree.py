"""FISCO BCOS 3: the tree hashes two children without a mark, so a body of 64 bytes can stand for a node of it."""

import copy
import hashlib
from typing import Any

import pytest

from evidence.verification.chains.fisco3_hashing import hides_receipt, list_nodes, path_nodes
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from portal.demonstration import fisco3
from tests.evidence.verification import test_fisco3_ethereum as ethereum
from tests.evidence.verification.fisco3_exhibits import (
    FAILED,
    PAGE,
    PASSED,
    answer,
    examine,
    finding,
    rebuilt,
    trust,
)


@pytest.mark.parametrize("others", [0, 1, 4])
@pytest.mark.parametrize("how", ["path", "list"])
def test_a_transaction_written_into_a_body_of_64_bytes(how: str, others: int) -> None:
    """What was recorded: the creation of a contract whose body is 64 bytes and ends in the hash of a vote that never was. It is hashed like
    two children, so a path one group longer leads from the vote to the root."""
    s = fisco3.SUITES["ECDSA"]
    chain = fisco3.build([hashlib.sha256(PAGE).digest()], chain_id="chain0", others=others)
    store = trust(chain)
    vote = copy.deepcopy(chain.transactions[0])
    vote["nonce"] = "777"
    vote = fisco3.sign_transaction(s, {k: v for k, v in vote.items() if k not in ("hash", "signature", "from", "txProof")}, s.key("attacker"))

    def recorded(transactions: list[Any]) -> None:
        transactions[0].update(to="", nonce="12345678", input=vote["hash"], blockLimit=600)
        assert len(fisco3.transaction_bytes(transactions[0])) == 64

    carrier = rebuilt(chain, transactions=recorded)
    body = fisco3.transaction_bytes(carrier.transactions[0])
    group = ["00000002" + "00" * 28, body[:32].hex(), body[32:].hex()]
    vote["txProof"] = [*group, *carrier.transactions[0]["txProof"]]
    block = dict(carrier.block)
    if how == "list":
        if others:
            return  # the other leaves would have to be bodies of 64 bytes too
        del vote["txProof"]
        block["transactions"] = ["0x" + group[1], "0x" + group[2]]
    else:
        del block["transactions"]
    receipt = {**carrier.receipts[0], "transactionHash": vote["hash"], "input": vote["input"], "to": vote["to"], "from": vote["from"]}
    given = {"page.html": PAGE, "t.json": fisco3.encode(vote), "b.json": fisco3.encode(block), "r.json": fisco3.encode(receipt)}
    verdict = examine(given, store)
    assert answer(verdict, "INCL.TRANSACTION") == (PASSED, None)
    assert answer(verdict, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)
    assert finding(verdict, "INCL.PATH").notes == ("NODE_IS_A_RECORD",)
    assert verdict.overall is Overall.INCONSISTENT


def test_an_ethereum_transaction_written_into_a_body_of_64_bytes() -> None:
    """The same with a wallet's transaction, which names no chain: the names are those of the package."""
    chain = fisco3.build([hashlib.sha256(PAGE).digest()], chain_id="chain0", others=1)
    raw = ethereum.wallet(2, ethereum.call())
    leaf = fisco3.hexed(fisco3.keccak(raw))
    carrier = rebuilt(
        chain, transactions=lambda txs: txs[0].update(to="", nonce="12345678", input=leaf, blockLimit=600)
    )
    body = fisco3.transaction_bytes(carrier.transactions[0])
    assert len(body) == 64
    wanted = ethereum.recorded(raw).transactions[0]
    wanted["txProof"] = ["00000002" + "00" * 28, body[:32].hex(), body[32:].hex(), *carrier.transactions[0]["txProof"]]
    value = fisco3.package(carrier, [("page.html", "SHA-256", hashlib.sha256(PAGE).digest())], raw_tx=raw.hex())
    value["transaction"] = wanted
    value["receipt"].update({"transactionHash": leaf, "from": wanted["from"], "to": wanted["to"], "input": wanted["input"]})
    del value["header"]["transactions"]
    verdict = examine({"page.html": PAGE, "p.json": fisco3.encode(value)}, ethereum.pinned(carrier))
    assert answer(verdict, "INCL.TRANSACTION") == (PASSED, None)
    assert answer(verdict, "INCL.PATH") == (FAILED, Reason.PROOF_FAILURE)
    assert finding(verdict, "INCL.PATH").notes == ("NODE_IS_A_RECORD",)


def test_what_a_receipt_of_64_bytes_looks_like() -> None:
    """21 bytes around the output: version, gas, status, and the number of the block at the end."""
    receipt = {
        "version": 0, "gasUsed": "21000", "contractAddress": "", "status": 0, "output": "0x" + "ab" * 43, "logEntries": [], "blockNumber": 1204,
    }  # fmt: skip
    body = fisco3.receipt_bytes(receipt)
    assert len(body) == 64
    assert hides_receipt([body], 1204)
    assert not hides_receipt([body], 1205)
    genuine = fisco3.build([hashlib.sha256(b"%d" % i).digest() for i in range(9)])
    for rc in genuine.receipts:
        items = [bytes.fromhex(i) for i in rc["txReceiptProof"]]
        assert not hides_receipt(path_nodes(items), 1204)
    leaves = [fisco3.raw(rc["hash"]) for rc in genuine.receipts]
    assert not hides_receipt(list_nodes(leaves), 1204)
    assert list(list_nodes(leaves[:1])) == [] and len(list(list_nodes(leaves))) == 5
