"""What a submitter says of the time before recording: kept word for word, labelled, corrected only by adding."""

import html
import json
import re
import threading

import pytest
from django.db import connection, connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Case, Membership, Role, Side
from evidence.exhibits import statements
from evidence.exhibits.models import Exhibit, Statement
from evidence.exhibits.statements import RECORDS_MAX, TEXT_MAX, Full, Head
from portal.ledger.models import Detail
from portal.people.models import User
from tests import courtroom

pytestmark = pytest.mark.django_db

HEADS = ["source", "generation", "storage", "notary", "witness", "corroboration"]
"""Online Litigation Rules art. 18 para. 2, in its order."""
HOSTILE = (
    "</dd></dl><script>alert(1)</script><img src=x onerror=alert(1)>",
    "<b><i><b><i>" * 200,
    "{{ settings.SECRET_KEY }}{% debug %}",
    "%s %(head)s {0} {count}",
    "<!-- </details> -->",
)


@pytest.fixture(autouse=True)
def vault_dir(tmp_path: object, settings: object) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]


@pytest.fixture
def case() -> Case:
    return courtroom.case(123)


def member(case: Case, name: str, role: str, side: str = Side.COURT, **more: float) -> User:
    user = courtroom.person(name)
    courtroom.join(user, case, role, side, **more)
    return user


@pytest.fixture
def judge(case: Case) -> User:
    return member(case, "judge", Role.PRESIDING_JUDGE)


@pytest.fixture
def party(case: Case) -> User:
    return member(case, "party", Role.LITIGANT, Side.PLAINTIFF)


@pytest.fixture
def exhibit(case: Case, party: User) -> Exhibit:
    return courtroom.hand_in(case, party)


def client(user: User) -> Client:
    found = Client()
    found.force_login(user)
    return found


def at(exhibit: Exhibit, name: str = "exhibit") -> str:
    return reverse(f"exhibits:{name}", args=[exhibit.public_id])


def shown(user: User, exhibit: Exhibit) -> str:
    """The part of the page that holds the statements, as text."""
    page = client(user).get(at(exhibit)).content.decode()
    part = page.split('id="prechain"')[1].split("</section>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part))


def correct(user: User, exhibit: Exhibit, **texts: str) -> object:
    """The form as a browser sends it: every box, those not named as they are."""
    now = {s.head: s.current.text if s.current else "" for s in statements.of(exhibit)}
    return client(user).post(at(exhibit, "state"), {**now, **texts})


# ── who said what, and when ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_heads_are_those_of_the_article_in_its_order() -> None:
    assert [h.value for h in Head] == HEADS


def test_the_bench_reads_each_answer_with_who_and_when(judge: User, party: User, exhibit: Exhibit) -> None:
    courtroom.state(exhibit, party, source="商品页面\n第二行", notary="川成证字第1号")
    page = shown(judge, exhibit)
    assert "提交人一方的陈述，原文照录，系统未核验" in page
    assert "数据的具体来源 商品页面 第二行 姓名party（代plaintiff公司） · 当事人" in page
    said = Statement.objects.get(head="notary")
    assert timezone.localtime(said.at).strftime("%Y-%m-%d %H:%M:%S") in page
    assert page.count("未填写") == 4


def test_no_answer_at_all_says_so_in_one_sentence(judge: User, exhibit: Exhibit) -> None:
    page = shown(judge, exhibit)
    assert "提交人没有说明上链之前的情况" in page and "未填写" not in page


def test_what_was_taken_back_is_still_read_by_the_bench(judge: User, party: User, exhibit: Exhibit) -> None:
    """Also when nothing stands any more: the form promises that both are kept. To see it fail: ask only for what stands."""
    courtroom.state(exhibit, party, source="第一次说的")
    assert correct(party, exhibit, source="").status_code == 302  # type: ignore[attr-defined]
    page = shown(judge, exhibit)
    assert "第一次说的" in page and "提交人没有说明上链之前的情况" not in page
    assert page.count("提交人撤回了先前的陈述，没有另写") == 2 and page.count("未填写") == 5, "where it stood, and in the list of records"


def test_a_correction_is_a_new_record_and_the_old_one_stays(judge: User, party: User, exhibit: Exhibit) -> None:
    courtroom.state(exhibit, party, source="第一次说的", storage="一直在手机里")
    agent = member(exhibit.case, "agent", Role.AGENT, Side.PLAINTIFF, days=5)
    assert correct(agent, exhibit, source="更正后说的").status_code == 302  # type: ignore[attr-defined]
    rows = list(Statement.objects.order_by("pk").values_list("head", "number", "text", "by__username", "role"))
    assert rows == [
        ("source", 1, "第一次说的", "party", "litigant"),
        ("storage", 1, "一直在手机里", "party", "litigant"),
        ("source", 2, "更正后说的", "agent", "agent"),
    ]
    page = shown(judge, exhibit)
    assert page.index("更正后说的") < page.index("先前的 1 次陈述") < page.index("第一次说的") < page.index("一直在手机里")
    assert "第 2 次" in page


def test_a_statement_taken_back_leaves_its_trace(judge: User, party: User, exhibit: Exhibit) -> None:
    courtroom.state(exhibit, party, witness="张三在场")
    correct(party, exhibit, witness="  ")
    assert Statement.objects.get(number=2).text == ""
    said = {s.head: s for s in statements.of(exhibit)}[Head.WITNESS]
    assert said.current is None and [s.text for s in said.earlier] == ["", "张三在场"]
    courtroom.state(exhibit, party, source="x")
    assert "提交人撤回了先前的陈述" in shown(judge, exhibit) and "张三在场" in shown(judge, exhibit)


def test_the_same_words_again_are_no_new_record(party: User, exhibit: Exhibit) -> None:
    courtroom.state(exhibit, party, source="甲\n乙")
    for text in ("甲\r\n乙", " 甲\n乙 "):
        correct(party, exhibit, source=text)
    assert Statement.objects.count() == 1 and Detail.objects.filter(act="evidence.state").count() == 1


def test_a_box_that_did_not_arrive_was_not_emptied(party: User, exhibit: Exhibit) -> None:
    """A body cut on its way must not take a statement back. To see it fail: read absent boxes as empty."""
    courtroom.state(exhibit, party, source="甲", notary="乙")
    client(party).post(at(exhibit, "state"), {"source": "丙"})
    assert {(s.head, s.current.text) for s in statements.of(exhibit) if s.current} == {(Head.SOURCE, "丙"), (Head.NOTARY, "乙")}


def test_each_act_is_in_the_book_with_digests_and_without_the_words(party: User, exhibit: Exhibit) -> None:
    courtroom.state(exhibit, party, source="秘密的话", notary="乙")
    detail = Detail.objects.get(act="evidence.state")
    params = json.loads(detail.params)
    assert params["count"] == 2 and params["exhibit"] == str(exhibit.public_id)
    assert [(s["head"], s["number"], len(s["sha256"])) for s in params["statements"]] == [("source", 1, 64), ("notary", 1, 64)]
    assert "秘密" not in detail.params and detail.actor == str(party.public_id)


def test_the_axis_says_declared_once_anything_stands(judge: User, party: User, case: Case) -> None:
    silent = courtroom.hand_in(case, party, origin="")
    courtroom.run(silent, courtroom.consistent())
    assert not client(judge).get(at(silent)).context["reading"].declared
    courtroom.state(silent, party, source="甲")
    assert client(judge).get(at(silent)).context["reading"].declared
    correct(party, silent, source="")
    assert not client(judge).get(at(silent)).context["reading"].declared


# ── hostile words ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_stays_text(judge: User, party: User, exhibit: Exhibit, text: str) -> None:
    correct(party, exhibit, source=text, corroboration=text)
    assert Statement.objects.filter(text=text).count() == 2
    page = client(judge).get(at(exhibit)).content.decode()
    assert text in html.unescape(page) and "<script>alert" not in page and page.count("<h1") == 1
    assert page.count("<b><i>") == 0 and page.count("<!--") == 0
    assert client(party).get(at(exhibit, "state")).content.decode().count("</textarea>") == 6


def test_text_that_turns_or_hides_is_kept_and_shown_by_its_numbers(judge: User, party: User, exhibit: Exhibit) -> None:
    text = "收到\u202e元万一\u2066x\u200b" + "Z" + "\u0321" * 40
    correct(party, exhibit, source=text)
    assert Statement.objects.get().text == text
    page = client(judge).get(at(exhibit)).content.decode()
    part = page.split('id="prechain"')[1]
    assert "\u202e" not in part and "\u2066" not in part and "〔U+202E〕" in part and "<bdi>" in part


def test_the_longest_text_is_kept_whole_and_one_letter_more_loses_nothing(judge: User, party: User, exhibit: Exhibit) -> None:
    assert TEXT_MAX == 5000
    longest = "字" * TEXT_MAX
    assert correct(party, exhibit, source=longest).status_code == 302  # type: ignore[attr-defined]
    assert longest in client(judge).get(at(exhibit)).content.decode()
    refused = correct(party, exhibit, source=longest + "甲", storage="也写了")
    assert refused.status_code == 422  # type: ignore[attr-defined]
    page = refused.content.decode()  # type: ignore[attr-defined]
    assert "“数据的具体来源”最多5000个字，现在有5001个字" in page and longest + "甲" in page and "也写了" in page
    assert Statement.objects.count() == 1


def test_line_breaks_count_once(party: User, exhibit: Exhibit) -> None:
    text = "甲\r\n" * (TEXT_MAX // 2)
    assert correct(party, exhibit, source=text).status_code == 302  # type: ignore[attr-defined]
    assert "\r" not in Statement.objects.get().text


def test_nobody_fills_the_record(party: User, exhibit: Exhibit) -> None:
    for n in range(RECORDS_MAX):
        courtroom.state(exhibit, party, source=str(n))
    with pytest.raises(Full):
        courtroom.state(exhibit, party, source="one more")
    answer = correct(party, exhibit, source="one more", notary="甲")
    assert answer.status_code == 422 and "不能再改" in answer.content.decode()  # type: ignore[attr-defined]
    assert Statement.objects.count() == RECORDS_MAX, "all or nothing"


# ── who may ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_the_submitters_side_may_speak(case: Case, judge: User, party: User) -> None:
    """Not even the bench writes into a party's mouth."""
    exhibit = courtroom.hand_in(case, party, exchanged=True)
    others = [
        judge,
        member(case, "clerk", Role.CLERK),
        member(case, "opponent", Role.LITIGANT, Side.DEFENDANT),
        member(case, "third", Role.THIRD_PARTY, Side.THIRD),
        member(case, "ended", Role.AGENT, Side.PLAINTIFF, days=-1),
        member(case, "endless", Role.AGENT, Side.PLAINTIFF),
        courtroom.person("stranger"),
    ]
    for user in others:
        assert client(user).get(at(exhibit, "state")).status_code == 404, user
        assert correct(user, exhibit, source="x").status_code == 404, user  # type: ignore[attr-defined]
    assert not Statement.objects.exists()
    assert "补充或者更正这些说明" in shown(party, exhibit) and "补充或者更正这些说明" not in shown(judge, exhibit)


def test_the_other_side_reads_them_with_the_exhibit_and_not_before(case: Case, party: User, exhibit: Exhibit) -> None:
    opponent = member(case, "opponent", Role.LITIGANT, Side.DEFENDANT)
    courtroom.state(exhibit, party, source="只有本方和法院知道")
    assert client(opponent).get(at(exhibit)).status_code == 404
    Exhibit.objects.update(exchanged=True)
    assert "只有本方和法院知道" in shown(opponent, exhibit)


def test_rows_follow_their_exhibit(case: Case, party: User, exhibit: Exhibit) -> None:
    from cases.access import visible_to

    courtroom.state(exhibit, party, source="x")
    opponent = member(case, "opponent", Role.LITIGANT, Side.DEFENDANT)
    assert visible_to(party, Statement.objects.all()).exists()
    assert not visible_to(opponent, Statement.objects.all()).exists()


# ── two at once ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_two_corrections_at_once_follow_each_other(party: User, exhibit: Exhibit) -> None:
    """To see it fail: take the lock of the exhibit away."""
    standing = Membership.objects.get(user=party)
    faults: list[BaseException] = []

    def say(text: str) -> None:
        try:
            statements.state(exhibit, {"source": text}, by=party, standing=standing)
        except BaseException as fault:  # noqa: BLE001  the other thread's fault is this test's
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=say, args=(str(n),)) for n in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert faults == []
    assert list(Statement.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]
    connection.close()
