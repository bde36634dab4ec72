"""The pages of a comparison in a real browser: phone and desk, Chinese and English, with hostile pages among what is compared."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from PIL import Image, ImageDraw
from playwright.sync_api import Page

from cases.models import Role, Side
from evidence import worker
from evidence.captures import queue
from evidence.exhibits.models import Exhibit
from portal.people.models import User
from tests import courtroom, screens
from tests.evidence.intake.browser import DESK, chromium
from tests.screens import look, speak

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
PHONE = {"width": 360, "height": 780}
WORK = "".join(f"<p>第{n}段：作者写下的第{n}句话，讲的是山水之间的旧事，{'春夏秋冬'[n % 4]}天尤其如此。</p>" for n in range(40))
COPY = WORK.replace("作者写下的第7句话", "本站原创的第7句话").replace("<p>第20段", "<p>广告：低价</p><p>第20段").replace("山水", "江湖", 2)
HOSTILE = (
    "<!doctype html><meta charset=utf-8><title>作品\u202e反 <script>alert(1)</script></title>" + COPY + "<p>坏\u202e了 &lt;script&gt;alert(2)&lt;/script&gt;</p>"
    "<p>e" + "\u0301" * 500 + "</p><p>" + "长" * 3_000 + "</p><p>x" + "x" * 3_000 + "</p>"
)


def screenshot(*, changed: bool) -> bytes:
    out = io.BytesIO()
    picture = Image.new("RGB", (1280, 2400), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((80, 80, 1200, 900), fill="#cfd8e8")
    if changed:
        draw.rectangle((300, 1200, 700, 1500), fill="#204080")
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(autouse=True)
def _playwright_runs_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def judge() -> User:
    return courtroom.person("judge")


@pytest.fixture
def exhibits(judge: User, tmp_path: Path, settings: Any) -> tuple[Exhibit, Exhibit]:
    """`MINGJIAN_COMPARED`, two files, are compared instead of our own: to look at real captures."""
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    given = [Path(p) for p in os.environ.get("MINGJIAN_COMPARED", "").split(os.pathsep) if p]
    if given:
        contents = [{p.name: p.read_bytes(), "second.html": b"<p>x"} for p in given]
    else:
        contents = [
            {"work.html": f"<!doctype html><meta charset=utf-8><title>作品</title>{WORK}".encode(), "截图.png": screenshot(changed=False)},
            {"saved page.html": HOSTILE.encode(), "截图.png": screenshot(changed=True)},
        ]
    found = [courtroom.hand_in(case, judge, side, files=files) for side, files in zip((Side.PLAINTIFF, Side.DEFENDANT), contents, strict=True)]
    for one in found:
        courtroom.run(one, courtroom.consistent())
        queue.request(one)
    while worker.turn():
        pass
    return found[0], found[1]


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


def test_comparisons_are_shown_without_danger(page: Page, live_server: Any, exhibits: tuple[Exhibit, Exhibit]) -> None:
    """No script, no foreign request, nothing beyond the edge, accessible. To see it fail: mark a text as safe."""
    left, right = (e.public_id for e in exhibits)
    first = reverse("captures:compare", args=[left, 1, 1, right, 1, 1])
    choose = reverse("captures:compare_choose", args=[exhibits[0].case.public_id])
    places = {"choose": choose, "choose-right": f"{choose}?left={left}.1.1", "choose-nothing": f"{choose}?q=nothing", "waiting": first, "texts": first}
    if "MINGJIAN_COMPARED" not in os.environ:
        places["pictures"] = reverse("captures:compare", args=[left, 2, 1, right, 2, 1])
    page.goto(live_server.url + places["waiting"])
    look(page, f"compare-waiting-{page.width}-zh")  # type: ignore[attr-defined]
    for name in ("texts", *({"pictures"} & places.keys())):
        page.goto(live_server.url + places[name])
    while worker.turn():
        pass
    for language in ("zh", "en"):
        if language == "en":
            speak(page, "en")
        for name, address in places.items():
            if name != "waiting":
                page.goto(live_server.url + address)
                look(page, f"compare-{name}-{page.width}-{language}")  # type: ignore[attr-defined]
    page.emulate_media(media="print")
    page.goto(live_server.url + first)
    paper = page.pdf(format="A4")
    assert paper.startswith(b"%PDF-")
    if screens.WANTED:
        screens.FOLDER.joinpath(f"compare-{page.width}.pdf").write_bytes(paper)  # type: ignore[attr-defined]


def test_a_judge_chooses_both_sides_and_sees_the_result_come(page: Page, live_server: Any, exhibits: tuple[Exhibit, Exhibit]) -> None:
    """From the case to the counts with the mouse alone; the page follows the work by itself."""
    if "MINGJIAN_COMPARED" in os.environ:
        return
    page.goto(live_server.url + reverse("case", args=[exhibits[0].case.public_id]))
    page.get_by_role("link", name="比较两项").click()
    page.get_by_role("link", name="work.html").click()
    page.get_by_role("link", name="saved page.html").click()
    assert page.get_by_text("文字：正在比较").is_visible()
    while worker.turn():
        pass
    page.get_by_text("行有改动").first.wait_for(timeout=15_000)
    before = page.get_by_role("status").inner_text()
    page.get_by_role("link", name="左右对调").click()
    page.get_by_text("行有改动").first.wait_for(timeout=15_000)
    assert "行只在左" in before and page.get_by_role("status").inner_text() != before
