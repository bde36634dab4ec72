"""The export desk in a real browser: a phone of 360 px and a desk, Chinese and English, with and without anything to show."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from evidence.exports import queue, working
from tests.evidence.intake.browser import DESK, PHONE, chromium
from tests.screens import look, speak

from .desk import Desk, settle

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
NARROW = {**PHONE, "width": 360}


@pytest.fixture(autouse=True)
def _playwright_runs_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def full(transactional_db: None, settings: Any, tmp_path: Path) -> Desk:
    """One export of each state, an exhibit with a long name and no report, more than one page."""
    desk = Desk(settle(settings, tmp_path))
    one = desk.exhibit(name="被诉网页快照" * 20 + "x" * 60)
    desk.reported(one)
    for _ in range(54):
        desk.exhibit()
    return desk


@pytest.fixture(params=[NARROW, DESK], ids=["phone", "desk"])
def page(request: Any, live_server: Any, full: Desk) -> Iterator[Page]:
    complaints: list[str] = []
    with chromium(live_server.url, full.clerk, size=request.param) as context:
        this = context.new_page()
        this.on("pageerror", lambda fault: complaints.append(str(fault)))
        this.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        this.width = "phone" if request.param is NARROW else "desk"  # type: ignore[attr-defined]
        yield this
    assert complaints == []


def test_from_the_case_to_the_archive(page: Page, live_server: Any, full: Desk) -> None:
    """To see it fail: give the list a fixed width, or break a form."""
    case = [full.case.public_id]
    page.goto(live_server.url + reverse("exports:of_case", args=case))
    _look(page, "empty")
    page.goto(live_server.url + reverse("exports:choose", args=case))
    _look(page, "choose")
    page.locator("input[name=exhibit]").first.check(force=True)
    page.get_by_role("button", name="下一页").click()
    assert page.get_by_role("status").inner_text().startswith("另有 1 件")
    page.locator("input[name=exhibit]").first.check(force=True)
    page.get_by_role("button", name="导出选中的").click()
    _look(page, "queued")
    claimed = queue.EXPORTS.claim()
    assert claimed is not None and queue.EXPORTS.prolong(claimed, reports_done=0, bytes_done=500_000, bytes_total=2_000_000)
    page.locator("progress").wait_for(timeout=20_000)  # htmx asked by itself
    _look(page, "running")
    queue.EXPORTS.park(claimed, fault="NO_SPACE: 2000000 bytes wanted, 1 free, 1073741824 are kept free")
    page.reload()
    _look(page, "parked")
    page.get_by_role("button", name="重新导出").click()
    working.work_once()
    page.reload()
    with page.expect_download() as taken:
        page.get_by_role("link", name="下载导出包（ZIP）").click()
    assert taken.value.suggested_filename.startswith("（2026）川01民初1号-部分-")
    address = page.url
    type(full.case).objects.filter(pk=full.case.pk).update(sealed=True)
    page.goto(address)
    _look(page, "closed")
    type(full.case).objects.filter(pk=full.case.pk).update(sealed=False)
    page.goto(address)
    _look(page, "done")
    page.goto(live_server.url + reverse("exports:of_case", args=case))
    _look(page, "list")
    speak(page, "en")
    for name, there in (("list-en", reverse("exports:of_case", args=case)), ("choose-en", reverse("exports:choose", args=case))):
        page.goto(live_server.url + there)
        _look(page, name)
    page.goto(address)
    _look(page, "done-en")


def _look(page: Page, name: str) -> None:
    look(page, f"export-{page.width}-{name}", full_page=name != "choose")  # type: ignore[attr-defined]
