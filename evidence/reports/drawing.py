"""A walk drawn for paper: boxes in reading order, and between them discs with the outcome and the number of the step.

The words to each number stand in the table below the drawing, in both languages; the judge's page, where there is room to
click, has its own drawing of the same walk (`evidence.exhibits.walk_drawing`). All text is escaped; the title is what a
screen reader says instead of the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe

from evidence.exhibits.walk_drawing import COLOURS, TINTS, fit

from .wording import Words, spoken

PER_LINE = 5
BOX, HEIGHT, GAP, LINE_GAP = 79, 33, 28, 26
"""Points. Five boxes and four gaps are 507 wide, just within the 510 of the page."""
INK, LINE, MUTED = "#14213d", "#8a8f94", "#444444"
FACES, FIXED = "EvBody, EvSym", "EvMono, EvBody, EvSym"
SIGNS = {
    "PASSED": "m-3 .2l2 2.3 4-4.9",
    "FAILED": "m-2.3-2.3l4.6 4.6m0-4.6l-4.6 4.6",
    "INDETERMINATE": "m-1.7-1.5a1.7 1.6 0 1 1 2.6 1.4c-.7.4-.9.7-.9 1.6m0 1.5v.5",
}
"""The outcomes as strokes from the middle of a disc. Centred text would make a transparency group of each sign, with all
fonts of the document hanging on it: whoever checks the seal later would have to walk through every one of them."""
FIXED_WIDENING = 108
"""Per cent by which the fixed face runs wider than what `fit` reckons with."""


@dataclass(frozen=True, slots=True)
class Box:
    """`pinned`: the court's own anchor, reached; `absent`: not reached."""

    kind: Words
    label: str
    pinned: bool = False
    absent: bool = False


def drawn(boxes: Sequence[Box], outcomes: Sequence[str], *, title: Words, language: str) -> SafeString:
    """Inline SVG of a walk with one outcome less than boxes (PASSED, FAILED, INDETERMINATE). `language` as in `Report.language`."""
    if len(boxes) != len(outcomes) + 1:
        raise ValueError("a walk has one thing more than steps")
    corners = [((i % PER_LINE) * (BOX + GAP), (i // PER_LINE) * (HEIGHT + LINE_GAP)) for i in range(len(boxes))]
    parts = [_step(n, outcome, corners[n - 1], corners[n]) for n, outcome in enumerate(outcomes, start=1)]
    parts += [_box(box, x, y, language) for box, (x, y) in zip(boxes, corners, strict=True)]
    width = min(len(boxes), PER_LINE) * (BOX + GAP) - GAP
    height = corners[-1][1] + HEIGHT
    # Escaped part by part.
    return mark_safe(  # noqa: S308
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 2}pt" height="{height + 2}pt"'
        f' viewBox="-1 -1 {width + 2} {height + 2}" font-family="{FACES}">'
        f"<title>{escape(spoken(title, language, between=' / '))}</title>{''.join(parts)}</svg>"
    )


def _box(box: Box, x: int, y: int, language: str) -> str:
    fill, edge, ink, muted = "#ffffff", LINE, INK, MUTED
    if box.pinned:
        fill, edge, ink, muted = INK, INK, "#ffffff", "#e4e7ec"
    dash = ' stroke-dasharray="3 2"' if box.absent else ""
    room = BOX - 8
    label = fit(box.label, 6 * FIXED_WIDENING // 100 + 1, room)
    if language == "en":
        named = _text(box.kind.en, x + 4, y + 14, "6.8", ink, bold=True)
    else:
        named = _text(box.kind.zh, x + 4, y + 11, "8.5", ink, bold=True)
        named += _text(box.kind.en, x + 4, y + 19, "6.2", muted) if language == "zh-en" else ""
    return (
        f'<rect x="{x}" y="{y}" width="{BOX}" height="{HEIGHT}" fill="{fill}" stroke="{edge}" stroke-width="0.7"{dash}/>'
        + named
        + f'<g font-family="{FIXED}">{_text(label, x + 4, y + 28, "6", muted)}</g>'
    )


def _step(n: int, outcome: str, start: tuple[int, int], end: tuple[int, int]) -> str:
    colour = COLOURS[outcome]
    if start[1] == end[1]:
        middle = start[1] + HEIGHT // 2
        path = f"M{start[0] + BOX} {middle}H{end[0] - 4}"
        head = f"{end[0]},{middle} {end[0] - 5},{middle - 3} {end[0] - 5},{middle + 3}"
        x, y = start[0] + BOX + GAP // 2 - 2, middle
    else:
        # To the beginning of the next line, as the eye goes.
        level, right, left = start[1] + HEIGHT + LINE_GAP // 2, start[0] + BOX // 2, end[0] + BOX // 2
        path = f"M{right} {start[1] + HEIGHT}V{level}H{left}V{end[1] - 4}"
        head = f"{left},{end[1]} {left - 3},{end[1] - 5} {left + 3},{end[1] - 5}"
        x, y = (left + right) // 2, level
    dash = "" if outcome == "PASSED" else ' stroke-dasharray="2 2"'
    frame = (
        ""
        if outcome == "PASSED"
        else f'<rect x="{x - 9}" y="{y - 15}" width="18" height="23" fill="{TINTS[outcome]}" stroke="{colour}" stroke-width="1"/>'
    )
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1"{dash}/><polygon points="{head}" fill="{colour}"/>'
        f'{frame}<circle cx="{x}" cy="{y}" r="5.5" fill="{colour}"/>'
        f'<path d="M{x} {y}{SIGNS[outcome]}" fill="none" stroke="#ffffff" stroke-width="1.3"/>'
        + _text(str(n), x - 2 * len(str(n)), y - 7, "6.5", colour, bold=True)
    )


def _text(text: str, x: int, y: int, size: str, fill: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{fill}"{weight}>{escape(text)}</text>'
