"""The 16-ary tree of FISCO BCOS 2 (from 2.2.0) over a block's transactions, and over its receipts (libdevcore/TrieHash2.cpp).

    leaf     RLP(index) ‖ hash of the transaction or receipt
    parent   H(one to sixteen children, side by side)
    root     H(the last node left): one hash more at the top, also where the block holds a single leaf

A parent's bytes have no borders. A path that might hold anything beside the walked node could lead a transaction which never was on
the chain to a genuine root: its hash could stand inside the call data of one that was. So the form is fixed before anything is hashed:
siblings of a leaf are leaves with the indices next to it, all others are hashes, the place in each group is the digit of the index,
a group is full wherever another one follows, and there are no more levels than a block can have.

(Why that is enough: the RLP of a transaction or receipt begins with a byte from 0xc0 on, which no group of leaves does, so it could only
stand for a group of hashes, and its own hash for one member of a group above. But that hash stands in a group of leaves, behind its
index, and there it lies at a multiple of 32 bytes with a multiple of 32 around it only where a group of at most 16 members has leaves of
36 bytes: in a block of more than 65,536, whose paths have all the levels that there may be.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .. import digests
from ..codecs import rlp
from ..merkle import LEAVES_MAX, PathError

WIDTH = 16
HASH_BYTES = 32
LEVELS_MAX = 5
"""Levels between leaf and root of a block with as many transactions as one may hold: 16^5 is the first power not below it."""

Unit = tuple[tuple[bytes, ...], tuple[bytes, ...]]
"""Siblings on the left and on the right, as the node writes them (`{left: […], right: […]}`)."""


@dataclass(frozen=True, slots=True)
class IndexedPath:
    """Where a path leads: the root, the index of its leaf, and how many levels lie between."""

    root: bytes
    index: int
    levels: int

    def same_leaf_index(self, other: "IndexedPath") -> bool:
        """Whether two paths, in the two trees of one block, belong to the same index."""
        return (self.index, self.levels) == (other.index, other.levels)


def leaf(index: int, digest: bytes) -> bytes:
    return rlp.encode(index) + digest


def index_of(units: Sequence[Unit]) -> int:
    """The index that a path speaks of: the number of siblings on the left of each level is a digit of it."""
    return sum(len(left) * WIDTH**level for level, (left, _) in enumerate(units[: LEVELS_MAX + 1]))


def walk(digest: bytes, units: Sequence[Unit], *, index: int, algorithm: str) -> IndexedPath:
    """From the leaf of `digest` at `index` to the root. PathError when the path is not of the form, or not of this index."""
    if not 1 <= len(units) <= LEVELS_MAX + 1:
        raise PathError(f"a path of {len(units)} levels")
    *groups, top = units
    if top != ((), ()):
        raise PathError("siblings beside the root")
    node, at = leaf(index, digest), index
    for level, (left, right) in enumerate(groups):
        place, size = at % WIDTH, len(left) + 1 + len(right)
        if size > WIDTH:
            raise PathError(f"a group of {size}")
        if len(left) != place:
            raise PathError(f"place {len(left)} in its group where index {index} stands at {place}")
        for position, sibling in ((p if p < place else p + 1, s) for p, s in enumerate((*left, *right))):
            prefix = rlp.encode(index - place + position) if level == 0 else b""
            if not sibling.startswith(prefix) or len(sibling) != len(prefix) + HASH_BYTES:
                raise PathError("a sibling that is no leaf of its place" if level == 0 else "a sibling that is no hash")
        node = digests.digest(algorithm, b"".join((*left, node, *right)))
        at //= WIDTH
    if at:
        raise PathError(f"index {index} in a tree of {len(groups)} levels")
    _check_shape(groups)
    return IndexedPath(digests.digest(algorithm, node), index, len(groups))


def _check_shape(groups: Sequence[Unit]) -> None:
    """The highest group joins at least two; a group before another one is full."""
    followed = False
    for level, (left, right) in reversed(list(enumerate(groups))):
        size = len(left) + 1 + len(right)
        if level == len(groups) - 1 and size < 2:
            raise PathError("a group of one at the top")
        if followed and size < WIDTH:
            raise PathError("a group that is not full before another one")
        followed = followed or bool(right)


@lru_cache(maxsize=8)
def root_of(hashes: tuple[bytes, ...], *, algorithm: str) -> bytes:
    """The root over all hashes in block order. PathError without one, or with more than a block may hold.

    Kept for the next transaction of the same block.
    """
    if not 0 < len(hashes) <= LEAVES_MAX:
        raise PathError("no leaf, or more leaves than a block may hold")
    level = [leaf(index, digest) for index, digest in enumerate(hashes)]
    while len(level) > 1:
        level = [
            digests.digest(algorithm, b"".join(level[i : i + WIDTH])) for i in range(0, len(level), WIDTH)
        ]
    return digests.digest(algorithm, level[0])


def levels_of(count: int) -> int:
    """Levels between leaf and root of a tree with so many leaves."""
    levels = 0
    while count > 1:
        count, levels = -(-count // WIDTH), levels + 1
    return levels
