"""The facts and the headers of two captures beside each other: what the files say, line by line, and whether it is the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import card
from .sides import Side


class Stands(StrEnum):
    SAME = "same"
    DIFFERS = "differs"
    LEFT = "left"
    RIGHT = "right"
    SILENT = "silent"


WORDS: dict[str, Promise] = {
    Stands.SAME: gettext_lazy("相同"),
    Stands.DIFFERS: gettext_lazy("不同"),
    Stands.LEFT: gettext_lazy("只在左"),
    Stands.RIGHT: gettext_lazy("只在右"),
    Stands.SILENT: gettext_lazy("都没有"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One fact. None: this side does not say. `plain` False: a machine word."""

    label: str
    left: str | None
    right: str | None
    plain: bool = False
    silent: tuple[bool, bool] = (False, False)
    """A side whose value only says that nothing is said: silence on both sides is no agreement."""

    @property
    def stands(self) -> Stands:
        left, right = (value is not None and not silent for value, silent in zip((self.left, self.right), self.silent, strict=True))
        if not (left and right):
            return Stands.LEFT if left else Stands.RIGHT if right else Stands.SILENT
        return Stands.SAME if self.left == self.right else Stands.DIFFERS

    @property
    def word(self) -> Promise:
        return WORDS[self.stands]


def rows(left: Side, right: Side) -> list[Row]:
    """Both cards, in their order, then what the bytes are."""
    mine, theirs = ({line.label: line for line in card.lines(s.capture, s.proven)} for s in (left, right))
    labels = [*mine, *(label for label in theirs if label not in mine)]
    order = {label: n for n, label in enumerate(_in_order(list(mine), list(theirs)))}
    found = [
        Row(
            label,
            mine[label].value if label in mine else None,
            theirs[label].value if label in theirs else None,
            plain=all(lines[label].plain for lines in (mine, theirs) if label in lines),
            silent=(_silent(mine, label), _silent(theirs, label)),
        )
        for label in sorted(labels, key=order.__getitem__)
    ]
    one, other = left.capture.place, right.capture.place
    return [
        *found,
        Row(_("内容字节数"), str(one.payload_size), str(other.payload_size)),
        Row(_("内容 SHA-256"), one.payload_sha256, other.payload_sha256),
        Row(_("文件 SHA-256"), one.file_sha256, other.file_sha256),
    ]


def _silent(lines: Mapping[str, card.Line], label: str) -> bool:
    return label not in lines or lines[label].silent


def headers(left: Side, right: Side) -> list[Row]:
    """By name, without regard to letter case; several lines of one name are one value. Secrets were masked when the file was read."""
    mine, theirs = (_by_name(s.capture.facts.headers) for s in (left, right))
    names = sorted(mine.keys() | theirs.keys())
    return [Row(name, mine.get(name), theirs.get(name)) for name in names]


def _by_name(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.strip().lower(), []).append(value)
    return {name: "\n".join(values) for name, values in found.items()}


def _in_order(mine: list[str], theirs: list[str]) -> list[str]:
    """Both orders as one, the same whichever comes first: by the places in both, a label that one lacks after the one before it."""
    places: dict[str, list[tuple[int, str]]] = {}
    for labels in (mine, theirs):
        for n, label in enumerate(labels):
            places.setdefault(label, []).append((n, label))
    return sorted(places, key=lambda label: (max(places[label]), label))
