"""Find this sentence: is it in what was captured, in which record, at which bytes, under which proven digest?

Compared after NFKC, without regard to letter case, to characters that nobody sees, and to blanks: several are one, and beside a
Han character none counts, because pages break lines there at will. What is answered is a place in the payload, so that anybody
with the file can look it up, and a sentence that a judgment can use.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .capture import Capture, Run

QUERY_MAX = 500
"""Characters of the sentence."""
HITS_MAX = 30
"""Places of one capture; more are of a word, not of a sentence."""
AROUND = 40
"""Characters shown on either side."""

_UNSEEN = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
_BLANKS = re.compile(r"\s+")
_WIDE = "[\u2e80-\u9fff\uf900-\ufaff\uff01-\uff60\U00020000-\U0003fffd]"
BESIDE = re.compile(_WIDE)
"""A character beside which blanks do not count."""
_BESIDE_WIDE = re.compile(f" (?={_WIDE})|(?<={_WIDE}) ")


@dataclass(frozen=True, slots=True)
class Hit:
    """One place. `at`, `length`: bytes of the decoded payload; `exact`: they are those of the words found and no more.

    before, words, after   the text around it, as captured
    """

    at: int
    length: int
    exact: bool
    before: str
    words: str
    after: str


def normal(text: str) -> str:
    """The form in which texts are compared.

    >>> normal("作 品\\n１２３  ABC d")
    '作品123 abc d'
    """
    folded = _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).casefold()
    return _BESIDE_WIDE.sub("", _BLANKS.sub(" ", folded)).strip()


def find(capture: Capture, sentence: str) -> list[Hit]:
    """Every place of the sentence in one capture, at most HITS_MAX + 1 of them."""
    wanted = normal(sentence)
    text = "".join(run.text for run in capture.text)
    if not wanted or wanted not in normal(text):
        return []
    found = list(_hits(capture, text, wanted))
    if found:
        return found
    # Letters that only meet when the whole is normalised: it is there, but not at a place that can be told.
    last = capture.text[-1]
    return [Hit(capture.text[0].at, max(0, last.at + last.length - capture.text[0].at), False, "", sentence, "")]


def _hits(capture: Capture, text: str, wanted: str) -> Iterator[Hit]:
    compared, origin = mapped(text)
    starts: list[int] = []
    offset = 0
    for run in capture.text:
        starts.append(offset)
        offset += len(run.text)
    at, count = compared.find(wanted), 0
    while at >= 0 and count <= HITS_MAX:
        begin, end = origin[at][0], origin[at + len(wanted) - 1][1]
        first, last = _bytes(capture, starts, begin, end=False), _bytes(capture, starts, end, end=True)
        yield Hit(
            at=first[0],
            length=max(0, last[0] - first[0]),
            exact=first[1] and last[1],
            before=text[max(0, begin - AROUND) : begin],
            words=text[begin:end],
            after=text[end : end + AROUND],
        )
        count += 1
        at = compared.find(wanted, at + len(wanted))


def mapped(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The compared form, and for each of its characters the (begin, end) in `text` that it stands for."""
    characters: list[str] = []
    origin: list[tuple[int, int]] = []
    size, at = len(text), 0
    while at < size:
        end = at + 1
        while end < size and unicodedata.combining(text[end]):
            end += 1
        for c in _UNSEEN.sub("", unicodedata.normalize("NFKC", text[at:end])).casefold():
            blank = c.isspace()
            if blank and characters and characters[-1] == " ":
                continue
            characters.append(" " if blank else c)
            origin.append((at, end))
        at = end
    joined = "".join(characters)
    dropped = {m.start() for m in _BESIDE_WIDE.finditer(joined)}
    kept = [n for n in range(len(joined)) if n not in dropped]
    return "".join(joined[n] for n in kept), [origin[n] for n in kept]


def _bytes(capture: Capture, starts: Sequence[int], position: int, *, end: bool) -> tuple[int, bool]:
    """The byte at a position of the text, as the beginning or the end of something; False: of the run around it."""
    low, high = 0, len(starts)
    target = position - 1 if end else position
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if starts[middle] <= target else (low, middle)
    run = capture.text[low]
    inside = position - starts[low]
    if inside in (0, len(run.text)) and run.length and capture.encoding:
        return (run.at if inside == 0 else run.at + run.length), True
    exact = _written(run, capture.encoding, inside)
    if exact is not None:
        return run.at + exact, True
    return (run.at + run.length if end else run.at), False


def _written(run: Run, encoding: str | None, inside: int) -> int | None:
    """Bytes of the first `inside` characters of a run, where it is written character for character."""
    if encoding is None:
        return None
    try:
        if len(run.text.encode(encoding)) != run.length:
            return None
        return len(run.text[:inside].encode(encoding))
    except (LookupError, UnicodeEncodeError):
        return None
