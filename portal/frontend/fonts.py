"""Make the report's fonts: static TrueType files from the locked npm packages.

Run at set-up: ``python portal/frontend/fonts.py node_modules portal/fonts/build``.

The PDF renderer decodes woff2 glyph by glyph in Python (seconds per report), a TrueType file costs nothing; so the
conversion happens once, here. Static weights are used because the variable ones make the renderer write the
current time into the file, and the same report must give the same bytes.

Writes six fonts and one licence for each family. Every file is replaced whole, so an interrupted run
leaves no half font.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from fontTools.ttLib import TTFont

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


def main(packages: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name, source in WOFF2_TO_TTF.items():
        with TTFont(packages / source, recalcTimestamp=False) as font:
            font.flavor = None
            font.save(target / f"{name}.part")
        os.replace(target / f"{name}.part", target / name)
    for name, source in COPIED.items():
        shutil.copyfile(packages / source, target / f"{name}.part")
        os.replace(target / f"{name}.part", target / name)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: fonts.py NODE_MODULES TARGET_FOLDER")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
