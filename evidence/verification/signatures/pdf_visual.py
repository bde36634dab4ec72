"""SIG.VISUAL: every page as it was signed against the page as it is now.

The comparison of objects (`pdf_reader.changes`) sees what is added; this one sees what is shown. Neither replaces the other: an
annotation without an appearance draws nothing here, and the comparison of objects trusts rules about forms.
"""

import hashlib
from dataclasses import dataclass

from ..reasons import Reason
from ..verdict import Outcome
from . import pdf_pages
from .pdf_pages import Document, Drawing, PagesError

DRAWINGS_MAX = 400
"""Pages drawn for one file: a report of 57 pages with four signatures takes 228."""
DARK, LIGHT = 128, 200
LOST_MIN = 24
"""Dark points that may turn light inside a form field: the rim of a letter drawn anew."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """`pages`: numbers (from 1) of the pages that decided. `stamped`: pages where a form field looks different."""

    outcome: Outcome
    reason: Reason | None
    pages: tuple[int, ...] = ()
    stamped: tuple[int, ...] = ()


class Gallery:
    """The drawings of one file: its final revision is drawn once, whatever the number of signatures."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._drawn = 0
        self._weighed = False
        self._prints: dict[tuple[int, int], bytes] = {}

    def compare(self, end: int) -> Likeness:
        """The revision that ends at byte `end` against the whole file. Never raises for what the file holds."""
        if end == len(self._data):
            return Likeness(Outcome.PASSED, None)
        try:
            with pdf_pages.opened(self._data, weighed=self._weighed) as after:
                self._weighed = True
                with pdf_pages.opened(self._data[:end], weighed=True) as before:
                    return self._compare(before, after, end)
        except PagesError:
            return Likeness(Outcome.INDETERMINATE, Reason.RESOURCE_LIMIT)

    def _compare(self, before: Document, after: Document, end: int) -> Likeness:
        if before.pages != after.pages:
            return Likeness(Outcome.FAILED, Reason.MODIFIED_AFTER_SIGNING, (min(before.pages, after.pages) + 1,))
        if before.pages > pdf_pages.PAGES_MAX:
            return Likeness(Outcome.INDETERMINATE, Reason.RESOURCE_LIMIT)
        different, stamped, covered = [], [], []
        for number in range(before.pages):
            if self._print(before, end, number) == self._print(after, len(self._data), number):
                continue
            first, second = self._draw(before, number), self._draw(after, number)
            if not _same_outside_fields(first, second):
                different.append(number + 1)
            else:
                stamped.append(number + 1)
                if _lost(first, second):
                    covered.append(number + 1)
        if different:
            return Likeness(Outcome.FAILED, Reason.MODIFIED_AFTER_SIGNING, tuple(different), tuple(stamped))
        if covered:
            return Likeness(Outcome.INDETERMINATE, Reason.MODIFIED_AFTER_SIGNING, tuple(covered), tuple(stamped))
        return Likeness(Outcome.PASSED, None, (), tuple(stamped))

    def _print(self, document: Document, end: int, number: int) -> bytes:
        if (end, number) not in self._prints:
            drawn = self._draw(document, number)
            size = drawn.width.to_bytes(4) + drawn.height.to_bytes(4)
            self._prints[end, number] = hashlib.sha256(size + drawn.pixels).digest()
        return self._prints[end, number]

    def _draw(self, document: Document, number: int) -> Drawing:
        self._drawn += 1
        if self._drawn > DRAWINGS_MAX:
            raise PagesError("too many pages to draw")
        return document.drawing(number)


def _same_outside_fields(first: Drawing, second: Drawing) -> bool:
    if (first.width, first.height) != (second.width, second.height):
        return False
    # Only fields that both revisions, or the later one, show: a field that was taken away hides nothing.
    boxes = second.fields
    width = first.width
    for y in range(first.height):
        one, two = first.pixels[y * width : (y + 1) * width], second.pixels[y * width : (y + 1) * width]
        if one == two:
            continue
        for left, top, right, bottom in boxes:
            if top <= y < bottom and (span := _span(left, right, width)):
                blank = bytes(span.stop - span.start)
                one = one[: span.start] + blank + one[span.stop :]
                two = two[: span.start] + blank + two[span.stop :]
        if one != two:
            return False
    return True


def _span(left: int, right: int, width: int) -> slice | None:
    left, right = max(0, left), min(width, right)
    return slice(left, right) if left < right else None


_IS_DARK = bytes(1 if v < DARK else 0 for v in range(256))
_IS_LIGHT = bytes(1 if v > LIGHT else 0 for v in range(256))


def _lost(first: Drawing, second: Drawing) -> bool:
    """Whether print that stood there when it was signed is no longer seen: dark points turned light."""
    dark = int.from_bytes(first.pixels.translate(_IS_DARK))
    light = int.from_bytes(second.pixels.translate(_IS_LIGHT))
    return (dark & light).bit_count() > LOST_MIN
