"""Two compared texts as a page shows them: differing lines with what differs in them, long equal stretches folded, page by page."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.legible import legible

from .. import finding
from .result import THRESHOLDS, Kind, Part, Passage, Range, TextResult

CONTEXT = 2
"""Equal lines shown on either side of a difference."""
FOLD_MIN = 4
"""Equal lines that are folded; fewer are shown."""
FOLDED_SHOWN = 40
"""Lines within a fold; the whole text is on the page of the capture."""
ROWS_PER_PAGE = 200
LINE_SHOWN = 1_200
"""Characters of one line, from a little before what differs on."""
SPELT_SHOWN = 150
"""The same where most of them have to be spelt out (`legible`)."""
BEFORE = 120
QUOTED = 120
"""Characters of a line by which "find this sentence" is asked for it."""
PASSAGES_SHOWN = 40
PASSAGE_SHOWN = 400
"""Characters of a passage; the links lead to the whole."""
WORDS: dict[str, Promise] = {
    Kind.SAME: _("相同"),
    Kind.CHANGED: _("有改动"),
    Kind.LEFT: _("只在左"),
    Kind.RIGHT: _("只在右"),
}
NOTES: dict[str, Promise] = {
    "LINES_MAX": _("文字超过 40,000 行，只比较前面这些行。"),
    "TOKENS_MAX": _("有的行很长，行内只标出首尾两处不同之间的部分。"),
    "PAIRINGS_MAX": _("有一处连续不同的行太多，没有逐行配对，分别列为只在一侧。"),
    "WEIGHED_MAX": _("不同的行太多，后面一部分没有逐行配对，分别列为只在一侧。"),
    "CHARACTERS_MAX": _("文字超过 700,000 字，相同段落只在前面这些字里找。"),
    "OCCURRENCES_MAX": _("有的字句反复出现，只比对了前几处；相同段落可能比列出的多。"),
    "PASSAGES_MAX": _("相同段落多，只列出最长的 200 段；字数按全部计算。"),
}


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of one side. `before`, `after`: characters of it that are left out; `query`: words that find it again, "" for none."""

    number: int
    pieces: tuple[Piece, ...]
    before: int
    after: int
    query: str


@dataclass(frozen=True, slots=True)
class Row:
    kind: Kind
    left: Line | None
    right: Line | None

    @property
    def word(self) -> Promise:
        return WORDS[self.kind]


@dataclass(frozen=True, slots=True)
class Entry:
    """A row, or where `row` is None a fold of `count` equal lines, of which `folded` are listed."""

    row: Row | None
    count: int = 0
    folded: tuple[Row, ...] = ()

    @property
    def left_out(self) -> int:
        return self.count - len(self.folded)


@dataclass(frozen=True, slots=True)
class Counts:
    same: int
    changed: int
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class SharedPassage:
    text: str
    size: int
    left_out: int
    left_line: int
    right_line: int
    query: str


class TextPage:
    """`left`, `right`: the lines of either side; `result`: as it is seen from them. Nothing is made before it is asked for."""

    def __init__(self, result: TextResult, left: Sequence[str], right: Sequence[str]) -> None:
        self._result, self._left, self._right = result, left[: result.lines[0]], right[: result.lines[1]]

    @property
    def fits(self) -> bool:
        """Is the result one of these texts? It was made by a process over hostile bytes."""
        ends = [sum(map(len, lines)) + len(lines) for lines in (self._left, self._right)]
        return (len(self._left), len(self._right)) == self._result.lines and all(
            p.left[1] <= ends[0] and p.right[1] <= ends[1] for p in self._result.passages
        )

    @property
    def counts(self) -> Counts:
        found = dict.fromkeys(Kind, 0)
        for part in self._result.parts:
            found[part.kind] += part.count
        return Counts(found[Kind.SAME], found[Kind.CHANGED], found[Kind.LEFT], found[Kind.RIGHT])

    @property
    def empty(self) -> bool:
        return not self._left and not self._right

    @property
    def notes(self) -> list[Promise | str]:
        return [NOTES.get(n, n) for n in self._result.notes]

    def page(self, number: str | None) -> Page:
        return Paginator(_Entries(self._result.parts, self), ROWS_PER_PAGE).get_page(number)

    # ── passages ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def shared(self, least: int) -> Range:
        return self._result.shared[THRESHOLDS.index(least)]

    @property
    def characters(self) -> Range:
        return self._result.characters

    def passages(self, least: int) -> list[SharedPassage]:
        """The longest of at least `least` characters."""
        chosen = [p for p in self._result.passages if p.size >= least][:PASSAGES_SHOWN]
        if not chosen:
            return []
        left, right = (_starts(lines) for lines in (self._left, self._right))
        joined = "\n".join(self._left)
        return [self._passage(p, joined, left, right) for p in chosen]

    def passages_left_out(self, least: int) -> int:
        return max(0, sum(p.size >= least for p in self._result.passages) - PASSAGES_SHOWN)

    def _passage(self, p: Passage, joined: str, left: list[int], right: list[int]) -> SharedPassage:
        text = joined[p.left[0] : p.left[1]]
        return SharedPassage(
            text[:PASSAGE_SHOWN],
            p.size,
            max(0, len(text) - PASSAGE_SHOWN),
            bisect_right(left, p.left[0]),
            bisect_right(right, p.right[0]),
            quoted(text.replace("\n", " ")),
        )

    # ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def row(self, part: Part, n: int) -> Row:
        left = None if part.kind is Kind.RIGHT else line(self._left[part.left + n], part.left + n, part.left_marks)
        right = None if part.kind is Kind.LEFT else line(self._right[part.right + n], part.right + n, part.right_marks)
        return Row(part.kind, left, right)


class _Entries(Sequence[Entry]):
    """What is to be shown in order, made only for the page that is asked for: 40,000 lines are not laid out for 300."""

    def __init__(self, parts: Sequence[Part], page: TextPage) -> None:
        self._page = page
        self._spans: list[tuple[Part, int, int]] = []  # (part, first line in it, lines); a fold: lines < 0
        last = len(parts) - 1
        for n, part in enumerate(parts):
            if part.kind is not Kind.SAME:
                self._spans.append((part, 0, part.count))
                continue
            head = CONTEXT if n else 0
            tail = CONTEXT if n < last else 0
            if part.count - head - tail < FOLD_MIN:
                self._spans.append((part, 0, part.count))
                continue
            self._spans += [(part, 0, head), (part, head, head + tail - part.count), (part, part.count - tail, tail)]
        self._ends: list[int] = []
        size = 0
        for _part, _first, count in self._spans:
            size += 1 if count < 0 else count
            self._ends.append(size)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, key: int | slice) -> Entry | list[Entry]:  # type: ignore[override]
        if isinstance(key, slice):
            return [self._entry(n) for n in range(*key.indices(len(self)))]
        return self._entry(key)

    def __iter__(self) -> Iterator[Entry]:
        return (self._entry(n) for n in range(len(self)))

    def _entry(self, n: int) -> Entry:
        at = bisect_right(self._ends, n)
        part, first, count = self._spans[at]
        if count < 0:
            folded = range(first, first + min(-count, FOLDED_SHOWN))
            return Entry(None, -count, tuple(self._page.row(part, k) for k in folded))
        return Entry(self._page.row(part, first + n - (self._ends[at] - count)))


def line(text: str, number: int, marks: Sequence[Range]) -> Line:
    """A line with its marks, cut to what can be read. A mark beyond the line marks nothing."""
    begin = max(0, marks[0][0] - BEFORE) if marks and len(text) > LINE_SHOWN else 0
    room = LINE_SHOWN if len(legible(text[begin : begin + LINE_SHOWN])) <= 2 * LINE_SHOWN else SPELT_SHOWN
    end = min(len(text), begin + room)
    pieces: list[Piece] = []
    at = begin
    for first, last in marks:
        first, last = max(first, at), min(last, end)
        if first < last:
            pieces += [Piece(text[at:first], False), Piece(text[first:last], True)]
            at = last
    pieces.append(Piece(text[at:end], False))
    return Line(number + 1, tuple(p for p in pieces if p.text), begin, len(text) - end, quoted(text[begin:]))


def quoted(text: str) -> str:
    """The beginning of a text by which it can be found again, no letter cut from its marks."""
    end = min(len(text), QUOTED)
    while 0 < end < len(text) and unicodedata.combining(text[end]):
        end -= 1
    return text[:end] if finding.normal(text[:end]) else ""


def _starts(lines: Sequence[str]) -> list[int]:
    """Where each line begins in the lines joined by a break."""
    found, at = [], 0
    for text in lines:
        found.append(at)
        at += len(text) + 1
    return found
