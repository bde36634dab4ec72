"""The JSON answers of a FISCO BCOS 2.x node, read strictly (spec consortium-chains §2 rule 2, §5).

`getTransactionByHashWithProof`, `getTransactionReceiptByHashWithProof`, `getBlockHeaderByNumber` and `getBlockByNumber`, with proof
or without, and the flat answer of `sendRawTransactionAndGetProof`. A value of the wrong form raises CodecError; a member that is
not there is None and makes its record incomplete, never wrong. Members that this reader does not know are left alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import merkle
from ..codecs.text import CodecError
from . import node_json
from .evidence_contracts import Log
from .fisco2_tree import Unit
from .node_answers import Kind
from .node_json import ADDRESS_BYTES, HASH_BYTES

VALIDATORS_MAX = 1024
"""Sealers and signatures of one block (spec §2 rule 6)."""
PATH_ITEMS_MAX = 1024
"""Levels of a path, and siblings on one side (spec §2 rule 6)."""
LOGS_MAX = 4096
"""Logs of one receipt; the gas limit of a transaction allows fewer."""
TOPICS_MAX = 4
"""Topics of one log: LOG4 is the widest instruction of the EVM."""
EXTRA_MAX = 64
"""Byte strings of a header's extraData; chains leave it empty."""
SEALER_BYTES = 64
BLOOM_BYTES = 256
ZERO_ADDRESS = bytes(ADDRESS_BYTES)


@dataclass(frozen=True, slots=True)
class Header:
    """Every field is in the header hash except `hash`, `signatures` and the transaction list."""

    parent: bytes
    state_root: bytes
    txs_root: bytes
    receipts_root: bytes
    db_hash: bytes
    bloom: bytes
    number: int
    gas_limit: int
    gas_used: int
    timestamp: int
    """Milliseconds since 1970, by the clock of the node that proposed the block."""
    extra_data: tuple[bytes, ...]
    sealer: int
    sealers: tuple[bytes, ...]
    hash: bytes | None
    signatures: tuple[tuple[int, bytes], ...] | None
    tx_hashes: tuple[bytes, ...] | None
    """The block's transaction hashes in order, as claimed; None when the answer carries none."""
    transactions: tuple[Mapping[str, Any], ...]
    """Whole transactions, when the node was asked for them; empty otherwise."""

    @property
    def weights(self) -> tuple[int, ...]:
        """In 2.x each sealer counts once."""
        return (1,) * len(self.sealers)


@dataclass(frozen=True, slots=True)
class Signature:
    """Of a transaction. `v`: 0 or 1 (ECDSA), or the signer's public key of 64 bytes (SM2). `joined`: the same once more, in one text."""

    r: int
    s: int
    v: int | bytes
    joined: bytes | None

    @property
    def in_one(self) -> bytes:
        v = self.v if isinstance(self.v, bytes) else bytes([self.v])
        return self.r.to_bytes(32) + self.s.to_bytes(32) + v


@dataclass(frozen=True, slots=True)
class Transaction:
    """`missing` names the fields that its hash needs and the answer leaves out, as nodes before 2.7.0 do."""

    nonce: int
    gas_price: int
    gas: int
    block_limit: int
    to: bytes | None
    """None for the creation of a contract, which nodes print as the zero address."""
    value: int
    input: bytes | None
    chain_id: str | None
    group_id: str | None
    extra_data: bytes
    signature: Signature | None
    hash: bytes | None
    sender: bytes | None
    index: int | None
    block_number: int | None
    block_hash: bytes | None
    path: tuple[Unit, ...] | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is said of the transaction (its hash, index, sender, input) is not in the receipt's hash."""

    root: bytes | None
    gas_used: int
    contract_address: bytes
    bloom: bytes | None
    status: int
    output: bytes | None
    remain_gas: int | None
    """In the hash on chains from 2.9 on; printed by newer nodes of older chains too."""
    logs: tuple[Log, ...]
    transaction_hash: bytes | None
    index: int | None
    sender: bytes | None
    to: bytes | None
    input: bytes | None
    block_number: int | None
    block_hash: bytes | None
    path: tuple[Unit, ...] | None
    tx_path: tuple[Unit, ...] | None
    """The transaction's own path, in the answer of `sendRawTransactionAndGetProof`."""
    missing: tuple[str, ...]


def kind_of(answer: Mapping[str, Any]) -> Kind | None:
    """Which of the answers an object is, by members that only one of them has."""
    if "transactionsRoot" in answer and ("dbHash" in answer or "sealerList" in answer):
        return Kind.HEADER
    if isinstance(answer.get("transaction"), dict):
        return Kind.TRANSACTION
    if isinstance(answer.get("transactionReceipt"), dict) or "receiptProof" in answer:
        return Kind.RECEIPT
    if "transactionHash" in answer and "logsBloom" in answer:
        return Kind.RECEIPT
    if "nonce" in answer and "input" in answer and ("blockLimit" in answer or "transactionIndex" in answer):
        return Kind.TRANSACTION
    return None


def header(answer: Mapping[str, Any]) -> Header:
    listed = answer.get("transactions")
    hashes, whole = _transaction_list([] if listed is None else node_json.items(answer, "transactions", merkle.LEAVES_MAX))

    def digest(name: str) -> bytes:
        return node_json.octets(node_json.member(answer, name), length=HASH_BYTES)

    def number(name: str, bits: int) -> int:
        return node_json.quantity(node_json.member(answer, name), bits=bits)

    return Header(
        parent=digest("parentHash"),
        state_root=digest("stateRoot"),
        txs_root=digest("transactionsRoot"),
        receipts_root=digest("receiptsRoot"),
        db_hash=digest("dbHash"),
        bloom=node_json.octets(node_json.member(answer, "logsBloom"), length=BLOOM_BYTES),
        number=number("number", 63),
        gas_limit=number("gasLimit", 256),
        gas_used=number("gasUsed", 256),
        timestamp=number("timestamp", 64),
        extra_data=tuple(node_json.octets(e) for e in node_json.items(answer, "extraData", EXTRA_MAX)),
        sealer=number("sealer", 256),
        sealers=tuple(
            node_json.octets(s, length=SEALER_BYTES) for s in node_json.items(answer, "sealerList", VALIDATORS_MAX)
        ),
        hash=node_json.optional_hash(answer, "hash"),
        signatures=_signatures(answer),
        tx_hashes=hashes or None,
        transactions=whole,
    )


def transaction(answer: Mapping[str, Any]) -> Transaction:
    body = answer["transaction"] if isinstance(answer.get("transaction"), dict) else answer
    needed = ("nonce", "gasPrice", "gas", "blockLimit", "value", "input", "chainId", "groupId", "extraData", "signature")
    missing = [name for name in needed if body.get(name) is None] + ([] if "to" in body else ["to"])
    chain, group = (node_json.optional_quantity(body, name) for name in ("chainId", "groupId"))
    to = node_json.optional_address(body, "to")
    return Transaction(
        nonce=node_json.optional_quantity(body, "nonce") or 0,
        gas_price=node_json.optional_quantity(body, "gasPrice") or 0,
        gas=node_json.optional_quantity(body, "gas") or 0,
        block_limit=node_json.optional_quantity(body, "blockLimit") or 0,
        to=None if to == ZERO_ADDRESS else to,
        value=node_json.optional_quantity(body, "value") or 0,
        input=node_json.optional_octets(body, "input"),
        chain_id=None if chain is None else str(chain),
        group_id=None if group is None else str(group),
        extra_data=node_json.optional_octets(body, "extraData") or b"",
        signature=_signature(body),
        hash=node_json.optional_hash(body, "hash"),
        sender=node_json.optional_address(body, "from"),
        index=node_json.optional_quantity(body, "transactionIndex", bits=32),
        block_number=node_json.optional_quantity(body, "blockNumber", bits=63),
        block_hash=node_json.optional_hash(body, "blockHash"),
        path=_path(answer, "txProof"),
        missing=tuple(missing),
    )


def receipt(answer: Mapping[str, Any]) -> Receipt:
    body = answer["transactionReceipt"] if isinstance(answer.get("transactionReceipt"), dict) else answer
    needed = ("root", "gasUsed", "contractAddress", "logsBloom", "status", "output", "logs")
    return Receipt(
        root=node_json.optional_octets(body, "root", length=HASH_BYTES),
        gas_used=node_json.optional_quantity(body, "gasUsed") or 0,
        contract_address=node_json.optional_octets(body, "contractAddress", length=ADDRESS_BYTES) or ZERO_ADDRESS,
        bloom=node_json.optional_octets(body, "logsBloom", length=BLOOM_BYTES),
        status=node_json.optional_quantity(body, "status", bits=32) or 0,
        output=node_json.optional_octets(body, "output"),
        remain_gas=node_json.optional_quantity(body, "remainGas"),
        logs=() if body.get("logs") is None else tuple(map(_log, node_json.items(body, "logs", LOGS_MAX))),
        transaction_hash=node_json.optional_hash(body, "transactionHash"),
        index=node_json.optional_quantity(body, "transactionIndex", bits=32),
        sender=node_json.optional_address(body, "from"),
        to=node_json.optional_address(body, "to"),
        input=node_json.optional_octets(body, "input"),
        block_number=node_json.optional_quantity(body, "blockNumber", bits=63),
        block_hash=node_json.optional_hash(body, "blockHash"),
        path=_path(answer, "receiptProof"),
        tx_path=_path(answer, "txProof"),
        missing=tuple(name for name in needed if body.get(name) is None),
    )


def _transaction_list(entries: list[Any]) -> tuple[tuple[bytes, ...], tuple[Mapping[str, Any], ...]]:
    """The block's list: hashes, or whole transactions that carry their hash."""
    if all(isinstance(entry, str) for entry in entries):
        return tuple(node_json.octets(entry, length=HASH_BYTES) for entry in entries), ()
    if not all(isinstance(entry, dict) for entry in entries):
        raise CodecError("a transaction list that mixes hashes and transactions")
    return tuple(node_json.octets(node_json.member(e, "hash"), length=HASH_BYTES) for e in entries), tuple(entries)


def _signatures(answer: Mapping[str, Any]) -> tuple[tuple[int, bytes], ...] | None:
    if answer.get("signatureList") is None:
        return None
    return tuple(
        (node_json.quantity(node_json.member(s, "index"), bits=32), node_json.octets(node_json.member(s, "signature")))
        for s in node_json.items(answer, "signatureList", VALIDATORS_MAX)
    )


def _signature(body: Mapping[str, Any]) -> Signature | None:
    found = body.get("signature")
    if found is None:
        return None
    r, s = (node_json.octets(node_json.member(found, name), length=32) for name in ("r", "s"))
    v = node_json.member(found, "v")
    return Signature(
        r=int.from_bytes(r),
        s=int.from_bytes(s),
        v=node_json.octets(v, length=SEALER_BYTES) if isinstance(v, str) and len(v) > 4 else node_json.quantity(v, bits=8),
        joined=node_json.optional_octets(found, "signature"),
    )


def _log(entry: Any) -> Log:
    address = node_json.optional_address(entry, "address") if isinstance(entry, dict) else None
    if address is None:
        raise CodecError("a log without the address of a contract")
    topics = tuple(node_json.octets(t, length=HASH_BYTES) for t in node_json.items(entry, "topics", TOPICS_MAX))
    return Log("0x" + address.hex(), topics, node_json.octets(node_json.member(entry, "data")))


def _path(answer: Mapping[str, Any], name: str) -> tuple[Unit, ...] | None:
    if answer.get(name) is None:
        return None

    def side(unit: object, which: str) -> tuple[bytes, ...]:
        return tuple(node_json.octets(item) for item in node_json.items(unit, which, PATH_ITEMS_MAX))

    return tuple((side(u, "left"), side(u, "right")) for u in node_json.items(answer, name, PATH_ITEMS_MAX))
