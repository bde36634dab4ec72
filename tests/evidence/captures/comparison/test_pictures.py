"""Pictures compared by hand-made pairs: what differs is found where it is, and the same is seen from the other side."""

import hashlib
import io
import os

import pytest
from PIL import Image, ImageDraw

from evidence.captures.capture import BLOB_MAX
from evidence.captures.comparison import pictures
from evidence.captures.comparison.pictures import TILE, NotCompared
from evidence.captures.comparison.result import PictureResult, ResultFault, pack, unpack


def png(picture: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", **options)
    return out.getvalue()


def page(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (640, 480), fill: str = "black") -> Image.Image:
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for n in range(0, size[1], 40):
        draw.line((20, n, size[0] - 20, n), fill="#888888")
    for box in boxes:
        draw.rectangle(box, fill=fill)
    return picture


def test_the_same_picture_differs_nowhere() -> None:
    result, (overlay, _difference) = pictures.compare(png(page()), png(page()))
    assert (result.distance, result.differing, result.tiles) == (0, 0, 40 * 30)
    assert Image.open(io.BytesIO(overlay)).tobytes() == page().tobytes()


def test_what_differs_is_found_where_it_is() -> None:
    """One box over four squares. To see it fail: let the map begin elsewhere."""
    box = (10 * TILE, 5 * TILE, 12 * TILE - 1, 7 * TILE - 1)
    result, (_overlay, difference) = pictures.compare(png(page()), png(page(box)))
    assert (result.differing, result.notes) == (4, ())
    shown = Image.open(io.BytesIO(difference))
    framed = {(x // TILE, y // TILE) for x in range(shown.width) for y in range(shown.height) if shown.getpixel((x, y)) == (0x8A, 0x1C, 0x1C)}
    assert framed == {(10, 5), (11, 5), (10, 6), (11, 6)}


def test_noise_below_what_counts_is_no_difference() -> None:
    faint = Image.blend(page(), Image.new("RGB", (640, 480), "black"), 0.01)
    result, _shown = pictures.compare(png(page()), png(faint))
    assert result.differing == 0


@pytest.mark.parametrize("other", [page((100, 100, 300, 200)), page(size=(320, 900)), page(size=(1, 1)), page(size=(1400, 20)), Image.new("L", (64, 64)), Image.new("1", (9, 9))])
def test_the_other_side_sees_the_same_and_so_does_a_second_time(other: Image.Image) -> None:
    left, right = png(page()), png(other)
    result, shown = pictures.compare(left, right)
    turned, again = pictures.compare(right, left)
    assert turned == result.mirrored() and again == shown and pictures.compare(left, right) == (result, shown)
    document, blobs = unpack(pack(result, shown))
    assert PictureResult.from_bytes(document) == result and blobs.keys() == {result.overlay, result.difference}
    assert ("SIZES_DIFFER" in result.notes) == (other.size != (640, 480))


def test_one_picture_far_longer_than_the_other_is_on_paper() -> None:
    result, _shown = pictures.compare(png(page(size=(1400, 16_000))), png(page(size=(1400, 900))))
    assert result.canvas == (1000, 11_428) and 0 < result.differing < result.tiles
    long, _shown = pictures.compare(png(page(size=(500, 16_000))), png(page(size=(500, 100))))
    assert long.canvas == (500, 12_000) and "CANVAS_HEIGHT" in long.notes


def test_transparent_is_white() -> None:
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    result, _shown = pictures.compare(png(clear), png(Image.new("RGB", (64, 64), "white")))
    assert result.differing == 0


def test_noise_that_does_not_compress_is_made_smaller() -> None:
    noise = [Image.frombytes("RGB", (1000, 8000), os.urandom(24_000_000)) for _ in range(2)]
    _result, shown = pictures.compare(*(png(n, compress_level=1) for n in noise))
    assert max(map(len, shown)) <= BLOB_MAX


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", png(page())[:300], b"GIF89a", None], ids=["nothing", "mark", "half", "GIF", "large"])
def test_what_cannot_be_opened_is_said(data: bytes | None) -> None:
    with pytest.raises(NotCompared):
        pictures.compare(png(Image.new("1", (30_000, 30_000))) if data is None else data, png(page()))


def test_an_answer_that_is_not_whole_is_refused() -> None:
    result, shown = pictures.compare(png(page()), png(page((0, 0, 99, 99))))
    good = result.to_bytes()
    for bad in (good.replace(b'"distance":', b'"distance":9'), good.replace(b'"tiles":1200', b'"tiles":1'), good[:-1], good.replace(hashlib.sha256(shown[0]).hexdigest().encode(), b"x" * 64)):
        with pytest.raises(ResultFault):
            PictureResult.from_bytes(bad)
    for answer in (b"", pack(result, shown)[:-1], pack(result, [b"<svg>"]), pack(result, [*shown, shown[0]])):
        with pytest.raises(ResultFault):
            unpack(answer)
