"""Hyperledger Fabric: the signatures that orderers leave in a block's metadata, each checked (spec §7 step 4).

A signature is over OrdererBlockMetadata ‖ signature header (or identifier header) ‖ DER of the block header. Orderers before
1.4.1 signed nothing ‖ signature header ‖ header, and named the configuration in force in a second item, signed in the same way.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from ..codecs import protobuf
from ..codecs.protobuf import Fault, Message, ProtobufError
from ..reasons import Reason
from . import fabric_messages as messages
from .fabric_block import Block
from .fabric_identity import Identity, serialized
from .fabric_identity import signed as signed_by

SIGNATURES_MAX = 1024
"""Signatures of one block (spec §2 rule 6, validators)."""


@dataclass(frozen=True, slots=True)
class Vote:
    """`who`: None when the exhibit does not say in a way that can be read; then `reason` says why."""

    who: Identity | None
    valid: bool
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Signatures:
    """`last_config`: height of the configuration in force, as the signed metadata say; None: they do not say."""

    value: bytes
    last_config: int | None
    items: tuple[Message, ...]


def read(block: Block) -> Signatures | None:
    """The signatures of a block; None when it has none. Raises ProtobufError."""
    metadata = protobuf.parse(block.meta(messages.SIGNATURES), messages.METADATA)
    items = metadata.messages("signatures")
    if not items:
        return None
    if len(items) > SIGNATURES_MAX:
        raise ProtobufError("too many signatures", field="Metadata", fault=Fault.LIMIT)
    value = metadata.data("value")
    if not value:
        return _apart(block, items)
    last = protobuf.parse(value, messages.ORDERER_BLOCK_METADATA).message("last_config")
    return Signatures(value, last.number("index") if last is not None else None, items)


def _apart(block: Block, items: tuple[Message, ...]) -> Signatures:
    """Orderers before 1.4.1: LastConfig stands in an item of its own, which counts when the block's own signers signed it."""
    bare = Signatures(b"", None, items)
    second = protobuf.parse(block.meta(messages.LAST_CONFIG), messages.METADATA)
    told = Signatures(second.data("value"), None, second.messages("signatures")[:SIGNATURES_MAX])
    given, ours = votes(block, told, lambda _: None), votes(block, bare, lambda _: None)
    if not given or not all(v.valid for v in given) or {v.who for v in given} != {v.who for v in ours}:
        return bare
    return Signatures(b"", protobuf.parse(told.value, messages.LAST_CONFIG_VALUE).number("index"), items)


def votes(block: Block, signatures: Signatures, named: Callable[[int], Identity | None]) -> list[Vote]:
    """Every signature of a block, checked. `named`: the consenter of a number. Raises ProtobufError."""
    found = []
    # Metadata may be long and signatures many: they are hashed once.
    begun = hashlib.sha256(signatures.value)
    for item in signatures.items:
        header = item.data("signature_header")
        if header:
            creator = protobuf.parse(header, messages.SIGNATURE_HEADER).data("creator")
            who = serialized(creator)
        else:
            # Fabric 3: "the SignatureHeader is empty and the IdentifierHeader is present".
            header = item.data("identifier_header")
            who = named(protobuf.parse(header, messages.IDENTIFIER_HEADER).number("identifier")) if header else None
        if who is None:
            found.append(Vote(None, False, Reason.NO_SIGNING_CERTIFICATE_FOUND))
        elif who.curve is None:
            found.append(Vote(who, False, Reason.UNSUPPORTED_FORMAT))
        else:
            whole = begun.copy()
            whole.update(header + block.header_bytes)
            found.append(Vote(who, signed_by(who, item.data("signature"), whole.digest())))
    return found
