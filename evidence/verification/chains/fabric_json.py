"""Hyperledger Fabric: a block as `configtxlator proto_decode --type common.Block` prints it -> the bytes it was printed from.

The tool opens every level of a block and prints protobuf JSON with the original field names, base64 for bytes, and times as text.
A transaction is written back field by field; whether that gave the original bytes is told by data_hash, and by nothing else:
where it did not, nobody can say whether the text was changed or printed with loss, and the file is not read. Configurations hold
maps, whose order the text does not keep, so that configuration blocks are not read from it. Metadata are printed as base64.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from ..codecs import strict_json
from ..codecs.protobuf import (
    Field,
    MessageType,
    ProtobufError,
    data,
    enum,
    flag,
    int32,
    mapping,
    message,
    string,
    uint32,
    uint64,
)
from ..codecs.protobuf_json import to_wire
from ..codecs.strict_json import JsonError
from ..codecs.text import CodecError, base64_bytes, decimal
from . import fabric_messages as messages
from .fabric_block import Block, BlockError, from_parts

_MARKS = (b'"data_hash"', b'"previous_hash"')
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)

# ── the same messages as in `fabric_messages`, with every level open ──────────────────────────────────────────────────


def _m(name: str, *fields: Field) -> MessageType:
    return MessageType(name, *fields)


_VERSION = _m("Version", uint64(1, "block_num"), uint64(2, "tx_num"))
_READ = _m("KVRead", string(1, "key"), message(2, "version", _VERSION))
_METADATA_WRITE = _m(
    "KVMetadataWrite",
    string(1, "key"),
    message(2, "entries", _m("KVMetadataEntry", string(1, "name"), data(2, "value")), repeated=True),
)
_RANGE = _m(
    "RangeQueryInfo",
    string(1, "start_key"),
    string(2, "end_key"),
    flag(3, "itr_exhausted"),
    message(4, "raw_reads", _m("QueryReads", message(1, "kv_reads", _READ, repeated=True))),
    message(
        5,
        "reads_merkle_hashes",
        _m(
            "QueryReadsMerkleSummary",
            uint32(1, "max_degree"),
            uint32(2, "max_level"),
            data(3, "max_level_hashes", repeated=True),
        ),
    ),
)
_KV_RW_SET = _m(
    "KVRWSet",
    message(1, "reads", _READ, repeated=True),
    message(2, "range_queries_info", _RANGE, repeated=True),
    message(3, "writes", messages.KV_WRITE, repeated=True),
    message(4, "metadata_writes", _METADATA_WRITE, repeated=True),
)
_HASHED_RW_SET = _m(
    "HashedRWSet",
    message(
        1, "hashed_reads", _m("KVReadHash", data(1, "key_hash"), message(2, "version", _VERSION)), repeated=True
    ),
    message(
        2,
        "hashed_writes",
        _m("KVWriteHash", data(1, "key_hash"), flag(2, "is_delete"), data(3, "value_hash"), flag(4, "is_purge")),
        repeated=True,
    ),
    message(
        3,
        "metadata_writes",
        _m(
            "KVMetadataWriteHash",
            data(1, "key_hash"),
            message(2, "entries", _m("KVMetadataEntry", string(1, "name"), data(2, "value")), repeated=True),
        ),
        repeated=True,
    ),
)
_COLLECTION = _m(
    "CollectionHashedReadWriteSet",
    string(1, "collection_name"),
    message(2, "hashed_rwset", _HASHED_RW_SET),
    data(3, "pvt_rwset_hash"),
)
_NS_RW_SET = _m(
    "NsReadWriteSet",
    string(1, "namespace"),
    message(2, "rwset", _KV_RW_SET),
    message(3, "collection_hashed_rwset", _COLLECTION, repeated=True),
)
_RESULTS = _m(
    "TxReadWriteSet", enum(1, "data_model", {"KV": 0}), message(2, "ns_rwset", _NS_RW_SET, repeated=True)
)
_CHAINCODE_ACTION = _m(
    "ChaincodeAction",
    message(1, "results", _RESULTS),
    message(2, "events", messages.CHAINCODE_EVENT),
    message(3, "response", messages.RESPONSE),
    message(4, "chaincode_id", messages.CHAINCODE_ID),
    message(5, "token_expectation", _m("TokenExpectation")),
)
_RESPONSE_PAYLOAD = _m(
    "ProposalResponsePayload", data(1, "proposal_hash"), message(2, "extension", _CHAINCODE_ACTION)
)
_ACTION = _m(
    "ChaincodeEndorsedAction",
    message(1, "proposal_response_payload", _RESPONSE_PAYLOAD),
    message(2, "endorsements", messages.ENDORSEMENT, repeated=True),
)
_PROPOSAL = _m(
    "ChaincodeProposalPayload",
    message(1, "input", messages.CHAINCODE_INVOCATION_SPEC),
    mapping(2, "TransientMap", data(2, "value")),
)
_ACTION_PAYLOAD = _m(
    "ChaincodeActionPayload", message(1, "chaincode_proposal_payload", _PROPOSAL), message(2, "action", _ACTION)
)
_SIGNATURE_HEADER = _m("SignatureHeader", message(1, "creator", messages.SERIALIZED_IDENTITY), data(2, "nonce"))
_TRANSACTION = _m(
    "Transaction",
    message(
        1,
        "actions",
        _m("TransactionAction", message(1, "header", _SIGNATURE_HEADER), message(2, "payload", _ACTION_PAYLOAD)),
        repeated=True,
    ),
)
_CHANNEL_HEADER = _m(
    "ChannelHeader",
    int32(1, "type"),
    int32(2, "version"),
    message(3, "timestamp", messages.TIMESTAMP),
    string(4, "channel_id"),
    string(5, "tx_id"),
    uint64(6, "epoch"),
    data(7, "extension"),
    data(8, "tls_cert_hash"),
)
_HEADER = _m("Header", message(1, "channel_header", _CHANNEL_HEADER), message(2, "signature_header", _SIGNATURE_HEADER))
_PAYLOAD = _m("Payload", message(1, "header", _HEADER), message(2, "data", _TRANSACTION))
_ENVELOPE = _m("Envelope", message(1, "payload", _PAYLOAD), data(2, "signature"))


def looks_like_block(head: bytes, tail: bytes) -> bool:
    """A JSON object with the names of a block header's members, that is not one of this product's own forms."""
    look = head + tail
    return head.lstrip(b" \t\r\n").startswith(b"{") and all(m in look for m in _MARKS) and b'"mingjian' not in look


def block(raw: bytes, origin: str) -> Block:
    """Raises BlockError."""
    try:
        whole = strict_json.loads(raw)
        _only(whole, ("header", "data", "metadata"))
        header, contents = _object(whole, "header"), _object(whole, "data")
        _only(header, ("number", "previous_hash", "data_hash"))
        _only(contents, ("data",))
        metadata = _object(whole, "metadata") if whole.get("metadata") is not None else {}
        _only(metadata, ("metadata",))
        envelopes = tuple(_envelope(item) for item in _list(contents, "data"))
        number = header.get("number")
        found = from_parts(
            origin,
            decimal(number) if isinstance(number, str) else _number(number),
            _bytes(header.get("previous_hash")),
            _bytes(header.get("data_hash")),
            envelopes,
            tuple(_bytes(item) for item in _list(metadata, "metadata")),
        )
    except (JsonError, CodecError, ProtobufError) as fault:
        raise BlockError(str(fault), unknown=isinstance(fault, ProtobufError)) from fault
    if found.content_hash != found.data_hash:
        raise BlockError("the printed block does not give back the bytes that were hashed", unknown=True)
    return found


def _only(value: Any, names: tuple[str, ...]) -> None:
    """The tool prints no other members; what stands in one is bound by nothing."""
    if isinstance(value, dict) and (odd := sorted(set(value) - set(names))):
        raise BlockError(f"member {odd[0][:64]!r} is not one that configtxlator prints", unknown=True)


def _envelope(item: Any) -> bytes:
    """One envelope as printed -> its bytes; its time is printed as text, where the table has seconds and nanoseconds."""
    if not isinstance(item, dict):
        raise CodecError("an envelope that is not an object")
    header = _object(_object(_object(item, "payload"), "header"), "channel_header")
    if header.get("type") != messages.ENDORSER_TRANSACTION:
        raise BlockError(f"an envelope of type {str(header.get('type'))[:16]} printed as JSON", unknown=True)
    if isinstance(header.get("timestamp"), str):
        header["timestamp"] = _timestamp(header["timestamp"])
    return to_wire(item, _ENVELOPE)


def _timestamp(printed: str) -> dict[str, int]:
    found = _TIME.fullmatch(printed)
    if found is None:
        raise CodecError("a time that is not RFC 3339 in UTC")
    try:
        moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    except ValueError as fault:
        raise CodecError("a time that is none") from fault
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return {"seconds": seconds, "nanos": int((found[2] or "0").ljust(9, "0"))}


def _object(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, dict):
        raise CodecError(f"{name} is not an object")
    return found


def _list(value: dict[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise CodecError(f"{name} is not a list")
    return found


def _bytes(value: Any) -> bytes:
    if value is None:
        return b""
    if not isinstance(value, str):
        raise CodecError("bytes that are not base64 text")
    return base64_bytes(value)


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 64:
        raise CodecError("the number of the block")
    return value
