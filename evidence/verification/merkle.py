"""Merkle trees and paths, one section per construction. No tree here separates leaves from inner nodes: the caller
recomputes the leaf from the record itself and never takes one that is only claimed (spec consortium-chains §2 rule 7).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from . import digests

DEPTH_MAX = 64
"""Levels of a tree: 2^64 leaves, more than any block can hold."""
LEAVES_MAX = 100_000
"""Transactions of one block (spec consortium-chains §2 rule 6)."""


class PathError(ValueError):
    """The path or the leaf list is not of the documented form, or the node walked from is not where it must be."""


# ── FISCO BCOS 3.x: groups of at most two ──────────────────────────────────────────────────────────────────────────────
# bcos-crypto/merkle/Merkle.h with width 2: parent = H(one or two children); one leaf alone is its own root.

GROUP_WIDTH = 2
GROUP_ITEMS_MAX = DEPTH_MAX * (GROUP_WIDTH + 1)
"""Items of a path: per level one count and at most two members."""


@dataclass(frozen=True, slots=True)
class GroupedPath:
    """Where a path of counted groups leads.

    positions   per level, bottom up: (members of the group, the places in it at which the walked hash stands)
    """

    root: bytes
    positions: tuple[tuple[int, tuple[int, ...]], ...]

    def same_leaf_index(self, other: "GroupedPath") -> bool:
        """Whether both paths, in two trees with the same number of leaves, can belong to the same leaf index.

        Where both members of a group are equal the subtrees below them are equal too, so either place will do.
        """
        return len(self.positions) == len(other.positions) and all(
            size == other_size and set(at) & set(other_at)
            for (size, at), (other_size, other_at) in zip(self.positions, other.positions, strict=True)
        )


def grouped_path(leaf: bytes, items: Sequence[bytes], *, algorithm: str) -> GroupedPath:
    """Walk `items` (32 bytes each: a count, then as many members, per level) from `leaf` to the root.

    PathError when a count is not 1 or 2, its other 28 bytes are not zero, or the walked hash is no member of its group.
    """
    if len(items) > GROUP_ITEMS_MAX:
        raise PathError("a path with more items than any tree has")
    # "Empty or one item: the root is the leaf" (a block with one transaction).
    if len(items) <= 1:
        if items and items[0] != leaf:
            raise PathError("the only item of the path is another hash")
        return GroupedPath(leaf, ())
    current, at, positions = leaf, 0, []
    while at < len(items):
        head = items[at]
        count = int.from_bytes(head[:4])
        if len(head) != 32 or not 1 <= count <= GROUP_WIDTH or any(head[4:]):
            raise PathError("a group that does not begin with its count")
        members = items[at + 1 : at + 1 + count]
        if len(members) != count or any(len(m) != 32 for m in members):
            raise PathError("a group with fewer members than its count")
        places = tuple(i for i, member in enumerate(members) if member == current)
        if not places:
            raise PathError("the walked hash is not a member of its group")
        positions.append((count, places))
        current = digests.digest(algorithm, b"".join(members))
        at += 1 + count
    return GroupedPath(current, tuple(positions))


@lru_cache(maxsize=8)
def grouped_root(leaves: tuple[bytes, ...], *, algorithm: str) -> bytes:
    """The root over all leaves in block order. PathError without a leaf, or with more than a block may hold.

    Kept for the next transaction of the same block.
    """
    if not 0 < len(leaves) <= LEAVES_MAX:
        raise PathError("no leaf, or more leaves than a block may hold")
    level = list(leaves)
    while len(level) > 1:
        level = [
            digests.digest(algorithm, b"".join(level[i : i + GROUP_WIDTH]))
            for i in range(0, len(level), GROUP_WIDTH)
        ]
    return level[0]


def grouped_positions(index: int, count: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """The `positions` that the path of leaf `index` has in a tree of `count` leaves."""
    positions = []
    while count > 1:
        first = index - index % GROUP_WIDTH
        positions.append((min(GROUP_WIDTH, count - first), (index - first,)))
        index, count = index // GROUP_WIDTH, -(-count // GROUP_WIDTH)
    return tuple(positions)


# ── ChainMaker 2.x, XuperChain: binary, padded, the left child repeated ────────────────────────────────────────────────
# common/crypto/hash/merkle.go (BuildMerkleTree, GetMerklePath); xupercore ledger_hash.go (MakeMerkleTree, SHA-256D): leaves padded to a power of two; parent = H(left ‖ right),
# a missing right child is the left one once more.


def repeating_depth(leaves: int) -> int:
    """Length of every path in a tree of so many leaves: ⌈log2 leaves⌉."""
    return (leaves - 1).bit_length() if leaves > 1 else 0


def repeating_levels(leaves: Sequence[bytes], *, algorithm: str) -> list[list[bytes]]:
    """Leaves in order -> the levels of the tree, leaves first and the root last, without the padding."""
    if not 0 < len(leaves) <= LEAVES_MAX:
        raise PathError("no leaf, or more leaves than a block may hold")
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append(
            [
                digests.digest(algorithm, below[i] + below[min(i + 1, len(below) - 1)])
                for i in range(0, len(below), 2)
            ]
        )
    return levels


def repeating_path(levels: Sequence[Sequence[bytes]], index: int) -> tuple[bytes, ...]:
    """The siblings of leaf `index`, bottom-up; where the right child is missing the sibling is the node itself."""
    return tuple(level[min((index >> depth) ^ 1, len(level) - 1)] for depth, level in enumerate(levels[:-1]))


def repeating_root(leaf: bytes, path: Sequence[bytes], *, index: int, count: int, algorithm: str) -> bytes:
    """Leaf, the siblings bottom-up, its index and the number of leaves -> root. PathError when they do not fit each other.

    Padding lets the last leaf stand at two places (the same class as CVE-2012-2459), so `index` must lie below `count`, the
    path must be exactly as long as the count asks for, and a sibling that stands for a missing one must be the node itself.
    """
    if not 0 <= index < count:
        raise PathError(f"index {index} in a tree of {count}")
    if len(path) != repeating_depth(count) or len(path) > DEPTH_MAX:
        raise PathError(f"a path of {len(path)} items where {repeating_depth(count)} are due")
    node, width = leaf, count
    for sibling in path:
        # Bit i of the index: the node is a right child, its sibling stands on the left.
        if index & 1:
            node = digests.digest(algorithm, sibling + node)
        elif index == width - 1 and sibling != node:
            raise PathError("another sibling where the node itself is repeated")
        else:
            node = digests.digest(algorithm, node + sibling)
        index, width = index >> 1, (width + 1) >> 1
    return node
