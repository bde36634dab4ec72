"""Hyperledger Fabric: which transactions of an exhibit go up the ladder.

A transaction matters when a package or a certificate names it, or when it carries the digest of a content file. When nothing
points into the blocks, the one record in them speaks for them; where there are several, nobody has said which is meant, and
the last block stands alone.
"""

from base64 import b64encode
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .. import digests
from ..reasons import Reason
from ..registry import Context
from ..trust import ChainProfile
from ..verdict import Bearing, Finding, failed, indeterminate
from . import fabric_messages as messages
from . import fabric_transaction, ladder
from .fabric_block import Block
from .fabric_rungs import FAMILY, Stated
from .fabric_transaction import TransactionError
from .location import locate

INCLUSIONS_MAX = 200
"""Transactions examined in one exhibit: four times as many as it may hold files."""


@dataclass(frozen=True, slots=True)
class Subject:
    """`index`: among the envelopes of the block; None: the block itself."""

    block: Block
    index: int | None


@dataclass(frozen=True, slots=True)
class Selection:
    subjects: tuple[Subject, ...]
    findings: tuple[Finding, ...] = ()


def select(
    blocks: Sequence[Block],
    stated: Stated,
    context: Context,
    profile_of: Callable[[Block], ChainProfile | None],
) -> Selection:
    named = {c.tx_id.lower().removeprefix("0x") for c in context.claims if c.tx_id}
    if stated.tx_id is not None:
        named.add(stated.tx_id)
    full = [b for b in blocks if b.envelopes]
    found = [
        Subject(block, index)
        for block in full
        for index in sorted(_named(block, named) | _carrying(block, context, profile_of(block)))
    ]
    findings: list[Finding] = []
    if stated.tx_id is not None and all(s.block.opened[s.index or 0] is None or _id(s) != stated.tx_id for s in found):
        subject = f"{FAMILY} · {blocks[0].origin}"
        findings.append(failed(ladder.TRANSACTION, Reason.CERT_FIELDS_CONFLICT, subject, actual=stated.tx_id))
    if len(found) > INCLUSIONS_MAX:
        shown = f"{len(found)} transactions"
        findings.append(
            indeterminate(ladder.LEDGER_KIND, Reason.RESOURCE_LIMIT, FAMILY, actual=shown, bearing=Bearing.DECISIVE)
        )
    chosen = found[:INCLUSIONS_MAX] or [_representative(blocks, any_will_do=not context.content)]
    return Selection(tuple(chosen), tuple(findings))


def _id(subject: Subject) -> str | None:
    opened = subject.block.opened[subject.index or 0]
    return opened.tx_id if opened else None


def _named(block: Block, named: set[str]) -> set[int]:
    return {i for i, o in enumerate(block.opened) if o is not None and o.tx_id.lower() in named} if named else set()


def _carrying(block: Block, context: Context, profile: ChainProfile | None) -> set[int]:
    """Places of transactions that carry the digest of a content file: bytes are searched first, then compared as a whole."""
    envelopes = block.envelopes or ()
    starts: list[int] = []
    length = 0
    for raw in envelopes:
        starts.append(length)
        length += len(raw)
    joined = b"".join(envelopes)
    lowered = joined.lower()
    hits: set[int] = set()
    for source in context.content:
        for algorithm in digests.STRONG:
            value = source.digest(algorithm)
            for haystack, needle in ((joined, value), (lowered, value.hex().encode()), (joined, b64encode(value))):
                at = haystack.find(needle)
                while at >= 0 and len(hits) <= INCLUSIONS_MAX:
                    hits.add(bisect_right(starts, at) - 1)
                    at = haystack.find(needle, at + 1)
    return {i for i in hits if _records(block, i, context, profile)}


def _records(block: Block, index: int, context: Context, profile: ChainProfile | None) -> bool:
    opened = block.opened[index]
    if opened is None:
        return False
    try:
        places = fabric_transaction.places(fabric_transaction.read(opened))
    except TransactionError:
        # It cannot be read in one way, and it carries the digest: that must be told.
        return opened.kind == messages.ENDORSER_TRANSACTION
    return bool(locate(context.content, places, profile, block.number).hits)


def _representative(blocks: Sequence[Block], *, any_will_do: bool) -> Subject:
    """`any_will_do`: no file is compared with it, so that the first record may show what a record of these blocks is."""
    records = [
        Subject(block, index)
        for block in sorted((b for b in blocks if b.envelopes), key=lambda b: b.number)
        for index, opened in enumerate(block.opened)
        if opened is not None and opened.kind == messages.ENDORSER_TRANSACTION
    ]
    if records and (any_will_do or len(records) == 1):
        return records[0]
    return Subject(max(blocks, key=lambda b: (b.envelopes is not None, b.number)), None)
