"""Every page of a report's life in a real browser: 360 px and a desk, Chinese and English, as each person who may see it.

Each has no accessibility violations, nothing beyond the edge of the screen, and says what must stand on it. The walk without script is in tests/journeys, against the real portal.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, sync_playwright

from cases.models import Case, Office, Role, Side
from evidence.reports import dropped, issuing, public_file
from evidence.reports.dropped import Kind
from evidence.reports.models import Report, Signature, Step
from portal.people.models import User
from tests import courtroom, screens
from tests.conftest import program
from tests.evidence.intake.browser import FLAGS

from .life import Court, Press

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
LONG = "被诉店铺首页网页快照及其全部页面资源" * 6 + "x" * 60


@pytest.fixture(autouse=True)
def _playwright_runs_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


class Visit:
    """One window for each person and language. Complaints of the console fail the test, but for its notes on answers of 4xx and 5xx."""

    def __init__(self, browser: Browser, address: str, size: dict[str, int]) -> None:
        self.browser, self.address, self.size = browser, address, size
        self.pages: dict[tuple[int | None, bool], Page] = {}
        self.complaints: list[str] = []
        self.wrong: list[object] = []

    def page(self, who: User | None, *, english: bool = False) -> Page:
        key = (who.pk if who else None, english)
        if key not in self.pages:
            self.pages[key] = self._open(who, english=english)
        return self.pages[key]

    def _open(self, who: User | None, *, english: bool) -> Page:
        phone = self.size is PHONE
        context = self.browser.new_context(viewport=self.size, locale="zh-CN", is_mobile=phone, has_touch=phone, reduced_motion="reduce")
        cookies = {django_settings.LANGUAGE_COOKIE_NAME: "en" if english else "zh-hans"}
        if who is not None:
            session = Client()
            session.force_login(who)
            cookies[django_settings.SESSION_COOKIE_NAME] = session.cookies[django_settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": name, "value": value, "url": self.address} for name, value in cookies.items()])
        page = context.new_page()
        page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") and "server responded" not in m.text else None)
        return page

    def look(self, page: Page, name: str, *, english: bool) -> None:
        """Nothing beyond the edge; without violations (on a phone in Chinese, on a desk in English)."""
        screens.picture(page, f"report-{name}-{self.size['width']}-{'en' if english else 'zh'}")
        self.wrong += [(name, fault) for fault in screens.sideways(page)]
        if (self.size is PHONE) != english:
            self.wrong += [(name, *fault) for fault in screens.violations(page)]


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def visit(request: Any, live_server: Any, court: "Docket") -> Iterator[Visit]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=FLAGS)
        made = Visit(browser, live_server.url, request.param)
        yield made
        for page in made.pages.values():
            page.goto("about:blank")  # nothing asks the portal again while its tables are emptied
        browser.close()
        connections.close_all()  # while the driver's loop runs, this thread has a session of its own
    assert (made.wrong, made.complaints) == ([], [])


@dataclass(frozen=True)
class Seen:
    """A page to look at: who opens which address, and what must stand on it."""

    name: str
    who: User | None
    address: str
    zh: str = ""
    do: Callable[[Page], None] | None = None


class Docket(Court):
    """A case with a report in every state of its life, thirty in another case's list, and the people outside the court."""

    def __init__(self) -> None:
        super().__init__()
        self.defendant = courtroom.person("defendant")
        courtroom.join(self.defendant, self.case, Role.LITIGANT, Side.DEFENDANT)
        self.admin = courtroom.person("auditor", court_staff=True)
        Office.give(self.admin, Office.Post.AUDITOR)
        type(self.exhibit).objects.filter(pk=self.exhibit.pk).update(exchanged=True)
        self.second = courtroom.hand_in(self.case, self.party, name=LONG, exchanged=True)
        self.long = courtroom.run(self.second, courtroom.inconsistent()).verdict
        courtroom.hand_in(self.case, self.party, name="还没有核验的录音")
        self.empty, self.many = courtroom.case(9), courtroom.case(8)
        for case in (self.empty, self.many):
            courtroom.join(self.clerk, case, Role.CLERK)
        self.numbers = iter(range(1, 1000))

    def report(self, state: str, *, case: Case | None = None, **more: Any) -> Report:
        verdicts = () if case else (self.verdict, self.long)
        more = {"kind": "catalogue"} | more
        return courtroom.report(case or self.case, self.clerk, *verdicts, state=state, number=f"HY2026-{next(self.numbers):06d}", second=self.judge, **more)


def page_of(name: str, of: Any, query: str = "") -> str:
    return reverse(f"reports:{name}", args=[of.public_id]) + query


def inside(d: Docket) -> Iterator[Seen]:
    """What the court's side sees, from the order to the end."""
    yield Seen("order-one", d.clerk, page_of("order", d.case, f"?exhibit={d.exhibit.public_id}"), "生成草稿")
    yield Seen("order-group", d.clerk, page_of("order", d.case, f"?exhibit={d.exhibit.public_id}&exhibit={d.second.public_id}"), "2 件证据")
    yield Seen("order-whole", d.clerk, page_of("order", d.case, "?whole=yes"), "还没有核验的录音", do=unfold)
    yield Seen("order-nothing", d.clerk, page_of("order", d.empty, "?whole=yes"), "回到证据目录")
    yield Seen("list-empty", d.clerk, page_of("of_case", d.empty))
    for state in ("draft", "signed", "released", "superseded", "revoked") * 6:
        d.report(state, case=d.many)
    yield Seen("list-thirty", d.clerk, page_of("of_case", d.many), "下一页")
    queued = d.report("preparing")
    yield Seen("preparing-queued", d.clerk, page_of("report", queued))
    working = d.report("preparing")
    Report.objects.filter(pk=working.pk).update(attempts=1)
    yield Seen("preparing-working", d.clerk, page_of("report", working))
    draft = d.report("draft")
    for name in ("clerk", "assistant", "judge", "panel"):
        yield Seen(f"draft-{name}", d.people[name], page_of("report", draft), "未签名")
    yield Seen("draft-unread", d.assistant, page_of("report", draft), "请先通读草稿", do=lambda p: p.get_by_role("button", name=re.compile("复核通过|Record as checked|checked", re.I)).click())
    yield Seen("draft-difference", d.judge, page_of("difference", draft))
    released = d.report("released")
    correction = d.report("checked", supersedes=released, version=2, kind="correction", reason="案由写法更正")
    for name in ("clerk", "judge"):
        yield Seen(f"checked-{name}", d.people[name], page_of("report", correction), do=unfold)
        yield Seen(f"sign-{name}", d.people[name], page_of("sign", correction))
    yield Seen("order-correction", d.clerk, page_of("order", d.case, f"?supersedes={released.public_id}"), "取代")
    courtroom.run(d.exhibit, courtroom.inconsistent())
    yield Seen("draft-outdated", d.clerk, page_of("report", draft), "不能再签发")
    yield Seen("sign-outdated", d.judge, page_of("sign", correction), "不能再签发")
    yield Seen("sealing", d.judge, page_of("report", d.report("sealing")), "正在签名")
    waiting = d.report("sealing")
    Report.objects.filter(pk=waiting.pk).update(fault="KeyUnusable: the token did not answer")
    yield Seen("sealing-waits", d.judge, page_of("report", waiting), "签名密钥暂时不能使用")
    for stage in ("preparing", "sealing"):
        yield Seen(f"failed-{stage}", d.clerk, page_of("report", d.report("failed", stage=stage, fault="SigningError: the time-stamping authority did not answer")), "重试")
    yield Seen("failed-changed", d.clerk, page_of("report", d.report("failed", stage="sealing", fault="ReportFault: what the report says is no longer what was checked; order it again")))
    yield Seen("discarded", d.clerk, page_of("report", d.report("discarded")))
    signed = d.report("signed", volumes=[b"%PDF-1", b"%PDF-2"])
    for name in ("clerk", "judge"):
        yield Seen(f"signed-{name}", d.people[name], page_of("report", signed), "附卷")
    for level in ("PAdES-B-B", "PAdES-B-T"):
        made = d.report("signed")
        courtroom.revise(made, hashlib.sha256(level.encode()).hexdigest(), level=level, reason="upgraded")
        yield Seen(f"signed-{level[-3:]}", d.judge, page_of("report", made), "待补")
    courtroom.revise(signed, "e" * 64, reason="renewed")
    yield Seen("signed-renewed", d.judge, page_of("report", signed))
    Step.objects.create(report=released, act=Step.Act.REVOKE_ASKED, by=d.clerk, reason="证据已由当事人撤回")
    for name in ("clerk", "judge"):
        yield Seen(f"revoke-asked-{name}", d.people[name], page_of("report", released), "提请撤销")


def outside(d: Docket) -> Iterator[Seen]:
    """What the parties see; the key drill of an office."""
    released = d.report("released", volumes=[b"%PDF-1"])
    for who, name in ((d.party, "party"), (d.defendant, "opponent")):
        yield Seen(f"released-{name}", who, page_of("report", released), "下载签名报告")
    for state in ("superseded", "revoked"):
        made = d.report(state, opened=True)
        for who, name in ((d.party, "party"), (d.clerk, "clerk")):
            yield Seen(f"{state}-{name}", who, page_of("report", made))
    yield Seen("list-party", d.party, page_of("of_case", d.case))
    yield Seen("list-opponent", d.defendant, page_of("of_case", d.case))
    yield Seen("case-clerk", d.clerk, reverse("case", args=[d.case.public_id]))
    yield Seen("keys-none", d.admin, reverse("reports:keys"))
    for n, certificate in enumerate(("ab" * 32, "cd" * 32)):
        Signature.objects.create(
            report=released, revision=released.revisions.get(), field=("CourtSeal", "Clerk")[n], certificate_sha256=certificate, serial="1f" * 10,
            subject="CN=四川省成都市中级人民法院电子签章（演示）,O=Chengdu Intermediate Court,C=CN", level="PAdES-B-LTA", at=released.signed_at, person=(None, d.clerk)[n],
        )  # fmt: skip
    yield Seen("keys", d.admin, reverse("reports:keys"))
    yield Seen("keys-wrong", d.admin, reverse("reports:keys") + "?fingerprint=xy", "64")
    yield Seen("key", d.admin, reverse("reports:key", args=["cd" * 32]))
    yield Seen("upkeep", d.admin, reverse("reports:upkeep"))
    yield Seen("key-unused", d.admin, reverse("reports:key", args=["ef" * 32]))


def public_pages(d: Docket) -> Iterator[Seen]:
    yield Seen("check-form", None, reverse("reports:check"))
    for state in ("released", "superseded", "revoked"):
        made = d.report(state)
        yield Seen(f"check-{state}", None, reverse("reports:check") + f"?number={made.number}&code={made.check_code}")
        yield Seen(f"check-{state}-digest", None, reverse("reports:check") + f"?sha256={made.signed_sha256}")
    yield Seen("check-unknown", None, reverse("reports:check") + "?number=HY2026-009999&code=AAAAAAAAAA", "没有查到")
    yield Seen("check-unknown-digest", None, reverse("reports:check") + f"?sha256={'0' * 64}", "没有查到")
    yield Seen("check-digest-short", None, reverse("reports:check") + "?sha256=abc")
    yield Seen("check-no-code", None, reverse("reports:check") + "?number=HY2026-000001&code=")


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")


@pytest.fixture
def court(press: Press) -> Docket:
    return Docket()


@pytest.mark.parametrize("pages", [inside, outside, public_pages])
def test_every_page(visit: Visit, court: Docket, pages: Callable[[Docket], Iterator[Seen]]) -> None:
    """To see it fail: give any element of a page a fixed width, take the label from a field, or a colour its contrast."""
    for seen in pages(court):
        for english in (False, True):
            page = visit.page(seen.who, english=english)
            page.goto(visit.address + seen.address)
            if seen.do:
                seen.do(page)
                page.wait_for_load_state()
            visit.look(page, seen.name, english=english)
            if not english and seen.zh not in page.locator("main").inner_text():
                visit.wrong.append(f"{seen.name} does not say {seen.zh}")


def test_every_answer_on_a_file(visit: Visit, court: Docket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file is handed over by the form; what the register, the engine and the ledger say of it is put in their place."""
    revision = court.report("released").newest
    assert revision is not None
    good, checks = dropped.Recorded(datetime(2026, 11, 22, 4, 5, 6, tzinfo=UTC), 12, 40), (("CourtSeal", "SIG.INTACT", "FAILED"), ("CourtSeal", "SIG.CHAIN", "PASSED"))
    digest = "0f" * 32
    answers: dict[str, Any] = {
        "issued": dropped.Looked(Kind.ISSUED, digest, revision, recorded=good),
        "issued-early": dropped.Looked(Kind.ISSUED, digest, revision, recorded=dropped.Recorded(good.at, None, None)),
        "not-in-ledger": dropped.Looked(Kind.ISSUED, digest, revision),
        "extended": dropped.Looked(Kind.EXTENDED, digest, revision, added=1234, recorded=good),
        "sealed-unknown": dropped.Looked(Kind.SEALED_UNKNOWN, digest, checks=checks),
        "broken": dropped.Looked(Kind.BROKEN, digest, checks=checks),
        "not-ours": dropped.Looked(Kind.NOT_OURS, digest),
        "unreadable": dropped.Looked(Kind.UNREADABLE, digest),
        "no-jail": dropped.JailError("no jail here"),
        "busy": dropped.Busy(),
        "too-large": None,
        "too-often": None,
    }
    file = tmp_path / "报告.pdf"
    file.write_bytes(b"%PDF-" + bytes(3000))
    for name, answer in answers.items():
        monkeypatch.setattr(dropped, "look", Mock(side_effect=[answer, answer]))
        monkeypatch.setattr(public_file, "FILE_MAX", 2000 if name == "too-large" else 64 << 20)
        monkeypatch.setattr(public_file, "FILES_MAX", 0 if name == "too-often" else 1000)
        for english in (False, True):
            page = visit.page(None, english=english)
            page.goto(visit.address + reverse("reports:check"))
            page.locator("#report").set_input_files(str(file))
            page.locator("#show button").click()
            page.wait_for_url("**/check/file/")
            visit.look(page, f"file-{name}", english=english)
            good_news = page.locator(".mj-answer--in_force").count()
            if good_news != (name in ("issued", "issued-early")):
                visit.wrong.append((name, page.locator("main").inner_text()))


def test_a_file_is_hashed_on_the_device(visit: Visit, court: Docket, tmp_path: Path) -> None:
    """Only the digest goes out; a file that cannot be read is said. To see it fail: leave the catch out of report-check.js."""
    made, sent = court.report("released", signed=b"%PDF-1.7 the court's"), []
    page = visit.page(None)
    page.on("request", lambda r: sent.append(r.method))
    page.goto(visit.address + reverse("reports:check"))
    file = tmp_path / "report.pdf"
    file.write_bytes(b"%PDF-1.7 the court's")
    page.locator("#file").set_input_files(str(file))
    page.get_by_text(f"报告 {made.number} 逐字节相同").wait_for()
    assert set(sent) == {"GET"}
    page.evaluate("() => { Blob.prototype.slice = () => { throw new Error('gone'); }; File.prototype.stream = Blob.prototype.slice; }")
    page.locator("#file").set_input_files(str(file))
    page.get_by_text("读不出这个文件").wait_for()
    visit.look(page, "check-unread", english=False)


def test_the_keyboard_alone(visit: Visit, court: Docket) -> None:
    """Every link, field and button is reached by Tab, in the order of the page, and is seen when it has the focus."""
    made = court.report("checked")
    for who, address in ((court.judge, page_of("sign", made)), (court.assistant, page_of("report", made)), (None, reverse("reports:check"))):
        page = visit.page(who)
        page.goto(visit.address + address)
        wanted = page.evaluate("[...document.querySelectorAll('a[href], button, input:not([type=hidden]), textarea, summary')].filter(e => e.checkVisibility()).length")
        reached = 0
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
            seen = page.evaluate(FOCUS)
            if seen is None:
                break
            reached += 1
            if not seen["marked"]:
                visit.wrong.append((address, "no focus is seen on", seen["what"]))
        if reached < wanted:
            visit.wrong.append((address, f"{reached} of {wanted} reached"))
    # The last step of the judge, without a mouse.
    page = visit.page(court.judge)
    page.goto(visit.address + page_of("sign", made))
    page.locator("#read").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("正在签名").first.wait_for()
    made.refresh_from_db()
    assert (made.state, made.signed_by) == ("sealing", court.judge)


FOCUS = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const drawn = (x, part) => { const s = getComputedStyle(x, part); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== 'none'; };
  const label = e.labels && e.labels[0];
  return {what: e.outerHTML.slice(0, 90), marked: drawn(e) || Boolean(label && (drawn(label, '::before') || drawn(label)))};
}"""


def test_pressed_twice_and_refused(visit: Visit, court: Docket) -> None:
    """A form sent twice makes one report; a refused act says why; a reload changes nothing; a draft can be thrown away."""
    page = visit.page(court.clerk)
    for _ in range(2):
        page.goto(visit.address + page_of("order", court.case, "?whole=yes"))
        page.get_by_role("button", name="生成草稿").click()
        page.wait_for_url("**/reports/*-*/")
    made = Report.objects.get()
    assert "排队等待" in page.locator("main").inner_text() or "马上开始" in page.locator("main").inner_text()
    page.reload()
    assert "正在制作草稿" in page.locator("main").inner_text()
    issuing.produce(made.pk)
    page.get_by_role("link", name="下载草稿").wait_for(timeout=20_000)  # htmx asked by itself
    other = visit.page(court.assistant)
    other.goto(visit.address + page_of("report", made))
    page.get_by_text("作废这份草稿").click()
    page.get_by_role("button", name="作废").click()
    page.get_by_text("草稿已作废，编号不再使用").wait_for()
    other.get_by_label("我已通读草稿").check(force=True)
    other.get_by_role("button", name="复核通过").click()
    other.get_by_text("不能这样做").wait_for()
    visit.look(other, "refused", english=False)


def test_on_paper(visit: Visit, court: Docket) -> None:
    """Printed, the report's page keeps what it says and loses what one can press. A4 at 96 dots."""
    made = court.report("released")
    page = visit.page(court.judge)
    page.set_viewport_size({"width": 794, "height": 1123})
    page.goto(visit.address + page_of("report", made))
    page.emulate_media(media="print")
    visit.look(page, "paper", english=False)
    said = page.locator("body").inner_text()
    assert made.number in said and "下载签名报告" not in said and "打印自" in said and "提请撤销" not in said
