"""The pages of captures in a real browser: phone and desk, Chinese and English, with a hostile page among what is shown."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from PIL import Image, ImageDraw
from playwright.sync_api import Page

from cases.models import Role
from evidence.captures import queue, working
from evidence.exhibits.models import Exhibit
from portal.people.models import User
from tests import courtroom
from tests.evidence.intake.browser import DESK, PHONE, chromium
from tests.screens import look, speak

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
HOSTILE = (
    "<!doctype html><meta charset=utf-8><title>作品\u202e反 <script>alert(1)</script></title><base href=http://evil.example/>"
    "<img src=http://evil.example/x.png onerror=alert(1)><p>涉案作品第一段。&lt;script&gt;alert(2)&lt;/script&gt;</p>"
    "<p>" + "长" * 3_000 + "</p><p>x" + "x" * 3_000 + "</p><div>" * 20_000
).encode()


def screenshot() -> bytes:
    out = io.BytesIO()
    picture = Image.new("RGB", (1280, 2400), "white")
    ImageDraw.Draw(picture).rectangle((80, 80, 1200, 900), fill="#cfd8e8")
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(autouse=True)
def _playwright_runs_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def judge() -> User:
    return courtroom.person("judge")


@pytest.fixture
def exhibit(judge: User, tmp_path: Path, settings: Any) -> Exhibit:
    """`MINGJIAN_SHOWN`, a list of files, are shown instead of our own: to look at real captures."""
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    given = [Path(p) for p in os.environ.get("MINGJIAN_SHOWN", "").split(os.pathsep) if p]
    files = {p.name: p.read_bytes() for p in given} or {"saved page.html": HOSTILE, "截图.png": screenshot(), "证书.json": b"{}"}
    found = courtroom.hand_in(case, judge, files=files)
    courtroom.run(found, courtroom.consistent())
    queue.request(found)
    while working.work_once():
        pass
    return found


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def page(request: Any, live_server: Any, judge: User) -> Iterator[Page]:
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


def test_captures_are_shown_without_danger(page: Page, live_server: Any, exhibit: Exhibit) -> None:
    """No script, no foreign request, nothing beyond the edge, accessible. To see it fail: mark a text as safe."""
    first = exhibit.files.first()
    assert first is not None
    places = {
        "exhibit": reverse("exhibits:exhibit", args=[exhibit.public_id]),
        "capture": reverse("captures:capture", args=[exhibit.public_id, 1, 1]),
        "find": reverse("captures:find", args=[exhibit.public_id]) + "?q=" + os.environ.get("MINGJIAN_SENTENCE", "涉案 作品第一段"),
        "find-nothing": reverse("captures:find_in_case", args=[exhibit.case.public_id]) + "?q=没有的话",
    }
    for language in ("zh", "en"):
        if language == "en":
            speak(page, "en")
        for name, address in places.items():
            page.goto(live_server.url + address)
            look(page, f"captures-{name}-{page.width}-{language}")  # type: ignore[attr-defined]
