"""HTML -> PDF/A-3a that is also PDF/UA-1, offline by construction (spec signed-report §2, §4, §5).

One function, `render`, so that the engine behind it can change. The work is done by `renderer`, a warm process of its own
with our own fontconfig and an empty environment, in a child for each document with limits on memory and time. Nothing reads
a clock: the same input gives the same bytes.

The fonts reach the renderer through fontconfig alone, under family names of our own: nothing is fetched, and no font of the
host can take the place of one of ours.
"""

import atexit
import base64
import hashlib
import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

MEMORY_MAX = 1536 << 20
"""Address space of a render: 100 exhibits need about 300 MB resident; address space runs ahead of that."""
SECONDS_MAX = 180
"""Of processor and of wall: 50 exhibits with whole proofs are some 150 pages, and take a minute on a busy machine."""
MARK_BYTES = 16
"""Random bytes by which an answer is known to belong to its question."""
FONTS = {
    ("EvBody", "normal"): "NotoSansSC-Regular.ttf",
    ("EvBody", "bold"): "NotoSansSC-Bold.ttf",
    ("EvTitle", "bold"): "NotoSerifSC-Bold.ttf",
    ("EvSym", "normal"): "DejaVuSans.ttf",
    ("EvSym", "bold"): "DejaVuSans-Bold.ttf",
    ("EvMono", "normal"): "DejaVuSansMono.ttf",
}
"""Own family names: a family called Sans or Mono would lose to an alias of the host."""
RARE = {"Noto Sans CJK SC": "NotoSansCJK-Regular.ttc", "HanaMinB": "HanaMinB.ttf"}
"""Families for rare name characters and their files, present when the Debian packages are installed."""
SYSTEM_FONT_DIRS = ("/usr/share/fonts/opentype/noto", "/usr/share/fonts/truetype/hanazono")
STYLE = ":root{{--body:EvBody,{0};--title:EvTitle,EvBody,{0};--mono:EvMono,EvBody,{0}}}".format(
    ",".join(["EvSym", *(f'"{family}"' for family in RARE)])
)
"""Given to every document: the three faces a style sheet may ask for. Fonts of the host come last, for what ours lack."""
SIGNATURE_LINK = "https://sig.invalid/"
"""A link with this prefix in the HTML marks the place of a signature field; it is never opened."""


class RenderError(RuntimeError):
    """The document could not be rendered; the message says why (a refused load, a missing glyph, a limit)."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file embedded in the PDF: only JSON and XML that we wrote ourselves. `relationship` is its AFRelationship."""

    name: str
    data: bytes
    description: str
    relationship: str
    dated: datetime


def render(
    html: str,
    *,
    fonts: Path,
    cache: Path,
    identifier: bytes,
    attachments: Sequence[Attached] = (),
) -> bytes:
    """Render in a child process and return the unsigned PDF.

    fonts        directory with the files of `FONTS`
    cache        private writable directory for fontconfig
    identifier   goes into the PDF's /ID, so that it does not depend on time
    """
    request = json.dumps(
        {
            "html": html,
            "identifier": identifier.decode("ascii"),
            "attachments": [
                {
                    "name": a.name,
                    "data": base64.b64encode(a.data).decode(),
                    "description": a.description,
                    "relationship": a.relationship,
                    "dated": a.dated.replace(tzinfo=None).isoformat(),
                }
                for a in sorted(attachments, key=lambda a: a.name)
            ],
        }
    ).encode()
    kind, payload = _renderer(fonts, cache).ask(request)
    if kind != b"P":
        raise RenderError(payload.decode("utf-8", "replace"))
    return payload


class _Renderer:
    """The warm process; started on first use and again if it has died. One document at a time.

    It belongs to the process that started it: after a fork each side must have its own, or two would read one pipe.
    """

    def __init__(self, fonts: Path, cache_directory: Path) -> None:
        self._fonts, self._cache = fonts, cache_directory
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()
        atexit.register(self.close)

    def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """(kind, payload): `P` and the document, or `F` and why there is none."""
        if self._owner != os.getpid():
            # The other side of the fork keeps the process, and may have held the lock at that moment.
            self._lock, self._process, self._owner = threading.Lock(), None, os.getpid()
        with self._lock:
            try:
                return self._exchange(self._running(), request)
            except OSError as fault:
                self.close()
                raise RenderError(f"the renderer is gone: {fault}") from fault
            except BaseException:
                # Interrupted between question and answer: the next caller must never read this document.
                self.close()
                raise

    @staticmethod
    def _exchange(process: "subprocess.Popen[bytes]", request: bytes) -> tuple[bytes, bytes]:
        """Each question carries a mark that its answer repeats: one document can never be taken for another."""
        if process.stdin is None or process.stdout is None:
            raise RenderError("the renderer has no pipes")
        mark = secrets.token_bytes(MARK_BYTES)
        process.stdin.write(mark + len(request).to_bytes(8) + request)
        process.stdin.flush()
        head = process.stdout.read(MARK_BYTES + 9)
        kind, length = head[MARK_BYTES : MARK_BYTES + 1], int.from_bytes(head[MARK_BYTES + 1 :])
        if head[:MARK_BYTES] != mark:
            raise RenderError("the renderer answered another question" if head else "the renderer ended without an answer")
        payload = process.stdout.read(length)
        if len(head) < MARK_BYTES + 9 or len(payload) < length:
            raise RenderError("the renderer ended in the middle of a document")
        return kind, payload

    def close(self) -> None:
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            self._process.wait()
            self._process = None

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            environment = {
                "FONTCONFIG_FILE": str(fontconfig(self._fonts, self._cache)),
                "SOURCE_DATE_EPOCH": "0",
                "PATH": "/usr/bin:/bin",
                "LC_ALL": "C.UTF-8",
            }
            self._process = subprocess.Popen(
                [sys.executable, "-m", "evidence.reports.renderer", str(self._fonts), str(self._cache)],
                cwd=Path(__file__).resolve().parents[2],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        return self._process


@cache
def _renderer(fonts: Path, cache_directory: Path) -> _Renderer:
    return _Renderer(fonts, cache_directory)


def fontconfig(fonts: Path, cache_directory: Path) -> Path:
    """Our own fontconfig file: the fonts of `FONTS` under their names here, those of `RARE`, and no other."""
    directories = "".join(f"<dir>{escape(str(d))}</dir>" for d in (fonts, *SYSTEM_FONT_DIRS))
    renamed = "".join(
        f'<match target="scan"><test name="file" compare="eq"><string>{escape(str(fonts / file))}</string></test>'
        f'<edit name="family" mode="assign_replace"><string>{family}</string></edit></match>'
        for (family, _weight), file in FONTS.items()
    )
    accepted = "".join(
        f'<acceptfont><pattern><patelt name="family"><string>{family}</string></patelt></pattern></acceptfont>'
        for family in dict.fromkeys([*(family for family, _weight in FONTS), *RARE])
    )
    every = '<rejectfont><pattern><patelt name="scalable"><bool>true</bool></patelt></pattern></rejectfont>'
    rules = f"{directories}{renamed}<selectfont>{every}{accepted}</selectfont>"
    # fontconfig's own cache keeps the result of renaming: another set of rules needs another place for it.
    place = cache_directory / hashlib.sha256(rules.encode()).hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True)
    file = place / "fonts.conf"
    new = place / f"fonts.conf.{os.getpid()}"
    new.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
        f"<fontconfig>{rules}<cachedir>{escape(str(place))}</cachedir></fontconfig>",
        encoding="utf-8",
    )
    new.replace(file)
    return file


def missing_glyphs(text: str, *, fonts: Path) -> str:
    """The characters of `text` that no font of the report has (empty: all is well). Rare-name fonts count when installed."""
    wanted = {c for c in text if not c.isspace()}
    for file in (*(fonts / name for name in dict.fromkeys(FONTS.values())), *_rare_fonts()):
        wanted = {c for c in wanted if ord(c) not in _characters(file)} if wanted else wanted
    return "".join(sorted(wanted))


def _rare_fonts() -> list[Path]:
    return [p for d in SYSTEM_FONT_DIRS for name in RARE.values() if (p := Path(d) / name).exists()]


@cache
def _characters(file: Path) -> frozenset[int]:
    from fontTools.ttLib import TTCollection, TTFont

    font = TTCollection(file, lazy=True).fonts[0] if file.suffix == ".ttc" else TTFont(file, lazy=True)
    return frozenset(font.getBestCmap())
