"""Pictures of a page, drawn anew and small enough to stand inside it.

As `pictures.redrawn`: only pixels leave here, never a party's bytes. A photograph stays a JPEG, or a page with twenty of them
would not fit into a view; everything else becomes a PNG. Of what moves, the first frame.
"""

from __future__ import annotations

import base64
import io
import warnings
from dataclasses import dataclass, field

from PIL import Image, ImageOps

from .pictures import IMAGE_MAX_PIXELS, SHOWN_HEIGHT, SHOWN_WIDTH, NotShown

PIXELS_MAX = 120_000_000
"""Pixels decoded for all pages of a file: some six seconds."""
DRAWN_MAX = 400
"""Pictures drawn for all pages of a file."""
PNG_MAX = 1 << 20
"""Bytes of one PNG inside a page; larger ones are drawn at half the size."""
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


@dataclass(slots=True)
class Drawn:
    """Pictures of the pages of one file, by their bytes: each is drawn once."""

    pixels: int = PIXELS_MAX
    count: int = DRAWN_MAX
    _made: dict[bytes, str | None] = field(default_factory=dict)

    def address(self, data: bytes) -> str | None:
        """The picture as a `data:` address; None where it is not shown."""
        if data not in self._made:
            try:
                self._made[data] = self._draw(data)
            except NotShown:
                self._made[data] = None
        return self._made[data]

    def _draw(self, data: bytes) -> str:
        self.count -= 1
        if self.count < 0:
            raise NotShown("DRAWN_MAX")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                Image.MAX_IMAGE_PIXELS = IMAGE_MAX_PIXELS
                with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
                    size = opened.width * opened.height
                    if not size or size > min(IMAGE_MAX_PIXELS, self.pixels):
                        raise NotShown("IMAGE_MAX_PIXELS")
                    self.pixels -= size
                    kind = opened.format
                    opened.draft("RGB", (SHOWN_WIDTH, SHOWN_HEIGHT))
                    opened.thumbnail((SHOWN_WIDTH, SHOWN_HEIGHT), Image.Resampling.BILINEAR)
                    upright = ImageOps.exif_transpose(opened)
                    clear = "A" in upright.getbands() or "transparency" in upright.info
                    plain = upright.convert("RGBA" if clear else "RGB")
                    return _written(plain, photograph=not clear and kind in ("JPEG", "WEBP"))
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as fault:
            raise NotShown("IMAGE_MAX_PIXELS") from fault
        except NotShown:
            raise
        except Exception as fault:  # Pillow raises whatever a damaged file leads it to
            raise NotShown("IMAGE_UNREADABLE") from fault


def _written(picture: Image.Image, *, photograph: bool) -> str:
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    while True:
        out = io.BytesIO()
        if photograph:
            bare.save(out, "JPEG", quality=82)
        else:
            bare.save(out, "PNG", compress_level=6)
        if photograph or out.tell() <= PNG_MAX:
            kind = "jpeg" if photograph else "png"
            return f"data:image/{kind};base64,{base64.b64encode(out.getvalue()).decode('ascii')}"
        bare = bare.resize((max(1, bare.width // 2), max(1, bare.height // 2)), Image.Resampling.BILINEAR)
