"""The whole way of a report with script off, against the real portal: rendered, signed and stamped, from the order to the public check."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.evidence.intake.browser import DESK

from .conftest import Portal

pytestmark = pytest.mark.needs("chromium")
READY_SECONDS = 90


@pytest.fixture
def page(chromium: Browser, portal: Portal) -> Iterator[Page]:
    context = chromium.new_context(viewport=DESK, locale="zh-CN", java_script_enabled=False, accept_downloads=True)
    yield context.new_page()
    context.close()


def become(page: Page, portal: Portal, name: str) -> None:
    if page.get_by_role("button", name="退出").count():
        page.get_by_role("button", name="退出").click()
    page.goto(portal.address + "/accounts/login/")
    page.get_by_role("button", name=name).click()
    page.wait_for_url(portal.address + "/")


def followed(page: Page, wanted: Locator) -> None:
    """By the page's own link, as a person without script follows the work."""
    end = time.monotonic() + READY_SECONDS
    while not wanted.count() and time.monotonic() < end:
        time.sleep(1)
        page.get_by_role("link", name="刷新查看进度").click()
    assert wanted.count() == 1, page.locator("main").inner_text()


def taken(page: Page, name: str, into: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(name)).first.click()
    download.value.save_as(into)
    return into


def test_from_the_order_to_the_public_check(page: Page, portal: Portal, tmp_path: Path) -> None:
    """To see it fail: let any button of a report's life be a script's."""
    become(page, portal, "何书宁")
    page.get_by_role("link", name=re.compile("川01民初123号")).last.click()
    page.get_by_role("link", name="设计底稿").first.click()
    page.get_by_role("button", name="出具核验报告").or_(page.get_by_role("link", name="出具核验报告")).first.click()
    page.get_by_role("button", name="生成草稿").click()
    followed(page, page.get_by_role("link", name=re.compile("下载草稿")))
    address = page.url
    draft = taken(page, "下载草稿", tmp_path / "draft.pdf")

    become(page, portal, "许文静")
    page.goto(address)
    page.get_by_role("button", name="复核通过").click()
    assert "请先通读草稿" in page.locator("main").inner_text()
    page.get_by_label(re.compile("通读草稿")).check()
    page.get_by_role("button", name="复核通过").click()

    become(page, portal, "沈明远")
    page.goto(address)
    page.get_by_role("link", name="看比较，然后签发").or_(page.get_by_role("button", name="看比较，然后签发")).click()
    page.get_by_label(re.compile("看过比较和草稿")).check()
    page.get_by_role("button", name="签发", exact=True).click()
    followed(page, page.get_by_role("link", name=re.compile("下载签名报告")))
    page.get_by_role("button", name="向当事人开放").click()
    assert "报告已向当事人开放" in page.locator("main").inner_text()

    become(page, portal, "郑海")
    page.goto(address)
    number = re.search(r"HY\d{4}-\d{6}", page.locator("h1").inner_text())
    assert number is not None
    code = page.locator("dt:has-text('查验码') + dd").inner_text()
    signed = taken(page, "下载签名报告", tmp_path / "signed.pdf")

    # Anybody, as it is typed from paper; then by the file, and by one that is not the report.
    page.get_by_role("button", name="退出").click()
    page.goto(portal.address + "/accounts/login/")
    page.get_by_role("link", name="查验一份报告是否由本院出具").click()
    page.locator("#number").fill(number[0].lower())
    page.get_by_role("button", name="查验", exact=True).click()
    assert "请把查验码也填上" in page.locator("main").inner_text()
    page.locator("#code").fill(f" {code[:5].lower()} {code[5:]}")
    page.get_by_role("button", name="查验", exact=True).click()
    assert page.locator("#answer").inner_text() == "有效"
    for file, said in ((signed, "有效"), (draft, "没有查到")):
        page.goto(portal.address + "/reports/check/")
        page.locator("#report").set_input_files(file)
        page.get_by_role("button", name="交给法院查看").click()
        assert page.locator("#answer").inner_text() == said
