"""The life of a report in a real browser against the real portal: the clerk orders, the assistant checks, the judge signs and
releases, the party takes it; a correction supersedes it, and two persons revoke that one."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evidence.reports import checking

from .conftest import Portal, Visitor

pytestmark = pytest.mark.needs("chromium")

SNAPSHOT = "侵权商品网页快照"
READY = 90_000


def to(visitor: Visitor, name: str, number: str = "") -> None:
    """Sign in as `name` and open the case, or the report of this number on it."""
    if visitor.page.get_by_role("button", name="退出").count():
        visitor.page.get_by_role("button", name="退出").click()
    visitor.sign_in(name)
    visitor.page.goto(visitor.portal.address + "/")
    visitor.page.get_by_role("link", name=re.compile("川01民初123号")).last.click()
    if number:
        visitor.page.get_by_role("link", name=f"报告 {number}").first.click()


def number_of(visitor: Visitor) -> str:
    found = re.search(r"HY\d{4}-\d{6}", visitor.page.locator("h1").inner_text())
    assert found is not None
    return found[0]


def press(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_role("button", name=name, exact=True).click()


def taken(visitor: Visitor, name: str) -> tuple[str, bytes]:
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name=re.compile(name)).first.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def faults(portal: Portal, pdf: bytes) -> list[str]:
    with ThreadPoolExecutor() as thread:  # the browser's driver runs a loop in this one
        return thread.submit(checking.check, pdf, keys=portal.data / "keys" / "signing").result()


def checked_and_signed(desk: Visitor, number: str) -> None:
    page = desk.page
    to(desk, "许文静", number)
    page.get_by_label(re.compile("通读草稿")).check()
    press(desk, "复核通过")
    to(desk, "沈明远", number)
    page.get_by_role("link", name="看比较，然后签发").click()
    page.get_by_label(re.compile("看过比较和草稿")).check()
    press(desk, "签发")
    page.get_by_role("link", name=re.compile("下载签名报告")).wait_for(timeout=READY)


def test_the_life_of_a_report(portal: Portal, desk: Visitor, phone: Visitor) -> None:
    page = desk.page
    # The clerk orders; the draft arrives by itself; whoever made it is told that others check it.
    to(desk, "何书宁")
    page.get_by_role("link", name=SNAPSHOT).first.click()
    page.get_by_role("button", name="出具核验报告").click()
    desk.seen("report-order")
    press(desk, "生成草稿")
    page.get_by_role("link", name=re.compile("下载草稿")).wait_for(timeout=READY)
    number = number_of(desk)
    desk.seen("report-draft-own")
    assert "许文静" in page.locator("main").inner_text() and page.get_by_role("button", name="复核通过").count() == 0
    name, pdf = taken(desk, "下载草稿")
    assert "DRAFT" in name and "未签名" in name and b"/AcroForm" not in pdf
    assert any("not filled" in fault for fault in faults(portal, pdf))

    # The plaintiff knows nothing of it.
    to(phone, "周晓")
    assert number not in phone.page.content()
    hidden = phone.page.goto(page.url)
    assert hidden is not None and hidden.status == 404
    phone.complaints.clear()  # the browser notes the 404 on its console

    # The assistant checks: not without having read it.
    to(desk, "许文静", number)
    press(desk, "复核通过")
    assert "请先通读草稿" in page.locator("main").inner_text()
    desk.seen("report-to-check")
    page.get_by_label(re.compile("通读草稿")).check()
    press(desk, "复核通过")
    page.get_by_text("已记为复核通过").wait_for()

    # The judge sees what it says otherwise than the report before, and signs by its digest.
    to(desk, "沈明远", number)
    desk.seen("report-checked")
    page.get_by_role("link", name="看比较，然后签发").click()
    desk.seen("report-sign")
    page.get_by_label(re.compile("看过比较和草稿")).check()
    press(desk, "签发")
    page.get_by_role("link", name=re.compile("下载签名报告")).wait_for(timeout=READY)
    desk.seen("report-signed")
    press(desk, "向当事人开放")
    page.get_by_text("报告已向当事人开放").wait_for()

    # The plaintiff takes it on the phone.
    to(phone, "周晓", number)
    phone.seen("report-party")
    name, pdf = taken(phone, "下载签名报告")
    assert name == f"{number}.pdf" and faults(portal, pdf) == []
    assert "许文静" not in phone.page.locator("main").inner_text()

    # A correction supersedes it; who has the old one sees that.
    to(desk, "何书宁", number)
    page.get_by_role("link", name="出具更正或者补充报告").click()
    desk.seen("report-correction-order")  # before the answer is typed: another language loads the page anew
    page.get_by_label("更正报告").check()
    page.get_by_label(re.compile("更正或者补充什么")).fill("案由写法更正")
    press(desk, "生成草稿")
    page.get_by_role("link", name=re.compile("下载草稿")).wait_for(timeout=READY)
    corrected = number_of(desk)
    page.get_by_role("link", name="与此前的报告比较").click()
    desk.seen("report-difference")
    checked_and_signed(desk, corrected)
    to(phone, "周晓", number)
    assert "已被取代" in phone.page.locator("main").inner_text() and corrected not in phone.page.content()
    phone.seen("report-superseded")
    assert "SUPERSEDED" in taken(phone, "下载签名报告")[0]

    # The clerk asks to revoke the correction, the judge decides; the public check says so.
    to(desk, "何书宁", corrected)
    page.get_by_text("提请撤销").first.click()
    page.get_by_label("撤销的理由").fill("证据已由当事人撤回")
    press(desk, "提请撤销")
    desk.seen("report-revoke-asked")
    to(desk, "沈明远", corrected)
    press(desk, "撤销报告（不可恢复）")
    page.get_by_text("报告已撤销").first.wait_for()
    desk.seen("report-revoked")
    code = page.locator("dd code").first.inner_text()
    page.goto(f"{portal.address}/reports/check/?number={corrected}&code={code}")
    assert "已撤销" in page.locator("main").inner_text()


def test_the_drill_for_a_compromised_key(portal: Portal, desk: Visitor, phone: Visitor) -> None:
    for visitor in (desk, phone):
        visitor.sign_in("苏清和")
        visitor.page.get_by_role("link", name="签名密钥排查").click()
        visitor.seen("keys")
        visitor.page.locator(".mj-lines a").first.click()
        visitor.seen("key")
        name, data = taken(visitor, "导出名单")
        assert name.endswith(".csv") and b"HY20" in data and "民初".encode() not in data
