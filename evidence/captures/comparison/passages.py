"""The longest passages in common of two texts: the same characters in a row, whatever stands around them.

The opposite question to a comparison line by line, for copying: parts may have been moved. Compared as "find this sentence" compares
(`finding`): blanks, widths, letter case and characters that nobody sees do not count.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..finding import BESIDE, mapped
from .result import LINES_MAX, PASSAGES_MAX, THRESHOLDS, Passage, Range

CHARACTERS_MAX = 700_000
"""Characters of a text that are compared, as many Han characters as a reading holds; some seconds."""
SHORTEST = THRESHOLDS[0]
SEED = SHORTEST // 2 + 1
"""Characters that are looked up. Any passage of SHORTEST holds one that begins at a multiple of SHORTEST - SEED + 1."""
STEP = SHORTEST - SEED + 1
OCCURRENCES_MAX = 8
"""Places of the left text that one seed is followed to; words that stand everywhere tell nothing."""
CANDIDATES_MAX = 10_000
"""Passages that are looked at before the longest are chosen."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The compared form of a text, and of each of its characters the place (begin, end) in the lines joined by "\\n"."""

    text: str
    begins: array[int]
    ends: array[int]

    def place(self, begin: int, end: int) -> Range:
        return self.begins[begin], self.ends[end - 1]


def compared(lines: Sequence[str]) -> tuple[Compared, bool]:
    """(the form, whether it is the whole text)."""
    pieces: list[str] = []
    begins, ends = array("L"), array("L")
    offset = size = 0
    for line in lines[:LINES_MAX]:
        room = CHARACTERS_MAX - size
        if room <= 0:
            return Compared("".join(pieces), begins, ends), False
        text, origin = mapped(line[:room])
        if not text:
            offset += len(line) + 1
            continue
        if pieces and not BESIDE.match(pieces[-1][-1]) and not BESIDE.match(text[0]):
            # The break between lines is a blank; beside a Han character it is none.
            text, origin = " " + text, [(-1, 0), *origin]
        pieces.append(text)
        begins.extend(offset + begin for begin, _end in origin)
        ends.extend(offset + end for _begin, end in origin)
        size += len(text)
        offset += len(line) + 1
    whole = size <= CHARACTERS_MAX and len(lines) <= LINES_MAX and sum(map(len, lines)) <= CHARACTERS_MAX
    return Compared("".join(pieces), begins, ends), whole


def find(left: Sequence[str], right: Sequence[str]) -> tuple[tuple[Passage, ...], tuple[Range, ...], Range, set[str]]:
    """(the longest passages, characters shared for each of THRESHOLDS, characters compared, notes) of two texts, by lines."""
    notes: set[str] = set()
    (mine, whole_left), (theirs, whole_right) = compared(left), compared(right)
    if not (whole_left and whole_right):
        notes.add("CHARACTERS_MAX")
    found, complete = _matches(mine.text, theirs.text)
    if not complete:
        notes.add("OCCURRENCES_MAX")
    shared = tuple(
        (_covered((i, i + n) for i, _j, n in found if n >= least), _covered((j, j + n) for _i, j, n in found if n >= least))
        for least in THRESHOLDS
    )
    chosen = _chosen(found)
    if len(chosen) == PASSAGES_MAX:
        notes.add("PASSAGES_MAX")
    passages = tuple(Passage(mine.place(i, i + n), theirs.place(j, j + n), n) for i, j, n in chosen)
    return passages, shared, (len(mine.text), len(theirs.text)), notes


Match = tuple[int, int, int]


def _matches(left: str, right: str) -> tuple[list[Match], bool]:
    """(every passage of at least SHORTEST that cannot be made longer, whether none was passed over)."""
    seeds: dict[str, list[int]] = {}
    complete = True
    for i in range(0, len(left) - SEED + 1, STEP):
        places = seeds.setdefault(left[i : i + SEED], [])
        if len(places) < OCCURRENCES_MAX:
            places.append(i)
        else:
            complete = False
    found: list[Match] = []
    ended: dict[int, int] = {}  # of each diagonal, where in the right text the last passage on it ends
    for j in range(len(right) - SEED + 1):
        for i in seeds.get(right[j : j + SEED], ()):
            diagonal = i - j
            if ended.get(diagonal, 0) > j:
                continue
            back = _common_before(left, i, right, j)
            size = back + _common_after(left, i, right, j)
            ended[diagonal] = j - back + size
            if size >= SHORTEST:
                found.append((i - back, j - back, size))
                if len(found) >= CANDIDATES_MAX:
                    return found, False
    return found, complete


def _common_after(left: str, i: int, right: str, j: int) -> int:
    """How many characters are the same from here on: in pieces that double, each compared at once."""
    most = min(len(left) - i, len(right) - j)
    size, piece = 0, 32
    while size < most:
        piece = min(piece, most - size)
        if left[i + size : i + size + piece] == right[j + size : j + size + piece]:
            size += piece
            piece *= 2
        elif piece == 1:
            break
        else:
            piece = max(1, piece // 2)
            most = min(most, size + 2 * piece)
    return size


def _common_before(left: str, i: int, right: str, j: int) -> int:
    size = 0
    while size < i and size < j and left[i - size - 1] == right[j - size - 1]:
        size += 1
    return size


def _chosen(found: Sequence[Match]) -> list[Match]:
    """The longest first; one that lies within a longer one on both sides says nothing new."""
    chosen: list[Match] = []
    for i, j, n in sorted(found, key=lambda m: (-m[2], m[0], m[1])):
        if len(chosen) == PASSAGES_MAX:
            break
        if not any(a <= i and i + n <= a + m for a, _b, m in chosen) or not any(b <= j and j + n <= b + m for _a, b, m in chosen):
            chosen.append((i, j, n))
    return chosen


def _covered(ranges: Iterator[Range]) -> int:
    """Places in at least one of the ranges."""
    total = end = 0
    for begin, finish in sorted(ranges):
        total += max(0, finish - max(begin, end))
        end = max(end, finish)
    return total
