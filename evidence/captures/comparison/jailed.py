"""What runs in the jail: two readings, or two pictures, out of the vault -> what is equal in them and what is not (`result.pack`).

Imported by a zygote of its own before anything hostile arrives.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence

from ..capture import BLOB_MAX, DOCUMENT_MAX, Reading, lines
from . import passages, pictures, texts
from .result import LINES_MAX, TextResult, pack

_LATE = ("_strptime", "PIL.PngImagePlugin", "scipy.fftpack")


def compare_texts(files: Sequence[tuple[str, int]], trust_dir: str, at: str) -> bytes:
    """Two readings (label: number of the capture in it, from 1; descriptor). Trust and time play no part."""
    left, right = (_lines(label, descriptor) for label, descriptor in files)
    parts, notes = texts.compare(left, right)
    found, shared, characters, more = passages.find(left, right)
    compared = min(len(left), LINES_MAX), min(len(right), LINES_MAX)
    return pack(TextResult(compared, parts, characters, shared, found, tuple(sorted(notes | more))))


def compare_pictures(files: Sequence[tuple[str, int]], trust_dir: str, at: str) -> bytes:
    """Two PNGs. One that cannot be compared ends this process with an exception, whose name is all that leaves."""
    left, right = (_read(descriptor, BLOB_MAX) for _label, descriptor in files)
    return pack(*pictures.compare(left, right))


def _lines(label: str, descriptor: int) -> list[str]:
    return lines(Reading.from_bytes(_read(descriptor, DOCUMENT_MAX)).captures[int(label) - 1].text)


def _read(descriptor: int, most: int) -> bytes:
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(most + 1)


def _prepare() -> None:
    for name in _LATE:
        importlib.import_module(name)


_prepare()
