"""The walk from a file to the court's anchor, drawn: a pure function of one walk of a verdict, giving inline SVG.

Three drawings of the same walk, of which the style sheet shows one: `row` for a desk, the same with fewer boxes to a line
for paper and tablets, `column` for a phone. Each box is a thing, each arrow a check: its word above, its outcome below, a disc with
the outcome's symbol in the middle. What did not pass is framed, so that the eye lands there; colour only repeats it.

Every arrow is a link to its finding. No style attribute is written (the content policy forbids it), every size is a
whole number, and all text is escaped: labels are data from the evidence.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

INK, LINE, QUIET, MUTED = "#14213d", "#8a8f94", "#f7f8f9", "#484d52"
COLOURS = {"PASSED": "#0b6e4f", "FAILED": "#a4161a", "INDETERMINATE": "#8a5a00"}
TINTS = {"PASSED": "#ffffff", "FAILED": "#fbeeee", "INDETERMINATE": "#fdf6e7"}
SYMBOLS = {"PASSED": "✓", "FAILED": "✗", "INDETERMINATE": "?"}

DESK, PAPER = 5, 3
WIDTHS = {DESK: 1060, PAPER: 660}
"""Row: the most boxes that stay readable on one line -> width of the drawing in its own units (pixels where it fits)."""
BOX_HEIGHT, GAP, LINE_GAP = 84, 104, 84
COLUMN_WIDTH, COLUMN_BOX, COLUMN_GAP = 340, 62, 56


@dataclass(frozen=True, slots=True)
class Thing:
    """`kind` in words, `label` as the engine shortened it; `pinned`: the court's own anchor, reached; `absent`: not there."""

    kind: str
    label: str
    pinned: bool = False
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """`word` what is checked; `outcome` the code, `said` the same in words; `href` where its finding stands."""

    word: str
    outcome: str
    said: str
    href: str
    sentence: str
    """Read aloud: the whole step in one sentence."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`things` has one member more than `arrows`. `key` makes the ids of this picture unique on its page."""

    key: str
    title: str
    description: str
    things: tuple[Thing, ...]
    arrows: tuple[Arrow, ...]

    def __post_init__(self) -> None:
        if len(self.things) != len(self.arrows) + 1:
            raise ValueError("a walk has one thing more than arrows")


def row(picture: Picture, *, most: int = DESK) -> str:
    """Balanced lines of up to `most` (DESK or PAPER) boxes, read left to right and top to bottom like text."""
    count = len(picture.things)
    lines = -(-count // most)
    per_line = -(-count // lines)
    width = min(210, (WIDTHS[most] - (per_line - 1) * GAP) // per_line)
    height = lines * BOX_HEIGHT + (lines - 1) * LINE_GAP
    corner = [((i % per_line) * (width + GAP), (i // per_line) * (BOX_HEIGHT + LINE_GAP)) for i in range(count)]
    parts: list[str] = []
    for i, thing in enumerate(picture.things):
        if i:
            (x0, y0), (x1, y1) = corner[i - 1], corner[i]
            draw = _across if y0 == y1 else _to_next_line
            parts.append(draw(picture.arrows[i - 1], x0=x0 + width, y0=y0, x1=x1, y1=y1, width=width))
        x, y = corner[i]
        parts.append(_box(thing, x=x, y=y, width=width, height=BOX_HEIGHT))
    used = per_line * width + (per_line - 1) * GAP
    return _svg(picture, f"row-{most}", used, height, parts)


def column(picture: Picture) -> str:
    """One box under the other; the words of a check stand beside its arrow."""
    pitch = COLUMN_BOX + COLUMN_GAP
    parts: list[str] = []
    for i, thing in enumerate(picture.things):
        if i:
            parts.append(_down(picture.arrows[i - 1], top=i * pitch - COLUMN_GAP))
        parts.append(_box(thing, x=0, y=i * pitch, width=COLUMN_WIDTH, height=COLUMN_BOX))
    return _svg(picture, "column", COLUMN_WIDTH, len(picture.things) * pitch - COLUMN_GAP, parts)


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _svg(picture: Picture, variant: str, width: int, height: int, parts: Sequence[str]) -> str:
    key = f"{picture.key}-{variant}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="mj-drawing mj-drawing--{variant}" role="group"'
        f' viewBox="-4 -4 {width + 8} {height + 8}" width="{width + 8}" height="{height + 8}"'
        f' aria-labelledby="{escape(key)}-title" aria-describedby="{escape(key)}-desc">'
        f'<title id="{escape(key)}-title">{escape(picture.title)}</title>'
        f'<desc id="{escape(key)}-desc">{escape(picture.description)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _box(thing: Thing, *, x: int, y: int, width: int, height: int) -> str:
    fill, edge, ink, muted = "#ffffff", LINE, INK, MUTED
    if thing.pinned:
        fill, edge, ink, muted = INK, INK, "#ffffff", "#dfe3ea"
    elif thing.absent:
        fill, ink = QUIET, MUTED
    dash = ' stroke-dasharray="5 4"' if thing.absent else ""
    room = width - 16
    # A kind of two lines moves up, so that with its label it stays in the middle of the box.
    kinds = wrap(thing.kind, 16, room)
    first = y + (height - 20 * len(kinds) - 18) // 2 + 15
    return (
        f"<g><title>{escape(thing.kind)} {escape(thing.label)}</title>"
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}" stroke="{edge}" stroke-width="1"{dash}/>'
        + "".join(_text(kind, x + 8, first + 20 * n, 16, ink, weight=700) for n, kind in enumerate(kinds))
        + _text(fit(thing.label, 13, room), x + 8, first + 20 * len(kinds) + 2, 12, muted, fixed=True)
        + "</g>"
    )


def _across(arrow: Arrow, *, x0: int, y0: int, x1: int, y1: int, width: int) -> str:
    middle, centre = y0 + BOX_HEIGHT // 2, (x0 + x1) // 2
    above = wrap(arrow.word, 13, GAP - 6)
    parts = [_frame(arrow, x0 + 3, y0 - 2, GAP - 6, BOX_HEIGHT + 4)]
    parts.append(_line(arrow, f"M{x0} {middle}H{x1 - 8}"))
    parts.append(_head(arrow, x1 - 1, middle, "right"))
    parts.append(_disc(arrow, centre - 3, middle))
    bold = 400 if arrow.outcome == "PASSED" else 700
    for n, text in enumerate(reversed(above)):
        parts.append(_text(text, centre, middle - 18 - 15 * n, 13, _colour(arrow), weight=bold, anchor="middle"))
    for n, text in enumerate(wrap(arrow.said, 13, GAP - 6)):
        parts.append(_text(text, centre, middle + 27 + 14 * n, 13, _colour(arrow), weight=bold, anchor="middle"))
    return _link(arrow, parts)


def _to_next_line(arrow: Arrow, *, x0: int, y0: int, x1: int, y1: int, width: int) -> str:
    start, end, level = x0 - width // 2, x1 + width // 2, y0 + BOX_HEIGHT + LINE_GAP // 2
    centre = (start + end) // 2
    words = f"{arrow.word}：{arrow.said}" if _is_wide(arrow.word) else f"{arrow.word}: {arrow.said}"
    length = extent(words, 13) + 34
    return _link(
        arrow,
        [
            _line(arrow, f"M{start} {y0 + BOX_HEIGHT}V{level}H{end}V{y1 - 8}"),
            _head(arrow, end, y1 - 1, "down"),
            _frame(arrow, centre - length // 2 - 8, level - 17, length + 16, 34, opaque=True),
            _disc(arrow, centre - length // 2 + 10, level),
            _text(words, centre - length // 2 + 28, level + 5, 13, _colour(arrow), weight=400 if arrow.outcome == "PASSED" else 700),
        ],
    )


def _down(arrow: Arrow, *, top: int) -> str:
    middle = top + COLUMN_GAP // 2
    words = f"{arrow.word}：{arrow.said}" if _is_wide(arrow.word) else f"{arrow.word}: {arrow.said}"
    return _link(
        arrow,
        [
            _frame(arrow, 10, top + 5, COLUMN_WIDTH - 20, COLUMN_GAP - 14),
            _line(arrow, f"M30 {top}V{top + COLUMN_GAP - 8}"),
            _head(arrow, 30, top + COLUMN_GAP - 1, "down"),
            _disc(arrow, 30, middle - 3),
            _text(fit(words, 16, COLUMN_WIDTH - 72), 54, middle + 3, 16, _colour(arrow), weight=400 if arrow.outcome == "PASSED" else 700),
        ],
    )


def _link(arrow: Arrow, parts: Sequence[str]) -> str:
    return f'<a href="{escape(arrow.href)}" class="mj-drawing__arrow" aria-label="{escape(arrow.sentence)}">{"".join(parts)}</a>'


def _frame(arrow: Arrow, x: int, y: int, width: int, height: int, *, opaque: bool = False) -> str:
    """The target of pointer and focus; drawn only where the check did not pass. `opaque` hides the line behind its words."""
    seen = f'fill="{TINTS[arrow.outcome]}" stroke="{_colour(arrow)}" stroke-width="2"'
    unseen = 'fill="#ffffff"' if opaque else 'fill="#ffffff" fill-opacity="0"'
    return (
        f'<rect class="mj-drawing__target" x="{x}" y="{y}" width="{width}" height="{height}"'
        f" {unseen if arrow.outcome == 'PASSED' else seen}/>"
    )


def _line(arrow: Arrow, path: str) -> str:
    # A broken arrow is broken to the eye as well.
    dash = "" if arrow.outcome == "PASSED" else ' stroke-dasharray="4 5"'
    return f'<path d="{path}" fill="none" stroke="{_colour(arrow)}" stroke-width="2"{dash}/>'


def _head(arrow: Arrow, x: int, y: int, towards: str) -> str:
    points = f"{x},{y} {x - 9},{y - 6} {x - 9},{y + 6}" if towards == "right" else f"{x},{y} {x - 6},{y - 9} {x + 6},{y - 9}"
    return f'<polygon points="{points}" fill="{_colour(arrow)}"/>'


def _disc(arrow: Arrow, x: int, y: int) -> str:
    radius = 11 if arrow.outcome == "PASSED" else 13
    return f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{_colour(arrow)}"/>' + _text(
        SYMBOLS[arrow.outcome], x, y + 5, 15, "#ffffff", weight=700, anchor="middle"
    )


def _text(
    text: str, x: int, y: int, size: int, fill: str, *, weight: int = 400, anchor: str = "start", fixed: bool = False
) -> str:
    face = ' class="mj-drawing__fixed"' if fixed else ""
    at = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{fill}"{at}{face}>{escape(text)}</text>'


def _colour(arrow: Arrow) -> str:
    return COLOURS[arrow.outcome]


# ── measuring text without a typesetter ───────────────────────────────────────────────────────────────────────────────


def _is_wide(text: str) -> bool:
    return any(unicodedata.east_asian_width(c) in "WF" for c in text)


def extent(text: str, size: int) -> int:
    """Width of a text in drawing units: a Han character fills its square, others about half of it and a little more."""
    return sum(size * 100 if unicodedata.east_asian_width(c) in "WF" else size * 56 for c in text) // 100


def fit(text: str, size: int, room: int) -> str:
    """The text, or its two ends around an ellipsis: the end of a file name says what it is."""
    if extent(text, size) <= room:
        return text
    head, tail = len(text), 0
    while head and extent(text[:head] + "…" + text[len(text) - tail :], size) > room:
        head -= 1
        tail = min(6, head // 2)
    return text[:head] + "…" + (text[len(text) - tail :] if tail else "")


def wrap(text: str, size: int, room: int) -> list[str]:
    """At most two lines: at a space where there is one, between Han characters otherwise."""
    if extent(text, size) <= room:
        return [text]
    breaks = [i for i, c in enumerate(text) if c == " "] or list(range(1, len(text)))

    def longer(at: int) -> int:
        return max(extent(text[:at], size), extent(text[at:].strip(), size))

    at = min(breaks, key=longer)
    shortened: Callable[[str], str] = lambda part: fit(part, size, room)  # noqa: E731
    return [shortened(text[:at].strip()), shortened(text[at:].strip())]
