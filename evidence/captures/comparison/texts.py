"""Two texts line by line: what is equal, what stands on one side only, and within a line that was changed the words that differ.

Equal is exactly equal, after the blanks of `capture.lines`; nothing is folded, so that a changed width or letter case shows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from .alignment import align
from .result import LINES_MAX, MARKS_MAX, Kind, Part, Range

TOKENS_MAX = 2_000
"""Words, or Han characters, of a line within which differences are looked for; of a longer one all between the first and the last
difference is marked."""
MARK_CELLS_MAX = 500_000_000
"""Pairs of words (bits, `alignment`) that are compared in one comparison of texts: about a second."""
PAIRINGS_MAX = 40_000
"""Pairs of lines of one place that are weighed against each other; in a larger one lines stand on one side only."""
WEIGHED_MAX = 5_000_000
"""Words that are counted while lines are weighed, in one comparison: some seconds."""

_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff01-\uff60\U00020000-\U0003fffd"
_MARKS = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f"
_TOKEN = re.compile(f"(?:[^\\W{_WIDE}]+|\\s+|.)[{_MARKS}]*", re.DOTALL)


def compare(left: Sequence[str], right: Sequence[str]) -> tuple[tuple[Part, ...], set[str]]:
    """(parts, notes) of two texts of at most LINES_MAX lines each; of longer ones the beginnings are compared."""
    notes: set[str] = set()
    if max(len(left), len(right)) > LINES_MAX:
        notes.add("LINES_MAX")
        left, right = left[:LINES_MAX], right[:LINES_MAX]
    work = _Work(left, right, notes)
    parts: list[Part] = []
    i = j = 0
    for block in (*align(left, right), (len(left), len(right), 0)):
        parts += work.between((i, block[0]), (j, block[1]))
        if block[2]:
            parts.append(Part(Kind.SAME, *block))
        i, j = block[0] + block[2], block[1] + block[2]
    return tuple(parts), notes


def tokens(line: str) -> list[str]:
    """Words, Han characters one by one, blanks, signs; each with the marks that stand on it.

    >>> tokens("作品 one, 2")
    ['作', '品', ' ', 'one', ',', ' ', '2']
    """
    return _TOKEN.findall(line)


class _Work:
    """One comparison: its two texts and what may still be spent on it."""

    def __init__(self, left: Sequence[str], right: Sequence[str], notes: set[str]) -> None:
        self.left, self.right, self.notes = left, right, notes
        self.cells, self.words = MARK_CELLS_MAX, WEIGHED_MAX

    def between(self, left: Range, right: Range) -> Iterator[Part]:
        """The lines that stand between what is equal: those that are much the same paired, the rest on one side."""
        i, j = left[0], right[0]
        for a, b in (*self._pairs(left, right), (left[1], right[1])):
            if i < a:
                yield Part(Kind.LEFT, i, j, a - i)
            if j < b:
                yield Part(Kind.RIGHT, a, j, b - j)
            if a < left[1] and b < right[1]:
                yield Part(Kind.CHANGED, a, b, 1, *self._marked(self.left[a], self.right[b]))
            i, j = a + 1, b + 1

    def _pairs(self, left: Range, right: Range) -> list[Range]:
        """Which line of one side became which of the other, in order: the pairs that have the most in common together."""
        rows, columns = left[1] - left[0], right[1] - right[0]
        if not rows or not columns:
            return []
        if rows * columns > PAIRINGS_MAX:
            self.notes.add("PAIRINGS_MAX")
            return []
        mine = [_words(self.left[n]) for n in range(*left)]
        theirs = [_words(self.right[n]) for n in range(*right)]
        self.words -= sum(len(m) for m in mine) * columns
        if self.words < 0:
            self.notes.add("WEIGHED_MAX")
            return []
        alike = [[_alike(m, t) for t in theirs] for m in mine]
        best = [[0] * (columns + 1) for _ in range(rows + 1)]
        for a in range(rows - 1, -1, -1):
            for b in range(columns - 1, -1, -1):
                together = alike[a][b] + best[a + 1][b + 1] if alike[a][b] else 0
                best[a][b] = max(best[a + 1][b], best[a][b + 1], together)
        found = []
        a = b = 0
        while a < rows and b < columns:
            if alike[a][b] and best[a][b] == alike[a][b] + best[a + 1][b + 1]:
                found.append((left[0] + a, right[0] + b))
                a, b = a + 1, b + 1
            elif best[a][b] == best[a + 1][b]:
                a += 1
            else:
                b += 1
        return found

    def _marked(self, left: str, right: str) -> tuple[tuple[Range, ...], tuple[Range, ...]]:
        """The characters of either line that are not in the other."""
        mine, theirs = tokens(left), tokens(right)
        cells = len(mine) * len(theirs)
        if max(len(mine), len(theirs)) > TOKENS_MAX or cells > self.cells:
            self.notes.add("TOKENS_MAX")
            return _ends(left, right)
        self.cells -= cells
        blocks = align(mine, theirs)
        marks = _gaps(mine, [(i, i + n) for i, _j, n in blocks]), _gaps(theirs, [(j, j + n) for _i, j, n in blocks])
        return marks if max(len(m) for m in marks) <= MARKS_MAX else _ends(left, right)


def _words(line: str) -> Counter[str]:
    """Those of its beginning, without blanks."""
    return Counter(word for word in tokens(line[: 2 * TOKENS_MAX]) if not word.isspace())


def _alike(mine: Counter[str], theirs: Counter[str]) -> int:
    """Words in common in thousandths of both; 0 below a half: another line, not a changed one."""
    both = mine.total() + theirs.total()
    share = 2_000 * sum(min(n, theirs[word]) for word, n in mine.items() if word in theirs) // both if both else 0
    return share if share >= 500 else 0


def _gaps(words: Sequence[str], equal: Sequence[Range]) -> tuple[Range, ...]:
    """Characters of the words that are in no block."""
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word))
    found, at = [], 0
    for begin, end in (*equal, (len(words), len(words))):
        if at < begin:
            found.append((starts[at], starts[begin]))
        at = end
    return tuple(found)


def _ends(left: str, right: str) -> tuple[tuple[Range, ...], tuple[Range, ...]]:
    """Everything between the first and the last difference."""
    shorter = min(len(left), len(right))
    head = _common(left, right, shorter)
    tail = _common(left[::-1], right[::-1], shorter - head)
    return (
        ((head, len(left) - tail),) if head < len(left) - tail else (),
        ((head, len(right) - tail),) if head < len(right) - tail else (),
    )


def _common(left: str, right: str, most: int) -> int:
    """How many characters both begin with, at most `most`: by halves, each compared at once."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
