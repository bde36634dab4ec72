"""The mini-court form without JavaScript, page by page, as a browser would use it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases import sentences as case_sentences
from cases.models import Case, Court, Membership, Role, Side
from cases.numbers import Fault
from evidence.exhibits.models import Exhibit, State, Statement
from evidence.intake import limits
from evidence.intake.models import Draft
from evidence.intake.receiving import receive
from portal.people.models import User

from .conftest import (
    NUMBER,
    PRECHAIN,
    PURPOSE,
    WHAT,
    answer,
    answered,
    attach,
    begin,
    member,
    page,
    signed_in,
)
from .reading import errors, same, text

pytestmark = pytest.mark.django_db


# ── from the first page to the receipt ────────────────────────────────────────────────────────────────────────────────


def test_a_whole_submission(browser: Client, case: Case) -> None:
    draft = begin(browser)
    steps = [
        ("case", {"number": " ( 2026 ) 川01 民初 123 号"}),
        ("who", {"membership": Membership.objects.get().pk}),
        ("what", WHAT),
    ]
    for name, data in steps:
        assert browser.get(page(draft, name)).status_code == 200
        assert answer(browser, draft, name, data).status_code == 302
    assert attach(browser, draft, ("page.txt", b"evidence"), action="continue")["Location"] == page(
        draft, "prechain"
    )
    assert answer(browser, draft, "prechain", PRECHAIN)["Location"] == page(draft, "purpose")
    assert answer(browser, draft, "purpose", PURPOSE)["Location"] == page(draft, "check")
    overview = text(browser.get(page(draft, "check")))
    for shown in (
        NUMBER,
        "姓名zhou",
        "原告",
        "当事人本人",
        WHAT["name"],
        "网页、博客、微博客",
        "原生电子数据",
        PURPOSE["purpose"],
        PRECHAIN["source"],
        PRECHAIN["notary"],
        "第三方见证 未填写",
        "page.txt",
    ):
        assert shown in overview
    receipt = answer(browser, draft, "declare", {"declared": "on"})
    assert receipt["Location"] == reverse("intake:receipt", args=[draft.public_id])
    exhibit = Exhibit.objects.get()
    assert exhibit.case == case
    shown = text(browser.get(receipt["Location"]))
    file = exhibit.files.get()
    for fact in (
        exhibit.receipt_number,
        "尚未审查",
        "北京时间",
        "UTC",
        "原告证据1",
        "page.txt",
        "8 字节",
        file.sha256,
        file.sm3,
        "12368",
    ):
        assert fact in shown
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert f"the clerk of the case at {case.court.name_en}, or" in text(browser.get(receipt["Location"]))


def test_the_way_is_numbered_and_titled(browser: Client, ready: Draft) -> None:
    for number, name in enumerate(["case", "who", "what", "files", "prechain", "purpose", "check", "declare"], start=1):
        response = browser.get(page(ready, name))
        assert f"第 {number} 步，共 9 步" in text(response)
        assert response.content.decode().count("<h1") == 1


def test_every_page_is_small(browser: Client, ready: Draft) -> None:
    for name in ["case", "who", "what", "files", "prechain", "purpose", "check", "declare"]:
        assert len(browser.get(page(ready, name)).content) < 100_000


def test_pages_ahead_lead_back_to_what_is_missing(browser: Client) -> None:
    draft = begin(browser)
    for name in ("who", "what", "files", "prechain", "purpose", "check", "declare"):
        assert browser.get(page(draft, name))["Location"] == page(draft, "case")
    draft = answered(browser, upto="purpose")
    for name in ("check", "declare"):
        assert browser.get(page(draft, name))["Location"] == page(draft, "purpose")


def test_another_device_goes_on_where_this_one_stopped(browser: Client, litigant: User) -> None:
    draft = answered(browser, upto="files")
    browser.logout()
    phone = signed_in(litigant)
    shown = text(phone.get(reverse("intake:start")))
    assert WHAT["name"] in shown and "停在第 4 步：选择文件" in shown
    assert WHAT["origin"] in phone.get(page(draft, "what")).content.decode()


def test_two_devices_on_two_pages_do_not_overwrite_each_other(browser: Client, litigant: User) -> None:
    draft = answered(browser, upto="purpose")
    phone = signed_in(litigant)
    answer(browser, draft, "what", WHAT | {"name": "改过的名称"})
    answer(phone, draft, "purpose", PURPOSE)
    draft.refresh_from_db()
    assert draft.answers["what"]["name"] == "改过的名称"
    assert draft.answers["purpose"] == PURPOSE


def test_a_change_link_keeps_everything_and_comes_back(browser: Client, ready: Draft) -> None:
    html = browser.get(page(ready, "check")).content.decode()
    for name in ("case", "who", "what", "files", "prechain", "purpose"):
        assert f'href="{page(ready, name)}?from=check"' in html
    changed = browser.post(page(ready, "what"), WHAT | {"name": "新名称", "from": "check"})
    assert changed["Location"] == page(ready, "check")
    shown = text(browser.get(page(ready, "check")))
    assert "新名称" in shown and PURPOSE["purpose"] in shown and "page.txt" in shown


def test_what_is_left_out_says_so(browser: Client, ready: Draft) -> None:
    answer(browser, ready, "what", WHAT | {"origin": ""})
    assert "来源 未填写" in text(browser.get(page(ready, "check")))


def test_a_submitted_draft_only_shows_its_receipt(browser: Client, ready: Draft) -> None:
    answer(browser, ready, "declare", {"declared": "on"})
    receipt = reverse("intake:receipt", args=[ready.public_id])
    for name in ("case", "files", "check", "declare"):
        assert browser.get(page(ready, name))["Location"] == receipt
    assert answer(browser, ready, "declare", {"declared": "on"})["Location"] == receipt
    assert Exhibit.objects.count() == 1
    assert WHAT["name"] not in text(browser.get(reverse("intake:start")))


def test_beginning_from_a_case_page_asks_no_number(browser: Client, case: Case) -> None:
    shown = browser.get(f"{reverse('intake:start')}?case={case.public_id}")
    assert NUMBER in text(shown)
    response = browser.post(reverse("intake:start"), {"case": case.public_id})
    assert response["Location"].endswith("/who/")


@pytest.mark.parametrize("asked", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_beginning_from_a_case_that_is_not_there(browser: Client, asked: str) -> None:
    assert browser.get(f"{reverse('intake:start')}?case={asked}").status_code == 200
    assert browser.post(reverse("intake:start"), {"case": asked})["Location"].endswith("/case/")


def test_drafts_are_bounded_and_can_be_given_up(
    browser: Client, monkeypatch: pytest.MonkeyPatch, vault_dir: Path
) -> None:
    monkeypatch.setattr(limits, "DRAFTS_MAX", 2)
    first, _ = begin(browser), begin(browser)
    browser.post(reverse("intake:start"))
    assert Draft.objects.count() == 2
    browser.post(reverse("intake:discard", args=[first.public_id]))
    assert browser.get(page(first, "case")).status_code == 404
    browser.post(reverse("intake:start"))
    assert Draft.objects.filter(discarded_at=None).count() == 2


# ── the case ──────────────────────────────────────────────────────────────────────────────────────────────────────────

FAULTS = {
    "": Fault.EMPTY,
    "川01民初123号": Fault.YEAR_MISSING,
    "（2015）川01民初1号": Fault.YEAR_EARLY,
    "（2999）川01民初1号": Fault.YEAR_FUTURE,
    "（2026）蜀01民初1号": Fault.COURT,
    "（2026）川01借初1号": Fault.TYPE,
    "（2026）川01民初0123号": Fault.SEQUENCE,
    "（2026）川01民初123": Fault.NO_HAO,
    "（2026）川0104民终1号": Fault.LEVEL,
    "（2018）川01知民初1号": Fault.SPECIAL_EARLY,
    "（2016）最高法刑核123号": Fault.REVIEW_DIGITS,
    "（2026）川01民初字第123号": Fault.LEGACY_LATE,
    "号" * 61: Fault.SHAPE,
}


def test_each_fault_is_tried() -> None:
    assert set(FAULTS.values()) == set(Fault)


@pytest.mark.parametrize("number", FAULTS)
def test_a_wrong_number_says_what_is_wrong(browser: Client, number: str) -> None:
    draft = begin(browser)
    response = answer(browser, draft, "case", {"number": number})
    assert errors(response) == [case_sentences.fault(FAULTS[number])]
    assert not number or f'value="{number}"' in response.content.decode(), "what was typed stays"


def test_a_case_of_others_and_a_case_of_nobody_give_the_same_answer(browser: Client, court: Court) -> None:
    other = Case.objects.create(
        number="（2026）川01民初777号",
        year=2026,
        court_code="川01",
        case_type="民初",
        sequence=777,
        court=court,
        sealed=True,
    )
    member(other, "somebody")
    draft = begin(browser)
    known, absent = "（2026）川01民初777号", "（2026）川01民初778号"
    first, second = (answer(browser, draft, "case", {"number": n}) for n in (known, absent))
    assert same(first, known) == same(second, absent)
    assert first.status_code == second.status_code == 422
    assert "没有找到您可以提交证据的案件 （2026）川01民初777号" in errors(first)[0]
    assert "请联系承办法院" in errors(first)[0]


def test_the_bench_and_the_ended_mandate_find_no_case_to_submit_in(case: Case) -> None:
    judge = member(case, "judge", role=Role.PRESIDING_JUDGE, side=Side.COURT)
    agent = member(case, "former", role=Role.AGENT, days=1)
    Membership.objects.get(user=agent).end(at=timezone.now() - timedelta(minutes=1))
    endless = member(case, "endless", role=Role.AGENT)
    for user in (judge, agent, endless):
        browser = signed_in(user)
        response = answer(browser, begin(browser), "case", {"number": NUMBER})
        assert "没有找到您可以提交证据的案件" in errors(response)[0]


def test_an_old_number_that_is_not_found_is_explained(browser: Client) -> None:
    response = answer(browser, begin(browser), "case", {"number": "（2014）海民初字第1234号"})
    assert "2016年以前的旧式案号" in errors(response)[0]


def test_an_old_number_that_is_registered_is_taken(browser: Client, litigant: User, court: Court) -> None:
    old = Case.objects.create(
        number="（2014）海民初字第1234号",
        year=2014,
        court_code="海",
        case_type="民初",
        sequence=1234,
        court=court,
    )
    Membership.objects.create(
        case=old, user=litigant, role=Role.LITIGANT, side=Side.PLAINTIFF, valid_from=timezone.now()
    )
    assert answer(browser, begin(browser), "case", {"number": "(2014)海民初字第1234号"}).status_code == 302


def test_a_court_that_is_not_listed_is_a_warning(browser: Client, case: Case) -> None:
    Case.objects.update(court=None)
    Court.objects.all().delete()
    response = browser.post(page(begin(browser), "case"), {"number": NUMBER}, follow=True)
    assert response.status_code == 200
    assert "法院名录中没有代字“川01”" in text(response)


def test_a_document_suffix_leads_to_its_case(browser: Client, case: Case) -> None:
    draft = begin(browser)
    assert answer(browser, draft, "case", {"number": NUMBER + "之一"}).status_code == 302
    draft.refresh_from_db()
    assert draft.case == case


def test_another_case_asks_for_the_standing_again(
    browser: Client, ready: Draft, litigant: User, court: Court
) -> None:
    second = Case.objects.create(
        number="（2026）川01民初9号", year=2026, court_code="川01", case_type="民初", sequence=9, court=court
    )
    Membership.objects.create(
        case=second, user=litigant, role=Role.LITIGANT, side=Side.DEFENDANT, valid_from=timezone.now()
    )
    response = browser.post(page(ready, "case"), {"number": "（2026）川01民初9号", "from": "check"})
    assert response["Location"] == page(ready, "who")
    ready.refresh_from_db()
    assert ready.answers["what"] == WHAT, "the rest is kept"


# ── who ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_agent_sees_whom_they_act_for_and_until_when(case: Case) -> None:
    agent = member(case, "tang", role=Role.AGENT, days=10)
    browser = signed_in(agent)
    draft = answered(browser, upto="who")
    shown = text(browser.get(page(draft, "who")))
    assert "诉讼代理人" in shown and "plaintiff公司" in shown and "代理权限至" in shown
    assert '<input type="text"' not in browser.get(page(draft, "who")).content.decode(), "nothing to type"


def test_somebody_on_two_sides_chooses(browser: Client, litigant: User, case: Case) -> None:
    third = Membership.objects.create(
        case=case, user=litigant, role=Role.LITIGANT, side=Side.THIRD, valid_from=timezone.now()
    )
    draft = answered(browser, upto="who")
    assert browser.get(page(draft, "who")).content.decode().count('type="radio"') == 2
    assert errors(answer(browser, draft, "who", {})) == ["请选择您的身份"]
    assert answer(browser, draft, "who", {"membership": third.pk}).status_code == 302


def test_a_standing_of_somebody_else_cannot_be_taken(browser: Client, opponent: User) -> None:
    draft = answered(browser, upto="who")
    theirs = Membership.objects.get(user=opponent)
    assert errors(answer(browser, draft, "who", {"membership": theirs.pk})) == ["请选择您的身份"]


# ── what, purpose, declaration ────────────────────────────────────────────────────────────────────────────────────────


def test_empty_pages_name_every_lack(browser: Client) -> None:
    draft = answered(browser, upto="what")
    assert errors(answer(browser, draft, "what", {})) == [
        "请填写证据名称",
        "请选择电子数据的类别",
        "请选择形成方式",
    ]
    draft = answered(browser, upto="purpose")
    assert errors(answer(browser, draft, "purpose", {"purpose": "  "})) == ["请写出要用这份证据证明什么"]


@pytest.mark.parametrize(
    "data",
    [
        {"name": "x" * 201},
        {"origin": "x" * 4001},
        {"category": "none"},
        {"original_form": "x"},
        {"name": "a\0b"},
        {"name": "快照\u202e"},
    ],
)
def test_answers_have_bounds(browser: Client, data: dict[str, str]) -> None:
    draft = answered(browser, upto="what")
    assert len(errors(answer(browser, draft, "what", WHAT | data))) == 1


def test_the_declaration_is_made_by_hand(browser: Client, ready: Draft) -> None:
    assert errors(answer(browser, ready, "declare", {})) == ["提交前请勾选确认"]
    assert not Exhibit.objects.exists()
    assert "checked" not in browser.get(page(ready, "declare")).content.decode()


def test_late_material_is_asked_for_its_reason_and_taken(browser: Client, ready: Draft) -> None:
    Case.objects.update(evidence_closes_at=timezone.now() - timedelta(days=1))
    shown = text(browser.get(page(ready, "declare")))
    assert "举证期限已于" in shown and "材料照常接收" in shown
    assert errors(answer(browser, ready, "declare", {"declared": "on"})) == ["请说明逾期提交的原因"]
    assert (
        answer(browser, ready, "declare", {"declared": "on", "late_reason": "平台昨日才提供"}).status_code
        == 302
    )
    exhibit = Exhibit.objects.get()
    assert (exhibit.state, exhibit.late_reason) == (State.LATE_PENDING, "平台昨日才提供")
    receipt = text(browser.get(reverse("intake:receipt", args=[ready.public_id])))
    assert "在举证期限届满后提交，已照常接收" in receipt


def test_a_period_that_ends_between_page_and_button(browser: Client, ready: Draft) -> None:
    with mock.patch("evidence.intake.receiving.late_now", return_value=False):
        Case.objects.update(evidence_closes_at=timezone.now() - timedelta(seconds=1))
        response = answer(browser, ready, "declare", {"declared": "on"})
    assert errors(response) == ["请说明逾期提交的原因"]
    assert not Exhibit.objects.exists()


# ── what came before recording ────────────────────────────────────────────────────────────────────────────────────────


def test_the_six_boxes_may_all_be_left_out(browser: Client, ready: Draft) -> None:
    answer(browser, ready, "declare", {"declared": "on"})
    assert not Statement.objects.exists()


def test_the_six_boxes_are_handed_in_word_for_word(browser: Client, ready: Draft, litigant: User) -> None:
    answer(browser, ready, "prechain", PRECHAIN | {"storage": "第一行\r\n<b>第二行</b>"})
    answer(browser, ready, "declare", {"declared": "on"})
    exhibit = Exhibit.objects.get()
    rows = {(s.head, s.number, s.text, s.by, s.role, s.at == exhibit.submitted_at) for s in Statement.objects.all()}
    assert rows == {
        ("source", 1, PRECHAIN["source"], litigant, "litigant", True),
        ("storage", 1, "第一行\n<b>第二行</b>", litigant, "litigant", True),
        ("notary", 1, PRECHAIN["notary"], litigant, "litigant", True),
    }
    answer(browser, ready, "declare", {"declared": "on"})
    assert Statement.objects.count() == 3, "handed in twice, said once"


def test_a_box_too_long_is_refused_in_words_and_nothing_is_lost(browser: Client, ready: Draft) -> None:
    answer(browser, ready, "prechain", PRECHAIN)
    response = answer(browser, ready, "prechain", {"source": "字" * 5001, "witness": "张三"})
    assert response.status_code == 422
    assert errors(response) == ["“数据的具体来源”最多5000个字，现在有5001个字。请缩短；更长的说明可以作为文件提交"]
    html = response.content.decode()
    assert "字" * 5001 in html and "张三" in html and "maxlength" not in html
    ready.refresh_from_db()
    assert ready.answers["prechain"]["source"] == PRECHAIN["source"], "the draft keeps what it had"


def test_the_boxes_wait_for_another_device(browser: Client, litigant: User) -> None:
    draft = answered(browser, upto="prechain")
    assert "停在第 5 步：上链前的情况" in text(browser.get(reverse("intake:start")))
    answer(browser, draft, "prechain", PRECHAIN)
    phone = signed_in(litigant)
    assert PRECHAIN["notary"] in phone.get(page(draft, "prechain")).content.decode()


def test_a_draft_of_before_the_boxes_can_be_handed_in(browser: Client, ready: Draft) -> None:
    """Nobody's work is held up by a question that came later: the page is shown once, and asked for by nobody."""
    answers = {name: value for name, value in ready.answers.items() if name != "prechain"}
    Draft.objects.filter(pk=ready.pk).update(answers=answers)
    assert browser.get(page(ready, "check"))["Location"] == page(ready, "prechain")
    ready.refresh_from_db()
    receive(ready, by=ready.user, idempotency_key="by another door")
    assert Exhibit.objects.count() == 1 and not Statement.objects.exists()


def test_the_source_already_written_is_shown_beside_the_boxes(browser: Client) -> None:
    draft = answered(browser, upto="prechain")
    assert WHAT["origin"] in text(browser.get(page(draft, "prechain")))
