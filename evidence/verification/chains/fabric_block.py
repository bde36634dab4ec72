"""Hyperledger Fabric: a block as it came, its header hash, and whether its envelopes are what the header says (spec §7 steps 1, 2).

A block comes as `common.Block` (protobuf) or inside a peer's blockfile, many one after another. Nothing in it states its own
hash: that is computed here, signed by orderers and repeated in the next block.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from .. import digests
from ..codecs import protobuf
from ..codecs.protobuf import Fault, Message, ProtobufError
from . import fabric_messages as messages

HASH_BYTES = 32
BLOCKS_MAX = 10_000
"""Blocks and headers of one exhibit (spec §2 rule 6, linked headers)."""
ENVELOPES_MAX = 100_000
"""Transactions of one block (spec §2 rule 6)."""
METADATA_MAX = 16
"""Items of block metadata; Fabric has five."""
_VARINT_BYTES_MAX = 10


class BlockError(ValueError):
    """The bytes are not a block, or not a row of blocks. `limit`: more of something than is read; `short`: they break off."""

    def __init__(self, problem: str, *, limit: bool = False, short: bool = False, unknown: bool = False) -> None:
        super().__init__(problem)
        self.limit, self.short, self.unknown = limit, short, unknown


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope whose headers could be read."""

    raw: bytes
    payload: bytes
    signature: bytes
    channel_header: Message
    signature_header: Message
    data: bytes

    @property
    def channel(self) -> str:
        return self.channel_header.text("channel_id")

    @property
    def kind(self) -> int:
        return self.channel_header.number("type")

    @property
    def tx_id(self) -> str:
        return self.channel_header.text("tx_id")


@dataclass(frozen=True, eq=False)
class Block:
    """`envelopes`: None for a header alone, which can only link. `origin`: the file or package it came in."""

    origin: str
    number: int
    previous_hash: bytes
    data_hash: bytes
    envelopes: tuple[bytes, ...] | None = None
    metadata: tuple[bytes, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.origin} · block {self.number}"

    @cached_property
    def header_bytes(self) -> bytes:
        """DER SEQUENCE { number INTEGER, previous_hash OCTET STRING, data_hash OCTET STRING }, as hashed and signed."""
        number = self.number.to_bytes(self.number.bit_length() // 8 + 1)
        body = b"".join(
            bytes([tag, len(content)]) + content
            for tag, content in ((2, number), (4, self.previous_hash), (4, self.data_hash))
        )
        return bytes([0x30, len(body)]) + body

    @cached_property
    def hash(self) -> bytes:
        return hashlib.sha256(self.header_bytes).digest()

    @cached_property
    def content_hash(self) -> bytes:
        """SHA-256 over the envelopes, one after another without lengths."""
        return hashlib.sha256(b"".join(self.envelopes or ())).digest()

    @cached_property
    def is_guomi(self) -> bool:
        """Whether the envelopes give the header's data hash under SM3: a fork of Fabric whose rules are not published."""
        whole = b"".join(self.envelopes or ())
        return self.content_hash != self.data_hash and digests.digest("SM3", whole) == self.data_hash

    @cached_property
    def opened(self) -> tuple[Opened | None, ...]:
        """Each envelope as read, None where its headers cannot be read strictly: somebody else's affair unless it matters."""
        return tuple(_opened(raw) for raw in self.envelopes or ())

    @cached_property
    def is_config(self) -> bool:
        only = self.opened[0] if len(self.opened) == 1 else None
        return only is not None and only.kind == messages.CONFIG

    @cached_property
    def channel(self) -> str | None:
        return next((o.channel for o in self.opened if o is not None), None)

    @cached_property
    def ill_formed(self) -> tuple[Fault, str] | None:
        """What makes an envelope more than its own two fields, or a block something else than Fabric lets through; None: nothing.

        Because data_hash covers the envelopes without lengths, a byte behind one of them could belong to the next: two
        contents would share one header (`VerifyTransactionsAreWellFormed`). A configuration block is exempt there, since
        no second envelope can share it; here its one envelope is held to the same form, but for the signature, which
        genesis lacks. Empty blocks and configurations among other envelopes exist on no channel.
        """
        if not self.envelopes:
            return Fault.FORM, "no envelope"
        for place, raw in enumerate(self.envelopes):
            try:
                envelope = protobuf.parse(raw, messages.ENVELOPE)
            except ProtobufError as fault:
                return fault.fault, f"envelope {place}: {fault}"
            if not envelope.has("payload"):
                return Fault.FORM, f"envelope {place}: no payload"
            if not envelope.has("signature") and not self.is_config:
                return Fault.FORM, f"envelope {place}: no signature"
        if any(o is not None and o.kind == messages.CONFIG for o in self.opened) and not self.is_config:
            return Fault.FORM, "a configuration among other envelopes"
        return None

    def meta(self, index: int) -> bytes:
        return self.metadata[index] if index < len(self.metadata) else b""


def _opened(raw: bytes) -> Opened | None:
    try:
        envelope = protobuf.parse(raw, messages.ENVELOPE)
        payload = protobuf.parse(envelope.data("payload"), messages.PAYLOAD)
        header = payload.message("header")
        if header is None:
            return None
        return Opened(
            raw,
            envelope.data("payload"),
            envelope.data("signature"),
            protobuf.parse(header.data("channel_header"), messages.CHANNEL_HEADER),
            protobuf.parse(header.data("signature_header"), messages.SIGNATURE_HEADER),
            payload.data("data"),
        )
    except ProtobufError:
        return None


# ── from bytes to blocks ──────────────────────────────────────────────────────────────────────────────────────────────


def from_protobuf(raw: bytes, origin: str) -> Block:
    """`common.Block`. Raises BlockError."""
    message = _parse(raw, messages.BLOCK)
    header, data, metadata = (message.message(n) for n in ("header", "data", "metadata"))
    if header is None:
        raise BlockError("no header")
    return from_parts(
        origin,
        header.number("number"),
        header.data("previous_hash"),
        header.data("data_hash"),
        data.parts("data") if data else (),
        metadata.parts("metadata") if metadata else (),
    )


def from_header(raw: bytes, origin: str) -> Block:
    """`common.BlockHeader` alone, as a link. Raises BlockError."""
    header = _parse(raw, messages.BLOCK_HEADER)
    return from_parts(origin, header.number("number"), header.data("previous_hash"), header.data("data_hash"), None, ())


def from_blockfile(raw: bytes, origin: str) -> Iterator[Block]:
    """A peer's blockfile: repeat { length; number; data_hash; previous_hash; n, n envelopes; m, m metadata }.

    Lengths and numbers are varints, byte strings follow their length (spec §7). Yields what stands before a fault, then
    raises BlockError.
    """
    at = count = 0
    while at < len(raw):
        count += 1
        if count > BLOCKS_MAX:
            raise BlockError(f"more than {BLOCKS_MAX} blocks", limit=True)
        length, at = _varint(raw, at, len(raw))
        end = at + length
        if end > len(raw):
            raise BlockError(f"block {count} breaks off", short=True)
        number, at = _varint(raw, at, end)
        data_hash, at = _bytes(raw, at, end)
        previous_hash, at = _bytes(raw, at, end)
        envelopes, at = _list(raw, at, end, ENVELOPES_MAX)
        metadata, at = _list(raw, at, end, METADATA_MAX)
        if at != end:
            raise BlockError(f"block {count}: bytes behind its last field")
        yield from_parts(origin, number, previous_hash, data_hash, envelopes, metadata)


def looks_like_blockfile(head: bytes, size: int) -> bool:
    """The first fields of the first block: its length, number and two hashes."""
    try:
        length, at = _varint(head, 0, len(head))
        start = at
        number, at = _varint(head, at, len(head))
        data_hash, at = _bytes(head, at, len(head))
        previous_hash, at = _bytes(head, at, len(head))
    except BlockError:
        return False
    # Indented JSON opens alike ("{", a line end, a blank that reads as 32): a hash is not text.
    hashed = len(data_hash) == HASH_BYTES and not data_hash.isascii()
    whole = at - start < length <= size and hashed
    return whole and len(previous_hash) == (HASH_BYTES if number else 0)


def looks_like_block(head: bytes) -> bool:
    """A header of Fabric's three fields, followed by the data."""
    if head[:1] != b"\x0a" or len(head) < 2:
        return False
    end = 2 + head[1]
    try:
        header = protobuf.parse(head[2:end], messages.BLOCK_HEADER)
    except ProtobufError:
        return False
    return len(header.data("data_hash")) == HASH_BYTES and head[end : end + 1] in (b"\x12", b"\x1a", b"")


def from_parts(
    origin: str,
    number: int,
    previous_hash: bytes,
    data_hash: bytes,
    envelopes: tuple[bytes, ...] | None,
    metadata: tuple[bytes, ...],
) -> Block:
    """A block of fields that were read; `envelopes` None for a header alone. Raises BlockError."""
    if len(data_hash) != HASH_BYTES or len(previous_hash) != (HASH_BYTES if number else 0):
        raise BlockError(f"block {number}: hashes of {len(previous_hash)} and {len(data_hash)} bytes")
    if len(envelopes or ()) > ENVELOPES_MAX or len(metadata) > METADATA_MAX:
        raise BlockError(f"block {number}: {len(envelopes or ())} envelopes", limit=True)
    return Block(origin, number, previous_hash, data_hash, envelopes, metadata)


def _parse(raw: bytes, of: protobuf.MessageType) -> Message:
    try:
        return protobuf.parse(raw, of)
    except ProtobufError as fault:
        raise BlockError(
            str(fault), limit=fault.fault is Fault.LIMIT, unknown=fault.fault is Fault.UNKNOWN
        ) from fault


def _varint(raw: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    for place in range(at, min(end, at + _VARINT_BYTES_MAX)):
        byte = raw[place]
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            if (byte == 0 and place > at) or value >> 64:
                break
            return value, place + 1
    raise BlockError("a number that is not the shortest, or breaks off", short=end - at < _VARINT_BYTES_MAX)


def _bytes(raw: bytes, at: int, end: int) -> tuple[bytes, int]:
    length, at = _varint(raw, at, end)
    if length > end - at:
        raise BlockError("bytes longer than the block around them")
    return raw[at : at + length], at + length


def _list(raw: bytes, at: int, end: int, most: int) -> tuple[tuple[bytes, ...], int]:
    count, at = _varint(raw, at, end)
    if count > most:
        raise BlockError(f"{count} items", limit=True)
    items = []
    for _ in range(count):
        item, at = _bytes(raw, at, end)
        items.append(item)
    return tuple(items), at
