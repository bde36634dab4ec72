"""A small web page, served on this machine for a moment, captured by warcio and packed by py-wacz: writers that know nothing of us."""

import contextlib
import http.server
import io
import struct
import tempfile
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

PAGE = """<!doctype html>
<html lang="zh"><meta charset="utf-8"><title>示范商铺 · 山水图瓷盘</title>
<link rel="stylesheet" href="/style.css">
<h1>山水图瓷盘（演示商品）</h1>
<p>售价 ¥128，已售 2 316 件。图案：{pattern}</p>
<img src="/plate.png" alt="瓷盘图片" width="96" height="96">
<p>This page exists only for a demonstration.</p>
</html>
"""
STYLE = "body { font-family: serif; margin: 2em; } h1 { color: #14213d; }\n"


def capture(*, pattern: str) -> bytes:
    """Serve the page, capture it over HTTP, pack it: -> WACZ bytes. `pattern` makes pages differ."""
    from warcio.capture_http import capture_http  # noqa: I001  patches http.client: must come before requests

    import requests

    with _served(pattern) as url, tempfile.TemporaryDirectory() as folder:
        warc = Path(folder) / "data.warc.gz"
        with capture_http(str(warc)):
            for path in ("/", "/style.css", "/plate.png"):
                requests.get(url + path, timeout=10).raise_for_status()
        return _pack(warc, url + "/")


def _pack(warc: Path, url: str) -> bytes:
    from wacz.main import main

    output = warc.with_name("page.wacz")
    with contextlib.redirect_stdout(io.StringIO()):
        code = main(["create", str(warc), "-o", str(output), "--detect-pages", "--url", url, "--hash-type", "sha256"])
    if code:
        raise RuntimeError(f"py-wacz ended with {code}")
    return output.read_bytes()


def png(*, shade: int) -> bytes:
    """A plain 96 × 96 picture; other shades are other pictures."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + bytes((shade, 96, 140)) * 96
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 96, 96, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(row * 96))
        + chunk(b"IEND", b"")
    )


@contextlib.contextmanager
def _served(pattern: str) -> Iterator[str]:
    bodies = {
        "/": ("text/html; charset=utf-8", PAGE.format(pattern=pattern).encode()),
        "/style.css": ("text/css", STYLE.encode()),
        "/plate.png": ("image/png", png(shade=sum(pattern.encode()) % 200)),
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = bodies.get(self.path, ("text/plain", b""))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
