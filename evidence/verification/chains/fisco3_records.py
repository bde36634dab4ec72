"""The JSON answers of a FISCO BCOS 3.x node, read strictly (spec consortium-chains §2 rule 2, §6).

`getTransaction`, `getTransactionReceipt` and `getBlockByNumber`, bare or in their JSON-RPC envelope. A value of the wrong
form raises CodecError; a member that is not there is None and makes its record incomplete, never wrong. Members that this
reader does not know are left alone: nodes add some with every version, and nothing is read from them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .. import merkle
from ..codecs.text import CodecError, decimal, hex_bytes

TEXT_MAX = 255
"""Characters of a chain id, group id or number written as text; real ones stay under 80."""
VALIDATORS_MAX = 1024
"""Sealers and signatures of one block (spec §2 rule 6)."""
PATH_ITEMS_MAX = 1024
"""Items of a path (spec §2 rule 6)."""
LOGS_MAX = 4096
"""Logs of one receipt; the gas limit of a transaction allows fewer."""
TOPICS_MAX = 4
"""Topics of one log: LOG4 is the widest instruction of the EVM."""
SEALER_BYTES = 64
HASH_BYTES = 32

_ADDRESS = re.compile(r"(?:0x)?[0-9a-fA-F]{40}", re.ASCII)


class LimitError(CodecError):
    """More items than any real answer has: not read, and nothing is said about it."""


class Kind(StrEnum):
    HEADER = "block"
    TRANSACTION = "transaction"
    RECEIPT = "receipt"


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
class Log:
    address: str
    topics: tuple[bytes, ...]
    data: bytes


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


def unwrap(value: object) -> Mapping[str, Any] | None:
    """The answer itself: the object, or the `result` of its JSON-RPC envelope; None when there is no object."""
    if isinstance(value, dict) and "jsonrpc" in value:
        value = value.get("result")
    return value if isinstance(value, dict) else None


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
    sealers = tuple(_bytes(s, length=SEALER_BYTES) for s in _list(answer, "sealerList", VALIDATORS_MAX))
    weights = tuple(_integer(w) for w in _list(answer, "consensusWeights", VALIDATORS_MAX))
    if len(weights) != len(sealers):
        raise CodecError("consensusWeights and sealerList of different lengths")
    if any(w < 1 for w in weights):
        raise CodecError("a sealer without weight")
    gas_used = _text(answer, "gasUsed")
    decimal(gas_used)
    parents = tuple(
        (_integer(_member(p, "blockNumber")), _bytes(_member(p, "blockHash"), length=HASH_BYTES))
        for p in _list(answer, "parentInfo", VALIDATORS_MAX)
    )
    number = _integer(_member(answer, "number"))
    if len(parents) > 1 or (number and (not parents or parents[0][0] != number - 1)):
        raise CodecError("parentInfo is not the block before")
    listed = answer.get("transactions")
    hashes, whole = _transaction_list([] if listed is None else _list(answer, "transactions", merkle.LEAVES_MAX))
    return Header(
        version=_integer(_member(answer, "version"), bits=32),
        parents=parents,
        txs_root=_bytes(_member(answer, "txsRoot"), length=HASH_BYTES),
        receipts_root=_bytes(_member(answer, "receiptsRoot"), length=HASH_BYTES),
        state_root=_bytes(_member(answer, "stateRoot"), length=HASH_BYTES),
        number=number,
        gas_used=gas_used,
        timestamp=_integer(_member(answer, "timestamp")),
        sealer=_integer(_member(answer, "sealer")),
        sealers=sealers,
        extra_data=_bytes(answer.get("extraData", "0x")),
        weights=weights,
        hash=_optional_hash(answer, "hash"),
        signatures=_signatures(answer),
        tx_hashes=hashes or None,
        transactions=whole,
    )


def transaction(answer: Mapping[str, Any]) -> Transaction:
    needed = ("chainID", "groupID", "blockLimit", "nonce", "to", "input")
    version = _integer(answer.get("version", 0), bits=32)
    ethereum = _is_ethereum(answer, version)
    to = _optional_text(answer, "to")
    if to and not _ADDRESS.fullmatch(to):
        raise CodecError("`to` is not an address")
    return Transaction(
        version=version,
        chain_id=_optional_text(answer, "chainID"),
        group_id=_optional_text(answer, "groupID"),
        block_limit=_optional_integer(answer, "blockLimit"),
        nonce=_optional_text(answer, "nonce"),
        to=to,
        input=_optional_bytes(answer, "input"),
        abi=_optional_text(answer, "abi", limit=None) or "",
        value=_optional_text(answer, "value") or "",
        gas_price=_optional_text(answer, "gasPrice") or "",
        gas_limit=_optional_integer(answer, "gasLimit") or 0,
        max_fee=_optional_text(answer, "maxFeePerGas") or "",
        max_priority_fee=_optional_text(answer, "maxPriorityFeePerGas") or "",
        extension=_extension(answer.get("extension")),
        hash=_optional_hash(answer, "hash"),
        sender=_address_bytes(answer, "from"),
        signature=_optional_bytes(answer, "signature") or None,
        path=_path(answer, ("txProof", "transactionProof")),
        ethereum=ethereum,
        missing=tuple(name for name in needed if answer.get(name) is None),
    )


def receipt(answer: Mapping[str, Any]) -> Receipt:
    needed = ("gasUsed", "contractAddress", "status", "output", "logEntries", "blockNumber")
    gas_used = _optional_text(answer, "gasUsed")
    if gas_used is not None:
        decimal(gas_used)
    contract = _optional_text(answer, "contractAddress") or ""
    if contract and not _ADDRESS.fullmatch(contract):
        raise CodecError("`contractAddress` is not an address")
    return Receipt(
        version=_integer(answer.get("version", 0), bits=32),
        gas_used=gas_used,
        contract_address=contract,
        status=_optional_integer(answer, "status", bits=32),
        output=_optional_bytes(answer, "output"),
        effective_gas_price=_optional_text(answer, "effectiveGasPrice") or "",
        logs=_logs(answer),
        block_number=_optional_integer(answer, "blockNumber"),
        hash=_optional_hash(answer, "hash"),
        transaction_hash=_optional_hash(answer, "transactionHash"),
        sender=_address_bytes(answer, "from"),
        to=_optional_text(answer, "to"),
        input=_optional_bytes(answer, "input"),
        path=_path(answer, ("txReceiptProof", "receiptProof")),
        missing=tuple(name for name in needed if answer.get(name) is None),
    )


def address(text: str) -> str:
    """One spelling of an address for comparison: lower case with 0x; empty stays empty."""
    lowered = text.lower()
    return lowered if not lowered or lowered.startswith("0x") else "0x" + lowered


def _transaction_list(items: Sequence[Any]) -> tuple[tuple[bytes, ...], tuple[Mapping[str, Any], ...]]:
    """The block's list: hashes, or whole transactions that carry their hash."""
    if all(isinstance(item, str) for item in items):
        return tuple(_bytes(item, length=HASH_BYTES) for item in items), ()
    if not all(isinstance(item, dict) for item in items):
        raise CodecError("a transaction list that mixes hashes and transactions")
    return tuple(_bytes(_member(item, "hash"), length=HASH_BYTES) for item in items), tuple(items)


def _signatures(answer: Mapping[str, Any]) -> tuple[tuple[int, bytes], ...] | None:
    if answer.get("signatureList") is None:
        return None
    return tuple(
        (_integer(_member(s, "sealerIndex")), _bytes(_member(s, "signature")))
        for s in _list(answer, "signatureList", VALIDATORS_MAX)
    )


def _logs(answer: Mapping[str, Any]) -> tuple[Log, ...] | None:
    if answer.get("logEntries") is None:
        return None
    logs = []
    for entry in _list(answer, "logEntries", LOGS_MAX):
        text = _text(entry, "address")
        if not _ADDRESS.fullmatch(text):
            raise CodecError("a log without the address of a contract")
        topics = tuple(_bytes(t, length=HASH_BYTES) for t in _list(entry, "topics", TOPICS_MAX))
        logs.append(Log(text, topics, _bytes(_member(entry, "data"))))
    return tuple(logs)


def _path(answer: Mapping[str, Any], names: Sequence[str]) -> Path:
    for name in names:
        items = answer.get(name)
        if items is None:
            continue
        items = _list(answer, name, PATH_ITEMS_MAX)
        if any(isinstance(item, dict) for item in items):
            return Path(None, True)
        return Path(tuple(_bytes(item, length=HASH_BYTES) for item in items), False)
    return Path(None, False)


def _is_ethereum(answer: Mapping[str, Any], version: int) -> bool:
    """Nodes print fees for a version-0 record only when it wraps an Ethereum transaction (JsonRpcImpl_2_0.cpp toJsonResp)."""
    kind = answer.get("type")
    if kind is not None:
        text = str(kind)
        return (int(text, 16) if re.fullmatch(r"0x[0-9a-f]{1,2}", text) else _integer(kind, bits=32)) > 0
    return version == 0 and any(name in answer for name in ("value", "gasLimit", "maxFeePerGas"))


def _extension(value: object) -> bytes:
    """Version 2: a list of numbers (signed or unsigned bytes, as the node prints them), or hex text."""
    if value is None:
        return b""
    if isinstance(value, str):
        return _bytes(value)
    if not isinstance(value, list):
        raise CodecError("extension is neither a list nor text")
    numbers = [_integer(v, signed=True) for v in value]
    if any(not -128 <= n <= 255 for n in numbers):
        raise CodecError("extension is not a list of bytes")
    return bytes(n & 0xFF for n in numbers)


def _member(value: object, name: str) -> Any:
    if not isinstance(value, dict) or value.get(name) is None:
        raise CodecError(f"{name} is not there")
    return value[name]


def _list(value: object, name: str, limit: int) -> list[Any]:
    items = _member(value, name)
    if not isinstance(items, list):
        raise CodecError(f"{name} is not a list")
    if len(items) > limit:
        raise LimitError(f"{name} has more than {limit} items")
    return items


def _text(value: object, name: str, *, limit: int | None = TEXT_MAX) -> str:
    text = _member(value, name)
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str) or (limit is not None and len(text) > limit):
        raise CodecError(f"{name} is not a text, or too long")
    return text


def _integer(value: object, *, bits: int = 64, signed: bool = False) -> int:
    """A JSON integer, or the same as decimal text; of `bits` bits with its sign, and not negative unless `signed`."""
    if isinstance(value, str):
        value = decimal(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise CodecError("not an integer")
    if value >> (bits - 1) not in ((0, -1) if signed else (0,)):
        raise CodecError("an integer out of range")
    return value


def _bytes(value: object, *, length: int | None = None) -> bytes:
    """Lower-case hex with or without 0x (headers and inputs carry it, paths do not)."""
    if not isinstance(value, str):
        raise CodecError("not a hex text")
    return hex_bytes(value.removeprefix("0x"), length=length)


def _optional_text(value: Mapping[str, Any], name: str, *, limit: int | None = TEXT_MAX) -> str | None:
    return None if value.get(name) is None else _text(value, name, limit=limit)


def _optional_integer(value: Mapping[str, Any], name: str, *, bits: int = 64) -> int | None:
    return None if value.get(name) is None else _integer(value[name], bits=bits)


def _optional_bytes(value: Mapping[str, Any], name: str) -> bytes | None:
    return None if value.get(name) is None else _bytes(value[name])


def _optional_hash(value: Mapping[str, Any], name: str) -> bytes | None:
    """A hash; nodes print an empty one ("0x") when they have none."""
    data = _optional_bytes(value, name)
    if not data:
        return None
    if len(data) != HASH_BYTES:
        raise CodecError(f"{name} is not a hash")
    return data


def _address_bytes(value: Mapping[str, Any], name: str) -> bytes | None:
    text = _optional_text(value, name)
    if not text or text == "0x":
        return None
    if not _ADDRESS.fullmatch(text):
        raise CodecError(f"{name} is not an address")
    return bytes.fromhex(address(text)[2:])
