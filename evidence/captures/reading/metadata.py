"""What a picture or PDF says of itself: size in pixels or pages, and the words its maker wrote into it. All of it can be written by
anybody."""

from __future__ import annotations

import io
import warnings

import pypdfium2
from PIL import Image

from evidence.verification.signatures import pdf_weight

from ..capture import Kind, cut
from .pictures import IMAGE_MAX_PIXELS

VALUE_MAX = 300
_EXIF = {0x010F: "CAMERA_MAKER", 0x0110: "CAMERA_MODEL", 0x0131: "WRITTEN_BY", 0x0132: "CHANGED_AT", 0x9003: "TAKEN_AT", 0x013B: "AUTHOR"}
_PNG = {"Software": "WRITTEN_BY", "Creation Time": "TAKEN_AT", "Author": "AUTHOR", "Description": "DESCRIPTION", "Title": "TITLE"}
_PDF = {
    "Title": "TITLE", "Author": "AUTHOR", "Subject": "DESCRIPTION", "Creator": "WRITTEN_BY", "Producer": "PDF_PRODUCER",
    "CreationDate": "TAKEN_AT", "ModDate": "CHANGED_AT",
}  # fmt: skip
Said = tuple[tuple[str, str], ...]


def said_by(payload: bytes, kind: Kind) -> Said:
    """(code, value), nothing for what cannot be read. Never raises for what a file holds."""
    found = _picture(payload) if kind is Kind.IMAGE else _document(payload) if kind is Kind.PDF else []
    return tuple((code, shown) for code, value in dict(found).items() if (shown := cut(value, VALUE_MAX)))


def _picture(payload: bytes) -> list[tuple[str, str]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Image.MAX_IMAGE_PIXELS = IMAGE_MAX_PIXELS
            with Image.open(io.BytesIO(payload), formats=("PNG", "JPEG", "WEBP")) as opened:
                found = [("PIXELS", f"{opened.width} × {opened.height}")]
                exif = opened.getexif()
                values = {**exif, **exif.get_ifd(0x8769)}
                found += [(code, value) for tag, code in _EXIF.items() if isinstance(value := values.get(tag), str)]
                text = opened.info
                found += [(code, value) for name, code in _PNG.items() if isinstance(value := text.get(name), str)]
                return found
    except Exception:  # Pillow raises whatever a damaged file leads it to; the drawing says that it is damaged
        return []


def _document(payload: bytes) -> list[tuple[str, str]]:
    try:
        pdf_weight.check(payload)
        document = pypdfium2.PdfDocument(payload)
        said = document.get_metadata_dict()
        return [("PAGES", str(len(document))), *((code, said[name]) for name, code in _PDF.items() if said.get(name))]
    except (pdf_weight.TooHeavy, pypdfium2.PdfiumError, ValueError, KeyError):
        return []
