"""From a phone form to a signed report: the three journeys of the main job, in a real browser against the real portal."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from evidence.reports import checking
from evidence.verification import Exhibit, TrustStore, verify

from .conftest import Portal, Visitor

pytestmark = pytest.mark.needs("chromium")


def test_the_demonstration_says_where_everything_is(portal: Portal) -> None:
    for words in ("CONSISTENT B", "CONSISTENT A", "INCONSISTENT", "INDETERMINATE E", "DEMONSTRATION", "PAdES-B-LTA"):
        assert words in portal.said
    assert Path(re.search(r"signed report\s+(\S+)", portal.said)[1]).is_file()  # type: ignore[index]


@pytest.mark.needs("pdfsig", "qpdf")
def test_the_report_is_accepted_by_poppler_qpdf_and_our_own_check(portal: Portal) -> None:
    report = Path(re.search(r"signed report\s+(\S+)", portal.said)[1])  # type: ignore[index]
    said = subprocess.run(["pdfsig", str(report)], capture_output=True, text=True).stdout
    assert "Signature is Valid" in said
    assert subprocess.run(["qpdf", "--check", str(report)], capture_output=True).returncode == 0
    assert checking.check(report.read_bytes(), keys=portal.data / "keys" / "signing") == []


def test_anybody_gets_the_same_verdict_bytes_offline(portal: Portal, desk: Visitor) -> None:
    """The annex of the signed report against the engine run over the folders that were handed in."""
    import io

    import pikepdf

    report = Path(re.search(r"signed report\s+(\S+)", portal.said)[1])  # type: ignore[index]
    with pikepdf.open(io.BytesIO(report.read_bytes())) as pdf:
        annex = json.loads(pdf.attachments["result.json"].get_file().read_bytes())
    trust = TrustStore.load(portal.data / "trust" / "in-force")
    from datetime import datetime

    folders = {
        json.loads((p / "answers.json").read_bytes())["name"]: p / "files" for p in (portal.data / "evidence").iterdir()
    }
    names = {i["evidence_no"]: i["name"] for i in annex["items"]}
    assert len(annex["results"]) == len(folders) == 4
    for result in annex["results"]:
        files = sorted(folders[names[result["item"]]].iterdir())
        verdict = verify(Exhibit.from_paths(files), trust, datetime.fromisoformat(result["verdict"]["at"]))
        assert json.loads(verdict.to_json()) == result["verdict"]


def test_litigant_files_on_a_phone_and_the_judge_reads_on_a_desk(portal: Portal, phone: Visitor, desk: Visitor) -> None:
    page = phone.page
    phone.sign_in("周晓")
    phone.seen("litigant-home")
    page.get_by_role("link", name=re.compile("提交证据|开始提交")).first.click()

    # Start, case number: first a wrong one, with what is wrong about it.
    if page.get_by_role("button", name=re.compile("开始")).count():
        phone.seen("form-0-start")
        page.get_by_role("button", name=re.compile("开始")).first.click()
    number = page.get_by_label(re.compile("案号"))
    number.fill("（2026）川01民初0123号")
    page.get_by_role("button", name="继续").click()
    assert page.locator(".govuk-error-summary").is_visible()
    phone.seen("form-1-case-wrong")
    page.get_by_label(re.compile("案号")).fill("(2026)川01民初123号")
    page.get_by_role("button", name="继续").click()

    # Who.
    phone.seen("form-2-who")
    page.get_by_role("button", name="继续").click()

    # What. Changing the language loads the page anew, so each picture is taken before the answer is typed.
    phone.seen("form-3-what")
    page.get_by_label(re.compile("名称")).fill("店铺首页快照（再次提交）")
    page.get_by_label(re.compile("网页")).first.check()
    page.get_by_label(re.compile("原生")).first.check()
    page.locator("textarea").first.fill("用手机取证软件抓取。")
    page.get_by_role("button", name="继续").click()

    # Files: hashed on the device, uploaded in parts, then said to be unchanged.
    files = sorted((portal.data / "evidence" / "1" / "files").iterdir())
    page.locator("input[type=file]").set_input_files([str(f) for f in files])
    page.get_by_text(re.compile("完全相同")).nth(len(files) - 1).wait_for(timeout=30_000)
    phone.seen("form-4-files")
    page.get_by_role("button", name="继续").click()

    # Before recording: one of the six boxes, the others left out.
    phone.seen("form-5-prechain")
    page.get_by_label(re.compile("存储过程")).fill("取证后一直存于公司电脑。")
    page.get_by_role("button", name="继续").click()

    # What it proves; check; declare.
    phone.seen("form-5-purpose")
    page.locator("textarea").first.fill("被告店铺首页使用了原告作品。")
    page.get_by_role("button", name="继续").click()
    phone.seen("form-6-check")
    page.get_by_role("link", name="继续").or_(page.get_by_role("button", name=re.compile("继续"))).last.click()
    phone.seen("form-7-declare")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name=re.compile("提交")).click()
    page.wait_for_url(re.compile("receipt"))
    phone.seen("form-8-receipt")
    receipt = page.locator("main").inner_text()
    for file in files:
        assert file.name in receipt
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("PDF")).click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")

    # The judge: the answer arrives by itself.
    page = desk.page
    desk.sign_in("沈明远")
    desk.seen("judge-home")
    page.goto(portal.address + "/")
    page.get_by_role("link", name=re.compile("川01民初123号")).first.click()
    desk.seen("judge-case")
    page.get_by_role("link", name=re.compile("再次提交")).first.click()
    page.get_by_text("核验一致").first.wait_for(timeout=60_000)
    desk.seen("judge-exhibit-consistent")
    assert "DEMONSTRATION" in page.content()

    # The clerk: a draft of a report on this exhibit, made while the page follows (its further life: test_report.py).
    page.get_by_role("button", name="退出").click()
    desk.sign_in("何书宁")
    desk.seen("clerk-home")
    page.goto(portal.address + "/")
    page.get_by_role("link", name=re.compile("川01民初123号")).first.click()
    page.get_by_role("link", name=re.compile("再次提交")).first.click()
    page.get_by_role("button", name="出具核验报告").first.click()
    page.get_by_role("button", name="生成草稿").click()
    page.get_by_role("link", name=re.compile("下载草稿")).wait_for(timeout=60_000)


@pytest.mark.parametrize("name", ["侵权商品网页快照", "商品图片（存证后被改动）", "聊天记录截图"])
def test_the_judge_sees_each_of_the_three_verdicts(portal: Portal, desk: Visitor, name: str) -> None:
    desk.sign_in("沈明远")
    desk.page.get_by_role("link", name=re.compile("川01民初123号")).first.click()
    desk.page.get_by_role("link", name=name).first.click()
    desk.seen(f"judge-{['侵权商品网页快照', '商品图片（存证后被改动）', '聊天记录截图'].index(name)}")


def test_the_litigant_reads_the_result_on_the_phone(portal: Portal, phone: Visitor) -> None:
    phone.sign_in("周晓")
    phone.page.get_by_role("link", name=re.compile("商品图片")).first.click()
    phone.seen("litigant-result")


def test_the_defendant_cannot_know_the_plaintiffs_evidence(portal: Portal, phone: Visitor, desk: Visitor) -> None:
    desk.sign_in("沈明远")
    desk.page.get_by_role("link", name=re.compile("川01民初123号")).first.click()
    desk.page.get_by_role("link", name=re.compile("侵权商品网页快照")).first.click()
    address = desk.page.url
    phone.sign_in("郑海")
    assert "侵权商品网页快照" not in phone.page.content()
    hidden = phone.page.goto(address)
    assert hidden is not None and hidden.status == 404
    phone.complaints.clear()  # the browser notes the 404 on its console


def test_the_public_check_page_answers_and_says_no_more(portal: Portal, phone: Visitor) -> None:
    address = re.search(r"check a report\s+(\S+)", portal.said)[1]  # type: ignore[index]
    phone.page.goto(address)
    assert "有效" in phone.page.locator("main").inner_text()
    phone.seen("public-check")
    phone.page.goto(re.sub(r"code=\w+", "code=AAAAAAAAAA", address))
    assert "没有查到" in phone.page.locator("main").inner_text()
