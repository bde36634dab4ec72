"""Prints a Fabric block as `configtxlator proto_decode --type common.Block` does, with a wire reader of its own.

Spelling as in printed blocks that people have published: original field names, 64-bit numbers as text, base64, null for absent
bytes and messages, [] and {} for absent lists and maps, times as RFC 3339 in UTC.
"""

import base64
import json
from datetime import UTC, datetime
from typing import Any

VERSION = {1: ("block_num", "u64"), 2: ("tx_num", "u64")}
READ = {1: ("key", "text"), 2: ("version", VERSION)}
RANGE = {
    1: ("start_key", "text"), 2: ("end_key", "text"), 3: ("itr_exhausted", "flag"),
    4: ("raw_reads", {1: ("kv_reads", [READ])}),
}  # fmt: skip
WRITE = {1: ("key", "text"), 2: ("is_delete", "flag"), 3: ("value", "bytes")}
ENTRY = {1: ("name", "text"), 2: ("value", "bytes")}
KV = {
    1: ("reads", [READ]), 2: ("range_queries_info", [RANGE]), 3: ("writes", [WRITE]),
    4: ("metadata_writes", [{1: ("key", "text"), 2: ("entries", [ENTRY])}]),
}  # fmt: skip
HASHED = {
    1: ("hashed_reads", [{1: ("key_hash", "bytes"), 2: ("version", VERSION)}]),
    2: ("hashed_writes", [{1: ("key_hash", "bytes"), 2: ("is_delete", "flag"), 3: ("value_hash", "bytes")}]),
    3: ("metadata_writes", [{1: ("key_hash", "bytes"), 2: ("entries", [ENTRY])}]),
}
COLLECTION = {1: ("collection_name", "text"), 2: ("hashed_rwset", HASHED), 3: ("pvt_rwset_hash", "bytes")}
NS = {1: ("namespace", "text"), 2: ("rwset", KV), 3: ("collection_hashed_rwset", [COLLECTION])}
ID = {1: ("path", "text"), 2: ("name", "text"), 3: ("version", "text")}
EVENT = {1: ("chaincode_id", "text"), 2: ("tx_id", "text"), 3: ("event_name", "text"), 4: ("payload", "bytes")}
EXTENSION = {
    1: ("results", {1: ("data_model", ("KV",)), 2: ("ns_rwset", [NS])}), 2: ("events", EVENT),
    3: ("response", {1: ("status", "i32"), 2: ("message", "text"), 3: ("payload", "bytes")}), 4: ("chaincode_id", ID),
}  # fmt: skip
ACTION = {
    1: ("proposal_response_payload", {1: ("proposal_hash", "bytes"), 2: ("extension", EXTENSION)}),
    2: ("endorsements", [{1: ("endorser", "bytes"), 2: ("signature", "bytes")}]),
}
INPUT = {1: ("args", ["bytes"]), 2: ("decorations", "map"), 3: ("is_init", "flag")}
SPEC = {
    1: ("type", ("UNDEFINED", "GOLANG", "NODE", "CAR", "JAVA")), 2: ("chaincode_id", ID), 3: ("input", INPUT),
    4: ("timeout", "i32"),
}  # fmt: skip
PROPOSAL = {1: ("input", {1: ("chaincode_spec", SPEC)}), 2: ("TransientMap", "map")}
SIGNATURE_HEADER = {1: ("creator", {1: ("mspid", "text"), 2: ("id_bytes", "bytes")}), 2: ("nonce", "bytes")}
TRANSACTION = {
    1: ("actions", [{1: ("header", SIGNATURE_HEADER), 2: ("payload", {1: ("chaincode_proposal_payload", PROPOSAL), 2: ("action", ACTION)})}]),  # fmt: skip
}
CHANNEL_HEADER = {
    1: ("type", "i32"), 2: ("version", "i32"), 3: ("timestamp", "time"), 4: ("channel_id", "text"), 5: ("tx_id", "text"),
    6: ("epoch", "u64"), 7: ("extension", "bytes"), 8: ("tls_cert_hash", "bytes"),
}  # fmt: skip
ENVELOPE = {
    1: ("payload", {1: ("header", {1: ("channel_header", CHANNEL_HEADER), 2: ("signature_header", SIGNATURE_HEADER)}), 2: ("data", TRANSACTION)}),  # fmt: skip
    2: ("signature", "bytes"),
}
BLOCK = {
    1: ("header", {1: ("number", "u64"), 2: ("previous_hash", "bytes"), 3: ("data_hash", "bytes")}),
    2: ("data", {1: ("data", [ENVELOPE])}),
    3: ("metadata", {1: ("metadata", ["bytes"])}),
}


def printed(block: bytes) -> dict[str, Any]:
    return _message(block, BLOCK)


def text(block: bytes) -> bytes:
    return json.dumps(printed(block), indent="\t", ensure_ascii=False).encode()


def _fields(raw: bytes) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = raw[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(raw):
        tag = number()
        if tag & 7 == 2:
            length = number()
            found.setdefault(tag >> 3, []).append(raw[at : at + length])
            at += length
        else:
            found.setdefault(tag >> 3, []).append(number())
    return found


def _message(raw: bytes, table: dict[int, Any]) -> dict[str, Any]:
    given = _fields(raw)
    assert set(given) <= set(table), (set(given) - set(table), table)
    return {name: _value(given.get(number, []), kind) for number, (name, kind) in table.items()}


def _value(items: list[Any], kind: Any) -> Any:
    if isinstance(kind, list):
        return [_value([item], kind[0]) for item in items]
    if kind == "map":
        assert not items
        return {}
    if isinstance(kind, dict):
        return _message(items[0], kind) if items else None
    if isinstance(kind, tuple):
        return kind[items[0] if items else 0]
    if kind == "bytes":
        return base64.b64encode(items[0]).decode() if items else None
    if kind == "text":
        return items[0].decode() if items else ""
    if kind == "time":
        return _time(_fields(items[0])) if items else None
    value = items[0] if items else 0
    return {"u64": str(value), "i32": value, "flag": bool(value)}[kind]


def _time(parts: dict[int, list[int]]) -> str:
    moment = datetime.fromtimestamp(parts.get(1, [0])[0], UTC).strftime("%Y-%m-%dT%H:%M:%S")
    nanos = f"{parts.get(2, [0])[0]:09}"
    for digits in (0, 3, 6):
        if not nanos[digits:].strip("0"):
            nanos = nanos[:digits]
            break
    return moment + (f".{nanos}" if nanos else "") + "Z"
