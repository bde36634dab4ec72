"""Typst -> PDF/A-3a that is also PDF/UA-1, offline by construction (spec signed-report §2, §4, §5).

One function, `render`, so that the engine behind it can change. The work is done by `renderer`, a warm process of its own with
an empty environment, in a child for each document with limits on memory and time. Nothing reads a clock: the same input gives
the same bytes.

What a document says reaches it as JSON: strings of parties are never parsed as markup. The fonts are ours, by the names that
their files have; neither those of the host nor those inside the compiler are looked at.
"""

import atexit
import json
import os
import re
import secrets
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "typeset"
"""Root of the compiler: a document can read nothing outside."""
MEMORY_MAX = 1536 << 20
"""Address space of a render: the main report on 1,000 exhibits needs 290 MB resident, a volume 190 MB; address space runs ahead of that."""
SECONDS_MAX = 60
"""Of processor and of wall: a volume takes about a second."""
THREADS = "2"
"""Of the compiler; the bytes do not depend on it, the address space does."""
TUNED = "glibc.malloc.tcache_count=2000"
"""Of the C library: how many freed pieces of each size a thread keeps at hand. The validator spends a third of its time on small pieces."""
PARALLEL = 2
"""Documents at the same time, each by a warm process of its own: volumes of one report."""
MARK_BYTES = 16
"""Random bytes by which an answer is known to belong to its question."""
FONTS = (
    "NotoSansSC-Regular.ttf",
    "NotoSansSC-Bold.ttf",
    "NotoSerifSC-Bold.ttf",
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSansMono.ttf",
)
CHAINS = (("NotoSansSC-Regular.ttf", "DejaVuSans.ttf"), ("NotoSansSC-Bold.ttf", "DejaVuSans-Bold.ttf"))
"""Of ordinary text, regular and bold, before the rare ones: a character must be there in both."""
RARE = {"Mingjian Rare": "MingjianRare.ttf", "HanaMinA": "HanaMinA.ttf", "HanaMinB": "HanaMinB.ttf"}
"""Families for rare characters in the order in which they are asked, and their files, present when the Debian packages are
(the first is made from one at set-up). All TrueType: the validator misreads the widths of a CID-keyed CFF subset."""
SYSTEM_FONT_DIRS = ("/usr/share/fonts/truetype/hanazono",)


class RenderError(RuntimeError):
    """The document could not be rendered; the message says why, with the place in the template where there is one."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file embedded in the PDF: only JSON and XML that we wrote ourselves. Dated as the document.

    relationship   its AFRelationship: "data" or "supplement"
    """

    name: str
    data: bytes
    description: str
    relationship: str
    mime: str = "application/json"


def render(
    main: str,
    data: Mapping[str, Any],
    *,
    fonts: Path,
    dated: datetime,
    attachments: Sequence[Attached] = (),
) -> bytes:
    """Render in a child process and return the unsigned PDF, re-packed, with its signature fields.

    main    a document below `TEMPLATES`, e.g. "report/report.typ"
    data    what it says: JSON values, `sys.inputs.data`
    fonts   directory with the files of `FONTS`
    dated   time of creation, of the document and its attachments; aware
    """
    kind, payload = _renderer(fonts, TEMPLATES).ask(_request(main, data, fonts, dated, attachments))
    if kind != b"P":
        raise RenderError(payload.decode("utf-8", "replace"))
    return payload


def _request(main: str, data: Mapping[str, Any], fonts: Path, dated: datetime, attachments: Sequence[Attached]) -> bytes:
    if dated.tzinfo is None:
        raise ValueError("the time of creation has no offset from UTC")
    ordered = sorted(attachments, key=lambda a: a.name)
    told = [{"name": a.name, "description": a.description, "relationship": a.relationship, "mime": a.mime} for a in ordered]
    inputs = {
        "data": _json(data),
        "rare": _json([family for family, _file in _rare_fonts(fonts)]),
        "attachments": _json(told),
        **{f"attachment-{n}": a.data for n, a in enumerate(ordered)},
    }
    head = {"main": main, "dated": dated.isoformat(timespec="seconds"), "inputs": {name: len(text) for name, text in inputs.items()}}
    return b"".join((_json(head), b"\n", *inputs.values()))


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


class _Renderer:
    """The warm process; started on first use and again if it has died. One document at a time.

    It belongs to the process that started it: after a fork each side must have its own, or two would read one pipe.
    """

    def __init__(self, fonts: Path, templates: Path) -> None:
        self._fonts, self._templates = fonts, templates
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()
        atexit.register(self.close)

    def ask(self, request: bytes, *, wait: bool = True) -> tuple[bytes, bytes] | None:
        """(kind, payload): `P` and the document, or `F` and why there is none. None: it is at work, and was not to be waited for."""
        if self._owner != os.getpid():
            # The other side of the fork keeps the process, and may have held the lock at that moment.
            self._lock, self._process, self._owner = threading.Lock(), None, os.getpid()
        if not self._lock.acquire(blocking=wait):
            return None
        try:
            return self._exchange(self._running(), request)
        except OSError as fault:
            self.close()
            raise RenderError(f"the renderer is gone: {fault}") from fault
        except BaseException:
            # Interrupted between question and answer: the next caller must never read this document.
            self.close()
            raise
        finally:
            self._lock.release()

    @staticmethod
    def _exchange(process: "subprocess.Popen[bytes]", request: bytes) -> tuple[bytes, bytes]:
        """Each question carries a mark that its answer repeats: one document can never be taken for another."""
        if process.stdin is None or process.stdout is None:
            raise RenderError("the renderer has no pipes")
        mark = secrets.token_bytes(MARK_BYTES)
        process.stdin.write(mark + len(request).to_bytes(8))
        process.stdin.write(request)
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
            directories = [self._fonts, *(d for d in map(Path, SYSTEM_FONT_DIRS) if d.is_dir())]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "evidence.reports.renderer", str(self._templates), *map(str, directories)],
                cwd=Path(__file__).resolve().parents[2],
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "RAYON_NUM_THREADS": THREADS, "MALLOC_ARENA_MAX": THREADS, "GLIBC_TUNABLES": TUNED},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        return self._process


class _Press:
    """`PARALLEL` renderers."""

    def __init__(self, fonts: Path, templates: Path) -> None:
        self.renderers = tuple(_Renderer(fonts, templates) for _ in range(PARALLEL))

    def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """(kind, payload) from the first renderer that is free, else from one of them when it is."""
        for renderer in self.renderers:
            if answer := renderer.ask(request, wait=False):
                return answer
        answer = self.renderers[secrets.randbelow(PARALLEL)].ask(request)
        if answer is None:
            raise RenderError("the renderer did not wait")
        return answer

    def close(self) -> None:
        for renderer in self.renderers:
            renderer.close()


@cache
def _renderer(fonts: Path, templates: Path) -> _Press:
    return _Press(fonts, templates)


def missing_glyphs(text: str, *, fonts: Path) -> str:
    """The characters of `text` that a report cannot show in each of its faces (empty: all is well): no font has them, or
    PDF/A forbids them. `text` may be JSON. Of a letter with marks, the marks, unless one of the first two fonts has all of it: behind these the
    compiler does not always look further once a neighbour sent it on. Rare-name fonts count when installed.
    """
    rare = [file for _family, file in _rare_fonts(fonts)]
    # Titles and figures are set in a face of their own with these behind it; they can show no less.
    chains = [[_characters(file) for file in (*(fonts / name for name in chain), *rare)] for chain in CHAINS]
    found = {c for c in set(text) if not c.isspace()}
    lost = {c for c in found if _forbidden(c) or not all(any(ord(c) in font for font in chain) for chain in chains)}
    marks = {c for c in found - lost if unicodedata.category(c)[0] == "M"}
    if marks:
        unseen = {c for c in found if unicodedata.category(c) == "Cf"}
        for cluster in set(re.findall(f"(?:^|.)[{re.escape(''.join(marks | unseen))}]+", text, re.DOTALL)):
            codes = {ord(c) for c in cluster if c not in unseen}
            # Without a letter of its own, at the start of a string, a mark would go to whatever the page has before it.
            alone = cluster[0] in marks or cluster[0] == '"' or cluster[0].isspace()
            if alone or not all(any(codes <= font for font in chain[:2]) for chain in chains):
                lost.update(marks.intersection(cluster))
    return "".join(sorted(lost))


def _forbidden(character: str) -> bool:
    """Private use, which means something only to whoever made it (ISO 19005-3, 6.2.11.7), the byte order mark, and the
    controls of Duployan shorthand, which have a glyph in one font and none beside a mark."""
    return unicodedata.category(character) == "Co" or character == "\ufeff" or "\U0001bca0" <= character <= "\U0001bca3"


def _rare_fonts(fonts: Path) -> list[tuple[str, Path]]:
    """(family, file) of `RARE`, of those that this machine has."""
    places = [fonts, *map(Path, SYSTEM_FONT_DIRS)]
    return [(family, d / name) for family, name in RARE.items() for d in places if (d / name).exists()]


@cache
def _characters(file: Path) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(file, lazy=True) as font:
        return frozenset(font.getBestCmap())
