"""One file or one member of a package -> a block, a transaction or a path (spec consortium-chains §8, §9.6).

Raw protobuf, the node's JSON in either spelling (bare or inside the answer of QueryTx or GetBlock), and the relay proof: siblings,
an index, the ids of transaction and block.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import merkle
from ..codecs import protobuf, strict_json
from ..codecs.protobuf import MessageType
from ..codecs.text import CodecError, decimal, hex_bytes
from ..reasons import Reason
from . import xuperchain_messages as m
from .xuperchain_hashing import block_id
from .xuperchain_json import CLI, style_of, to_wire
from .xuperchain_messages import HASH_BYTES, Block, Transaction, Unreadable

_ENVELOPE = frozenset(("header", "bcname", "txid", "blockid", "status", "distance"))
"""Members that stand beside the block or transaction in the answers of GetBlock and QueryTx; nothing is read of them."""
_RELAY = ("blockid", "txid", "txIndex", "proofPath")


@dataclass(frozen=True, slots=True)
class Path:
    """`siblings` bottom-up from leaf `index`; `txid` and `block_id`, where given, say whose path it is meant to be."""

    source: str
    siblings: tuple[bytes, ...]
    index: int
    txid: bytes | None = None
    block_id: bytes | None = None


Record = Block | Transaction | Path


def read(data: bytes, *, source: str) -> Record:
    """A file of this family. Raises Unreadable and nothing else."""
    if data.lstrip(b" \t\r\n").startswith((b"{", b"\xef\xbb\xbf")):
        try:
            value = strict_json.loads(data)
        except strict_json.JsonError as fault:
            raise Unreadable(Reason.FORMAT_FAILURE, str(fault)) from fault
        return of_json(value, source=source)
    of = message_type(data)
    if of is m.BLOCK:
        return m.block(data, source=source)
    if of is m.TRANSACTION:
        return m.transaction(data, source=source)
    raise Unreadable(Reason.UNSUPPORTED_FORMAT, "neither a block nor a transaction")


def message_type(head: bytes) -> MessageType | None:
    """Which message the bytes begin as, by the numbers and wire types of its outer fields as far as `head` goes.

    A block begins with its version or id and holds a key and a root; a transaction begins with its id, of 32 bytes.
    """
    block = _outer_fields(head, m.BLOCK)
    if block and block[0] in (1, 2, 3) and {7, 8} <= set(block):
        return m.BLOCK
    found = _outer_fields(head, m.TRANSACTION)
    if found and found[0] == 1 and (10 in found or found[:2] == [1, 2]):
        return m.TRANSACTION
    return None


def _outer_fields(head: bytes, of: MessageType) -> list[int]:
    """Numbers of the outer fields as far as `head` goes, or none when one of them is not of this message."""
    found: list[int] = []
    at = 0
    while at < len(head):
        read_ = protobuf.shortest_varint(head, at)
        if read_ is None:
            return found if at + 1 == len(head) else []
        tag, at = read_
        number, wire = tag >> 3, tag & 7
        if number not in m.NUMBERS[of] or wire != (0 if number in m.VARINT_FIELDS[of] else 2):
            return []
        found.append(number)
        read_ = protobuf.shortest_varint(head, at)
        if read_ is None:
            return found if len(head) - at < 10 else []
        value, at = read_
        if wire == 2:
            if number in _IDS[of] and value != HASH_BYTES:
                return []
            at += value
    return found


_IDS = {m.BLOCK: (3, 8), m.TRANSACTION: (1, 2)}
"""Fields that are a hash wherever they stand."""


def of_json(value: Any, *, source: str, style: str | None = None) -> Record:
    """A parsed JSON answer. `style` as a package states it; without, the ids tell. Raises Unreadable and nothing else."""
    if not isinstance(value, dict):
        raise Unreadable(Reason.UNSUPPORTED_FORMAT, "not a JSON object")
    if "proofPath" in value:
        return _path(value, source)
    inner = next((name for name in ("tx", "block") if isinstance(value.get(name), dict)), None)
    if inner is not None:
        strange = sorted(set(value) - _ENVELOPE - {inner})
        if strange:
            raise Unreadable(Reason.UNSUPPORTED_FORMAT, strange[0][:64])
        value = value[inner]
    of = m.BLOCK if "proposer" in value or "merkleRoot" in value or "merkle_root" in value else m.TRANSACTION
    style = style or style_of(value)
    lossy = style == CLI
    options = to_wire(value, of, style=style)
    if of is m.TRANSACTION:
        return m.transaction(options[0], source=source, lossy=lossy)
    blocks = [m.block(raw, source=source, lossy=lossy) for raw in options]
    return next((b for b in blocks if block_id(b) == b.body.data("blockid")), blocks[0])


def _path(value: Mapping[str, Any], source: str) -> Path:
    """The relay proof of core/contractsdk: hex ids, the index as text or number."""
    strange = sorted(set(value) - set(_RELAY))
    if strange:
        raise Unreadable(Reason.UNSUPPORTED_FORMAT, strange[0][:64])
    try:
        items = value["proofPath"]
        index = value.get("txIndex")
        if isinstance(index, str):
            index = decimal(index)
        if not isinstance(items, list) or not isinstance(index, int) or isinstance(index, bool):
            raise CodecError("proofPath or txIndex")
        if len(items) > merkle.DEPTH_MAX:
            raise Unreadable(Reason.RESOURCE_LIMIT, f"a path of {len(items)} items")
        ids = [_hash(value[name]) if value.get(name) is not None else None for name in ("txid", "blockid")]
        return Path(source, tuple(_hash(i) for i in items), index, *ids)
    except CodecError as fault:
        raise Unreadable(Reason.FORMAT_FAILURE, str(fault)) from fault


def _hash(value: Any) -> bytes:
    if not isinstance(value, str):
        raise CodecError("not a text")
    return hex_bytes(value, length=HASH_BYTES)
