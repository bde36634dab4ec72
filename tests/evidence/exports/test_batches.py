"""Reports for many exhibits with one press: each through the life of every report, none twice, the failed ones tried again alone."""

import re
import threading
import time
import uuid
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.models import Role
from evidence.exhibits.models import Exhibit
from evidence.exports import batches
from evidence.exports.models import Batch
from evidence.reports import bell as report_bell
from evidence.reports import decisions, issuing
from evidence.reports.models import Report, Step
from evidence.runs.models import RunVerdict
from portal.ledger.models import Entry
from portal.people.models import User
from tests import courtroom
from tests.evidence.reports.conftest import press as press  # a fixture
from tests.evidence.reports.life import Press

from .desk import Desk


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    rung: list[int] = []
    monkeypatch.setattr(report_bell, "ring", rung.append)
    return rung


@pytest.fixture
def judge(desk: Desk) -> User:
    judge = courtroom.person("judge")
    courtroom.join(judge, desk.case, Role.PRESIDING_JUDGE)
    return judge


def concluded(desk: Desk, count: int) -> list[Exhibit]:
    made = [desk.exhibit(name=f"证据 {n}") for n in range(count)]
    for exhibit in made:
        courtroom.run(exhibit, courtroom.consistent())
    return made


def order(desk: Desk, *exhibits: Exhibit, mode: str = "each", by: User | None = None, key: uuid.UUID | None = None, language: str = "zh-en") -> Batch:
    chosen = Exhibit.objects.filter(pk__in=[e.pk for e in exhibits])
    return batches.order(desk.case, chosen, by=by or desk.clerk, mode=mode, language=language, key=key or uuid.uuid4())


def produced() -> None:
    for pk in issuing.waiting():
        issuing.produce(pk)


def signed(report: Report, judge: User) -> Report:
    assistant, new = User.objects.get_or_create(username="assistant")
    if new:
        courtroom.join(assistant, report.case, Role.JUDGE_ASSISTANT)
    decisions.check(report, by=assistant, annex=report.annex_sha256)
    decisions.send(report, by=judge, annex=report.annex_sha256)
    return issuing.produce(report.pk)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(batch: Batch, user: User) -> str:
    answer = client_of(user).get(reverse("exports:batch", args=[batch.public_id]))
    assert answer.status_code == 200
    return answer.content.decode()


# ── one press ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_for_each_and_one_for_all(desk: Desk) -> None:
    """As the form sends it: with what was chosen on other pages."""
    exhibits = concluded(desk, 4)
    client, address = client_of(desk.clerk), reverse("exports:order_reports", args=[desk.case.public_id])
    fields = {"exhibit": [str(exhibits[0].public_id)], "kept": " ".join(str(e.public_id) for e in exhibits[1:3]), "key": str(uuid.uuid4()), "language": "zh"}
    each = client.post(address, {**fields, "mode": "each"}, follow=True)
    assert each.status_code == 200 and "每件证据各一份报告" in each.content.decode()
    assert [(r.kind, r.language, r.verdicts.count()) for r in Report.objects.all()] == [("single", "zh", 1)] * 3
    group = client.post(address, {**fields, "mode": "group"}, follow=True)
    assert "所选证据合为一份报告" in group.content.decode() and Report.objects.count() == 4
    assert [(r.kind, r.verdicts.count()) for r in Report.objects.filter(kind="catalogue")] == [("catalogue", 3)]
    assert sorted(Report.objects.values_list("number", flat=True)) == [f"HY{time.localtime().tm_year}-{n:06d}" for n in range(1, 5)]
    assert Step.objects.filter(act="ordered").count() == 4
    leaves = [bytes(leaf) for leaf in Entry.objects.values_list("leaf", flat=True)]
    assert [sum(f'"{code}"'.encode() in leaf for leaf in leaves) for code in ("report.order", "report.batch")] == [4, 2]


def test_hundreds_with_few_questions(desk: Desk, rung: list[int], django_capture_on_commit_callbacks: Any) -> None:
    """Three hundred: the questions beside the acts in the ledger do not grow, the bells are few, the pages ask the same for all."""

    def asked(exhibits: list[Exhibit], mode: str) -> tuple[int, list[int]]:
        acts = Entry.objects.count()
        with CaptureQueriesContext(connection) as ordering:
            made = order(desk, *exhibits, mode=mode)
        grown = Entry.objects.count() - acts
        client = client_of(desk.clerk)
        pages = []
        for name in ("batch", "batch_state"):
            with CaptureQueriesContext(connection) as looking:
                assert client.get(reverse(f"exports:{name}", args=[made.public_id])).status_code == 200
            pages.append(len(looking))
        per_act = 3 * grown  # the moment, the entry, its particulars
        return len(ordering) - per_act, pages

    client_of(desk.clerk).get("/")
    few = concluded(desk, 60)
    first = asked(few, "each")
    many = concluded(desk, 300)
    began = time.monotonic()
    with django_capture_on_commit_callbacks(execute=True):
        second = asked(many, "each")
    print(f"300 reports ordered in {time.monotonic() - began:.1f} s, {second[0]} questions beside the ledger")
    assert second[0] <= first[0] + 3 and second[1] == first[1], (first, second)
    assert len(rung) == issuing.WAITING_MAX and Report.objects.count() == 360
    assert len(set(Report.objects.values_list("check_code", flat=True))) == 360


# ── nothing twice ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", ["each", "group"])
def test_pressed_twice_or_in_two_windows_is_once(desk: Desk, mode: str) -> None:
    exhibits, key = concluded(desk, 3), uuid.uuid4()
    first = order(desk, *exhibits, mode=mode, key=key)
    assert order(desk, *exhibits, mode=mode, key=key) == first, "pressed twice"
    assert order(desk, *exhibits[::-1], mode=mode) == first, "in another window"
    assert Report.objects.count() == (3 if mode == "each" else 1) and Batch.objects.count() == 1


@pytest.mark.parametrize("mode", ["each", "group"])
def test_another_person_s_press_takes_the_reports_there_are(desk: Desk, judge: User, mode: str) -> None:
    exhibits = concluded(desk, 3)
    mine, theirs = order(desk, *exhibits, mode=mode), order(desk, *exhibits, mode=mode, by=judge)
    assert mine != theirs and set(batches.reports_of(mine)) == set(batches.reports_of(theirs))
    assert all(item.found for item in theirs.items.all()) and Report.objects.count() == (3 if mode == "each" else 1)
    assert "此前已有，没有重复生成" in page(theirs, judge)


def test_what_there_is_stays_and_what_is_lacking_is_made(desk: Desk, judge: User, press: Press) -> None:
    """A report in force, one that failed, one discarded, one in the other language, and none."""
    in_force, failed, discarded, other, none = exhibits = concluded(desk, 5)
    signed_ = signed(_drafted(desk, in_force), judge)
    assert signed_.state == "signed", signed_.fault
    press.says = b"{"  # so that drafting fails
    broken = _ordered(desk, failed)
    courtroom.move(broken, "failed", stage="preparing", fault="x")
    press.says = b'{"custody":[]}'
    gone = _drafted(desk, discarded)
    decisions.discard(gone, by=desk.clerk)
    english = _ordered(desk, other, language="en")
    made = {item.exhibit: item for item in order(desk, *exhibits).items.all()}
    assert (made[in_force].report, made[failed].report) == (signed_, broken) and made[in_force].found and made[failed].found
    new = [made[e].report for e in (discarded, other, none)]
    assert not {gone, english} & set(new) and not any(made[e].found for e in (discarded, other, none))
    assert Report.objects.count() == 7


def test_the_form_of_before_sent_again_makes_nothing_new(desk: Desk, press: Press) -> None:
    """The page reloaded, with a draft discarded meanwhile: the same form is the same order. A new form is a new one."""
    one, key = concluded(desk, 1)[0], uuid.uuid4()
    first = order(desk, one, key=key)
    produced()
    decisions.discard(Report.objects.get(), by=desk.clerk)
    assert order(desk, one, key=key) == first and Report.objects.count() == 1
    assert order(desk, one) != first and Report.objects.count() == 2


def test_the_form_of_before_with_another_choice_is_another_order(desk: Desk) -> None:
    """A browser that goes back shows the old number of the form beside new ticks. To see it fail: ask for the key alone."""
    one, two = concluded(desk, 2)
    key = uuid.uuid4()
    assert order(desk, one, key=key) != order(desk, two, key=key) and Report.objects.count() == 2


def test_a_report_in_force_on_an_earlier_result_is_not_put_beside(desk: Desk, judge: User, press: Press) -> None:
    """It is corrected or supplemented by whoever may, with a reason; said with the way there."""
    one, two = concluded(desk, 2)
    old = signed(_drafted(desk, one), judge)
    assert old.state == "signed", old.fault
    courtroom.run(one, courtroom.inconsistent())
    made = order(desk, one, two)
    assert [(i.obstacle, i.report == old) for i in made.items.all()] == [("earlier", True), ("", False)]
    shown = page(made, desk.clerk)
    assert f"报告 {old.number} 有效，说的是较早的核验结果" in shown and reverse("reports:report", args=[old.public_id]) in shown
    assert old not in batches.reports_of(made)


@pytest.mark.django_db(transaction=True)
def test_two_windows_at_the_same_moment(transactional_db: None, settings: Any, tmp_path: Any) -> None:
    """Ten presses at once in ten connections. To see it fail: do not lock the case."""
    from .desk import settle

    desk = Desk(settle(settings, tmp_path))
    exhibits, faults, start = concluded(desk, 5), [], threading.Barrier(10)

    def go(n: int) -> None:
        try:
            start.wait()
            order(desk, *exhibits, mode="each" if n % 2 else "group")
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == [] and Report.objects.count() == 6 and Batch.objects.count() == 2


# ── what fails, and what is said ──────────────────────────────────────────────────────────────────────────────────────


def test_the_failed_ones_are_tried_again_alone(desk: Desk, press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each says why and what to do; the others stand."""
    exhibits = concluded(desk, 4)
    made = order(desk, *exhibits)
    victims = sorted(r.pk for r in batches.reports_of(made))[:2]
    plain = issuing.edition.make

    def make(report: Report, **options: Any) -> Any:
        if report.pk in victims:
            raise issuing.ReportFault("no font has 𬎆 (U+2C386)")
        return plain(report, **options)

    with monkeypatch.context() as patch:
        patch.setattr(issuing.edition, "make", make)
        produced()
    shown = page(made, desk.clerk)
    assert shown.count("no font has 𬎆 (U+2C386)") == 2 and "重试没有制成的 2 份" in shown and "草稿 2" in shown
    client, address = client_of(desk.clerk), reverse("exports:batch_retry", args=[made.public_id])
    assert "2 份报告重新制作" in client.post(address, follow=True).content.decode()
    assert "没有可以重试的报告" in client.post(address, follow=True).content.decode(), "pressed twice is once"
    assert Step.objects.filter(act="retried").count() == 2
    produced()
    assert {r.state for r in Report.objects.all()} == {"draft"} and Report.objects.count() == 4
    assert "重试" not in page(made, desk.clerk)


def test_one_that_cannot_be_cured_is_not_tried(desk: Desk) -> None:
    """What was checked is no longer what would be signed: it must be discarded, and that is said."""
    made = order(desk, *concluded(desk, 1))
    courtroom.move(Report.objects.get(), "failed", stage="preparing", fault=f"ReportFault: {issuing.CHANGED}; order it again")
    shown = page(made, desk.clerk)
    assert "将它作废" in shown and "重试没有制成" not in shown
    assert batches.retry(made, by=desk.clerk) == (0, [])


def test_exhibits_without_a_result_are_said_and_the_others_made(desk: Desk) -> None:
    one = concluded(desk, 1)[0]
    made = order(desk, one, desk.exhibit())
    assert [i.obstacle for i in made.items.all()] == ["", "no_verdict"] and Report.objects.count() == 1
    assert "请等核验完成后再为它生成" in page(made, desk.clerk)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mode": "each"}, "没有选择证据"),
        ({"mode": "each", "exhibit": "not-an-id"}, "没有选择证据"),
        ({"mode": "both", "exhibit": "one"}, "请选择是每件证据各一份"),
        ({"mode": "group", "exhibit": "unverified"}, "还没有核验结论"),
        ({"mode": "each", "exhibit": "all"}, "一次最多"),
    ],
)
def test_what_cannot_be_ordered_is_said(desk: Desk, fields: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "EACH_MAX", 1)
    ids = {"one": [concluded(desk, 1)[0].public_id], "unverified": [desk.exhibit().public_id]}
    ids["all"] = [*ids["one"], *ids["unverified"]]
    chosen = ids.get(fields.get("exhibit", ""), fields.get("exhibit", ""))
    answer = client_of(desk.clerk).post(reverse("exports:order_reports", args=[desk.case.public_id]), {**fields, "exhibit": chosen}, follow=True)
    assert said in answer.content.decode() and not Report.objects.exists()


def test_who_may_not(desk: Desk, judge: User) -> None:
    """A party, a member of the panel (who may take reports but not order them), somebody of another case."""
    exhibits = concluded(desk, 1)
    made = order(desk, *exhibits)
    panel, outsider = courtroom.person("panel"), courtroom.person("outsider")
    courtroom.join(panel, desk.case, Role.PANEL_JUDGE)
    courtroom.join(outsider, elsewhere := courtroom.case(2), Role.CLERK)
    for user in (desk.party, panel, outsider):
        with pytest.raises(batches.BatchRefused, match="rights"):
            order(desk, *exhibits, by=user)
        client = client_of(user)
        for name in ("batch", "batch_state", "batch_retry"):
            address = reverse(f"exports:{name}", args=[made.public_id])
            assert (client.post if name == "batch_retry" else client.get)(address).status_code == 404
    shown = client_of(panel).get(reverse("exports:of_case", args=[desk.case.public_id])).content.decode()
    assert str(made.public_id) not in shown and "生成草稿" not in client_of(panel).get(reverse("exports:choose", args=[desk.case.public_id])).content.decode()
    for name, found in (("of_case", desk.case), ("batch", made)):
        shown = client_of(judge).get(reverse(f"exports:{name}", args=[found.public_id])).content.decode()
        assert str(made.public_id) in shown and "时间都是北京时间" in shown
    with pytest.raises(batches.BatchRefused, match="nothing"):
        batches.order(elsewhere, Exhibit.objects.filter(pk=exhibits[0].pk), by=outsider, mode="each", language="zh", key=uuid.uuid4())


def test_each_form_has_a_number_of_its_own(desk: Desk) -> None:
    desk.exhibit()
    client, address = client_of(desk.clerk), reverse("exports:choose", args=[desk.case.public_id])
    numbers = {re.search(r'name="key" value="([^"]+)"', client.get(address).content.decode())[1] for _ in range(3)}  # type: ignore[index]
    assert len({uuid.UUID(n) for n in numbers}) == 3


@pytest.mark.parametrize("table", ["exports_batch", "exports_batchitem"])
def test_the_database_keeps_what_was_asked(desk: Desk, table: str) -> None:
    order(desk, *concluded(desk, 1))
    connection.check_constraints()
    column = "mode" if table == "exports_batch" else "obstacle"
    for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def _ordered(desk: Desk, exhibit: Exhibit, **options: Any) -> Report:
    with transaction.atomic():
        return issuing.order(desk.case, list(RunVerdict.objects.filter(run__exhibit=exhibit)), by=desk.clerk, **options)


def _drafted(desk: Desk, exhibit: Exhibit) -> Report:
    made = issuing.produce(_ordered(desk, exhibit).pk)
    assert made.state == "draft", made.fault
    return made
