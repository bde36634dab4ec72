"""The visible seal as outlines: a ring, a star and the court's words drawn as glyph paths, so that no font rides along."""

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

SIZE = 120.0
"""Side of the square drawing; it is scaled into the signature field."""
INK = (0.643, 0.086, 0.102)
CURVE = 0.5522847498
"""Control distance with which four cubic curves draw a circle of radius 1."""


def seal_content(lines: tuple[str, ...], *, fonts: Path) -> Any:
    """pyHanko content for a stamp. `lines` are printed below the star, each fitted to the ring."""
    from pyhanko.pdf_utils.content import RawContent
    from pyhanko.pdf_utils.layout import BoxConstraints

    return RawContent(data=_drawing(lines, fonts), box=BoxConstraints(width=SIZE, height=SIZE))


NAME_SIZE = (150.0, 40.0)
"""Of the drawing of a person's name, as wide and high as the field is."""
NAME_INK = (0.06, 0.09, 0.2)


def name_content(name: str, *, fonts: Path) -> Any:
    """pyHanko content for a person's signature: the name of the certificate in outlines. Characters that the font lacks are
    left out; the certificate has them."""
    from pyhanko.pdf_utils.content import RawContent
    from pyhanko.pdf_utils.layout import BoxConstraints

    return RawContent(data=_name(name, fonts), box=BoxConstraints(width=NAME_SIZE[0], height=NAME_SIZE[1]))


@lru_cache(maxsize=64)
def _name(name: str, fonts: Path) -> bytes:
    red, green, blue = NAME_INK
    text = _text(name, fonts, y=12, height=18, width=NAME_SIZE[0] - 8, across=NAME_SIZE[0])
    return f"{red} {green} {blue} rg {text}".encode("ascii")


@lru_cache(maxsize=64)
def _drawing(lines: tuple[str, ...], fonts: Path) -> bytes:
    """Content stream of the seal: opening the font takes longer than all the rest of sealing."""
    centre = SIZE / 2
    parts = [f"{INK[0]} {INK[1]} {INK[2]} RG {INK[0]} {INK[1]} {INK[2]} rg"]
    parts.append("3 w " + _circle(centre, centre, centre - 4) + " S")
    parts.append("0.8 w " + _circle(centre, centre, centre - 9) + " S")
    parts.append(_star(centre, centre + 20, 15) + " f")
    height = 13.0
    for number, line in enumerate(lines):
        parts.append(_text(line, fonts, y=centre - 8 - number * (height + 4), height=height, width=SIZE - 34))
    return "\n".join(parts).encode("ascii")


def _circle(x: float, y: float, r: float) -> str:
    k = CURVE * r
    return (
        f"{x + r:.2f} {y:.2f} m "
        f"{x + r:.2f} {y + k:.2f} {x + k:.2f} {y + r:.2f} {x:.2f} {y + r:.2f} c "
        f"{x - k:.2f} {y + r:.2f} {x - r:.2f} {y + k:.2f} {x - r:.2f} {y:.2f} c "
        f"{x - r:.2f} {y - k:.2f} {x - k:.2f} {y - r:.2f} {x:.2f} {y - r:.2f} c "
        f"{x + k:.2f} {y - r:.2f} {x + r:.2f} {y - k:.2f} {x + r:.2f} {y:.2f} c h"
    )


def _star(x: float, y: float, r: float) -> str:
    points = []
    for corner in range(10):
        radius = r if corner % 2 == 0 else r * 0.382
        angle = math.pi / 2 + corner * math.pi / 5
        points.append(f"{x + radius * math.cos(angle):.2f} {y + radius * math.sin(angle):.2f}")
    return points[0] + " m " + " ".join(f"{p} l" for p in points[1:]) + " h"


def _text(line: str, fonts: Path, *, y: float, height: float, width: float, across: float = SIZE) -> str:
    """The glyphs of a line as filled paths, centred in `across`, shrunk to `width`."""
    from fontTools.pens.basePen import BasePen
    from fontTools.ttLib import TTFont

    font = TTFont(fonts / "NotoSansSC-Bold.ttf", lazy=True)
    glyphs, cmap = font.getGlyphSet(), font.getBestCmap()
    names = [cmap[ord(c)] for c in line if ord(c) in cmap]
    advance = sum(glyphs[n].width for n in names) or 1
    scale = min(height / font["head"].unitsPerEm, width / advance)
    x = (across - advance * scale) / 2
    operators: list[str] = []

    class Paths(BasePen):  # type: ignore[misc]  # BasePen turns the font's quadratic curves into cubic ones
        def _at(self, point: tuple[float, float]) -> str:
            return f"{x + point[0] * scale:.2f} {y + point[1] * scale:.2f}"

        def _moveTo(self, pt: tuple[float, float]) -> None:
            operators.append(self._at(pt) + " m")

        def _lineTo(self, pt: tuple[float, float]) -> None:
            operators.append(self._at(pt) + " l")

        def _curveToOne(self, a: Any, b: Any, c: Any) -> None:
            operators.append(f"{self._at(a)} {self._at(b)} {self._at(c)} c")

        def _closePath(self) -> None:
            operators.append("h")

    for name in names:
        glyphs[name].draw(Paths(glyphs))
        x += glyphs[name].width * scale
    return " ".join(operators) + " f"
