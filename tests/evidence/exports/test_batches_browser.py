"""Reports for chosen exhibits in a real browser: chosen, ordered, followed, failed, tried again; a phone of 360 px and a desk, both languages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from evidence.exports.models import Batch
from evidence.reports import bell as report_bell
from evidence.reports import issuing
from evidence.reports.models import Report
from tests import courtroom
from tests.evidence.intake.browser import DESK, chromium
from tests.evidence.reports.conftest import press as press  # a fixture
from tests.evidence.reports.life import Press
from tests.screens import speak

from .desk import Desk, settle
from .test_browser import NARROW, _look
from .test_browser import _playwright_runs_a_loop as _playwright_runs_a_loop  # a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]


@pytest.fixture
def full(transactional_db: None, settings: Any, tmp_path: Path, press: Press, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Seventy exhibits, the last without a result, the first with a long name."""
    monkeypatch.setattr(report_bell, "ring", lambda report_id: None)
    desk = Desk(settle(settings, tmp_path))
    for n in range(70):
        one = desk.exhibit(name="被诉网页快照" * 20 + "x" * 60 if n == 0 else f"聊天记录 {n}")
        if n < 69:
            courtroom.run(one, (courtroom.consistent, courtroom.inconsistent, courtroom.indeterminate)[n % 3]())
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


def produced(monkeypatch: pytest.MonkeyPatch, *, failing: int = 0) -> None:
    """The worker's turns; the first `failing` reports cannot be printed."""
    victims = issuing.waiting()[:failing]
    plain = issuing.edition.make

    def make(report: Report, **options: Any) -> Any:
        if report.pk in victims:
            raise issuing.ReportFault("no font has 𬎆 (U+2C386); install fonts-noto-cjk and fonts-hanazono")
        return plain(report, **options)

    with monkeypatch.context() as patch:
        patch.setattr(issuing.edition, "make", make)
        while waiting := issuing.waiting():
            for pk in waiting:
                issuing.produce(pk)


def test_from_the_choice_to_the_drafts(page: Page, live_server: Any, full: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """To see it fail: give a line a fixed width, or let the page ask no more while something is being made."""
    page.goto(live_server.url + reverse("exports:choose", args=[full.case.public_id]))
    page.get_by_role("button", name="选全部 70 件").click()
    page.get_by_label("每件证据各一份报告").scroll_into_view_if_needed()
    _look(page, "batch-choose")
    page.get_by_role("button", name="生成草稿").click()
    assert page.get_by_text("还有 69 份在制作").is_visible()
    assert "请等核验完成后再为它生成" in page.locator(".mj-lines__line").first.inner_text(), "what needs somebody comes first"
    _look(page, "batch-working")
    produced(monkeypatch, failing=2)
    page.get_by_text("2 份报告没有制成").wait_for(timeout=20_000)  # htmx asked by itself
    assert ["U+2C386" in line for line in page.locator(".mj-lines__line").all_inner_texts()[:3]] == [True, True, False]
    _look(page, "batch-failed")
    page.get_by_role("button", name="English", exact=True).click()
    page.get_by_text("2 reports were not made").wait_for()
    _look(page, "batch-failed-en")
    page.get_by_role("button", name="中文", exact=True).click()
    page.get_by_role("button", name="重试没有制成的 2 份").click()
    assert page.get_by_text("2 份报告重新制作").is_visible()
    produced(monkeypatch)
    page.reload()
    assert page.get_by_role("button", name="重试").count() == 0 and Report.objects.filter(state="draft").count() == 69
    page.get_by_role("link", name="下一页").click()
    _look(page, "batch-last")
    address = page.url
    page.goto(live_server.url + reverse("exports:of_case", args=[full.case.public_id]))
    _look(page, "batch-list")
    speak(page, "en")
    for name, there in (("batch-last-en", address), ("batch-choose-en", live_server.url + reverse("exports:choose", args=[full.case.public_id]))):
        page.goto(there)
        if "choose" in name:
            page.get_by_label("One report for each exhibit").scroll_into_view_if_needed()
        _look(page, name)


def test_without_a_script(live_server: Any, full: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chosen on two pages, pressed, refreshed by a link, tried again; pressed in two windows is once."""
    with chromium(live_server.url, full.clerk, script=False, size=NARROW) as context:
        page = context.new_page()
        page.goto(live_server.url + reverse("exports:choose", args=[full.case.public_id]))
        page.locator("input[name=exhibit]").first.check(force=True)
        page.get_by_role("button", name="下一页").click()
        page.locator("input[name=exhibit]").first.check(force=True)
        page.get_by_label("所选证据合为一份报告").check(force=True)
        other = context.new_page()
        other.goto(live_server.url + reverse("exports:choose", args=[full.case.public_id]))
        other.locator("input[name=exhibit]").first.check(force=True)
        other.get_by_role("button", name="下一页").click()
        other.locator("input[name=exhibit]").first.check(force=True)
        other.get_by_label("所选证据合为一份报告").check(force=True)
        for window in (page, other):
            window.get_by_role("button", name="生成草稿").click()
            assert window.get_by_text("所选证据合为一份报告").is_visible() and window.get_by_role("link", name="刷新查看进度").is_visible()
        assert page.url == other.url and (Batch.objects.count(), Report.objects.count()) == (1, 1)
        assert Report.objects.get().verdicts.count() == 2
        produced(monkeypatch, failing=1)
        page.get_by_role("link", name="刷新查看进度").click()
        page.get_by_role("button", name="重试没有制成的 1 份").click()
        produced(monkeypatch)
        page.reload()
        assert page.get_by_text("1 份报告没有制成").count() == 0 and Report.objects.get().state == "draft"
        page.get_by_role("button", name="选择这些证据导出").click()
        assert page.locator("input[name=exhibit]:checked").count() == 1 and page.get_by_role("status").inner_text().startswith("另有 1 件")
