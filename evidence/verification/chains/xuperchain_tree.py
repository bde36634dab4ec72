"""Step R of a XuperChain transaction: its place under the block's root (spec §8 step 3, §2 rule 7).

`MakeMerkleTree` pads the ids of the transactions to a power of two and takes a missing right child for the left one; a block holds
the whole tree, leaves first, empty where padding is. Any of three ways leads to the root: siblings by the bits of the index, the
block's own tree, or its transactions. Whatever of them is supplied must lead there: the inner nodes of a tree are computed, never
taken, and each transaction of a list must have its own id. How deep the tree is follows from `tx_count`, which is under the block's id.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from .. import merkle
from ..reasons import Reason
from ..verdict import Finding, Outcome, failed, indeterminate, passed
from .ladder import PATH
from .xuperchain_hashing import DOUBLE, Hashed, transaction_hash
from .xuperchain_messages import Block, Transaction
from .xuperchain_records import Path


@dataclass(frozen=True)
class Linked:
    """A supplied block with its recomputed id, and where its own tree and its own transactions lead."""

    block: Block
    id: bytes

    @property
    def count(self) -> int:
        return self.block.body.number("tx_count")

    @property
    def root(self) -> bytes:
        return self.block.body.data("merkle_root")

    @cached_property
    def insides(self) -> tuple["_Way", ...]:
        """The ways through the block itself; none when it came without tree and transactions."""
        if not 0 < self.count <= merkle.LEAVES_MAX:
            return ()
        return tuple(way for way in (self._tree(), self._list()) if way is not None)

    @property
    def inner_fault(self) -> str | None:
        """Where a tree or list of the block leads that is not its root: then it is not what was hashed."""
        return next((w.reached for w in self.insides if w.reached != self.root.hex()), None)

    def _tree(self) -> "_Way | None":
        entries = self.block.body.parts("merkle_tree")
        if not entries:
            return None
        leaves = entries[: self.count]
        if len(leaves) != self.count:
            return _Way(f"merkle_tree of {len(entries)}", frozenset())
        levels = merkle.repeating_levels(leaves, algorithm=DOUBLE)
        due: list[bytes] = []
        for depth, level in enumerate(levels):
            due += [*level, *[b""] * ((1 << (len(levels) - 1 - depth)) - len(level))]
        reached = levels[-1][0].hex() if list(entries) == due else "merkle_tree with other nodes than its leaves make"
        return _Way(reached, frozenset(leaves))

    def _list(self) -> "_Way | None":
        listed = self.block.body.messages("transactions")
        if not listed:
            return None
        if len(listed) != self.count:
            return _Way(f"{len(listed)} transactions", frozenset())
        ids = [t.data("txid") for t in listed]
        for number, body in enumerate(listed):
            hashed = transaction_hash(Transaction(self.block.source, body))
            mark = body.message("modify_block")
            # What a regulator had removed, what a lossy spelling leaves out, and newer versions cannot be recomputed.
            known = hashed is not None and not self.block.lossy and not (mark is not None and mark.number("marked"))
            if body.data("blockid") not in (b"", self.id):
                return _Way(f"transaction {number} of another block", frozenset(ids))
            if known and hashed is not None and hashed.id != ids[number]:
                return _Way(f"transaction {number} is not {ids[number].hex()}", frozenset(ids))
        return _Way(merkle.repeating_levels(ids, algorithm=DOUBLE)[-1][0].hex(), frozenset(ids))


@dataclass(frozen=True, slots=True)
class _Way:
    """`reached`: a root as hex, or why none is reached; `leaves`: the ids that stand there."""

    reached: str
    leaves: frozenset[bytes]


def path_of(
    t: Transaction | None,
    hashed: Hashed | None,
    x: Finding,
    it: Linked | None,
    paths: Sequence[Path],
    subject: str,
    *,
    copies: Sequence[Linked] = (),
) -> Finding:
    """`x`: whether the leaf is the transaction's own id; without that nothing is looked for under the root.

    copies   further copies of the same block, which may have other parts of it
    """
    if t is None or it is None:
        return indeterminate(PATH, Reason.PROOF_NOT_SUPPLIED, subject)
    if hashed is None or x.outcome is not Outcome.PASSED:
        reason = Reason.TX_INCOMPLETE if x.reason in (None, Reason.HASH_FAILURE) else x.reason
        return indeterminate(PATH, reason or Reason.TX_INCOMPLETE, subject)
    if it.count > merkle.LEAVES_MAX:
        return indeterminate(PATH, Reason.RESOURCE_LIMIT, subject, actual=f"{it.count} transactions")
    named = t.body.data("blockid")
    if named and named != it.id:
        return failed(PATH, Reason.PROOF_FAILURE, subject, expected=f"block {it.id.hex()}", actual=f"block {named.hex()}")
    expected = it.root.hex()
    ways = list(_ways(hashed.id, it, paths, copies))
    for reached, _ in ways:
        if reached != expected:
            return failed(PATH, Reason.PROOF_FAILURE, subject, expected=expected, actual=reached)
    if not ways:
        return indeterminate(PATH, Reason.PROOF_NOT_SUPPLIED, subject, expected=expected)
    return passed(PATH, subject, expected=expected, actual=ways[0][0], notes=ways[0][1])


def _ways(
    leaf: bytes, it: Linked, paths: Sequence[Path], copies: Sequence[Linked]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Where each way leads, and what to note of it."""
    for path in paths:
        if path.block_id is not None and path.block_id != it.id:
            yield f"block {path.block_id.hex()}", ()
            continue
        try:
            root = merkle.repeating_root(leaf, path.siblings, index=path.index, count=it.count, algorithm=DOUBLE)
            yield root.hex(), ()
        except merkle.PathError as fault:
            yield str(fault), ()
    insides = [way for block in (it, *copies) for way in block.insides]
    for way in insides:
        note = (f"RECOMPUTED_FROM_LEAVES:{it.count}",)
        yield (way.reached, note) if leaf in way.leaves else (way.reached if not way.leaves else "without the transaction", ())
    if not paths and not insides and it.count == 1:
        yield leaf.hex(), ()  # One transaction: the root is its id.
