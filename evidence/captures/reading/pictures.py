"""Pictures and PDF pages, drawn anew: what leaves here is a PNG of our own making, never a party's bytes.

Pillow and PDFium are native code over hostile bytes: only in the jail. Every bound is looked at before anything is decoded.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator

import pypdfium2
from PIL import Image, ImageOps

from evidence.verification.signatures import pdf_weight

IMAGE_MAX_PIXELS = 89_478_485
"""Pixels of a picture that is decoded: Pillow's own mark, which it only warns about."""
SHOWN_WIDTH, SHOWN_HEIGHT = 1_400, 16_000
"""Pixels of what is shown: a screenshot of a long page at the width of a desk screen; larger ones are made smaller."""
PDF_PAGES_MAX = 20
"""Pages of one PDF that are drawn and read; the rest can be had by downloading the file."""
PAGE_SIDE = 1_400
PAGE_TEXT_MAX = 200_000
"""Characters of the text layer of one page."""
PDF_MAX = 64 << 20
_FORMATS = ("PNG", "JPEG", "WEBP")
MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


class NotShown(ValueError):
    """This picture is not shown; the message is the code that says why."""


def redrawn(data: bytes, *, png_max: int) -> tuple[bytes, int, int]:
    """(PNG, width, height) of a PNG, JPEG or WebP, its first frame. Raises NotShown."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Image.MAX_IMAGE_PIXELS = IMAGE_MAX_PIXELS
            with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
                if opened.width * opened.height > IMAGE_MAX_PIXELS or not opened.width or not opened.height:
                    raise NotShown("IMAGE_MAX_PIXELS")
                opened.draft("RGB", (SHOWN_WIDTH, SHOWN_HEIGHT))
                opened.thumbnail((SHOWN_WIDTH, SHOWN_HEIGHT), Image.Resampling.BILINEAR)
                upright = ImageOps.exif_transpose(opened)
                return _png(upright.convert("RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB"), png_max)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as fault:
        raise NotShown("IMAGE_MAX_PIXELS") from fault
    except MemoryError as fault:
        raise NotShown("IMAGE_MEMORY") from fault
    except NotShown:
        raise
    except Exception as fault:  # Pillow raises whatever a damaged file leads it to
        raise NotShown("IMAGE_UNREADABLE") from fault


def _png(picture: Image.Image, png_max: int) -> tuple[bytes, int, int]:
    """Only the pixels: no profile, no text, no other chunk of the original comes along."""
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    while True:
        out = io.BytesIO()
        bare.save(out, "PNG", compress_level=6)
        if out.tell() <= png_max:
            return out.getvalue(), bare.width, bare.height
        bare = bare.resize((max(1, bare.width // 2), max(1, bare.height // 2)), Image.Resampling.BILINEAR)


def pages(data: bytes, *, png_max: int) -> Iterator[tuple[bytes, int, int, str]]:
    """(PNG, width, height, text) of the first pages of a PDF. Raises NotShown, also after some pages."""
    if len(data) > PDF_MAX:
        raise NotShown("PDF_MAX")
    try:
        pdf_weight.check(data)
    except pdf_weight.TooHeavy as fault:
        raise NotShown("PDF_TOO_HEAVY") from fault
    try:
        document = pypdfium2.PdfDocument(data)
        count = len(document)
    except pypdfium2.PdfiumError as fault:
        raise NotShown("PDF_UNREADABLE") from fault
    for number in range(min(count, PDF_PAGES_MAX)):
        try:
            page = document[number]
            side = max(page.get_size())
            if not 1 <= side <= 100_000:
                raise NotShown("PDF_UNREADABLE")
            drawn = page.render(scale=min(2.0, PAGE_SIDE / side)).to_pil().convert("RGB")
            layer = page.get_textpage()
            text = layer.get_text_range(0, min(layer.count_chars(), PAGE_TEXT_MAX))
        except (pypdfium2.PdfiumError, ValueError, MemoryError) as fault:
            raise NotShown("PDF_UNREADABLE") from fault
        yield (*_png(drawn, png_max), text)
    if count > PDF_PAGES_MAX:
        raise NotShown("PDF_PAGES_MAX")
