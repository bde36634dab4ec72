"""The leak test (spec snapshots §13): a page that tries every way out, in a real browser, before an attacker's server that counts.

Three origins: the portal, the host of evidence, the attacker. Looked at in turn:

    product     handed in as HTML, as MHTML and as WARC, read, and opened from the judge's page, in its frame and alone
    headers     the page as it came, no sanitiser, under the headers of the host of evidence: in the frame, and by itself
    safe view   what the reader made, without any header and without a frame
    controls    without a defence, where it must leak, or the test could not fail

`MINGJIAN_LEAK_TABLE=docs/safe-view.md` writes the table of kinds and modes into that page.
"""

import base64
import io
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, sync_playwright
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from cases.models import Role
from evidence.captures import queue, working
from evidence.captures.capture import READER
from evidence.captures.display import host
from evidence.captures.models import FileReading
from evidence.captures.reading import safe_html
from evidence.captures.reading.held import Held
from evidence.exhibits.models import Exhibit
from portal.people.models import User
from tests import courtroom
from tests.conftest import program
from tests.evidence.captures import hostile_page
from tests.evidence.captures.attacker import Attacker, attacker
from tests.evidence.intake.browser import DESK

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]

SETTLED = 4_500
"""Milliseconds after loading: a refresh waits three seconds, speculation up to one."""
NEVER = {
    # kinds that this browser does not carry out even without a defence, or not on a page alone; they stay, for another version may
    "applet", "bgsound", "css-attr", "css-filter", "css-namespace", "embedded-xml", "fencedframe", "frameset-in-body", "link-dns-prefetch",
    "link-icon", "link-manifest", "link-preconnect", "link-prerender", "mxss-form", "mxss-select", "mxss-textarea", "noscript-img",
    "onpointer-legacy", "portal", "style-attribute-expression", "style-binding", "svg-use", "template", "utf-7", "video-track", "xlink-a",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _playwright_runs_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture(scope="module")
def there() -> Iterator[Attacker]:
    with attacker(hostile_page.PIECES) as server:
        yield server


class _Plain(BaseHTTPRequestHandler):
    """Pages by path, with the headers a mode names: a host of evidence that lets everything through the sanitiser."""

    pages: dict[str, tuple[dict[str, str], bytes]] = {}

    def do_GET(self) -> None:
        headers, body = self.pages.get(self.path, ({}, b""))
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def plain() -> Iterator[str]:
    """On `localhost`, where the attacker is on 127.0.0.1."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Plain)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def judge() -> User:
    return courtroom.person("judge")


@pytest.fixture
def evidence_host(live_server: Any, settings: Any) -> str:
    settings.PORTAL_EVIDENCE_ORIGIN = f"http://evidence.localhost:{urlsplit(live_server.url).port}"
    return str(settings.PORTAL_EVIDENCE_ORIGIN)


@pytest.fixture
def browser(live_server: Any, judge: User, settings: Any) -> Iterator[BrowserContext]:
    """As a court's browser: Playwright's own start switches off what announces connections in advance, and would hide it here."""
    session = Client()
    session.force_login(judge)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--no-first-run"],
            ignore_default_args=["--disable-background-networking"],
        )
        context = started.new_context(viewport=DESK, locale="zh-CN")
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": session.cookies[name].value, "url": live_server.url}])
        yield context
        started.close()


def as_mhtml(page: str, address: str) -> bytes:
    body = base64.encodebytes(page.encode()).decode().replace("\n", "\r\n")
    return (
        f"From: <Saved by Blink>\r\nSnapshot-Content-Location: {address}\r\nSubject: hostile\r\nDate: Sun, 22 Nov 2026 08:00:00 -0000\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/related; type="text/html"; boundary="----b----"\r\n\r\n'
        f"------b----\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\nContent-Location: {address}\r\n\r\n{body}\r\n------b------\r\n"
    ).encode()


def as_warc(page: str, address: str) -> bytes:
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=False)
    head = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Refresh", f"0; url={address}/refresh-header")], "HTTP/1.1")
    writer.write_record(writer.create_warc_record(address, "response", payload=io.BytesIO(page.encode()), http_headers=head))
    return out.getvalue()


@pytest.fixture
def exhibit(judge: User, tmp_path: Path, settings: Any, there: Attacker) -> Exhibit:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    page = hostile_page.page(there.origin)
    address = f"{there.origin('img-src')}/page"
    files = {"hostile.html": page.encode(), "hostile.mhtml": as_mhtml(page, address), "hostile.warc": as_warc(page, address)}
    found = courtroom.hand_in(case, judge, files=files)
    queue.request(found)
    while working.work_once():
        pass
    assert list(FileReading.objects.values_list("state", "captures")) == [("done", 1)] * 3
    return found


def settled(page: Page) -> None:
    page.wait_for_timeout(SETTLED)


def quiet(there: Attacker, what: str) -> None:
    assert (there.asked, there.reached) == ([], set()), what


@pytest.mark.parametrize("position", [1, 2, 3], ids=["html", "mhtml", "warc"])
def test_nothing_leaves_the_judges_page(
    exhibit: Exhibit, live_server: Any, evidence_host: str, browser: BrowserContext, there: Attacker, position: int
) -> None:
    """Through the whole product. No request, no connection, no cookie to the host of evidence, and the words can be read."""
    there.forget()
    page = browser.new_page()
    sent: list[tuple[str, dict[str, str]]] = []
    page.on("request", lambda r: sent.append((r.url, r.all_headers())))
    page.goto(live_server.url + reverse("captures:safe", args=[exhibit.public_id, position, 1]))
    frame = page.frames[1]
    assert frame.url.startswith(evidence_host) and "可见的字" in frame.content()
    settled(page)
    quiet(there, "in the frame")
    assert {urlsplit(u).netloc for u, _ in sent if not u.startswith("data:")} == {urlsplit(live_server.url).netloc, urlsplit(evidence_host).netloc}
    to_evidence = [h for u, h in sent if u.startswith(evidence_host)]
    assert len(to_evidence) == 1 and "cookie" not in to_evidence[0] and "referer" not in to_evidence[0]
    assert page.url.startswith(live_server.url), "the top is where it was"

    with browser.expect_page() as opened:
        page.locator(f"a[href='{reverse('captures:safe_alone', args=[exhibit.public_id, position, 1])}']").click()
    alone = opened.value
    alone.wait_for_load_state()
    assert alone.url.startswith(evidence_host) and "可见的字" in alone.content()
    assert not browser.cookies(evidence_host)
    settled(alone)
    quiet(there, "alone")
    assert READER.endswith("/2")


def framed(inner: str, attributes: str) -> bytes:
    return f"<!doctype html><title>portal</title><iframe {attributes} width=900 height=600 src='{inner}'></iframe>".encode()


def pages(there: Attacker, name: str, kinds: tuple[str, ...]) -> dict[str, tuple[dict[str, str], bytes]]:
    """Every mode of one page, by path."""
    raw = hostile_page.page(there.origin, kinds=kinds)
    view = safe_html.Pages(Held()).view(raw, base=f"{there.origin('img-src')}/page", at=None).html
    assert view is not None
    return {
        f"/top-level/{name}": ({}, raw.encode()),
        f"/frame/{name}": ({}, framed(f"/top-level/{name}", "")),
        f"/sandbox/{name}": ({}, framed(f"/top-level/{name}", 'sandbox=""')),
        f"/headers-top-level/{name}": (host.HEADERS, raw.encode()),
        f"/headers-in-frame/{name}": ({}, framed(f"/headers-top-level/{name}", 'sandbox=""')),
        f"/safe-view/{name}": ({}, view.encode()),
    }


CONTROLS = ("top-level", "frame", "sandbox")
DEFENDED = ("headers-in-frame", "headers-top-level", "safe-view")
CONNECTS = {"iframe", "link-preconnect", "link-dns-prefetch"}
"""No content policy holds back a bare connection that the browser opens in advance, for a frame it will then refuse to fill or where a
page announces one: under the headers alone a connection may come about, with nothing asked over it. The reader writes none of these."""


@pytest.mark.parametrize("mode", DEFENDED)
def test_the_whole_page_at_once_asks_for_nothing(browser: BrowserContext, there: Attacker, plain: str, mode: str) -> None:
    """The sanitiser bypassed, under the headers; and the sanitiser with nothing else. To see it fail: take `default-src 'none'` out
    of the headers, or put `img-src *` into them."""
    _Plain.pages = pages(there, "all", tuple(hostile_page.PIECES))
    there.forget()
    page = browser.new_page()
    page.goto(f"{plain}/{mode}/all")
    settled(page)
    assert there.asked == []
    assert there.reached <= (set() if mode == "safe-view" else CONNECTS)
    assert page.url.startswith(plain)


def test_each_kind_leaks_without_a_defence_and_not_with_one(browser: BrowserContext, there: Attacker, plain: str) -> None:
    """Each kind on a page of its own: the servers see it, so that their silence above means something. All modes, one kind at a time,
    take minutes and are looked at when the table is written."""
    kinds = tuple(hostile_page.PIECES)
    _Plain.pages = {path: page for kind in kinds for path, page in pages(there, kind, (kind,)).items()}
    asked: dict[str, set[str]] = {}
    reached: dict[str, set[str]] = {}
    table = os.environ.get("MINGJIAN_LEAK_TABLE")
    for mode in CONTROLS + DEFENDED if table else CONTROLS[:1]:
        there.forget()
        for start in range(0, len(kinds), 30):
            opened = []
            for kind in kinds[start : start + 30]:
                opened.append(browser.new_page())
                opened[-1].goto(f"{plain}/{mode}/{kind}", wait_until="commit")
            settled(opened[-1])
            for page in browser.pages:
                page.close()
        asked[mode], reached[mode] = set(there.requests), set(there.reached)
    there.forget()
    for kind in sorted(set(kinds) - NEVER - reached["top-level"]):
        # What a browser does when it is idle (speculation, icons) a busy machine may put off: once more, alone.
        again = browser.new_page()
        again.goto(f"{plain}/top-level/{kind}", wait_until="commit")
        settled(again)
        again.close()
    asked["top-level"] |= there.requests
    reached["top-level"] |= there.reached
    if table:
        assert len(asked["frame"]) >= 60 and len(asked["sandbox"]) >= 40, "a frame or a sandbox alone holds little back"
        _write(Path(__file__).parents[3] / table, asked, reached)
    for mode in asked.keys() & set(DEFENDED):
        assert asked[mode] == set(), mode
        assert reached[mode] <= (set() if mode == "safe-view" else CONNECTS), mode
    assert set(kinds) - NEVER - reached["top-level"] == set(), "these controls no longer leak"


def _write(page: Path, asked: dict[str, set[str]], reached: dict[str, set[str]]) -> None:
    modes = CONTROLS + DEFENDED
    lines = ["| kind | " + " | ".join(modes) + " |", "|---" * (len(modes) + 1) + "|"]
    for kind in hostile_page.PIECES:
        cells = ("asks" if kind in asked[m] else "connects" if kind in reached[m] else "–" for m in modes)
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    lines.append(f"| **asks, of {len(hostile_page.PIECES)}** | " + " | ".join(f"**{len(asked[m])}**" for m in modes) + " |")
    begin, end = "<!-- leak table -->\n", "\n<!-- end -->"
    text = page.read_text(encoding="utf-8")
    page.write_text(re.sub(f"(?s){begin}.*?{end}", lambda _: begin + "\n".join(lines) + end, text), encoding="utf-8")
