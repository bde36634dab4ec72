"""Every kind of file a party may bring, on the judge's exhibit page and on the page of what it shows: phone and desk, Chinese and English."""

import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from PIL import Image, ImageDraw
from playwright.sync_api import Page

from cases.models import Role
from evidence.captures import queue, working
from evidence.exhibits.models import Exhibit
from evidence.verification import Exhibit as Evidence
from evidence.verification import Source, TrustStore, verify
from portal.people.models import User
from tests import courtroom
from tests.evidence.captures.test_kinds import MP4, page
from tests.evidence.intake.browser import chromium
from tests.evidence.verification import test_har, test_hashlist, test_mhtml, test_singlefile, wacz_exhibits
from tests.evidence.verification.snapshot_exhibits import PAGE, members, record
from tests.screens import look, speak

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def screenshot() -> bytes:
    out = io.BytesIO()
    picture = Image.new("RGB", (1280, 1600), "white")
    ImageDraw.Draw(picture).rectangle((80, 80, 1200, 700), fill="#cfd8e8")
    picture.save(out, "PNG")
    return out.getvalue()


def printed() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (600, 800), "white").save(out, "PDF", title="打印页")
    return out.getvalue()


def kinds() -> dict[str, dict[str, bytes]]:
    """Made here; with MINGJIAN_KINDS, a folder of folders, what lies there instead: to look at real captures."""
    given = os.environ.get("MINGJIAN_KINDS")
    if given:
        return {d.name: {f.name: f.read_bytes() for f in sorted(d.iterdir())} for d in sorted(Path(given).iterdir())}
    shot = screenshot()
    good = {**test_hashlist.files(), "网页截图.png": shot, "录屏.mp4": MP4}
    good["取证操作日志.json"] = test_hashlist.operations(sha256=test_hashlist.sha256(shot))
    listed = test_hashlist.table(good).encode()
    return {
        "warc": {"page.warc.gz": members(record(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE))},
        "wacz": {"capture.wacz": wacz_exhibits.package(wacz_exhibits.content())},
        "mhtml": {"网页.mhtml": test_mhtml.message(*test_mhtml.PARTS)},
        "singlefile": {"网页.html": test_singlefile.page(body=test_singlefile.BODY + "><p>涉案作品</p>")},
        "har": {"网页.har": test_har.archive(page())},
        "set": {"截图.png": shot, "打印页.pdf": printed()},
        "package-good": {"取证包.zip": test_hashlist.package(good)},
        "package-bad": {"取证包.zip": test_hashlist.package({**good, "网页源码.html": b"<!doctype html><p>other"}, list_=listed)},
        "parked": {"page.html": b"<!doctype html><p>never read"},
    }


@pytest.fixture(autouse=True)
def _playwright_runs_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def judge() -> User:
    return courtroom.person("judge")


@pytest.fixture
def exhibits(judge: User, tmp_path: Path, settings: Any) -> dict[str, Exhibit]:
    """Verified by the engine and read by the reader; the last one is parked."""
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    found = {}
    for kind, files in kinds().items():
        one = courtroom.hand_in(case, judge, files=files, name=f"被诉网页快照（{kind}）")
        evidence = Evidence.of(Source.from_bytes(n, d) for n, d in files.items())
        try:
            courtroom.run(one, verify(evidence, TrustStore.empty(), AT))
        finally:
            evidence.close()
        queue.request(one)
        if kind == "parked":
            claim = queue.READINGS.claim()
            assert claim is not None and queue.READINGS.park(claim, fault="TIMEOUT: wall clock")
        while working.work_once():
            pass
        found[kind] = one
    return found


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def browser(request: Any, live_server: Any, judge: User) -> Iterator[Page]:
    complaints: list[str] = []
    with chromium(live_server.url, judge, size=request.param) as context:
        this = context.new_page()
        this.on("pageerror", lambda fault: complaints.append(str(fault)))
        this.on("dialog", lambda d: (complaints.append(d.message), d.dismiss()))
        this.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        this.on("request", lambda r: None if r.url.startswith((live_server.url, "data:")) else complaints.append(r.url))
        this.width = "phone" if request.param is PHONE else "desk"  # type: ignore[attr-defined]
        yield this
    assert complaints == []


def test_every_kind_is_shown(browser: Page, live_server: Any, exhibits: dict[str, Exhibit]) -> None:
    """Nothing beyond the edge, no request elsewhere, accessible, and what is shown is said to be for display only."""
    for language in ("zh", "en"):
        if language == "en":
            speak(browser, "en")
        for kind, exhibit in exhibits.items():
            browser.goto(live_server.url + reverse("exhibits:exhibit", args=[exhibit.public_id]))
            look(browser, f"kind-{kind}-exhibit-{browser.width}-{language}", axe=language == "zh")  # type: ignore[attr-defined]
            if kind == "parked":
                assert browser.get_by_role("button", name="再读一次" if language == "zh" else "Read it once more").count() == 1
                continue
            browser.goto(live_server.url + reverse("captures:capture", args=[exhibit.public_id, 1, 1]))
            assert ("仅为展示" if language == "zh" else "display only") in browser.content()
            look(browser, f"kind-{kind}-capture-{browser.width}-{language}", axe=language == "zh")  # type: ignore[attr-defined]


def test_the_samples_are_what_they_are_called() -> None:
    if not os.environ.get("MINGJIAN_KINDS"):
        assert json.loads(kinds()["har"]["网页.har"])["log"] and len(kinds()) == 9
