"""The Merkle tree of RFC 6962 §2.1 and its proofs, over any store that can name a subtree's hash.

A *node* (level, number) is the hash over the 2^level leaves from number·2^level on; only complete subtrees have
one. Everything else (roots of any size, both proofs) is put together from such nodes. Tiles hold them in bulk:
tile (level, number) is up to 256 consecutive nodes of tree level 8·level, 32 bytes each (C2SP tlog-tiles).
Verification follows RFC 9162 §2.1.3.2 and §2.1.4.2. Pure functions; hashes are bytes of length 32.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence

HASH = 32
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
EMPTY_ROOT = hashlib.sha256().digest()

Node = Callable[[int, int], bytes]
Place = tuple[int, int]  # level and number of a tile


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def complete_root(hashes: Sequence[bytes]) -> bytes:
    """Root over a power of two of neighbouring nodes."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


# -- roots and proofs, as in RFC 6962 §2.1, §2.1.1, §2.1.2 ----------------------------------------


def root(node: Node, size: int) -> bytes:
    """MTH of the first `size` leaves."""
    return _range_hash(node, 0, size) if size else EMPTY_ROOT


def inclusion_proof(node: Node, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]), from the leaf upwards. ValueError unless 0 <= index < size."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(node, middle, end))
            end = middle
        else:
            path.append(_range_hash(node, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(node: Node, first: int, second: int) -> list[bytes]:
    """PROOF(first, D[second]). ValueError unless 0 < first <= second; empty when they are equal."""
    if not 0 < first <= second:
        raise ValueError(f"no proof from a tree of {first} to one of {second}")
    path: list[bytes] = []
    start, end = 0, second
    while end != first:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_range_hash(node, middle, end))
            end = middle
        else:
            path.append(_range_hash(node, start, middle))
            start = middle
    if start:  # the old tree is not itself a complete subtree of the new one
        path.append(_range_hash(node, start, end))
    return path[::-1]


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _range_hash(node: Node, start: int, end: int) -> bytes:
    """MTH(D[start:end]) for a range that the recursive definition meets."""
    count = end - start
    if count & (count - 1) == 0:
        return node(count.bit_length() - 1, start // count)
    middle = start + _split(count)
    return node_hash(_range_hash(node, start, middle), _range_hash(node, middle, end))


# -- verification, as in RFC 9162 §2.1.3.2 and §2.1.4.2 -------------------------------------------


def verify_inclusion(leaf: bytes, *, index: int, size: int, path: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `path` leads from the leaf hash at `index` to the root of a tree of `size`.

    `index` and `size` must come from something authenticated, and the leaf hash from the data itself.
    """
    if not 0 <= index < size or any(len(h) != HASH for h in (leaf, *path)):
        return False
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = node_hash(r, p)
        fn >>= 1
        sn >>= 1
    return sn == 0 and r == expected_root


def verify_consistency(
    *, first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether the tree of `second` leaves begins with the tree of `first` leaves."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    if not path or any(len(h) != HASH for h in (first_root, second_root, *path)):
        return False
    nodes = list(path)
    if first & (first - 1) == 0:
        nodes.insert(0, first_root)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    fr = sr = nodes[0]
    for c in nodes[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr = node_hash(c, fr)
            sr = node_hash(c, sr)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            sr = node_hash(sr, c)
        fn >>= 1
        sn >>= 1
    return sn == 0 and fr == first_root and sr == second_root


# -- tiles ----------------------------------------------------------------------------------------


class TileGap(LookupError):
    """A tile is missing or shorter than the size of the tree requires."""


def edge(size: int) -> list[Place]:
    """The incomplete tiles of a tree of `size`: what must be at hand to append to it."""
    places, level = [], 0
    while size:
        if size % TILE_WIDTH:
            places.append((level, size // TILE_WIDTH))
        size, level = size // TILE_WIDTH, level + 1
    return places


def extend(tiles: MutableMapping[Place, bytes], size: int, leaves: Iterable[bytes]) -> set[Place]:
    """Append leaf hashes to a tree of `size` whose `edge` is in `tiles`; return which tiles changed."""
    changed: set[Place] = set()
    level, start, new = 0, size, list(leaves)
    while new:
        complete = []
        at = 0
        while at < len(new):
            number, filled = divmod(start + at, TILE_WIDTH)
            taken = new[at : at + TILE_WIDTH - filled]
            before = tiles.get((level, number), b"")
            if len(before) != filled * HASH:
                raise TileGap(f"tile {level}/{number} holds {len(before) // HASH} hashes instead of {filled}")
            tiles[level, number] = before + b"".join(taken)
            changed.add((level, number))
            if filled + len(taken) == TILE_WIDTH:
                complete.append(complete_root(_hashes(tiles[level, number])))
            at += len(taken)
        level, start, new = level + 1, start // TILE_WIDTH, complete
    return changed


def nodes_of(tile: Callable[[Place], bytes]) -> Node:
    """A node reader over tiles. TileGap when the tiles do not hold it."""

    def node(level: int, number: int) -> bytes:
        tile_level, height = divmod(level, TILE_HEIGHT)
        place, first = divmod(number << height, TILE_WIDTH)
        hashes = _hashes(tile((tile_level, place)))[first : first + (1 << height)]
        if len(hashes) != 1 << height:
            raise TileGap(f"tile {tile_level}/{place} does not reach node {number} of level {level}")
        return complete_root(hashes)

    return node


def expected_tiles(size: int) -> Mapping[Place, int]:
    """Every tile of a tree of `size` and how many hashes it holds."""
    found: dict[Place, int] = {}
    level = 0
    while size:
        for number in range(-(-size // TILE_WIDTH)):
            found[level, number] = min(TILE_WIDTH, size - number * TILE_WIDTH)
        size, level = size // TILE_WIDTH, level + 1
    return found


def _hashes(tile: bytes) -> list[bytes]:
    return [tile[i : i + HASH] for i in range(0, len(tile), HASH)]
