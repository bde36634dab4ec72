"""The judge's page with the safe view in a real browser: phone and desk, Chinese and English."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from cases.models import Role
from evidence.captures import queue, working
from evidence.exhibits.models import Exhibit
from portal.people.models import User
from tests import courtroom
from tests.evidence.intake.browser import DESK, PHONE, chromium
from tests.screens import look, speak

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
SAVED = (
    "<!doctype html><html lang=zh><title>被诉网页</title><style>h1{color:#a00}.ad{width:2000px}</style><script>document.write('脚本')</script>"
    "<h1>涉案作品第一段</h1><p class=ad>宽的广告</p><a href=https://shop.example/buy>购买</a><img src=gone.png alt=商品图>"
    "<form action=/s><input name=q value=词><button>搜</button></form><iframe src=//ads.example/></iframe>"
).encode()


@pytest.fixture(autouse=True)
def _playwright_runs_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def judge() -> User:
    return courtroom.person("judge")


@pytest.fixture
def exhibit(judge: User, tmp_path: Path, settings: Any, live_server: Any) -> Exhibit:
    """`MINGJIAN_SHOWN`, a list of files, are shown instead of our own: to look at real captures."""
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    settings.PORTAL_EVIDENCE_ORIGIN = f"http://evidence.localhost:{urlsplit(live_server.url).port}"
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    given = [Path(p) for p in os.environ.get("MINGJIAN_SHOWN", "").split(os.pathsep) if p]
    found = courtroom.hand_in(case, judge, files={p.name: p.read_bytes() for p in given} or {"网页.html": SAVED, "太深.html": b"<!doctype html>" + b"<div>" * 999})
    queue.request(found)
    while working.work_once():
        pass
    return found


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def page(request: Any, exhibit: Exhibit, live_server: Any, judge: User) -> Iterator[Page]:
    with chromium(live_server.url, judge, size=request.param) as context:
        this = context.new_page()
        this.width = "phone" if request.param is PHONE else "desk"  # type: ignore[attr-defined]
        yield this


def test_the_safe_view_is_shown_labelled_and_still(page: Page, live_server: Any, exhibit: Exhibit) -> None:
    for position in range(1, exhibit.files.count() + 1):
        for language in ("zh", "en"):
            page.goto(live_server.url + reverse("captures:safe", args=[exhibit.public_id, position, 1]))
            if language == "en":
                speak(page, "en")
            words = page.locator("main").inner_text()
            assert ("仅为展示" if language == "zh" else "for display only") in words
            if position == 1 and "MINGJIAN_SHOWN" not in os.environ:
                assert ("脚本，没有运行" if language == "zh" else "scripts, not run") in words and len(page.frames) == 2
                assert "涉案作品第一段" in page.frames[1].content() and "document.write" not in page.frames[1].content()
            elif position == 2 and "MINGJIAN_SHOWN" not in os.environ:
                assert ("超过上限" if language == "zh" else "beyond a limit") in words and len(page.frames) == 1
            look(page, f"safe-view-{position}-{page.width}-{language}")  # type: ignore[attr-defined]
        speak(page, "zh")
