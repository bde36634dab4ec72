"""A longest common subsequence of two rows of things, exact, in time and memory that are known beforehand.

`difflib` was weighed: cubic on rows that repeat themselves, and not the same seen from the other side. Here each row of the table of
lengths is one number, a bit to each column (Hyyrö, "Bit-parallel LCS-length computation revisited", 2004), so that 40,000 × 40,000
lines take 200 MB and some tenths of a second whatever they hold.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

Block = tuple[int, int, int]
"""(place in the first row, place in the second, how many are equal from there)."""


def align(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[Block]:
    """What is equal, in order, as blocks that are as long as they can be. Memory: len(left) × len(right) / 8 bytes, beyond what
    both begin and end with.

    >>> align("abcd", "xbcdy")
    [(1, 1, 3)]
    """
    shorter = min(len(left), len(right))
    head = 0
    while head < shorter and left[head] == right[head]:
        head += 1
    tail = 0
    while tail < shorter - head and left[-1 - tail] == right[-1 - tail]:
        tail += 1
    inner = _matches(left[head : len(left) - tail], right[head : len(right) - tail])
    pairs = [
        *((n, n) for n in range(head)),
        *((head + i, head + j) for i, j in inner),
        *((len(left) - n, len(right) - n) for n in range(tail, 0, -1)),
    ]
    return _blocks(pairs)


def _matches(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    width = len(right)
    if not left or not width:
        return []
    columns: dict[Hashable, int] = {}
    for j, thing in enumerate(right):
        columns[thing] = columns.get(thing, 0) | 1 << j
    # 1. Row i: bit j is 0 where the common subsequence of left[:i+1] and right[:j+1] is longer than that with right[:j].
    every = (1 << width) - 1
    row, rows = every, []
    for thing in left:
        hits = row & columns.get(thing, 0)
        if hits:
            row = (row + hits | row - hits) & every
        rows.append(row)
    # 2. Back from the last corner: left while the column adds nothing, up while the row above has it already.
    found: list[tuple[int, int]] = []
    size = (width + 7) // 8
    i, j = len(left), width
    here = rows[-1].to_bytes(size, "little")
    while i and j:
        at, bit = (j - 1) >> 3, 1 << ((j - 1) & 7)
        if here[at] & bit:
            j -= 1
            continue
        i -= 1
        above = rows[i - 1].to_bytes(size, "little") if i else None
        if above is None or above[at] & bit:
            j -= 1
            found.append((i, j))
        if above is not None:
            here = above
    return found[::-1]


def _blocks(pairs: Sequence[tuple[int, int]]) -> list[Block]:
    blocks: list[Block] = []
    for i, j in pairs:
        if blocks and (blocks[-1][0] + blocks[-1][2], blocks[-1][1] + blocks[-1][2]) == (i, j):
            blocks[-1] = (*blocks[-1][:2], blocks[-1][2] + 1)
        else:
            blocks.append((i, j, 1))
    return blocks
