"""A change of what the court trusts: drafted by one person at a desk, compared and approved by another on a phone, and what it
touches verified again by the clerk. Every page in both languages, with axe."""

import re

import pytest

from tests.evidence.verification import authority

from .conftest import Portal, Visitor

pytestmark = pytest.mark.needs("chromium")


def _open_draft(visitor: Visitor) -> None:
    visitor.page.goto(visitor.portal.address + "/")
    visitor.page.get_by_role("link", name="信任库", exact=True).first.click()
    visitor.page.get_by_role("link", name="演示链增加一个公证节点").first.click()


def test_two_people_change_what_the_court_trusts(portal: Portal, phone: Visitor, desk: Visitor) -> None:
    page = desk.page
    desk.sign_in("林致远")
    desk.seen("trust-home")
    page.goto(portal.address + "/trust/")
    desk.seen("trust-in-force")
    page.get_by_label(re.compile("这次要改什么")).fill("演示链增加一个公证节点")
    page.get_by_role("button", name="拟定草案").click()
    desk.seen("trust-draft-empty")

    # A set of validators from a height on, first with an error.
    page.get_by_role("link", name="新的一组节点").first.click()
    page.get_by_role("button", name="存入草案").click()
    assert page.locator(".govuk-error-summary").is_visible()
    desk.seen("trust-epoch-wrong")
    page.get_by_label(re.compile("自哪个高度起")).fill("900000")
    page.get_by_label(re.compile("来源")).fill("运营方 2026 年 11 月 20 日盖章函件")
    page.get_by_role("button", name="存入草案").click()

    page.get_by_role("link", name="增加根证书").click()
    desk.seen("trust-root-form")
    page.get_by_label(re.compile("可信时间戳")).check()
    page.get_by_label(re.compile("PEM")).fill(authority.issue("Example Time-stamping Root", ca=True).pem.decode())
    page.get_by_label(re.compile("来源")).fill("运营方网站，电话核对指纹")
    page.get_by_role("button", name="存入草案").click()

    page.get_by_text(re.compile("演示存证平台")).first.click()
    page.get_by_role("link", name=re.compile("修改.*演示存证平台")).click()
    page.get_by_label(re.compile("域名")).fill("evidence.demonstration.invalid\nnew.demonstration.invalid")
    page.get_by_label(re.compile("来源")).fill("备案查询")
    desk.page.get_by_role("button", name="存入草案").click()
    desk.seen("trust-draft")
    page.get_by_role("link", name=re.compile("导入整个信任库")).click()
    page.get_by_role("button", name="导入").click()
    desk.seen("trust-import-wrong")
    _open_draft(desk)
    page.get_by_role("button", name="提请另一人批准").click()
    assert page.get_by_role("button", name="批准并发布").count() == 0
    desk.seen("trust-proposed-own")

    page = phone.page
    phone.sign_in("苏清和")
    phone.seen("trust-home-approver")
    _open_draft(phone)
    phone.seen("trust-proposed")
    page.get_by_role("button", name="批准并发布").click()
    assert "我已逐项核对" in page.locator("[role=alert]").inner_text()
    page.get_by_label(re.compile("我已逐项核对")).check()
    page.get_by_role("button", name="批准并发布").click()
    assert "已批准并发布" in page.locator("main").inner_text()
    phone.seen("trust-approved")
    page.goto(portal.address + "/trust/")
    phone.seen("trust-in-force")
    page.get_by_role("link", name=re.compile("来历和全部文件")).click()
    assert "第 2 版" in page.locator("h1").inner_text()
    phone.seen("trust-pack")

    page = desk.page
    page.get_by_role("button", name="退出").click()
    desk.sign_in("何书宁")
    desk.seen("clerk-home-trust")
    page.goto(portal.address + "/verify/again/")
    desk.seen("again")
    phone.page.get_by_role("button", name="退出").click()
    phone.sign_in("何书宁")
    phone.page.goto(portal.address + "/verify/again/")
    phone.seen("again")
    page.get_by_role("button", name=re.compile("重新核验这")).click()
    assert "已发起" in page.locator("main").inner_text()


def test_without_a_script_the_draft_is_made_all_the_same(portal: Portal, desk: Visitor) -> None:
    context = desk.page.context.browser.new_context(java_script_enabled=False, locale="zh-CN")  # type: ignore[union-attr]
    page = context.new_page()
    page.goto(portal.address + "/accounts/login/")
    page.get_by_role("button", name="林致远").click()
    page.goto(portal.address + "/trust/")
    page.get_by_label(re.compile("这次要改什么")).fill("不用脚本")
    page.get_by_role("button", name="拟定草案").click()
    page.get_by_role("link", name="修改策略").click()
    page.get_by_label(re.compile("时间戳策略")).fill("1.2.3.4")
    page.get_by_label(re.compile("来源")).fill("院内规定")
    page.get_by_role("button", name="存入草案").click()
    assert "1.2.3.4" in page.locator("main").inner_text()
    page.get_by_role("button", name="放弃这份草案").click()
    assert "已放弃" in page.locator("main").inner_text()
    context.close()
