"""The JSON answers of a FISCO BCOS 3.x node, read strictly (spec consortium-chains §2 rule 2, §6).

`getTransaction`, `getTransactionReceipt` and `getBlockByNumber`, bare or in their JSON-RPC envelope. A value of the wrong
form raises CodecError; a member that is not there is None and makes its record incomplete, never wrong. Members that this
reader does not know are left alone: nodes add some with every version, and nothing is read from them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import merkle
from ..codecs.text import CodecError, decimal
from . import node_json
from .evidence_contracts import Log
from .node_answers import Kind
from .node_json import ADDRESS, HASH_BYTES

VALIDATORS_MAX = 1024
"""Sealers and signatures of one block (spec §2 rule 6)."""
PATH_ITEMS_MAX = 1024
"""Items of a path (spec §2 rule 6)."""
LOGS_MAX = 4096
"""Logs of one receipt; the gas limit of a transaction allows fewer."""
TOPICS_MAX = 4
"""Topics of one log: LOG4 is the widest instruction of the EVM."""
SEALER_BYTES = 64


@dataclass(frozen=True, slots=True)
class Header:
    """`getBlockByNumber`. Every field is in the header hash except `hash`, `signatures` and the transaction list."""

    version: int
    parents: tuple[tuple[int, bytes], ...]
    txs_root: bytes
    receipts_root: bytes
    state_root: bytes
    number: int
    gas_used: str
    timestamp: int
    """Milliseconds since 1970, by the clock of the node that proposed the block."""
    sealer: int
    sealers: tuple[bytes, ...]
    extra_data: bytes
    weights: tuple[int, ...]
    hash: bytes | None
    signatures: tuple[tuple[int, bytes], ...] | None
    tx_hashes: tuple[bytes, ...] | None
    """The block's transaction hashes in order, as claimed; None when the answer carries none."""
    transactions: tuple[Mapping[str, Any], ...]
    """Whole transactions, when the node was asked for them; empty otherwise."""

    @property
    def parent(self) -> bytes:
        """Hash of the block before; empty for the first block."""
        return self.parents[0][1] if self.parents else b""


@dataclass(frozen=True, slots=True)
class Transaction:
    """`getTransaction`. Fields that the answer leaves out are None; `missing` names those that its hash needs."""

    version: int
    chain_id: str | None
    group_id: str | None
    block_limit: int | None
    nonce: str | None
    to: str | None
    """As printed: it is hashed as text. Empty for the creation of a contract."""
    input: bytes | None
    abi: str
    value: str
    gas_price: str
    gas_limit: int
    max_fee: str
    max_priority_fee: str
    extension: bytes
    hash: bytes | None
    sender: bytes | None
    signature: bytes | None
    path: "Path"
    ethereum: bool
    """An Ethereum transaction in FISCO's clothes: its hash is that of bytes which the node's answer does not carry."""
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """`getTransactionReceipt`. What is said of the transaction (its hash, sender, input) is not in the receipt's hash."""

    version: int
    gas_used: str | None
    contract_address: str
    status: int | None
    output: bytes | None
    effective_gas_price: str
    logs: tuple[Log, ...] | None
    block_number: int | None
    hash: bytes | None
    transaction_hash: bytes | None
    sender: bytes | None
    to: str | None
    input: bytes | None
    path: "Path"
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """`items`: the counted groups of nodes from 3.2.0; `defective`: the 16-ary form of 3.0 and 3.1, which proves nothing."""

    items: tuple[bytes, ...] | None
    defective: bool


def kind_of(answer: Mapping[str, Any]) -> Kind | None:
    """Which of the three answers an object is, by members that only one of them has."""
    if "txsRoot" in answer and "receiptsRoot" in answer:
        return Kind.HEADER
    if "logEntries" in answer or "txReceiptProof" in answer:
        return Kind.RECEIPT
    if ("chainID" in answer or "groupID" in answer) and ("input" in answer or "nonce" in answer):
        return Kind.TRANSACTION
    return None


def header(answer: Mapping[str, Any]) -> Header:
    """Lengths and forms are fixed before anything is hashed: the hash itself has no borders between fields (§6 step 1)."""
    sealers = tuple(node_json.octets(s, length=SEALER_BYTES) for s in node_json.items(answer, "sealerList", VALIDATORS_MAX))
    weights = tuple(node_json.integer(w) for w in node_json.items(answer, "consensusWeights", VALIDATORS_MAX))
    if len(weights) != len(sealers):
        raise CodecError("consensusWeights and sealerList of different lengths")
    if any(w < 1 for w in weights):
        raise CodecError("a sealer without weight")
    gas_used = node_json.text(answer, "gasUsed")
    decimal(gas_used)
    parents = tuple(
        (node_json.integer(node_json.member(p, "blockNumber")), node_json.octets(node_json.member(p, "blockHash"), length=HASH_BYTES))
        for p in node_json.items(answer, "parentInfo", VALIDATORS_MAX)
    )
    number = node_json.integer(node_json.member(answer, "number"))
    if len(parents) > 1 or (number and (not parents or parents[0][0] != number - 1)):
        raise CodecError("parentInfo is not the block before")
    listed = answer.get("transactions")
    hashes, whole = _transaction_list([] if listed is None else node_json.items(answer, "transactions", merkle.LEAVES_MAX))
    return Header(
        version=node_json.integer(node_json.member(answer, "version"), bits=32),
        parents=parents,
        txs_root=node_json.octets(node_json.member(answer, "txsRoot"), length=HASH_BYTES),
        receipts_root=node_json.octets(node_json.member(answer, "receiptsRoot"), length=HASH_BYTES),
        state_root=node_json.octets(node_json.member(answer, "stateRoot"), length=HASH_BYTES),
        number=number,
        gas_used=gas_used,
        timestamp=node_json.integer(node_json.member(answer, "timestamp")),
        sealer=node_json.integer(node_json.member(answer, "sealer")),
        sealers=sealers,
        extra_data=node_json.octets(answer.get("extraData", "0x")),
        weights=weights,
        hash=node_json.optional_hash(answer, "hash"),
        signatures=_signatures(answer),
        tx_hashes=hashes or None,
        transactions=whole,
    )


def transaction(answer: Mapping[str, Any]) -> Transaction:
    needed = ("chainID", "groupID", "blockLimit", "nonce", "to", "input")
    version = node_json.integer(answer.get("version", 0), bits=32)
    ethereum = _is_ethereum(answer, version)
    to = node_json.optional_text(answer, "to")
    if to and not ADDRESS.fullmatch(to):
        raise CodecError("`to` is not an address")
    return Transaction(
        version=version,
        chain_id=node_json.optional_text(answer, "chainID"),
        group_id=node_json.optional_text(answer, "groupID"),
        block_limit=node_json.optional_integer(answer, "blockLimit"),
        nonce=node_json.optional_text(answer, "nonce"),
        to=to,
        input=node_json.optional_octets(answer, "input"),
        abi=node_json.optional_text(answer, "abi", limit=None) or "",
        value=node_json.optional_text(answer, "value") or "",
        gas_price=node_json.optional_text(answer, "gasPrice") or "",
        gas_limit=node_json.optional_integer(answer, "gasLimit") or 0,
        max_fee=node_json.optional_text(answer, "maxFeePerGas") or "",
        max_priority_fee=node_json.optional_text(answer, "maxPriorityFeePerGas") or "",
        extension=_extension(answer.get("extension")),
        hash=node_json.optional_hash(answer, "hash"),
        sender=node_json.optional_address(answer, "from"),
        signature=node_json.optional_octets(answer, "signature") or None,
        path=_path(answer, ("txProof", "transactionProof")),
        ethereum=ethereum,
        missing=tuple(name for name in needed if answer.get(name) is None),
    )


def receipt(answer: Mapping[str, Any]) -> Receipt:
    needed = ("gasUsed", "contractAddress", "status", "output", "logEntries", "blockNumber")
    gas_used = node_json.optional_text(answer, "gasUsed")
    if gas_used is not None:
        decimal(gas_used)
    contract = node_json.optional_text(answer, "contractAddress") or ""
    if contract and not ADDRESS.fullmatch(contract):
        raise CodecError("`contractAddress` is not an address")
    return Receipt(
        version=node_json.integer(answer.get("version", 0), bits=32),
        gas_used=gas_used,
        contract_address=contract,
        status=node_json.optional_integer(answer, "status", bits=32),
        output=node_json.optional_octets(answer, "output"),
        effective_gas_price=node_json.optional_text(answer, "effectiveGasPrice") or "",
        logs=_logs(answer),
        block_number=node_json.optional_integer(answer, "blockNumber"),
        hash=node_json.optional_hash(answer, "hash"),
        transaction_hash=node_json.optional_hash(answer, "transactionHash"),
        sender=node_json.optional_address(answer, "from"),
        to=node_json.optional_text(answer, "to"),
        input=node_json.optional_octets(answer, "input"),
        path=_path(answer, ("txReceiptProof", "receiptProof")),
        missing=tuple(name for name in needed if answer.get(name) is None),
    )


def _transaction_list(items: Sequence[Any]) -> tuple[tuple[bytes, ...], tuple[Mapping[str, Any], ...]]:
    """The block's list: hashes, or whole transactions that carry their hash."""
    if all(isinstance(item, str) for item in items):
        return tuple(node_json.octets(item, length=HASH_BYTES) for item in items), ()
    if not all(isinstance(item, dict) for item in items):
        raise CodecError("a transaction list that mixes hashes and transactions")
    return tuple(node_json.octets(node_json.member(item, "hash"), length=HASH_BYTES) for item in items), tuple(items)


def _signatures(answer: Mapping[str, Any]) -> tuple[tuple[int, bytes], ...] | None:
    if answer.get("signatureList") is None:
        return None
    return tuple(
        (node_json.integer(node_json.member(s, "sealerIndex")), node_json.octets(node_json.member(s, "signature")))
        for s in node_json.items(answer, "signatureList", VALIDATORS_MAX)
    )


def _logs(answer: Mapping[str, Any]) -> tuple[Log, ...] | None:
    if answer.get("logEntries") is None:
        return None
    logs = []
    for entry in node_json.items(answer, "logEntries", LOGS_MAX):
        text = node_json.text(entry, "address")
        if not ADDRESS.fullmatch(text):
            raise CodecError("a log without the address of a contract")
        topics = tuple(node_json.octets(t, length=HASH_BYTES) for t in node_json.items(entry, "topics", TOPICS_MAX))
        logs.append(Log(text, topics, node_json.octets(node_json.member(entry, "data"))))
    return tuple(logs)


def _path(answer: Mapping[str, Any], names: Sequence[str]) -> Path:
    for name in names:
        items = answer.get(name)
        if items is None:
            continue
        items = node_json.items(answer, name, PATH_ITEMS_MAX)
        if any(isinstance(item, dict) for item in items):
            return Path(None, True)
        return Path(tuple(node_json.octets(item, length=HASH_BYTES) for item in items), False)
    return Path(None, False)


def _is_ethereum(answer: Mapping[str, Any], version: int) -> bool:
    """Nodes print fees for a version-0 record only when it wraps an Ethereum transaction (JsonRpcImpl_2_0.cpp toJsonResp)."""
    kind = answer.get("type")
    if kind is not None:
        text = str(kind)
        return (int(text, 16) if re.fullmatch(r"0x[0-9a-f]{1,2}", text) else node_json.integer(kind, bits=32)) > 0
    return version == 0 and any(name in answer for name in ("value", "gasLimit", "maxFeePerGas"))


def _extension(value: object) -> bytes:
    """Version 2: a list of numbers (signed or unsigned bytes, as the node prints them), or hex text."""
    if value is None:
        return b""
    if isinstance(value, str):
        return node_json.octets(value)
    if not isinstance(value, list):
        raise CodecError("extension is neither a list nor text")
    numbers = [node_json.integer(v, signed=True) for v in value]
    if any(not -128 <= n <= 255 for n in numbers):
        raise CodecError("extension is not a list of bytes")
    return bytes(n & 0xFF for n in numbers)
