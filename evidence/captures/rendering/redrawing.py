"""What runs in the jail: the browser's picture, decoded and encoded again. Imported by a zygote of its own, with its codec."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence

from evidence.captures.reading import pictures

_PICTURE_MAX = 16 << 20
_READ_MAX = 104 << 20
for _name in ("PIL.Image", "PIL.PngImagePlugin", "zipfile"):
    importlib.import_module(_name)


def redraw(files: Sequence[tuple[str, int]], trust_dir: str, at: str) -> bytes:
    """Four bytes of width, four of height, then the PNG. Raises pictures.NotShown, which the jail reports as a crash."""
    ((_, descriptor),) = files
    with os.fdopen(descriptor, "rb") as stream:
        data = stream.read(_READ_MAX)
    png, width, height = pictures.redrawn(data, png_max=_PICTURE_MAX)
    return width.to_bytes(4, "big") + height.to_bytes(4, "big") + png
