"""HTML -> PDF/A-3a that is also PDF/UA-1, offline by construction (spec signed-report §2, §4, §5).

One function, `render`, so that the engine behind it can change. It runs in a child process of a warm fork server with limits
on memory and time. Every load goes through `Locked`, which knows the court's fonts and pictures made by our own code and
aborts the render on anything else. Nothing reads a clock: the same input gives the same bytes.
"""

import multiprocessing
import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

MEMORY_MAX = 1536 << 20
"""Address space of a render: 100 exhibits need about 300 MB resident; address space runs ahead of that."""
SECONDS_MAX = 60
FONTS = {
    ("EvBody", "normal"): "NotoSansSC-Regular.ttf",
    ("EvBody", "bold"): "NotoSansSC-Bold.ttf",
    ("EvTitle", "bold"): "NotoSerifSC-Bold.ttf",
    ("EvSym", "normal"): "DejaVuSans.ttf",
    ("EvSym", "bold"): "DejaVuSans-Bold.ttf",
    ("EvMono", "normal"): "DejaVuSansMono.ttf",
}
"""Own family names: a family called Sans or Mono would lose to an alias of the host."""
RARE = ('"Noto Sans CJK SC"', '"HanaMinB"')
"""Families for rare name characters, present when the Debian packages are installed."""
RARE_FILES = ("NotoSansCJK-Regular.ttc", "HanaMinB.ttf")
SYSTEM_FONT_DIRS = ("/usr/share/fonts/opentype/noto", "/usr/share/fonts/truetype/hanazono")
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
    context = multiprocessing.get_context("forkserver")
    _prepare(fonts, cache)
    context.set_forkserver_preload(["evidence.reports.rendering_preload"])
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(
        target=_child, args=(sending, html, fonts, cache, identifier, tuple(attachments)), daemon=True
    )
    child.start()
    sending.close()
    try:
        if not receiving.poll(SECONDS_MAX):
            raise RenderError(f"rendering took longer than {SECONDS_MAX} s")
        kind, payload = receiving.recv()
    except EOFError as fault:
        raise RenderError("the renderer ended without a document (memory limit?)") from fault
    finally:
        receiving.close()
        child.kill()
        child.join()
    if kind != "pdf":
        raise RenderError(payload)
    return bytes(payload)


def missing_glyphs(text: str, *, fonts: Path) -> str:
    """The characters of `text` that no font of the report has (empty: all is well). Rare-name fonts count when installed."""
    wanted = {c for c in text if not c.isspace()}
    for file in (*(fonts / name for name in dict.fromkeys(FONTS.values())), *_rare_fonts()):
        wanted = {c for c in wanted if ord(c) not in _characters(file)} if wanted else wanted
    return "".join(sorted(wanted))


def _rare_fonts() -> list[Path]:
    """The installed fonts of `RARE`: the mainland cut of Noto Sans CJK and HanaMinB."""
    return [p for d in SYSTEM_FONT_DIRS for name in RARE_FILES if (p := Path(d) / name).exists()]


@cache
def _characters(file: Path) -> frozenset[int]:
    from fontTools.ttLib import TTCollection, TTFont

    font = TTCollection(file, lazy=True).fonts[0] if file.suffix == ".ttc" else TTFont(file, lazy=True)
    return frozenset(font.getBestCmap())


def stylesheet_fonts(fonts: Path) -> str:
    faces = "".join(
        f"@font-face{{font-family:{family};font-weight:{weight};src:url('{(fonts / file).as_uri()}')}}"
        for (family, weight), file in FONTS.items()
    )
    rare = ",".join(RARE)
    return (
        faces
        + f":root{{--body:EvBody,{rare},EvSym;--title:EvTitle,EvBody,{rare},EvSym;--mono:EvMono,EvBody,{rare},EvSym}}"
    )


def _prepare(fonts: Path, cache: Path) -> None:
    """Our own fontconfig, set before Pango starts: fonts of the host must not change a report."""
    cache.mkdir(parents=True, exist_ok=True)
    directories = "".join(f"<dir>{d}</dir>" for d in (fonts, *SYSTEM_FONT_DIRS))
    config = (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
        f"<fontconfig>{directories}<cachedir>{cache}</cachedir></fontconfig>"
    )
    file = cache / "fonts.conf"
    if not file.exists() or file.read_text(encoding="utf-8") != config:
        file.write_text(config, encoding="utf-8")
    os.environ["FONTCONFIG_FILE"] = str(file)
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")


def _child(
    sending: Connection, html: str, fonts: Path, cache: Path, identifier: bytes, attachments: tuple[Attached, ...]
) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))
    _prepare(fonts, cache)
    try:
        sending.send(("pdf", _write(html, fonts, identifier, attachments)))
    except BaseException as fault:  # a refused load is a BaseException; the parent turns all of them into RenderError
        sending.send(("fault", f"{type(fault).__name__}: {fault}"[:500]))


def _write(html: str, fonts: Path, identifier: bytes, attachments: tuple[Attached, ...]) -> bytes:
    import gc

    import weasyprint
    from weasyprint.text.fonts import FontConfiguration

    from .pdf_finish import finish

    gc.disable()  # a render is one short-lived process: collecting costs a quarter of its time
    locked = _locked(fonts)
    font_config = FontConfiguration()
    style = weasyprint.CSS(string=stylesheet_fonts(fonts), font_config=font_config, url_fetcher=locked)
    files = [
        weasyprint.Attachment(
            string=a.data,
            name=a.name,
            description=a.description,
            created=a.dated.replace(tzinfo=None),
            modified=a.dated.replace(tzinfo=None),
            relationship=a.relationship,
        )
        for a in sorted(attachments, key=lambda a: a.name)
    ]
    pdf: Any = weasyprint.HTML(string=html, url_fetcher=locked).write_pdf(
        stylesheets=[style],
        font_config=font_config,
        pdf_variant="pdf/a-3a",
        attachments=files,
        finisher=finish,
        pdf_identifier=identifier,
    )
    return bytes(pdf)


def _locked(fonts: Path) -> Any:
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    allowed = {(fonts / name).as_uri() for name in FONTS.values()}

    class Locked(URLFetcher):  # type: ignore[misc]
        """Our fonts and `data:` pictures of our own making; anything else ends the render."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url in allowed or url.startswith(("data:image/svg+xml", "data:image/png")):
                return super().fetch(url, headers)
            raise FatalURLFetchingError(f"a report loads nothing: {url[:80]}")

    return Locked(allowed_protocols=("data", "file"), allow_redirects=False)
