"""The form in a real browser: with script and without, on a phone and at a desk, closed in the middle and opened again."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, Route, expect

from cases.models import Case
from evidence.exhibits.models import Exhibit
from evidence.intake.models import Draft, Upload
from portal.people.models import User
from tests.screens import sideways, violations

from . import samples
from .browser import DESK, PHONE, chromium
from .conftest import NUMBER, answered, page, sha256, signed_in, sm3

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
SETTLED = ".mj-file--received, .mj-file--changed, .mj-file--refused"
PARTS = re.compile(r"/uploads/[0-9a-f-]{36}/$")


@pytest.fixture(autouse=True)
def _playwright_runs_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright's synchronous face keeps an event loop in this thread, which Django would take for asynchronous code."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def draft(litigant: User, case: Case) -> Draft:
    return answered(signed_in(litigant))


@pytest.fixture
def opened(live_server: Any, litigant: User) -> Iterator[Callable[..., Any]]:
    """A page of the signed-in litigant; what the browser complains about is collected and must stay empty."""
    complaints: list[str] = []

    def opening(**how: Any) -> Any:
        context = chromium(live_server.url, litigant, **how)

        class Opened:
            def __enter__(self) -> Page:
                self.context: BrowserContext = context.__enter__()
                this = self.context.new_page()
                this.on("pageerror", lambda fault: complaints.append(str(fault)))
                this.on(
                    "console",
                    lambda said: (
                        complaints.append(said.text) if "Content Security Policy" in said.text else None
                    ),
                )
                this.on(
                    "request",
                    lambda asked: (
                        complaints.append(asked.url) if not asked.url.startswith(live_server.url) else None
                    ),
                )
                return this

            def __exit__(self, *fault: Any) -> None:
                context.__exit__(*fault)

        return Opened()

    yield opening
    assert complaints == []


def go(this: Page, live_server: Any, address: str) -> None:
    this.goto(live_server.url + address)


def choose(this: Page, *files: Path) -> None:
    this.set_input_files("input[type=file]", [str(file) for file in files])


def written(folder: Path, name: str, data: bytes) -> Path:
    file = folder / name
    file.write_bytes(data)
    return file


def onward(this: Page, name: str = "继续") -> None:
    this.get_by_role("button", name=name, exact=True).click()


def accessible(this: Page) -> None:
    assert (violations(this), sideways(this)) == ([], [])


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_from_the_first_page_to_the_receipt(
    opened: Any, live_server: Any, litigant: User, tmp_path: Path, size: dict[str, int], script: bool
) -> None:
    snapshot, picture = (
        written(tmp_path, "page.wacz", samples.wacz()),
        written(tmp_path, "照片.png", samples.png()),
    )
    with opened(size=size, script=script) as this:
        look = (lambda: accessible(this)) if script else (lambda: None)  # axe itself is script
        go(this, live_server, reverse("intake:start"))
        look()
        onward(this, "开始")
        onward(this)
        expect(this.locator(".govuk-error-summary")).to_contain_text("请输入案号")
        look()
        this.fill("#id_number", NUMBER)
        onward(this)
        look()
        onward(this)
        this.fill("#id_name", "被告网店网页快照")
        this.check("#id_category_0")
        this.check("#id_original_form_0")
        look()
        onward(this)
        look()
        choose(this, snapshot, picture)
        if script:
            expect(this.locator(".mj-file--received")).to_have_count(2, timeout=20_000)
        look()
        onward(this)
        look()
        this.fill("#id_source", "被告网店的商品页面")
        look()
        onward(this)
        this.fill("#id_purpose", "被告展示并销售侵权商品")
        onward(this)
        look()
        this.get_by_role("button", name="继续").click()
        look()
        this.check("#id_declared")
        onward(this, "确认提交")
        expect(this.locator("h1")).to_have_text("法院已收到")
        look()
        shown = this.locator("main").inner_text()
    exhibit = Exhibit.objects.get()
    assert exhibit.receipt_number in shown
    files = {f.name: f for f in exhibit.files.all()}
    for name, data in (("page.wacz", snapshot.read_bytes()), ("照片.png", picture.read_bytes())):
        assert (files[name].sha256, files[name].sm3, files[name].size) == (sha256(data), sm3(data), len(data))
        assert files[name].hashed_on_device == script
        assert files[name].sha256 in shown


def test_closed_in_the_middle_and_opened_again(
    opened: Any, live_server: Any, draft: Draft, tmp_path: Path
) -> None:
    film = written(tmp_path, "录屏.mp4", samples.mp4() + samples.box(b"free", os.urandom(12 << 20)))
    sent: list[str] = []

    def only_the_first(route: Route) -> None:
        if route.request.headers.get("x-http-method-override") == "PATCH":
            sent.append(route.request.headers["upload-offset"])
            if len(sent) > 1:
                route.abort()
                return
        route.continue_()

    with opened() as this:
        this.route(PARTS, only_the_first)
        go(this, live_server, page(draft, "files"))
        choose(this, film)
        expect(this.locator(".mj-file--paused")).to_contain_text("已保存到 41%", timeout=20_000)
    assert Upload.objects.get().state == "arriving"

    with opened(size=DESK) as this:
        go(this, live_server, page(draft, "files"))
        expect(this.locator(".mj-file--paused")).to_contain_text("请再选一次同一个文件")
        accessible(this)
        offsets: list[str] = []
        this.on(
            "request",
            lambda r: offsets.append(r.headers["upload-offset"]) if "upload-offset" in r.headers else None,
        )
        choose(this, film)
        expect(this.locator(".mj-file--received")).to_have_count(1, timeout=20_000)
        expect(this.locator(".mj-file")).to_have_count(1)
        assert offsets[0] == str(5 << 20), "what was there was not sent again"
    upload = Upload.objects.get()
    assert (upload.state, upload.sha256) == ("arrived", sha256(film.read_bytes()))


def test_a_broken_line_heals_by_itself(opened: Any, live_server: Any, draft: Draft, tmp_path: Path) -> None:
    file = written(tmp_path, "a.bin", os.urandom(6 << 20))
    failures = iter([True, True, False, True] + [False] * 20)

    def shaky(route: Route) -> None:
        if next(failures):
            route.abort()
        else:
            route.continue_()

    with opened() as this:
        this.route(PARTS, shaky)
        go(this, live_server, page(draft, "files"))
        choose(this, file)
        expect(this.locator(".mj-file--paused")).to_contain_text("恢复后自动继续")
        onward(this)
        expect(this.locator("#busy")).to_be_visible()
        expect(this.locator(".mj-file--received")).to_have_count(1, timeout=40_000)
    assert Upload.objects.get().sha256 == sha256(file.read_bytes())


def test_a_file_changed_on_its_way_is_told(
    opened: Any, live_server: Any, draft: Draft, tmp_path: Path
) -> None:
    file = written(tmp_path, "a.bin", b"what the person chose")

    def tampering(route: Route) -> None:
        if route.request.headers.get("x-http-method-override") == "PATCH":
            route.continue_(post_data=b"what somebody put in!")
        else:
            route.continue_()

    with opened() as this:
        this.route(PARTS, tampering)
        go(this, live_server, page(draft, "files"))
        choose(this, file)
        expect(this.locator(".mj-file--refused")).to_contain_text("文件在传送途中发生变化，没有接收")
        accessible(this)
    assert Upload.objects.get().state == "refused"


def test_what_each_file_is_told(opened: Any, live_server: Any, draft: Draft, tmp_path: Path) -> None:
    data = samples.wacz()
    files = [
        written(tmp_path, "page.wacz", data),
        written(tmp_path, "copy.wacz", data),
        written(tmp_path, "mmexport1700000000000.jpg", samples.jpeg()),
        written(tmp_path, "empty.txt", b""),
    ]
    with opened() as this:
        go(this, live_server, page(draft, "files"))
        choose(this, *files)
        expect(this.locator(SETTLED)).to_have_count(4, timeout=20_000)
        expect(this.locator(".mj-file").nth(1)).to_contain_text("与“page.wacz”内容完全相同")
        expect(this.locator(".mj-file").nth(2)).to_contain_text("可能被手机或聊天软件转换过")
        expect(this.locator(".mj-file").nth(3)).to_contain_text("文件是空的（0 字节）")
        accessible(this)
        this.locator(".mj-file").nth(3).get_by_role("button").last.click()
        this.locator(".mj-file").nth(1).get_by_role("button").click()
        expect(this.locator(".mj-file")).to_have_count(2)
        this.set_viewport_size({"width": 320, "height": 600})
        accessible(this)


def test_a_browser_without_module_workers(
    opened: Any, live_server: Any, draft: Draft, tmp_path: Path
) -> None:
    file = written(tmp_path, "a.bin", os.urandom(100_000))
    with opened() as this:
        this.add_init_script(
            "window.Worker = class { constructor() { throw new TypeError('no module workers'); } };"
        )
        go(this, live_server, page(draft, "files"))
        choose(this, file)
        expect(this.locator(".mj-file--received")).to_have_count(1, timeout=20_000)
    assert Upload.objects.get().device_sha256 == sha256(file.read_bytes())


def test_signed_out_in_the_middle_says_so(
    opened: Any, live_server: Any, draft: Draft, tmp_path: Path
) -> None:
    with opened() as this:
        go(this, live_server, page(draft, "files"))
        this.context.clear_cookies(name="sessionid")
        choose(this, written(tmp_path, "a.txt", b"a"))
        expect(this.locator(".mj-file--paused")).to_contain_text("登录已过期")
        expect(this.locator("[data-retry]").first).to_be_visible()


def test_by_keyboard_alone(opened: Any, live_server: Any, draft: Draft, tmp_path: Path) -> None:
    """The chooser opens by keyboard, and removing a file leaves the focus where one goes on."""
    with opened(size=DESK) as this:
        go(this, live_server, page(draft, "files"))
        choose(this, written(tmp_path, "empty.txt", b""))
        expect(this.locator(".mj-file--refused")).to_have_count(1)
        this.locator("[data-cancel]").focus()
        this.keyboard.press("Enter")
        expect(this.locator(".mj-file")).to_have_count(0)
        expect(this.locator("#files")).to_be_focused()
        # The browser's own dialogue cannot be watched reliably; the click that opens it can.
        this.evaluate(
            "document.querySelector('input[type=file]').addEventListener('click', (event) => {"
            " event.preventDefault(); document.body.dataset.asked = 'yes'; })"
        )
        this.keyboard.press("Enter")
        expect(this.locator("body")).to_have_attribute("data-asked", "yes")
