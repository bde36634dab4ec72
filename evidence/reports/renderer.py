"""The process that renders: `python -m evidence.reports.renderer FONTS CACHE`, kept warm by `rendering.render`.

It imports the layout engine once, gives up network, privileges and all writing, and forks a child for each request, so that
a document which exhausts memory or time takes only its own child with it. On standard input: a mark, 8 bytes length, JSON
request; on standard output: the same mark, one byte (`P` document, `F` fault), 8 bytes length, payload. Every load goes through `Locked`: pictures
that our own code wrote into the document, nothing else.
"""

import base64
import gc
import json
import os
import resource
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from .rendering import MARK_BYTES, MEMORY_MAX, SECONDS_MAX, STYLE, SYSTEM_FONT_DIRS

PICTURES = ("data:image/svg+xml", "data:image/png")
READABLE = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/urandom", "/dev/null", "/proc/self")
"""What late imports and the loader open. Evidence, keys and the database are none of it."""
WARMING_FILE = {
    "data": "e30=",
    "name": "warming.json",
    "description": "·",
    "dated": "2026-01-01T00:00:00",
    "relationship": "Data",
}


def serve(requests: BinaryIO, answers: BinaryIO, *, readable: list[Path]) -> None:
    """One request after another until the portal closes its end."""
    from evidence.runs import confinement

    confinement.leave_network()  # first of all: later there may be threads, which stay behind
    warm = _preload()
    confinement.drop_privileges()
    if confinement.landlock_abi():
        confinement.read_only([Path(p) for p in (*READABLE, *SYSTEM_FONT_DIRS, sys.prefix, sys.base_prefix)] + readable)
    while header := requests.read(MARK_BYTES + 8):
        mark, length = header[:MARK_BYTES], int.from_bytes(header[MARK_BYTES:])
        request = json.loads(requests.read(length))
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _child(warm, request, writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            answer = stream.read()
        os.waitpid(child, 0)
        if not answer:
            answer = b"Fthe renderer ended without a document (memory or time limit)"
        answers.write(mark + answer[:1] + (len(answer) - 1).to_bytes(8) + answer[1:])
        answers.flush()


WARMING = """<html lang="zh"><title>·</title>
<style>@page { @top-left { content: element(head) } @bottom-right { content: counter(page) "/" counter(pages) } }
.head { position: running(head) } .row { display: flex } table { table-layout: fixed } li { overflow-wrap: anywhere }</style>
<p class="head" style="font: 9pt var(--body)">明鉴 <p style="font: bold 9pt var(--body)">Mingjian ✓
<p style="font: 9pt var(--title)">明鉴 <b>✓</b><p style="font: 9pt var(--mono)">0123456789abcdef <a lang="en">text</a>
<div class="row"><p>a<a href="https://sig.invalid/Warming">·</a></div><ul><li>a</ul>
<table style="border: 1pt solid"><caption>a</caption><thead><tr><th scope="col">a<tbody><tr><td style="background: #eee">b</table>
<svg width="20" height="20"><title>·</title><rect x="1" y="1" width="9" height="9" fill="#fff" stroke="#000"
 stroke-dasharray="2 2"/><path d="M1 1a2 2 0 1 1 2 1c1 0 1 1 1 1H9V9" fill="none" stroke="#000"/><circle cx="5" cy="5" r="2"/>
<polygon points="1,1 2,2 3,1"/><g font-family="EvMono"><text x="1" y="9" font-size="6" font-weight="bold">a</text></g></svg>"""
"""A bit of everything a report is made of: what the engine loads and compiles at first use is then there for every child."""


def _preload() -> tuple[Any, Any]:
    """The fonts and the house style, with everything behind them loaded: children start from here."""
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    style = weasyprint.CSS(string=STYLE, font_config=fonts, url_fetcher=_locked())
    warm = fonts, style
    request = {"html": WARMING, "identifier": "warming", "attachments": [WARMING_FILE]}
    _write(warm, request)
    gc.enable()
    gc.freeze()
    return warm


def _child(warm: tuple[Any, Any], request: dict[str, Any], writing: int) -> None:
    """Never returns. A refused load is a BaseException by design; every end becomes an answer."""
    signal.alarm(SECONDS_MAX)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))
    try:
        answer = b"P" + _write(warm, request)
    except BaseException as fault:
        answer = b"F" + f"{type(fault).__name__}: {fault}"[:500].encode("utf-8", "replace")
    with os.fdopen(writing, "wb") as stream:
        stream.write(answer)
    os._exit(0)


def _write(warm: tuple[Any, Any], request: dict[str, Any]) -> bytes:
    import weasyprint

    from .pdf_finish import finish

    gc.disable()  # one short-lived process: collecting costs a quarter of its time
    fonts, style = warm
    files = [
        weasyprint.Attachment(
            string=base64.b64decode(a["data"]),
            name=a["name"],
            description=a["description"],
            created=datetime.fromisoformat(a["dated"]),
            modified=datetime.fromisoformat(a["dated"]),
            relationship=a["relationship"],
        )
        for a in request["attachments"]
    ]
    locked = _locked()
    made = weasyprint.HTML(string=request["html"], url_fetcher=locked).write_pdf(
        stylesheets=[style],
        font_config=fonts,
        pdf_variant="pdf/a-3a",
        attachments=files,
        finisher=finish,
        pdf_identifier=request["identifier"].encode(),
    )
    if locked.refused:  # inside a drawing the engine goes on without what it did not get
        raise ValueError(locked.refused[0])
    return bytes(made)


def _locked() -> Any:
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    class Locked(URLFetcher):  # type: ignore[misc]
        refused: list[str] = []

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url.startswith(PICTURES):
                return super().fetch(url, headers)
            self.refused.append(f"a report loads nothing: {url[:80]}")
            raise FatalURLFetchingError(self.refused[-1])

    return Locked(allowed_protocols=("data",), allow_redirects=False)


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer, readable=[Path(argument) for argument in sys.argv[1:]])
