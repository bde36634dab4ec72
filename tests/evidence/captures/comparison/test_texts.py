"""Texts compared by hand-made pairs: what is equal, what is not, and the same seen from the other side."""

import random
import time
from itertools import pairwise

import pytest

from evidence.captures.comparison import passages, texts
from evidence.captures.comparison.alignment import align
from evidence.captures.comparison.result import (
    METHOD,
    THRESHOLDS,
    Kind,
    Part,
    Passage,
    ResultFault,
    TextResult,
)
from evidence.captures.comparison.text_page import ROWS_PER_PAGE, TextPage, line, quoted

S, C, L, R = Kind.SAME, Kind.CHANGED, Kind.LEFT, Kind.RIGHT


def longest(left: list[int], right: list[int]) -> int:
    """The textbook's table of lengths (Wagner and Fischer 1974)."""
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


@pytest.mark.parametrize("seed", range(20))
def test_nothing_longer_is_in_common(seed: int) -> None:
    """To see it fail: leave the mask out of a row, or go up before left."""
    dice = random.Random(seed)
    for _ in range(100):
        left, right = ([dice.randrange(1 + seed % 5) for _ in range(dice.randrange(40))] for _ in range(2))
        blocks = align(left, right)
        assert sum(n for _i, _j, n in blocks) == longest(left, right)
        assert all(left[i : i + n] == right[j : j + n] and n for i, j, n in blocks)
        assert all(i + n <= a and j + n <= b and (i + n, j + n) != (a, b) for (i, j, n), (a, b, _m) in pairwise(blocks))


def compared(left: list[str], right: list[str]) -> TextResult:
    parts, notes = texts.compare(left, right)
    found, shared, characters, more = passages.find(left, right)
    return TextResult((min(len(left), 40_000), min(len(right), 40_000)), parts, characters, shared, found, tuple(sorted(notes | more)))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("", "", []),
        ("甲", "", [(L, 0, 0, 1)]),
        ("", "甲|乙", [(R, 0, 0, 2)]),
        ("甲|乙|丙", "甲|乙|丙", [(S, 0, 0, 3)]),
        ("甲|乙|丙", "甲|丙", [(S, 0, 0, 1), (L, 1, 1, 1), (S, 2, 1, 1)]),
        ("涉案作品第一段|丙", "涉案作品第二段|丙", [(C, 0, 0, 1), (S, 1, 1, 1)]),
        ("完全是别的话|丙", "nothing alike|丙", [(L, 0, 0, 1), (R, 1, 0, 1), (S, 1, 1, 1)]),
        ("一二三四|甲乙丙丁|尾", "广告|一二三五|甲乙丙戊|尾", [(R, 0, 0, 1), (C, 0, 1, 1), (C, 1, 2, 1), (S, 2, 3, 1)]),
        ("ABC", "abc", [(L, 0, 0, 1), (R, 1, 0, 1)]),
        ("１２３ a", "123 a", [(L, 0, 0, 1), (R, 1, 0, 1)]),
    ],
)
def test_known_differences(left: str, right: str, expected: list[tuple[Kind, int, int, int]]) -> None:
    """To see it fail: fold widths or letter case, or pair lines that have less than half in common."""
    found, _notes = texts.compare(*([t for t in text.split("|") if t] for text in (left, right)))
    assert [(p.kind, p.left, p.right, p.count) for p in found] == expected


@pytest.mark.parametrize(
    ("left", "right", "left_marks", "right_marks"),
    [
        ("涉案作品第一段", "涉案作品第二段", ["一"], ["二"]),
        ("one two three", "one four three", ["two"], ["four"]),
        ("作品已于3月1日删除", "作品已于3月12日删除", ["1"], ["12"]),
        ("甲乙丙丁", "甲乙丙", ["丁"], []),
        ("cafe\u0301 au lait", "cafe au lait", ["cafe\u0301"], ["cafe"]),
        ("价格 100 元", "价格 100\u200b 元", [], ["\u200b"]),
        ("好人坏人", "好\u202e人坏人", [], ["\u202e"]),
    ],
)
def test_the_words_that_differ_are_marked(left: str, right: str, left_marks: list[str], right_marks: list[str]) -> None:
    ((part,), _notes) = texts.compare([left], [right])
    assert part.kind is C
    assert [left[a:b] for a, b in part.left_marks] == left_marks and [right[a:b] for a, b in part.right_marks] == right_marks


@pytest.mark.parametrize("seed", range(40))
def test_the_other_side_sees_the_mirror_image_and_the_form_holds(seed: int) -> None:
    dice = random.Random(seed)
    words = ["山水", "旧事", "one", "two", "\u202e", "e\u0301", " ", "。"]
    left, right = (["".join(dice.choices(words, k=dice.randrange(1, 9))) for _ in range(dice.randrange(12))] for _ in range(2))
    found = compared(left, right)
    assert compared(left, right) == found
    turned = found.mirrored()
    assert turned.mirrored() == found
    for one in (found, turned):
        assert TextResult.from_bytes(one.to_bytes()) == one
    for part in found.parts:
        if part.kind is S:
            assert left[part.left : part.left + part.count] == right[part.right : part.right + part.count]
    assert {(p.kind, p.left) for p in found.parts if p.kind is L} == {(L, p.right) for p in turned.parts if p.kind is R}


WORK = "却说那日天色已晚，老者提着一盏灯笼从桥上走过，身后跟着两个不说话的孩子。"


def test_what_was_copied_is_found_wherever_it_stands() -> None:
    left = ["前言，与本案无关的一行文字在这里。", WORK, "后记"]
    right = ["本站原创", f"广告{WORK[:20]}", "插一句别的话", f"{WORK[20:]}完"]
    found, shared, (all_left, all_right), _notes = passages.find(left, right)
    joined = ["\n".join(lines) for lines in (left, right)]
    assert [(joined[0][slice(*p.left)], joined[1][slice(*p.right)], p.size) for p in found] == [(WORK[:20],) * 2 + (20,), (WORK[20:],) * 2 + (16,)]
    assert shared[0] == (36, 36) and shared[1] == (0, 0) and len(WORK) == 36
    assert (all_left, all_right) == tuple(sum(map(len, lines)) for lines in (left, right))


def test_blanks_widths_and_letter_case_hide_nothing() -> None:
    left = ["the quick brown fox jumps over the lazy dog"]
    right = ["THE QUICK  brown", "fox \u200bjumps over the ｌａｚｙ dog"]
    ((passage,), shared, _all, _notes) = passages.find(left, right)
    assert passage == Passage((0, 43), (0, len("\n".join(right))), 43) and shared[1] == (43, 43)


def test_less_than_the_least_is_no_passage() -> None:
    for size in (THRESHOLDS[0] - 1, THRESHOLDS[0]):
        for before in range(30):
            found, *_rest = passages.find([chr(0x5000 + n) for n in range(before)] + [WORK[:size]], ["别" * 5 + WORK[:size] + "异"])
            assert [p.size for p in found] == ([size] if size == THRESHOLDS[0] else []), before


# ── hostile ───────────────────────────────────────────────────────────────────────────────────────────────────────────

SECONDS_MAX = 60
"""Of any text that a reading can hold, on a busy machine; the jail stops a comparison after 60 s of processor time."""
DICE = random.Random(3)
HEAVY = {
    "one line of 2 MB": (["字" * 350_000 + "改" + "字" * 349_999], ["字" * 700_000]),
    "one line of noise": (["".join(map(chr, DICE.choices(range(0x4E00, 0x9FA5), k=700_000)))], ["".join(map(chr, DICE.choices(range(0x4E00, 0x9FA5), k=700_000)))]),
    "equal lines": (["the same line of text, over and over again"] * 40_000, ["the same line of text, over and over again"] * 39_000),
    "two lines by turns": (["ab" * 20, "ba" * 20] * 20_000, ["ba" * 20] * 40_000),
    "40,000 runs of noise": ([f"{DICE.getrandbits(80):x} {n % 7}" for n in range(40_000)], [f"{DICE.getrandbits(80):x} {n % 5}" for n in range(40_000)]),
    "much the same": ([f"line {n % 97} of many" for n in range(40_000)], [f"line {n % 89} of many" for n in range(40_000)]),
    "blocks of changed lines": ([f"第{n}行的文字有些改动{n}" if n % 200 else "===" for n in range(20_000)], [f"第{n}行的文字有些改变{n}" if n % 200 else "===" for n in range(20_000)]),
    "towers of accents": (["e" + "\u0301" * 900 + str(n) for n in range(700)], ["e" + "\u0301" * 901 + str(n) for n in range(700)]),
    "more lines than any": (["x"] * 90_000, ["y"] * 50_000),
    "palindromes": (["abc" * 13_000 + "cba" * 13_000] * 9, ["cba" * 13_000 + "abc" * 13_000] * 9),
}


@pytest.mark.parametrize("name", HEAVY)
def test_no_text_takes_long(name: str) -> None:
    left, right = HEAVY[name]
    began = time.process_time()
    found = compared(left, right)
    assert time.process_time() - began < SECONDS_MAX
    assert TextResult.from_bytes(found.to_bytes()) == found
    page = TextPage(found, left, right)
    assert page.fits and len(page.page("2")) <= ROWS_PER_PAGE and len(page.page("999999")) <= ROWS_PER_PAGE
    counts = page.counts
    assert (counts.same + counts.changed + counts.left, counts.same + counts.changed + counts.right) == found.lines


def test_what_was_left_out_is_said() -> None:
    assert "LINES_MAX" in compared(["x"] * 40_001, ["y"]).notes
    assert "TOKENS_MAX" in compared(["字" * 2_001], ["字" * 2_002]).notes
    assert "CHARACTERS_MAX" in compared(["字" * 700_001], ["x"]).notes


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("a part left out", lambda b: b.replace(b'["LEFT",1,1,1,[],[]]', b'["LEFT",2,1,1,[],[]]')),
        ("a longer text", lambda b: b.replace(b'"lines":[2,2]', b'"lines":[3,2]')),
        ("another kind", lambda b: b.replace(b'"LEFT"', b'"GONE"')),
        ("another method", lambda b: b.replace(METHOD.encode(), b"mingjian-comparison/0")),
        ("blanks", lambda b: b.replace(b",", b", ")),
        ("a number that is none", lambda b: b.replace(b'["LEFT",1,1,1,[],[]]', b'["LEFT",true,1,1,[],[]]')),
        ("marks out of order", lambda b: b.replace(b'["LEFT",1,1,1,[],[]]', b'["LEFT",1,1,1,[[3,2]],[]]')),
        ("an endless part", lambda b: b.replace(b'["LEFT",1,1,1,[],[]]', b'["LEFT",1,1,1000000,[],[]]')),
        ("no document", lambda b: b"[]"),
    ],
)
def test_an_answer_that_is_not_whole_is_refused(name: str, broken: object) -> None:
    good = compared(["same", "left"], ["same", "完全另外"]).to_bytes()
    assert TextResult.from_bytes(good)
    bad = broken(good)  # type: ignore[operator]
    assert bad != good
    with pytest.raises(ResultFault):
        TextResult.from_bytes(bad)


# ── as it is shown ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_long_equal_stretches_are_folded_and_nothing_is_lost() -> None:
    left = [f"第 {n} 行" for n in range(1_000)]
    right = [*left[:500], "插入的一行", *left[500:]]
    page = TextPage(compared(left, right), left, right)
    entries = list(page.page("1"))
    assert [e.count if e.row is None else e.row.kind for e in entries] == [498, S, S, R, S, S, 498]
    assert entries[3].row is not None and entries[3].row.right is not None and entries[3].row.right.number == 501
    assert entries[0].left_out == 498 - len(entries[0].folded)


def test_a_result_of_other_texts_is_not_shown() -> None:
    found = compared(["甲", "乙"], ["甲"])
    assert TextPage(found, ["甲", "乙"], ["甲"]).fits and not TextPage(found, ["甲"], ["甲"]).fits


def test_a_long_line_is_cut_around_what_differs() -> None:
    text = "甲" * 5_000 + "变" + "乙" * 5_000
    shown = line(text, 0, [(5_000, 5_001)])
    assert "变" in [p.text for p in shown.pieces if p.marked] and shown.before and shown.after
    assert shown.before + sum(len(p.text) for p in shown.pieces) + shown.after == len(text)
    assert sum(len(p.text) for p in line("e" + "\u0301" * 900, 0, []).pieces) < 200
    assert [p.text for p in line("甲乙", 0, [(1, 900)]).pieces] == ["甲", "乙"], "a mark beyond the line"


def test_a_line_is_found_again_by_its_beginning() -> None:
    assert quoted("\u200b \u200b") == "" and quoted("字" * 500) == "字" * 120
    assert not quoted("a" * 119 + "e" + "\u0301" * 9).endswith("e")


def test_parts_are_turned_one_by_one() -> None:
    assert Part(L, 3, 5, 2).mirrored() == Part(R, 5, 3, 2)
