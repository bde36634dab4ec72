"""Two pictures over each other: an overlay, a map of the squares that are not alike, and how far their fingerprints are apart.

Pillow over PNGs that came out of a jail: only in the jail. Whole numbers throughout, but for the fingerprint (ImageHash's `phash`:
a cosine transform of the picture at 32 × 32, of which the 64 lowest frequencies each give a bit); all is the same whichever
picture is called left. SSIM is left out: scikit-image, which has it, is some 58 MB more to install for a number that says no more.
"""

from __future__ import annotations

import hashlib
import io
import os
import warnings

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy: a process that forks children starts no threads

import imagehash  # noqa: E402
from PIL import Image, ImageChops, ImageDraw  # noqa: E402

from ..capture import BLOB_MAX  # noqa: E402
from .result import PictureResult  # noqa: E402

PIXELS_MAX = 23_000_000
"""Of a picture that is compared: 1,400 × 16,000, the largest that a reading holds, and a little."""
CANVAS_WIDTH, CANVAS_HEIGHT = 1_000, 12_000
"""Pixels within which two pictures are laid over each other."""
TILE = 16
"""Pixels to a side of a square of the map: about a letter."""
UNLIKE = 4
"""Mean difference of a square, of 255, from which on it counts: below it lies the noise of scaling and of JPEG."""


class NotCompared(ValueError):
    """These pictures are not compared; the message is the code that says why."""


def compare(left: bytes, right: bytes) -> tuple[PictureResult, list[bytes]]:
    """(result, [overlay, map of differences]) of two PNGs. Raises NotCompared."""
    one, other = _opened(left), _opened(right)
    sizes = one.size, other.size
    distance = int(imagehash.phash(one) - imagehash.phash(other))
    notes = () if one.size == other.size else ("SIZES_DIFFER",)
    # 1. Both as wide as the narrower one, on paper as high as the higher one.
    width = min(one.width, other.width, CANVAS_WIDTH)
    one, other = (_scaled(p, width) for p in (one, other))
    if max(one.height, other.height) > CANVAS_HEIGHT:
        notes = (*notes, "CANVAS_HEIGHT")
    height = min(CANVAS_HEIGHT, max(one.height, other.height))
    one, other = (_on_paper(p, (width, height)) for p in (one, other))
    # 2. Square by square: the largest of the three colours' differences, its mean rounded down to whole numbers.
    red, green, blue = ImageChops.difference(one, other).split()
    squares = ImageChops.lighter(ImageChops.lighter(red, green), blue).reduce(TILE)
    unlike = [n for n, mean in enumerate(squares.tobytes()) if mean >= UNLIKE]
    # 3. What is shown.
    overlay = Image.blend(one, other, 0.5)
    shown = [_png(overlay), _png(_mapped(overlay, unlike, squares.width))]
    result = PictureResult(
        *sizes,
        canvas=(width, height),
        distance=distance,
        tiles=squares.width * squares.height,
        differing=len(unlike),
        overlay=_sha256(shown[0]),
        difference=_sha256(shown[1]),
        notes=notes,
    )
    return result, shown


def _opened(data: bytes) -> Image.Image:
    """On white, where it lets light through."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=("PNG",)) as opened:
                if not 0 < opened.width * opened.height <= PIXELS_MAX:
                    raise NotCompared("PIXELS_MAX")
                opened.load()
                if "A" not in opened.getbands() and "transparency" not in opened.info:
                    return opened.convert("RGB")
                coloured = opened.convert("RGBA")
                paper = Image.new("RGB", coloured.size, "white")
                paper.paste(coloured, mask=coloured.getchannel("A"))
                return paper
    except (NotCompared, MemoryError):
        raise
    except Exception as fault:  # Pillow raises whatever a damaged file leads it to
        raise NotCompared("PICTURE_UNREADABLE") from fault


def _scaled(picture: Image.Image, width: int) -> Image.Image:
    if picture.width == width:
        return picture
    return picture.resize((width, max(1, picture.height * width // picture.width)), Image.Resampling.BOX)


def _on_paper(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    if picture.size == size:
        return picture
    paper = Image.new("RGB", size, "white")
    paper.paste(picture, (0, 0))
    return paper


def _mapped(under: Image.Image, unlike: list[int], columns: int) -> Image.Image:
    """The squares that are not alike, framed and hatched over the pictures' pale shadow: not by colour alone."""
    pale = under.convert("L").point([191 + n // 4 for n in range(256)]).convert("RGB")
    drawn = ImageDraw.Draw(pale)
    edge = TILE - 1
    for n in unlike:
        x, y = n % columns * TILE, n // columns * TILE
        drawn.rectangle((x, y, x + edge, y + edge), outline="#8a1c1c")
        drawn.line((x, y + edge, x + edge, y), fill="#8a1c1c")
    return pale


def _png(picture: Image.Image) -> bytes:
    """At most BLOB_MAX: noise is made smaller until it fits."""
    while True:
        out = io.BytesIO()
        picture.save(out, "PNG", compress_level=6)
        if out.tell() <= BLOB_MAX:
            return out.getvalue()
        picture = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)), Image.Resampling.BOX)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
