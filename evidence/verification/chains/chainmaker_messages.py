"""ChainMaker 2.x: the field tables, and what one handed-in file is (spec consortium-chains §4).

A file is a BlockInfo, Block, BlockHeader, TransactionInfo (with or without read-write set), Transaction, TxRWSet or a Merkle
path; as protobuf, as the Go SDK's JSON (snake_case), as protobuf JSON (camelCase), as JavaScript's `toObject()`, or inside the
TxResponse in which a node answers a query of its system contract. JSON is turned into the bytes the node
hashed and then read like any other bytes. Field numbers: ChainMaker pb, `common/`, `accesscontrol/`, `consensus/tbft/`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..codecs import protobuf, strict_json
from ..codecs.protobuf import (
    Fault,
    Kind,
    Message,
    MessageType,
    ProtobufError,
    data,
    enum,
    int32,
    int64,
    mapping,
    message,
    packed,
    string,
    uint32,
    uint64,
)
from ..codecs.protobuf_json import camel, to_wire
from ..codecs.text import CodecError, base64_bytes
from ..exhibit import Source
from ..merkle import DEPTH_MAX
from ..reasons import Reason

FILE_BYTES_MAX = 64 << 20
"""One block with its read-write sets (spec §2 rule 6: a package is at most 64 MiB)."""
HASH_BYTES = 32
"""Every hash ChainMaker knows (SHA-256, SM3, SHA3-256) has this length."""
HEAD = 8192
"""Bytes looked at, at either end, to recognise a file."""

CERT, CERT_HASH, PUBLIC_KEY, DID, ALIAS, ADDR = range(6)
MEMBER_TYPES = {
    "CERT": CERT,
    "CERT_HASH": CERT_HASH,
    "PUBLIC_KEY": PUBLIC_KEY,
    "DID": DID,
    "ALIAS": ALIAS,
    "ADDR": ADDR,
}
BLOCK_TYPES = {"NORMAL_BLOCK": 0, "CONFIG_BLOCK": 1, "CONTRACT_MGR_BLOCK": 2, "HAS_COINBASE": 4}
TX_TYPES = {"INVOKE_CONTRACT": 0, "QUERY_CONTRACT": 1, "SUBSCRIBE": 2, "ARCHIVE": 3}
PRECOMMIT = 1
VOTE_TYPES = {"VOTE_PREVOTE": 0, "VOTE_PRECOMMIT": PRECOMMIT}
_STATUS = {
    0: "SUCCESS TIMEOUT INVALID_PARAMETER NO_PERMISSION CONTRACT_FAIL INTERNAL_ERROR",
    10: """INVALID_CONTRACT_TRANSACTION_TYPE INVALID_CONTRACT_PARAMETER_CONTRACT_NAME INVALID_CONTRACT_PARAMETER_METHOD
        INVALID_CONTRACT_PARAMETER_INIT_METHOD INVALID_CONTRACT_PARAMETER_UPGRADE_METHOD
        INVALID_CONTRACT_PARAMETER_BYTE_CODE INVALID_CONTRACT_PARAMETER_RUNTIME_TYPE INVALID_CONTRACT_PARAMETER_VERSION""",
    20: """GET_FROM_TX_CONTEXT_FAILED PUT_INTO_TX_CONTEXT_FAILED CONTRACT_VERSION_EXIST_FAILED
        CONTRACT_VERSION_NOT_EXIST_FAILED CONTRACT_BYTE_CODE_NOT_EXIST_FAILED MARSHAL_SENDER_FAILED
        INVOKE_INIT_METHOD_FAILED INVOKE_UPGRADE_METHOD_FAILED CREATE_RUNTIME_INSTANCE_FAILED UNMARSHAL_CREATOR_FAILED
        UNMARSHAL_SENDER_FAILED GET_SENDER_PK_FAILED GET_CREATOR_PK_FAILED GET_CREATOR_FAILED GET_CREATOR_CERT_FAILED
        GET_SENDER_CERT_FAILED CONTRACT_FREEZE_FAILED CONTRACT_TOO_DEEP_FAILED CONTRACT_REVOKE_FAILED
        CONTRACT_INVOKE_METHOD_FAILED ARCHIVED_TX ARCHIVED_BLOCK GAS_BALANCE_NOT_ENOUGH_FAILED GAS_LIMIT_NOT_SET
        GAS_LIMIT_TOO_SMALL GET_ACCOUNT_BALANCE_FAILED PARSE_ACCOUNT_BALANCE_FAILED GET_ACCOUNT_STATUS_FAILED
        ACCOUNT_STATUS_FROZEN""",
}
TX_STATUS = {name: start + i for start, names in _STATUS.items() for i, name in enumerate(names.split())}

MEMBER = MessageType(
    "Member", string(1, "org_id"), enum(2, "member_type", MEMBER_TYPES), data(3, "member_info")
)
ENDORSEMENT = MessageType("EndorsementEntry", message(1, "signer", MEMBER), data(2, "signature"))
PARAMETER = MessageType("KeyValuePair", string(1, "key"), data(2, "value"))
LIMIT = MessageType("Limit", uint64(1, "gas_limit"))
PAYLOAD = MessageType(
    "Payload",
    string(1, "chain_id"),
    enum(2, "tx_type", TX_TYPES),
    string(3, "tx_id"),
    int64(4, "timestamp"),
    int64(5, "expiration_time"),
    string(6, "contract_name"),
    string(7, "method"),
    message(8, "parameters", PARAMETER, repeated=True),
    uint64(9, "sequence"),
    message(10, "limit", LIMIT),
)
CONTRACT_EVENT = MessageType(
    "ContractEvent",
    string(1, "topic"),
    string(2, "tx_id"),
    string(3, "contract_name"),
    string(4, "contract_version"),
    string(5, "event_data", repeated=True),
)
CONTRACT_RESULT = MessageType(
    "ContractResult",
    uint32(1, "code"),
    data(2, "result"),
    string(3, "message"),
    uint64(4, "gas_used"),
    message(5, "contract_event", CONTRACT_EVENT, repeated=True),
)
RESULT = MessageType(
    "Result",
    enum(1, "code", TX_STATUS),
    message(2, "contract_result", CONTRACT_RESULT),
    data(3, "rw_set_hash"),
    string(4, "message"),
)
TRANSACTION = MessageType(
    "Transaction",
    message(1, "payload", PAYLOAD),
    message(2, "sender", ENDORSEMENT),
    message(3, "endorsers", ENDORSEMENT, repeated=True),
    message(4, "result", RESULT),
    message(5, "payer", ENDORSEMENT),
)
KEY_VERSION = MessageType("KeyVersion", string(3, "ref_tx_id"), int32(4, "ref_offset"))
TX_READ = MessageType(
    "TxRead",
    data(1, "key"),
    data(2, "value"),
    string(3, "contract_name"),
    message(4, "version", KEY_VERSION),
)
TX_WRITE = MessageType("TxWrite", data(1, "key"), data(2, "value"), string(3, "contract_name"))
RW_SET = MessageType(
    "TxRWSet",
    string(1, "tx_id"),
    message(2, "tx_reads", TX_READ, repeated=True),
    message(3, "tx_writes", TX_WRITE, repeated=True),
)
TRANSACTION_INFO = MessageType(
    "TransactionInfo",
    message(1, "transaction", TRANSACTION),
    uint64(2, "block_height"),
    data(3, "block_hash"),
    uint32(4, "tx_index"),
    int64(5, "block_timestamp"),
    message(6, "rw_set", RW_SET),  # TransactionInfoWithRWSet
)
HEADER = MessageType(
    "BlockHeader",
    uint32(1, "block_version"),
    enum(2, "block_type", BLOCK_TYPES),
    string(3, "chain_id"),
    uint64(4, "block_height"),
    data(5, "block_hash"),
    data(6, "pre_block_hash"),
    uint64(7, "pre_conf_height"),
    uint32(8, "tx_count"),
    data(9, "tx_root"),
    data(10, "dag_hash"),
    data(11, "rw_set_root"),
    int64(12, "block_timestamp"),
    data(13, "consensus_args"),
    message(14, "proposer", MEMBER),
    data(15, "signature"),
)
NEIGHBOR = MessageType("DAG.Neighbor", packed(1, "neighbors", Kind.UINT32))
DAG = MessageType("DAG", message(2, "vertexes", NEIGHBOR, repeated=True))
ADDITIONAL = MessageType("AdditionalData", mapping(1, "extra_data", data(2, "value")))
BLOCK = MessageType(
    "Block",
    message(1, "header", HEADER),
    message(2, "dag", DAG),
    message(3, "txs", TRANSACTION, repeated=True),
    message(4, "additional_data", ADDITIONAL),
)
BLOCK_INFO = MessageType(
    "BlockInfo", message(1, "block", BLOCK), message(2, "rwset_list", RW_SET, repeated=True)
)
VOTE = MessageType(
    "Vote",
    enum(1, "type", VOTE_TYPES),
    string(2, "voter"),
    uint64(3, "height"),
    int32(4, "round"),
    data(5, "hash"),
    message(6, "endorsement", ENDORSEMENT),
    string(7, "invalidTxs", repeated=True),
)
BLOCK_VOTES = MessageType("BlockVotes", mapping(1, "votes", message(2, "value", VOTE)), uint64(2, "sum"))
VOTE_SET = MessageType(
    "VoteSet",
    enum(1, "type", VOTE_TYPES),
    uint64(2, "height"),
    int32(3, "round"),
    uint64(4, "sum"),
    data(5, "maj23"),
    mapping(6, "votes", message(2, "value", VOTE)),
    mapping(7, "votes_by_block", message(2, "value", BLOCK_VOTES)),
)


class Unreadable(ValueError):
    """The file is of this family and cannot be used. FORMAT_FAILURE contradicts itself; any other reason is only a limit."""

    def __init__(self, reason: Reason, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Piece:
    """What one file holds: a message of one of the types above, or the items of a Merkle path."""

    name: str
    message: Message | None = None
    path: tuple[bytes, ...] | None = None


def unreadable(fault: ProtobufError) -> Unreadable:
    reason = {
        Fault.FORM: Reason.FORMAT_FAILURE,
        Fault.UNKNOWN: Reason.UNSUPPORTED_FORMAT,
        Fault.LIMIT: Reason.RESOURCE_LIMIT,
    }[fault.fault]
    return Unreadable(reason, str(fault)[:200])


def sniff(source: Source) -> int:
    """See `registry`: JSON by its member names, protobuf by how the first messages are nested."""
    head = source.head(HEAD)
    stripped = head.lstrip(b" \t\r\n")
    if stripped.startswith(b"{"):
        return _sniff_object(head + source.tail(HEAD))
    if stripped.startswith(b"["):
        return _sniff_path(source)
    return 90 if _binary_type(head) is not None else 0


def read(source: Source) -> Piece:
    """The whole file, strictly. Raises Unreadable and nothing else."""
    raw = source.read(FILE_BYTES_MAX)
    if raw is None:
        raise Unreadable(Reason.RESOURCE_LIMIT, f"{source.size} bytes")
    try:
        if raw.lstrip(b" \t\r\n")[:1] in (b"{", b"["):
            return _from_json(source.name, strict_json.loads(raw))
        return _from_binary(source.name, raw)
    except strict_json.JsonError as fault:
        raise Unreadable(Reason.FORMAT_FAILURE, str(fault)) from fault
    except ProtobufError as fault:
        raise unreadable(fault) from fault


_WEAK = (
    "org_id",
    "signer",
    "contract_name",
    "member_type",
    "tx_index",
    "tx_count",
    "gas_limit",
    "gas_used",
    "tx_id",
    "extra_data",
)
_TELLING = (
    "member_info",
    "block_version",
    "pre_block_hash",
    "pre_conf_height",
    "tx_root",
    "dag_hash",
    "rw_set_root",
    "rw_set_hash",
    "contract_result",
    "rwset_list",
    "tx_reads",
    "tx_writes",
    "additional_data",
)
_NAMES = re.compile(
    b'"(?:' + "|".join(s for n in (*_WEAK, *_TELLING) for s in (n, camel(n))).encode() + rb')"\s*:', re.ASCII
)
_TELLING_NAMES = frozenset(s.encode() for n in _TELLING for s in (n, camel(n)))
_PATH_ITEM = re.compile(r"[A-Za-z0-9+/]{43}=", re.ASCII)


def _sniff_object(ends: bytes) -> int:
    if b"mingjian.chain-proof" in ends:
        return 0  # a proof package: another reader unwraps it
    names = {m.group().split(b'"')[1] for m in _NAMES.finditer(ends)}
    if not names & _TELLING_NAMES:
        return 0
    return 70 if len(names) >= 3 else 40 if len(names) == 2 else 0


def _sniff_path(source: Source) -> int:
    """A short array of base64 texts of 32 bytes. An empty one is what old nodes return, and says little."""
    raw = source.read(HEAD)
    try:
        items = None if raw is None else strict_json.loads(raw)
    except strict_json.JsonError:
        return 0
    if not isinstance(items, list) or not all(isinstance(i, str) and _PATH_ITEM.fullmatch(i) for i in items):
        return 0
    return 60 if items else 5


def _from_json(name: str, value: Any) -> Piece:
    if isinstance(value, list):
        return Piece(name, path=_path(value))
    if _first_generation(value):
        raise Unreadable(Reason.UNSUPPORTED_FORMAT, "ChainMaker 1.x")
    keys = value.keys()
    if keys & {"contract_result", "contractResult"} and not keys & {"payload", "rw_set_hash", "rwSetHash"}:
        return _from_answer(name, value)
    if "block" in keys:
        of = BLOCK_INFO
    elif "header" in keys:
        of = BLOCK
    elif "transaction" in keys:
        of = TRANSACTION_INFO
    elif "payload" in keys:
        of = TRANSACTION
    elif keys & {"tx_reads", "tx_writes", "txReads", "txWrites", "txReadsList", "txWritesList"}:
        of = RW_SET
    elif keys & {"tx_root", "txRoot", "pre_block_hash", "preBlockHash"}:
        of = HEADER
    else:
        raise Unreadable(Reason.UNSUPPORTED_FORMAT, "no block, header, transaction or read-write set")
    return Piece(name, protobuf.parse(to_wire(value, of), of))


def _from_answer(name: str, value: Mapping[str, Any]) -> Piece:
    """TxResponse{code, message, contract_result{code, result, …}, tx_id, …}: what was asked for is in the inner result, as
    protobuf or (a Merkle path) as JSON. Nothing of the frame is hashed, and nothing in it is believed."""
    outcome = value.get("contract_result", value.get("contractResult"))
    result = outcome.get("result") if isinstance(outcome, dict) else None
    if not isinstance(result, str) or not result:
        raise Unreadable(Reason.TX_INCOMPLETE, "an answer without a result")
    try:
        raw = base64_bytes(result)
    except CodecError as fault:
        raise Unreadable(Reason.FORMAT_FAILURE, f"contract_result.result: {fault}") from fault
    if raw.startswith((b"[", b"null")):
        inner = strict_json.loads(raw)
        return Piece(name, path=_path(inner if isinstance(inner, list) else []))
    return _from_binary(name, raw)


def _first_generation(value: Mapping[str, Any]) -> bool:
    """1.x: `block_version` and `proposer` of a header are bytes, and a transaction has a header and a request payload."""
    block = value.get("block", value)
    header = block.get("header") if isinstance(block, dict) else None
    transaction = value.get("transaction", value)
    if isinstance(transaction, dict) and transaction.keys() & {"request_payload", "requestPayload"}:
        return True
    return isinstance(header, dict) and isinstance(header.get("proposer"), str)


def _path(items: list[Any]) -> tuple[bytes, ...]:
    if len(items) > DEPTH_MAX:
        raise Unreadable(Reason.RESOURCE_LIMIT, f"a path of {len(items)} items")
    try:
        return tuple(base64_bytes(i if isinstance(i, str) else "?", length=HASH_BYTES) for i in items)
    except CodecError as fault:
        raise Unreadable(Reason.FORMAT_FAILURE, f"path: {fault}") from fault


def _from_binary(name: str, raw: bytes) -> Piece:
    of = _binary_type(raw[:HEAD])
    if of is None:
        raise Unreadable(Reason.UNSUPPORTED_FORMAT, "no block, header or transaction")
    if of is _FIRST_GENERATION:
        raise Unreadable(Reason.UNSUPPORTED_FORMAT, "ChainMaker 1.x")
    return Piece(name, protobuf.parse(raw, of))


_FIRST_GENERATION = MessageType("Block of ChainMaker 1.x")


def _binary_type(head: bytes) -> MessageType | None:
    """Protobuf carries no magic: a file is recognised by how its innermost first message opens.

    A header opens with its version (number, field 1) and chain id (text, field 3), a payload with chain id (text, 1) and
    transaction id (text, 3); what stands around it says which message the file is.
    """
    if _opens_rw_set(head):
        return RW_SET
    at = 0
    for around in ((HEADER, None), (BLOCK, TRANSACTION), (BLOCK_INFO, TRANSACTION_INFO)):
        if _opens_header(head, at):
            return around[0]
        if around[1] is not None and _opens_payload(head, at):
            return around[1]
        if around[1] is not None and _opens_first_header(head, at):
            return _FIRST_GENERATION
        if head[at : at + 1] != b"\x0a":
            return None
        at = _behind_number(head, at + 1)
    return None


def _opens_header(head: bytes, at: int) -> bool:
    """1 block_version, [2 block_type], 3 chain_id, then 4 block_height or 5 block_hash."""
    if head[at : at + 1] != b"\x08":
        return False
    at = _behind_number(head, at + 1)
    if head[at : at + 1] == b"\x10":
        at = _behind_number(head, at + 1)
    at = _behind_name(head, at, b"\x1a")
    return at > 0 and head[at : at + 1] in (b"\x20", b"\x2a")


def _opens_payload(head: bytes, at: int) -> bool:
    """1 chain_id, [2 tx_type], 3 tx_id."""
    at = _behind_name(head, at, b"\x0a")
    if at > 0 and head[at : at + 1] == b"\x10":
        at = _behind_number(head, at + 1)
    return at > 0 and _behind_name(head, at, b"\x1a") > 0


def _opens_rw_set(head: bytes) -> bool:
    """1 tx_id, then 2 tx_reads or 3 tx_writes, whose first field is a key: no text opens like a message."""
    at = _behind_name(head, 0, b"\x0a")
    if at <= 0 or head[at : at + 1] not in (b"\x12", b"\x1a"):
        return False
    at = _behind_number(head, at + 1)
    return head[at : at + 1] == b"\x0a"


def _opens_first_header(head: bytes, at: int) -> bool:
    """1.x: 1 chain_id, [2 block_height], 3 pre_block_hash of 32 bytes."""
    at = _behind_name(head, at, b"\x0a")
    if at > 0 and head[at : at + 1] == b"\x10":
        at = _behind_number(head, at + 1)
    return at > 0 and head[at : at + 2] == b"\x1a\x20"


def _behind_number(head: bytes, at: int) -> int:
    while at < len(head) and head[at] & 0x80:
        at += 1
    return at + 1


def _behind_name(head: bytes, at: int, tag: bytes) -> int:
    """The offset behind a short printable text with this tag, or 0."""
    if head[at : at + 1] != tag or at + 1 >= len(head):
        return 0
    text = head[at + 2 : at + 2 + head[at + 1]]
    if not text or len(text) != head[at + 1] or not all(0x20 < c < 0x7F for c in text):
        return 0
    return at + 2 + len(text)
