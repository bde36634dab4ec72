"""ChainMaker 2.x: the bytes of a block that are hashed, their form, and the marks an export leaves in them.

Spec consortium-chains §4, steps 1 and 2; ChainMaker `module/utils/block.go` and `core/common/block_helper.go`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from types import MappingProxyType

from .. import digests
from ..codecs.protobuf import Message
from . import chainmaker_messages as messages
from .chainmaker_members import HASHES

GAS_FREE_FROM = 2300
"""Block version from which the gas used is left out of a transaction's hash (CalcTxHashWithVersion)."""
_TIME_MAX = 253_402_300_800
"""Seconds at the end of the year 9999."""


@dataclass(frozen=True)
class Block:
    """A block as handed in, whole or in part.

    txs         None when only the header was supplied
    tx_hashes   leaf hashes that somebody states, in block order, where bodies are missing
    extra       `additional_data.extra_data`, outside the header hash
    """

    name: str
    header: Message
    txs: tuple[Message, ...] | None = None
    tx_hashes: tuple[bytes, ...] | None = None
    dag: Message | None = None
    extra: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    rw_sets: tuple[Message, ...] = ()

    @property
    def chain_id(self) -> str:
        return self.header.text("chain_id")

    @property
    def height(self) -> int:
        return self.header.number("block_height")

    @property
    def count(self) -> int:
        return self.header.number("tx_count")

    @property
    def stated_hash(self) -> bytes:
        return self.header.data("block_hash")

    @cached_property
    def _unsigned(self) -> bytes:
        return self.header.without("block_hash", "signature")

    def hash_under(self, algorithm: str) -> bytes:
        """Step H: H(header without fields 5 and 15)."""
        return digests.digest(algorithm, self._unsigned)

    @cached_property
    def algorithm(self) -> str | None:
        """The documented hash under which the header has the id it states, or None."""
        return next((a for a in HASHES if self.hash_under(a) == self.stated_hash), None)


def leaf_bytes(tx: Message, version: int) -> bytes:
    """Step X: what is hashed of a transaction. Only the gas number is cut out; the message around it stays, even when empty."""
    result = tx.message("result")
    outcome = result.message("contract_result") if result else None
    if version < GAS_FREE_FROM or result is None or outcome is None or not outcome.has("gas_used"):
        return tx.raw
    return tx.replacing("result", result.replacing("contract_result", outcome.without("gas_used")))


def is_complete(tx: Message) -> bool:
    return tx.message("payload") is not None and tx.message("result") is not None


def is_redacted(tx: Message) -> bool:
    """Whether a parameter looks as an explorer or a *Truncate* query leaves it: `md5:…`, a bare SHA-256, or nothing; or the
    whole call as a node leaves it whose operator has blocked the transaction (`FilterBlacklistTxs`).

    Anybody can write such a value, so it may only turn a contradiction into "cannot be decided", never into a pass; and where
    the sender's signature over the payload verifies nothing has been cut (the caller asks).
    """
    payload = tx.message("payload")
    if payload is None:
        return False
    return payload.text("contract_name") == _BLOCKED or any(
        _is_marker(p.data("value")) for p in payload.messages("parameters")
    )


def is_redacted_rw_set(rw_set: Message) -> bool:
    """Bare hashes and empty values are ordinary in a ledger's state, so that only the text marker tells, or that nothing but the
    transaction's id is left (`FilterBlockBlacklistTxRWSet`)."""
    items = (*rw_set.messages("tx_reads"), *rw_set.messages("tx_writes"))
    return not items or any(_MD5_MARKER.fullmatch(i.data("value")) for i in items)


_BLOCKED = "该交易违规，内容已屏蔽。"
"""What a node of 2.3 puts for contract and method of a transaction that its operator has blocked."""
_MD5_MARKER = re.compile(rb"md5:[0-9a-f]{32}")


def _is_marker(value: bytes) -> bool:
    if not value or _MD5_MARKER.fullmatch(value):
        return True
    return len(value) == messages.HASH_BYTES and not all(0x20 <= c < 0x7F for c in value)


def malformed(header: Message) -> str | None:
    """The field of a header whose form no node writes, or None."""
    if not header.text("chain_id"):
        return "chain_id"
    if len(header.data("block_hash")) != messages.HASH_BYTES:
        return "block_hash"
    for name in ("pre_block_hash", "tx_root", "dag_hash", "rw_set_root"):
        # Genesis has no predecessor and an empty block no transactions; nothing else is ever shorter.
        if len(header.data(name)) not in (0, messages.HASH_BYTES):
            return name
    if not header.has("pre_block_hash") and header.number("block_height") > 0:
        return "pre_block_hash"
    if not 0 <= header.number("block_timestamp") < _TIME_MAX:
        return "block_timestamp"
    return None


def instant_of(seconds: int) -> datetime | None:
    """Whole seconds, as ChainMaker writes every time; None when absent (0) or no date."""
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _TIME_MAX else None
