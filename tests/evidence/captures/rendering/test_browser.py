"""The court's render on the page of a capture, in a real browser: phone and desk, Chinese and English, in every state it can be in."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Page

from cases.models import Role
from evidence.captures import queue as readings
from evidence.captures import working as reading
from evidence.captures.models import CourtRender
from evidence.captures.rendering import drawing, queue, section, working
from evidence.exhibits.models import Exhibit
from portal.people.models import User
from tests import courtroom
from tests.evidence.captures.test_browser import screenshot
from tests.evidence.intake.browser import DESK, PHONE, chromium
from tests.screens import look, speak

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
PAGE = (
    "<!doctype html><meta charset=utf-8><title>涉案作品</title><body style='font-family:sans-serif'><h1>涉案作品</h1><img src=http://gone.example/x.png>"
    "<script>document.title='x'</script><noscript>本页需要脚本</noscript>" + "<p>涉案作品的一段文字。</p>" * 900
).encode()


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    monkeypatch.setattr(working, "_announced", (float("-inf"), ""))
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"


@pytest.fixture
def judge() -> User:
    return courtroom.person("judge")


@pytest.fixture
def exhibit(judge: User) -> Exhibit:
    """`MINGJIAN_SHOWN`, a list of files, are shown instead of our own: to look at real captures."""
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    given = [Path(p) for p in os.environ.get("MINGJIAN_SHOWN", "").split(os.pathsep) if p]
    found = courtroom.hand_in(case, judge, files={p.name: p.read_bytes() for p in given} or {"saved page.html": PAGE, "截图.png": screenshot()})
    courtroom.run(found, courtroom.consistent())
    readings.request(found)
    while reading.work_once():
        pass
    return found


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def page(request: Any, live_server: Any, judge: User) -> Iterator[Page]:
    with chromium(live_server.url, judge, size=request.param) as context:
        this = context.new_page()
        this.width = "phone" if request.param is PHONE else "desk"  # type: ignore[attr-defined]
        yield this


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_state_of_a_render(page: Page, live_server: Any, exhibit: Exhibit, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To see it fail: let the frame of a picture be wider than its column."""
    address = live_server.url + reverse("captures:capture", args=[exhibit.public_id, 1, 1])
    page.goto(live_server.url + "/")
    if language == "en":
        speak(page, "en")

    def see(state: str) -> None:
        page.goto(address)
        look(page, f"render-{state}-{page.width}-{language}", of=page.locator("section[aria-labelledby='court-render']"))  # type: ignore[attr-defined]

    def press() -> None:
        page.locator("form[action$='/render/'] button").click()

    see("off")
    version = working.announce()
    assert version
    see("none")
    press()
    see("waiting")
    with monkeypatch.context() as stopped:
        stopped.setattr(drawing, "draw", lambda *a, **k: "TIMEOUT: wall clock")
        assert working.work_once(version)
    see("parked")
    press()
    assert working.work_once(version)
    assert CourtRender.objects.get(number=2).state == "done", CourtRender.objects.get(number=2).fault
    see("done")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM captures_renderer")
    assert queue.live() is None and section.newest(exhibit.files.get(position=1), CourtRender.objects.get(number=2).capture)
    see("done-off")
