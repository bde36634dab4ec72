"""The docket and the catalogue as people read them: what waits first, plain words for a party, empty states."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases import catalogue
from cases.models import Case, Office, Role, Side
from evidence.intake.models import Draft
from evidence.reports.models import Report
from evidence.runs.models import Run
from portal.people.models import User
from tests import courtroom

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def vault_dir(tmp_path: object, settings: object) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]


@pytest.fixture
def case() -> Case:
    return courtroom.case(123)


@pytest.fixture
def judge(case: Case) -> User:
    judge = courtroom.person("judge")
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    return judge


@pytest.fixture
def party(case: Case) -> User:
    party = courtroom.person("party")
    courtroom.join(party, case, Role.LITIGANT, Side.PLAINTIFF)
    return party


def read(user: User, name: str, *arguments: object, language: str = "zh-hans", **query: str) -> str:
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    response = client.get(reverse(name, args=arguments), query)
    assert response.status_code == 200
    return response.content.decode()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_an_empty_docket_says_what_will_happen(db: None) -> None:
    text = words(read(courtroom.person("newcomer"), "home"))
    assert "您还没有列入任何案件" in text and "您还没有提交过证据" in text and "等您处理" not in text


def test_whoever_of_the_court_has_no_case_is_not_asked_to_hand_anything_in(db: None) -> None:
    """The offices file nothing: administrator and auditor. To see it fail: show the party's half to whoever has no court's half."""
    officer = courtroom.person("officer", court_staff=True)
    Office.give(officer, Office.Post.SYSADMIN)
    page = read(officer, "home")
    assert "您还没有列入任何案件" in page
    for word in ("提交证据", "法院核对身份", reverse("intake:start")):
        assert word not in page


def test_of_the_court_and_of_a_party_has_both_halves(case: Case) -> None:
    """A clerk who sues somebody in another court's case is a party there."""
    clerk = courtroom.person("clerk", court_staff=True)
    courtroom.join(clerk, case, Role.LITIGANT, Side.PLAINTIFF)
    assert reverse("intake:start") in read(clerk, "home")


def test_a_judge_with_nothing_to_do_is_told_so(judge: User) -> None:
    text = words(read(judge, "home"))
    assert "现在没有等您处理的事项" in text and "我方提交的证据" not in text


def test_what_waits_stands_in_the_order_of_need(case: Case, judge: User, party: User) -> None:
    """Parked, then contradictions, then what is open, then passes, then what still runs; what is reported waits no more."""
    verdicts = [courtroom.consistent(), courtroom.inconsistent(), courtroom.without_proof(), courtroom.consistent()]
    names = ["pass", "refuted", "open", "reported"]
    for name, verdict in zip(names, verdicts, strict=True):
        run = courtroom.run(courtroom.hand_in(case, party, name=f"件-{name}"), verdict)
        if name == "reported":
            courtroom.report(case, judge, run.verdict, state=Report.State.SIGNED)
    courtroom.run(courtroom.hand_in(case, party, name="件-parked"), state=Run.State.PARKED)
    courtroom.run(courtroom.hand_in(case, party, name="件-queued"), state=Run.State.QUEUED)
    courtroom.hand_in(case, party, name="件-untouched")
    seen = re.findall(r"件-\w+", read(judge, "home"))
    assert seen == ["件-parked", "件-refuted", "件-open", "件-pass", "件-queued"]


def test_a_report_that_failed_does_not_end_the_waiting(case: Case, judge: User, party: User) -> None:
    run = courtroom.run(courtroom.hand_in(case, party, name="件-x"), courtroom.consistent())
    made = courtroom.report(case, judge, run.verdict, state=Report.State.FAILED)
    page = read(judge, "home")
    assert "件-x" in page and made.number in page and "未能制作" in page


def test_a_new_run_brings_a_reported_exhibit_back_while_it_works(case: Case, judge: User, party: User) -> None:
    exhibit = courtroom.hand_in(case, party, name="件-again")
    courtroom.report(case, judge, courtroom.run(exhibit, courtroom.consistent()).verdict)
    assert "件-again" not in read(judge, "home")
    courtroom.run(exhibit, state=Run.State.RUNNING)
    page = read(judge, "home")
    assert "件-again" in page and "核验中" in page


def test_a_long_list_is_cut_and_says_so(case: Case, judge: User, party: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "WAITING_SHOWN", 3)
    for _ in range(5):
        courtroom.run(courtroom.hand_in(case, party), courtroom.consistent())
    waiting = catalogue.waiting(judge)["unreported"]
    assert (len(waiting.lines), waiting.more) == (3, True)
    assert "其余请到各案件的证据目录查看" in words(read(judge, "home"))


def test_a_party_reads_plain_words_of_its_own_and_nothing_of_grades(case: Case, judge: User, party: User) -> None:
    courtroom.run(courtroom.hand_in(case, party, name="我的快照"), courtroom.inconsistent())
    courtroom.run(courtroom.hand_in(case, party, name="我的录屏"), state=Run.State.PARKED)
    text = words(read(party, "home"))
    assert "与登记的记录不同。点开看可能的原因和怎么办。" in text
    assert "核验还没有完成，法院会处理，不需要再交" in text
    assert "等您处理" not in text and "E 级" not in text


def test_an_agent_sees_the_side_and_no_other(case: Case, party: User) -> None:
    agent, defendant = courtroom.person("agent"), courtroom.person("defendant")
    courtroom.join(agent, case, Role.AGENT, Side.PLAINTIFF, days=3)
    courtroom.join(defendant, case, Role.LITIGANT, Side.DEFENDANT)
    courtroom.hand_in(case, party, name="原告的快照")
    courtroom.hand_in(case, defendant, Side.DEFENDANT, name="被告的日志")
    page = read(agent, "home")
    assert "原告的快照" in page and "被告的日志" not in page


def test_drafts_wait_for_the_one_who_began_them(case: Case, judge: User, party: User) -> None:
    Draft.objects.create(user=party, case=case)
    Draft.objects.create(user=party, case=case, discarded_at=timezone.now())
    assert read(party, "home").count("继续填写") == 1
    assert "继续填写" not in read(judge, "home")


def test_the_catalogue_names_sides_in_the_court_s_order(case: Case, judge: User, party: User) -> None:
    defendant = courtroom.person("defendant")
    courtroom.hand_in(case, defendant, Side.DEFENDANT)
    courtroom.hand_in(case, party)
    courtroom.hand_in(case, party)
    assert re.findall(r"(?:原告|被告)证据\d+(?=</th>)", read(judge, "case", case.public_id)) == ["原告证据1", "原告证据2", "被告证据1"]
    english = read(judge, "case", case.public_id, language="en")
    assert 'lang="en"' in english and "Plaintiff" in english and not re.search(r"(?:原告|被告)证据\d", english)


def test_the_catalogue_keeps_the_last_verdict_while_a_new_run_works(case: Case, judge: User, party: User) -> None:
    exhibit = courtroom.hand_in(case, party)
    courtroom.run(exhibit, courtroom.inconsistent())
    courtroom.run(exhibit, state=Run.State.QUEUED)
    text = words(read(judge, "case", case.public_id))
    assert "核验不一致" in text and "排队中" in text


def test_pages_of_the_catalogue_hold_every_exhibit_once(case: Case, judge: User, party: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cases.views.EXHIBITS_PER_PAGE", 3)
    for _ in range(7):
        courtroom.hand_in(case, party)
    seen = [n for page in "123" for n in re.findall(r"原告证据(\d+)(?=</th>)", read(judge, "case", case.public_id, page=page))]
    assert seen == [str(n) for n in range(1, 8)]
    assert "第 2 页，共 3 页，7 项" in words(read(judge, "case", case.public_id, page="2"))


def test_a_case_is_found_by_number_or_cause_and_only_one_s_own(case: Case, judge: User) -> None:
    courtroom.case(124, cause="侵害商标权纠纷")
    mine = courtroom.case(125, cause="侵害商标权纠纷")
    courtroom.join(judge, mine, Role.PRESIDING_JUDGE)
    assert mine.number in read(judge, "home", q="商标权")
    assert "124号" not in read(judge, "home", q="商标权")
    text = read(judge, "home", q="<script>没有")
    assert "没有案号或案由含有" in text and "<script>没有" not in text


@pytest.mark.parametrize("page", ["0", "-1", "9999", "x", "1e9", "²"])
def test_odd_page_numbers_still_give_a_page(judge: User, case: Case, page: str) -> None:
    assert case.number in read(judge, "home", page=page)
    read(judge, "case", case.public_id, page=page)


def test_only_who_may_issue_is_offered_a_report(case: Case, judge: User, party: User) -> None:
    courtroom.run(courtroom.hand_in(case, party), courtroom.consistent())
    assert "为选中的证据出具报告" in read(judge, "case", case.public_id)
    assert "为选中的证据出具报告" not in read(party, "case", case.public_id)


def test_the_period_and_the_mandate_are_said_with_their_ends(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(evidence_closes_at=timezone.now() + timedelta(days=3))
    agent = courtroom.person("agent")
    end = courtroom.join(agent, case, Role.AGENT, Side.PLAINTIFF, days=3).valid_to
    assert end is not None
    text = words(read(agent, "case", case.public_id))
    assert "逾期仍可提交，须说明理由" in text and timezone.localtime(end).strftime("至 %Y-%m-%d %H:%M 止") in text
