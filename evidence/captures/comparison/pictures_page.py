"""Pictures of two captures in pairs: those of one kind, page by page; where both have pictures but none of one kind, the first of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .models import ComparedPair
from .queue import Item, Pair, pair
from .result import PictureResult
from .sides import Picture, Side

PAIRS_MAX = 5
"""Pairs of pictures of one comparison: a screenshot, a court render and the first pages of a document."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Two pictures beside each other; `result` None: not compared (yet)."""

    left: Picture
    right: Picture
    row: ComparedPair | None
    result: PictureResult | None

    @property
    def parked(self) -> bool:
        return self.row is not None and self.row.state == ComparedPair.State.PARKED

    @property
    def same_bytes(self) -> bool:
        return self.left.sha256 == self.right.sha256

    @property
    def unlike_kinds(self) -> bool:
        return self.left.kind != self.right.kind


def pairs(left: Side, right: Side) -> tuple[list[tuple[Picture, Picture]], int]:
    """(the pairs that are compared, how many more there would be)."""
    mine, theirs = (_by_kind(s.pictures) for s in (left, right))
    found = [(mine[k], theirs[k]) for k in mine if k in theirs]
    # In one order whichever side is left.
    found.sort(key=lambda p: (p[0].kind != "SCREENSHOT", p[0].kind, p[0].page or 0))
    if not found and mine and theirs:
        found = [(next(iter(mine.values())), next(iter(theirs.values())))]
    return found[:PAIRS_MAX], max(0, len(found) - PAIRS_MAX)


def wanted(found: Sequence[tuple[Picture, Picture]]) -> list[tuple[Pair, bool]]:
    return [pair(ComparedPair.What.PICTURES, Item(left.sha256), Item(right.sha256)) for left, right in found]


def _by_kind(pictures: Sequence[Picture]) -> dict[tuple[str, int], Picture]:
    """By kind and page; the first of a kind that has no pages."""
    found: dict[tuple[str, int], Picture] = {}
    for p in pictures:
        found.setdefault((p.kind, p.page or 0), p)
    return found
