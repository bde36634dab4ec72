"""What the jail answers about two texts or two pictures, as frozen values with one canonical form in bytes.

As a reading is (`evidence.captures.capture`), an answer is never believed: it is taken back only within the bounds named here and
where its parts cover both texts exactly once and in order. No Django, no parsers of evidence.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from evidence.verification.codecs import strict_json

from ..capture import BLOB_MAX

METHOD = "mingjian-comparison/1"
"""Name and version of the way of comparing: another version compares every pair again."""
LINES_MAX = 40_000
"""Lines of a text that are compared; as many as a reading has runs. A table of 40,000 × 40,000 bits is 200 MB (`alignment`)."""
PARTS_MAX = 2 * LINES_MAX
MARKS_MAX = 400
"""Marks within one line; a line with more has nothing that is worth marking."""
PASSAGES_MAX = 200
THRESHOLDS = (13, 30, 60, 120)
"""Characters in a row from which on a passage counts; thirteen is what Chinese checks for copying commonly use."""
DOCUMENT_MAX = 8 << 20
_WHOLE_MAX = 1 << 31
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,39}")
_PNG = b"\x89PNG\r\n\x1a\n"
Range = tuple[int, int]
"""Places (begin, end) in a text, in characters."""


class ResultFault(ValueError):
    """These bytes are not the result of a comparison."""


class Kind(StrEnum):
    SAME = "SAME"
    CHANGED = "CHANGED"
    LEFT = "LEFT"
    RIGHT = "RIGHT"


@dataclass(frozen=True, slots=True)
class Part:
    """`count` lines from `left` and from `right` on; of LEFT and RIGHT only one side's. CHANGED is always one line to one."""

    kind: Kind
    left: int
    right: int
    count: int = 1
    left_marks: tuple[Range, ...] = ()
    right_marks: tuple[Range, ...] = ()

    def mirrored(self) -> Part:
        other = {Kind.LEFT: Kind.RIGHT, Kind.RIGHT: Kind.LEFT}.get(self.kind, self.kind)
        return Part(other, self.right, self.left, self.count, self.right_marks, self.left_marks)


@dataclass(frozen=True, slots=True)
class Passage:
    """The same words on both sides: where they stand in the lines joined by "\\n", and `size`, their characters as they were compared."""

    left: Range
    right: Range
    size: int

    def mirrored(self) -> Passage:
        return Passage(self.right, self.left, self.size)


@dataclass(frozen=True, slots=True)
class TextResult:
    """`lines`: how many were compared on each side. `characters`: how many were compared for passages; `shared`: for each of
    THRESHOLDS how many of them, on each side, stand in a passage at least that long."""

    lines: Range
    parts: tuple[Part, ...]
    characters: Range = (0, 0)
    shared: tuple[Range, ...] = ((0, 0),) * len(THRESHOLDS)
    passages: tuple[Passage, ...] = ()
    notes: tuple[str, ...] = ()

    def mirrored(self) -> TextResult:
        return TextResult(
            _turned(self.lines),
            _ordered(p.mirrored() for p in self.parts),
            _turned(self.characters),
            tuple(_turned(s) for s in self.shared),
            tuple(p.mirrored() for p in self.passages),
            self.notes,
        )

    def to_bytes(self) -> bytes:
        return _canonical(
            {
                "kind": "TEXT",
                "method": METHOD,
                "lines": self.lines,
                "parts": [[p.kind, p.left, p.right, p.count, p.left_marks, p.right_marks] for p in self.parts],
                "characters": self.characters,
                "shared": self.shared,
                "passages": [[p.left, p.right, p.size] for p in self.passages],
                "notes": self.notes,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> TextResult:
        """Raises ResultFault for anything but the canonical form of a whole comparison."""
        value = _loaded(data, "TEXT", {"lines", "parts", "characters", "shared", "passages", "notes"})
        found = cls(
            _range(value["lines"]),
            tuple(_part(p) for p in _list(value["parts"], PARTS_MAX)),
            _range(value["characters"]),
            tuple(_range(s) for s in _list(value["shared"], len(THRESHOLDS))),
            tuple(_passage(p) for p in _list(value["passages"], PASSAGES_MAX)),
            _notes(value["notes"]),
        )
        if found.to_bytes() != data or len(found.shared) != len(THRESHOLDS):
            raise ResultFault("not the canonical form")
        left = right = 0
        for part in found.parts:
            if (part.left, part.right) != (left, right) or part.count < 1 or (part.kind is Kind.CHANGED and part.count != 1):
                raise ResultFault("the parts do not follow one another")
            left += part.count if part.kind is not Kind.RIGHT else 0
            right += part.count if part.kind is not Kind.LEFT else 0
        if (left, right) != found.lines or max(found.lines) > LINES_MAX:
            raise ResultFault("the parts are not the texts")
        return found


@dataclass(frozen=True, slots=True)
class PictureResult:
    """Two pictures, each scaled to the `canvas` that is as wide as the narrower one.

    left, right   (width, height) of the pictures as they are kept
    distance      bits of 64 in which their fingerprints differ
    tiles         how many squares of TILE pixels were compared; `differing` of them are not alike
    overlay, difference   digests of pictures of our own making; the same whichever side is called left
    """

    left: Range
    right: Range
    canvas: Range
    distance: int
    tiles: int
    differing: int
    overlay: str
    difference: str
    notes: tuple[str, ...] = ()

    def mirrored(self) -> PictureResult:
        return replace(self, left=self.right, right=self.left)

    def to_bytes(self) -> bytes:
        names = ("left", "right", "canvas", "distance", "tiles", "differing", "overlay", "difference", "notes")
        return _canonical({"kind": "PICTURE", "method": METHOD, **{n: getattr(self, n) for n in names}})

    @classmethod
    def from_bytes(cls, data: bytes) -> PictureResult:
        """Raises ResultFault for anything but the canonical form."""
        names = {"left", "right", "canvas", "distance", "tiles", "differing", "overlay", "difference", "notes"}
        value = _loaded(data, "PICTURE", names)
        found = cls(
            left=_range(value["left"]),
            right=_range(value["right"]),
            canvas=_range(value["canvas"]),
            distance=_whole(value["distance"]),
            tiles=_whole(value["tiles"]),
            differing=_whole(value["differing"]),
            overlay=_digest(value["overlay"]),
            difference=_digest(value["difference"]),
            notes=_notes(value["notes"]),
        )
        if found.to_bytes() != data or found.distance > 64 or found.differing > found.tiles:
            raise ResultFault("not the canonical form")
        return found


class Result(Protocol):
    def to_bytes(self) -> bytes: ...


def pack(result: Result, blobs: Sequence[bytes] = ()) -> bytes:
    """A result and its pictures as one answer: length and bytes of each."""
    return b"".join(len(p).to_bytes(8, "big") + p for p in (result.to_bytes(), *blobs))


def unpack(answer: bytes) -> tuple[bytes, dict[str, bytes]]:
    """(document, pictures under their digests) of what `pack` made. Raises ResultFault."""
    parts: list[bytes] = []
    at = 0
    while at < len(answer):
        size = int.from_bytes(answer[at : at + 8], "big")
        at += 8 + size
        if at > len(answer) or len(parts) > 2:
            raise ResultFault("not such an answer")
        parts.append(answer[at - size : at])
    if not parts or any(len(p) > BLOB_MAX or not p.startswith(_PNG) for p in parts[1:]):
        raise ResultFault("not such an answer")
    return parts[0], {hashlib.sha256(p).hexdigest(): p for p in parts[1:]}


# ── forms ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _ordered(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Where lines of both sides stand between what is equal, those of the left come first, seen from either side."""
    turned: list[Part] = []
    for part in parts:
        before = turned[-1] if turned else None
        if before is not None and before.kind is Kind.RIGHT and part.kind is Kind.LEFT:
            turned[-1:] = [replace(part, right=before.right), replace(before, left=before.left + part.count)]
        else:
            turned.append(part)
    return tuple(turned)


def _turned(pair: Range) -> Range:
    return pair[1], pair[0]


def _canonical(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii")


def _loaded(data: bytes, kind: str, names: set[str]) -> dict[str, Any]:
    if len(data) > DOCUMENT_MAX:
        raise ResultFault("larger than DOCUMENT_MAX")
    try:
        value: Any = strict_json.loads(data)
    except strict_json.JsonError as fault:
        raise ResultFault(str(fault)) from fault
    if not isinstance(value, dict) or value.keys() != names | {"kind", "method"} or (value["kind"], value["method"]) != (kind, METHOD):
        raise ResultFault("other names than those of the form")
    return value


def _list(value: Any, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise ResultFault("not such a list")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _WHOLE_MAX:
        raise ResultFault("not such a number")
    return value


def _range(value: Any) -> Range:
    one, other = _exactly(value, 2)
    return _whole(one), _whole(other)


def _marks(value: Any) -> tuple[Range, ...]:
    """In order, none empty, none over another."""
    marks = tuple(_range(m) for m in _list(value, MARKS_MAX))
    at = 0
    for begin, end in marks:
        if not at <= begin < end:
            raise ResultFault("marks out of order")
        at = end
    return marks


def _exactly(value: Any, count: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != count:
        raise ResultFault("not such a row")
    return value


def _part(value: Any) -> Part:
    kind, left, right, count, left_marks, right_marks = _exactly(value, 6)
    if kind not in list(Kind):
        raise ResultFault("an unknown kind")
    return Part(Kind(kind), _whole(left), _whole(right), _whole(count), _marks(left_marks), _marks(right_marks))


def _passage(value: Any) -> Passage:
    left, right, size = _exactly(value, 3)
    found = Passage(_range(left), _range(right), _whole(size))
    if found.left[0] >= found.left[1] or found.right[0] >= found.right[1]:
        raise ResultFault("an empty passage")
    return found


def _notes(value: Any) -> tuple[str, ...]:
    if not all(isinstance(n, str) and _CODE.fullmatch(n) for n in _list(value, 20)):
        raise ResultFault("not such notes")
    return tuple(value)


def _digest(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ResultFault("not a digest")
    return value
