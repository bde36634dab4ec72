"""FISCO BCOS over JSON-RPC: the three questions that prove one transaction (spec consortium-chains §9.3, §9.4).

Members of the answers: FISCO-BCOS bcos-rpc/jsonrpc/JsonRpcImpl_2_0.cpp (3.x), libinitializer/librpc/Rpc.cpp (2.x). What is read
here is only what the next question needs and whether the answer is to the question: the engine reads the rest.
"""

import json
from collections.abc import Iterator
from typing import Any

from evidence.verification.codecs import strict_json

from .nodes import Node
from .questions import Absent, Answer, Ask, Question, label
from .wire import Unusable

NOT_FOUND = ("not found", "not exist", "no such", "cannot find", "can't find", "txssize: 0, hashessize: 1")
"""Words by which a node's error says that it has no such transaction; the last are those of 3.x (bcos-ledger Ledger.cpp,
asyncBatchGetTransactions). Error codes changed between releases. 2.x answers null."""
HEIGHT_MAX = 1 << 63


def prove(node: Node, tx_id: str, ask: Ask) -> Iterator[Answer]:
    """Transaction, receipt and block, each as the node sent it, envelope and all."""
    tx_hash = "0x" + tx_id.removeprefix("0x").lower()
    old = node.family == "fisco2"
    group: str | int = int(node.group_id) if old else node.group_id
    place = [group] if old else [group, node.node_name]

    def put(file: str, method: str, *parameters: object, first: bool = False) -> tuple[Answer, Any]:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": [*place, *parameters]}
        body = json.dumps(request, separators=(",", ":")).encode()
        data = ask(Question(method, body))
        try:
            return Answer(label(node.id, tx_id, file), data), _result(data)
        except Absent as fault:
            if first:
                raise
            raise Unusable("the node knows the transaction, and has no receipt or block of it") from fault

    if old:
        answer, found = put("transaction.json", "getTransactionByHashWithProof", tx_hash, first=True)
        transaction = _object(found, "transaction")
    else:
        answer, found = put("transaction.json", "getTransaction", tx_hash, True, first=True)
        transaction = _object(found)
    _same(transaction.get("hash"), tx_hash, "another transaction than the one asked for")
    yield answer

    if old:
        answer, found = put("receipt.json", "getTransactionReceiptByHashWithProof", tx_hash)
        receipt = _object(found, "transactionReceipt")
    else:
        answer, found = put("receipt.json", "getTransactionReceipt", tx_hash, True)
        receipt = _object(found)
    _same(receipt.get("transactionHash"), tx_hash, "the receipt of another transaction")
    yield answer

    height = _height(receipt.get("blockNumber"))
    if old:
        # 2.x takes the number as text; "true" asks for the signatures too.
        answer, found = put("block.json", "getBlockHeaderByNumber", hex(height), True)
    else:
        # Header and the hashes of its transactions: nodes before 3.2 give no path that fits, their blocks are recomputed from these.
        answer, found = put("block.json", "getBlockByNumber", height, False, True)
    if _height(_object(found).get("number")) != height:
        raise Unusable("another block than the one asked for")
    yield answer


def _result(data: bytes) -> Any:
    """The `result` of one JSON-RPC answer. Absent when the node says that there is none."""
    try:
        value = strict_json.loads(data)
    except strict_json.JsonError as fault:
        raise Unusable(f"not JSON: {fault}") from fault
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0" or value.get("id") != 1:
        raise Unusable("not an answer to this question in JSON-RPC")
    error = value.get("error")
    if error is not None:
        words = str(error.get("message", ""))[:200] if isinstance(error, dict) else ""
        if any(w in words.lower() for w in NOT_FOUND):
            raise Absent
        raise Unusable(f"the node says {words!r}")
    if value.get("result") is None:
        raise Absent
    return value["result"]


def _object(value: Any, member: str = "") -> dict[str, Any]:
    found = value.get(member) if member and isinstance(value, dict) else value
    if not isinstance(found, dict):
        raise Unusable(f"an answer without {member or 'an object'}")
    return found


def _same(said: Any, asked: str, words: str) -> None:
    if not isinstance(said, str) or "0x" + said.lower().removeprefix("0x") != asked:
        raise Unusable(words)


def _height(value: Any) -> int:
    """A number, decimal text or hexadecimal text, as releases and answers differ."""
    try:
        if isinstance(value, str) and len(value) <= 20 and value.isascii() and "_" not in value:
            value = int(value, 16 if value.startswith("0x") else 10)
    except ValueError as fault:
        raise Unusable("a block number that is none") from fault
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < HEIGHT_MAX:
        raise Unusable("a block number that is none")
    return value
