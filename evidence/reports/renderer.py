"""The process that renders: `python -m evidence.reports.renderer FONTS`, kept warm by `rendering.render`.

It imports the layout engine once and forks a child for each request, so that a document which exhausts memory or time takes
only its own child with it. On standard input: 8 bytes length, JSON request; on standard output: one byte (`P` document, `F`
fault), 8 bytes length, payload. Every load goes through `Locked`: our fonts and pictures made by our own code, nothing else.
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

from .rendering import FONTS, MEMORY_MAX, SECONDS_MAX, stylesheet_fonts


def serve(fonts: Path, requests: BinaryIO, answers: BinaryIO) -> None:
    """One request after another until the portal closes its end."""
    _preload()
    while header := requests.read(8):
        request = json.loads(requests.read(int.from_bytes(header)))
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _child(fonts, request, writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            answer = stream.read()
        os.waitpid(child, 0)
        if not answer:
            answer = b"Fthe renderer ended without a document (memory or time limit)"
        answers.write(answer[:1] + (len(answer) - 1).to_bytes(8) + answer[1:])
        answers.flush()


def _preload() -> None:
    import weasyprint
    import weasyprint.text.fonts  # noqa: F401

    weasyprint.HTML(string="<p>·").write_pdf()  # the libraries behind it load at first use
    gc.freeze()


def _child(fonts: Path, request: dict[str, Any], writing: int) -> None:
    """Never returns. A refused load is a BaseException by design; every end becomes an answer."""
    signal.alarm(SECONDS_MAX)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))
    try:
        answer = b"P" + _write(fonts, request)
    except BaseException as fault:
        answer = b"F" + f"{type(fault).__name__}: {fault}"[:500].encode()
    with os.fdopen(writing, "wb") as stream:
        stream.write(answer)
    os._exit(0)


def _write(fonts: Path, request: dict[str, Any]) -> bytes:
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration

    from .pdf_finish import finish

    gc.disable()  # one short-lived process: collecting costs a quarter of its time
    locked = _locked(fonts)
    font_config = FontConfiguration()
    style = weasyprint.CSS(string=stylesheet_fonts(fonts), font_config=font_config, url_fetcher=locked)
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
    return bytes(
        weasyprint.HTML(string=request["html"], url_fetcher=locked).write_pdf(
            stylesheets=[style],
            font_config=font_config,
            pdf_variant="pdf/a-3a",
            attachments=files,
            finisher=finish,
            pdf_identifier=request["identifier"].encode(),
        )
    )


def _locked(fonts: Path) -> Any:
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    allowed = {(fonts / name).as_uri() for name in FONTS.values()}

    class Locked(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            if url in allowed or url.startswith(("data:image/svg+xml", "data:image/png")):
                return super().fetch(url, headers)
            raise FatalURLFetchingError(f"a report loads nothing: {url[:80]}")

    return Locked(allowed_protocols=("data", "file"), allow_redirects=False)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
