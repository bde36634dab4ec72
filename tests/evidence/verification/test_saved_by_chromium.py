"""MHTML and HAR as a real browser writes them: one page saved by Chromium, and what its driver recorded of it."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from evidence.verification.reasons import Reason
from evidence.verification.verdict import Outcome, Overall
from tests.conftest import program
from tests.evidence.verification.snapshot_exhibits import answer, notes, verified

pytestmark = pytest.mark.needs("chromium")

PAGE = (
    "<!doctype html><html lang=zh><meta charset=utf-8><title>侵权页面</title><link rel=icon href=data:,>"
    "<link rel=stylesheet href=/s.css><h1>侵权页面</h1><img src=p.svg><iframe srcdoc='<p>inner</p>'></iframe>"
).encode()
STYLE, PICTURE = b"h1{color:#123}", b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
FILES = {"/": (PAGE, "text/html; charset=utf-8"), "/s.css": (STYLE, "text/css"), "/p.svg": (PICTURE, "image/svg+xml")}


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # noqa: N802
        data, kind = FILES.get(self.path, (b"", "text/plain"))
        self.send_response(200 if self.path in FILES else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    from playwright.sync_api import sync_playwright

    from tests.evidence.intake.browser import FLAGS

    folder: Path = tmp_path_factory.mktemp("saved")
    site = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program("chromium"), args=FLAGS)
            context = browser.new_context(record_har_path=folder / "page.har", record_har_content="embed")
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{site.server_port}/", wait_until="networkidle")
            session = context.new_cdp_session(page)
            message = session.send("Page.captureSnapshot", {"format": "mhtml"})["data"]
            context.close()
            browser.close()
    finally:
        site.shutdown()
        site.server_close()
    return {"page.mhtml": message.encode(), "page.har": (folder / "page.har").read_bytes()}


def test_mhtml_of_chromium(saved: dict[str, bytes]) -> None:
    verdict = verified(("page.mhtml", saved["page.mhtml"]))
    assert verdict.sources[0].format == "mhtml"
    assert answer(verdict, "MHT.FORM") == answer(verdict, "MHT.RESOURCES") == (Outcome.PASSED, None)
    said = notes(verdict, "MHT.FORM")
    assert "PARTS:4" in said, said
    assert any(hashlib.sha256(PICTURE).hexdigest() in n for n in said)
    assert len(verdict.stated) == 1 and verdict.stated[0].instant is not None
    assert verdict.reasons == (Reason.NO_POE,)


def test_har_of_its_driver(saved: dict[str, bytes]) -> None:
    verdict = verified(("page.har", saved["page.har"]))
    assert verdict.sources[0].format == "har"
    assert answer(verdict, "HAR.FORM") == answer(verdict, "HAR.SIZES") == (Outcome.PASSED, None)
    assert f"ENTRIES:{len(json.loads(saved['page.har'])['log']['entries'])}" in notes(verdict, "HAR.FORM")
    assert any(hashlib.sha256(PAGE).hexdigest() in n for n in notes(verdict, "HAR.SIZES"))
    assert verdict.stated and all(t.instant for t in verdict.stated)


def test_a_changed_part_shows_in_its_digest_alone(saved: dict[str, bytes]) -> None:
    """Nobody signed it: a change of text leaves the form whole. The digest of the part is another, which is all that can be said."""
    data = saved["page.mhtml"]
    changed = data.replace(b"color: rgb(17, 34, 51)", b"color: rgb(18, 34, 51)")
    assert changed != data
    before, after = (verified(("page.mhtml", d)) for d in (data, changed))
    assert answer(after, "MHT.FORM") == (Outcome.PASSED, None) and after.overall is Overall.INDETERMINATE
    assert len(set(notes(before, "MHT.FORM")) ^ set(notes(after, "MHT.FORM"))) == 2
