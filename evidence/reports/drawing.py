"""A walk as it is drawn on paper: the things in order and the outcomes between them. The page puts them into place
(`templates/typeset/report/walk.typ`); the judge's page, where there is room to click, has its own drawing of the same walk
(`evidence.exhibits.walk_drawing`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from evidence.exhibits.walk_drawing import fit

from .wording import Words

LABEL_ROOM = 71
"""Points inside a box; a longer label is cut in the middle, the table below the drawing has it whole."""
LABEL_SIZE = 7
"""Points, as `fit` reckons: the fixed face of 6 points runs wider than what it knows of."""


@dataclass(frozen=True, slots=True)
class Box:
    """`pinned`: the court's own anchor, reached; `absent`: not reached."""

    kind: Words
    label: str
    pinned: bool = False
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """One outcome (PASSED, FAILED, INDETERMINATE) less than boxes. `title` says in words what the picture shows."""

    title: Words
    boxes: tuple[Box, ...]
    outcomes: tuple[str, ...]


def drawn(boxes: Sequence[Box], outcomes: Sequence[str], *, title: Words) -> Drawing:
    if len(boxes) != len(outcomes) + 1:
        raise ValueError("a walk has one thing more than steps")
    fitted = tuple(Box(b.kind, fit(b.label, LABEL_SIZE, LABEL_ROOM), b.pinned, b.absent) for b in boxes)
    return Drawing(title, fitted, tuple(outcomes))
