"""Make the report's fonts: static TrueType files from the locked npm packages, and one for rare characters.

Run at set-up: ``python portal/frontend/fonts.py node_modules portal/fonts/build [NotoSansCJK-Regular.ttc]``.

Static weights: a variable font would be instanced anew in every report. TrueType throughout: the conformance validator
misreads the widths of a subset of the CID-keyed CFF font (GLYPH-WIDTH-001: it does not follow FDSelect), so the outlines of
Noto Sans CJK, cubic, are converted to quadratic ones, once, here: about 37,000 glyphs in some 20 seconds.

Writes six fonts and one licence for each family, and, where the last argument names the file, `MingjianRare.ttf` with its
licence. Every file is replaced whole, so an interrupted run leaves no half font.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont

# target name -> source inside node_modules
WOFF2_TO_TTF = {
    "NotoSansSC-Regular.ttf": "@fontsource/noto-sans-sc/files/noto-sans-sc-chinese-simplified-400-normal.woff2",
    "NotoSansSC-Bold.ttf": "@fontsource/noto-sans-sc/files/noto-sans-sc-chinese-simplified-700-normal.woff2",
    "NotoSerifSC-Bold.ttf": "@fontsource/noto-serif-sc/files/noto-serif-sc-chinese-simplified-700-normal.woff2",
}
COPIED = {
    "DejaVuSans.ttf": "dejavu-fonts-ttf/ttf/DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf": "dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf",
    "DejaVuSansMono.ttf": "dejavu-fonts-ttf/ttf/DejaVuSansMono.ttf",
    "LICENSE-NotoSansSC.txt": "@fontsource/noto-sans-sc/LICENSE",
    "LICENSE-NotoSerifSC.txt": "@fontsource/noto-serif-sc/LICENSE",
    "LICENSE-DejaVu.txt": "dejavu-fonts-ttf/LICENSE",
}

RARE_FAMILY = "Mingjian Rare"
"""A modified version may not bear a reserved name of its original (OFL-1.1, condition 3): Source, and Noto is a trademark."""
RARE_FACE = "Noto Sans CJK SC"
RARE_ERROR_MAX = 1.0
"""Largest distance of a converted outline from the original, in thousandths of the type size: 0.004 mm at 10 pt."""
RARE_NOTICE = """{copyright}
Taken from "{face}" ({version}): the characters that the body font of this product lacks, with
outlines converted from cubic to quadratic curves, as "{family}". Not made or endorsed by Adobe or Google.

"""


def main(packages: Path, target: Path, collection: Path | None = None) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name, source in WOFF2_TO_TTF.items():
        with TTFont(packages / source, recalcTimestamp=False) as font:
            font.flavor = None
            font.save(target / f"{name}.part")
        os.replace(target / f"{name}.part", target / name)
    for name, source in COPIED.items():
        shutil.copyfile(packages / source, target / f"{name}.part")
        os.replace(target / f"{name}.part", target / name)
    if collection is not None:
        rare(collection, target)


def rare(collection: Path, target: Path) -> None:
    """`MingjianRare.ttf` of what the Simplified Chinese face in `collection` has and the body font has not."""
    with TTFont(target / "NotoSansSC-Regular.ttf", lazy=True) as body, TTCollection(collection, lazy=True) as faces:
        face = next(f for f in faces.fonts if f["name"].getDebugName(1) == RARE_FACE)
        lacking = {code: glyph for code, glyph in face.getBestCmap().items() if code not in body.getBestCmap()}
        converted(face, lacking).save(target / "MingjianRare.ttf.part")
        notice = RARE_NOTICE.format(
            copyright=face["name"].getDebugName(0), face=RARE_FACE, version=face["name"].getDebugName(5), family=RARE_FAMILY
        )
    # The licence is the one that the body font of the same project comes with, from its first paragraph on.
    licence = (target / "LICENSE-NotoSansSC.txt").read_text(encoding="utf-8")
    said = notice + licence[licence.index("This Font Software is licensed") :]
    (target / "LICENSE-MingjianRare.txt").write_text(said, encoding="utf-8")
    os.replace(target / "MingjianRare.ttf.part", target / "MingjianRare.ttf")


def converted(face: TTFont, characters: dict[int, str]) -> TTFont:
    """A TrueType font with those characters of `face` (code point -> glyph); dates are those of the original."""
    order = [".notdef", *dict.fromkeys(characters.values())]
    outlines = face.getGlyphSet()
    glyphs, metrics = {}, {}
    for name in order:
        pen = TTGlyphPen(None)
        outlines[name].draw(Cu2QuPen(pen, RARE_ERROR_MAX, reverse_direction=True))
        glyphs[name] = pen.glyph()
    builder = FontBuilder(face["head"].unitsPerEm, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(characters)
    builder.setupGlyf(glyphs)
    for name in order:
        metrics[name] = (face["hmtx"][name][0], glyphs[name].xMin if glyphs[name].numberOfContours else 0)
    builder.setupHorizontalMetrics(metrics)
    hhea, os2 = face["hhea"], face["OS/2"]
    builder.setupHorizontalHeader(ascent=hhea.ascent, descent=hhea.descent)
    builder.setupOS2(
        sTypoAscender=os2.sTypoAscender,
        sTypoDescender=os2.sTypoDescender,
        usWinAscent=os2.usWinAscent,
        usWinDescent=os2.usWinDescent,
        sxHeight=os2.sxHeight,
        sCapHeight=os2.sCapHeight,
        fsType=0,  # may be embedded
    )
    builder.setupNameTable(_names(face))
    builder.setupPost(keepGlyphNames=False, underlinePosition=-125, underlineThickness=50)
    builder.updateHead(created=face["head"].created, modified=face["head"].modified, fontRevision=face["head"].fontRevision)
    builder.font.recalcTimestamp = False
    return builder.font


def _names(face: TTFont) -> dict[str, str]:
    kept = {"copyright": 0, "licenseDescription": 13, "licenseInfoURL": 14}
    return {
        "familyName": RARE_FAMILY,
        "styleName": "Regular",
        "uniqueFontIdentifier": f"{RARE_FAMILY} from {RARE_FACE} {face['name'].getDebugName(5)}",
        "fullName": RARE_FAMILY,
        "version": "Version 1.000",
        "psName": RARE_FAMILY.replace(" ", "") + "-Regular",
        **{name: face["name"].getDebugName(number) for name, number in kept.items()},
    }


def command(arguments: Sequence[str]) -> None:
    if len(arguments) not in (2, 3):
        sys.exit("usage: fonts.py NODE_MODULES TARGET_FOLDER [NotoSansCJK-Regular.ttc]")
    main(*map(Path, arguments))


if __name__ == "__main__":
    command(sys.argv[1:])
