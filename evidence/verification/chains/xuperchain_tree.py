"""Step R of a XuperChain transaction: its place under the block's root (spec §8 step 3, §2 rule 7).

`MakeMerkleTree` pads the ids of the transactions to a power of two and takes a missing right child for the left one; a block holds
the whole tree, leaves first, empty where padding is. Any of three ways leads to the root: siblings by the bits of the index, the
block's own tree, or the ids of all its transactions. Whatever of them is supplied must lead there, and the inner nodes of a tree
are computed, never taken. How deep the tree is follows from `tx_count`, which is under the block's id.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from .. import merkle
from ..reasons import Reason
from ..verdict import Finding, Outcome, failed, indeterminate, passed
from .ladder import PATH
from .xuperchain_finality import Linked
from .xuperchain_hashing import DOUBLE, Hashed
from .xuperchain_messages import Transaction
from .xuperchain_records import Path


def path_of(
    t: Transaction | None, hashed: Hashed | None, x: Finding, it: Linked | None, paths: Sequence[Path], subject: str
) -> Finding:
    """`x`: whether the leaf is the transaction's own id; without that nothing is looked for under the root."""
    if t is None or it is None:
        return indeterminate(PATH, Reason.PROOF_NOT_SUPPLIED, subject)
    if hashed is None or x.outcome is not Outcome.PASSED:
        reason = Reason.TX_INCOMPLETE if x.reason in (None, Reason.HASH_FAILURE) else x.reason
        return indeterminate(PATH, reason or Reason.TX_INCOMPLETE, subject)
    body = it.block.body
    count, root = body.number("tx_count"), body.data("merkle_root")
    if count > merkle.LEAVES_MAX:
        return indeterminate(PATH, Reason.RESOURCE_LIMIT, subject, actual=f"{count} transactions")
    named = t.body.data("blockid")
    if named and named != it.id:
        return failed(PATH, Reason.PROOF_FAILURE, subject, expected=f"block {it.id.hex()}", actual=f"block {named.hex()}")
    ways = list(_ways(hashed.id, it, paths, count))
    for reached, _ in ways:
        if reached != root.hex():
            return failed(PATH, Reason.PROOF_FAILURE, subject, expected=root.hex(), actual=reached)
    if not ways:
        return indeterminate(PATH, Reason.PROOF_NOT_SUPPLIED, subject, expected=root.hex())
    return passed(PATH, subject, expected=root.hex(), actual=ways[0][0], notes=ways[0][1])


def _ways(leaf: bytes, it: Linked, paths: Sequence[Path], count: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Where each way leads (a root as hex, or why it leads nowhere), and what to note of it."""
    body = it.block.body
    for path in paths:
        if path.block_id is not None and path.block_id != it.id:
            yield f"block {path.block_id.hex()}", ()
            continue
        try:
            root = merkle.repeating_root(leaf, path.siblings, index=path.index, count=count, algorithm=DOUBLE)
            yield root.hex(), ()
        except merkle.PathError as fault:
            yield str(fault), ()
    entries = body.parts("merkle_tree")
    if entries:
        yield _tree(entries, count, leaf), (f"RECOMPUTED_FROM_LEAVES:{count}",)
    listed = tuple(t.data("txid") for t in body.messages("transactions"))
    if listed:
        if len(listed) != count or leaf not in listed:
            yield f"{len(listed)} transactions", ()
        else:
            yield _levels(listed)[-1][0].hex(), (f"RECOMPUTED_FROM_LEAVES:{count}",)
    if not paths and not entries and not listed and count == 1:
        yield leaf.hex(), ()  # One transaction: the root is its id.


def _tree(entries: tuple[bytes, ...], count: int, leaf: bytes) -> str:
    """The root of a block's `merkle_tree`, or what is wrong with it."""
    leaves = entries[:count]
    if count < 1 or len(leaves) != count or leaf not in leaves:
        return "merkle_tree without the transaction"
    return leaves_root if (leaves_root := _checked_tree(entries, count)) else "merkle_tree with other nodes than its leaves make"


@lru_cache(maxsize=8)
def _checked_tree(entries: tuple[bytes, ...], count: int) -> str | None:
    """The root, None unless every entry is the one that its leaves make. Kept for the next transaction of the same block."""
    levels = _levels(entries[:count])
    due: list[bytes] = []
    for depth, level in enumerate(levels):
        width = 1 << (len(levels) - 1 - depth)
        due += [*level, *[b""] * (width - len(level))]
    return levels[-1][0].hex() if list(entries) == due else None


@lru_cache(maxsize=8)
def _levels(leaves: tuple[bytes, ...]) -> list[list[bytes]]:
    return merkle.repeating_levels(leaves, algorithm=DOUBLE)
