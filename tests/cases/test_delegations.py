"""What a presiding judge hands on: one action, one case, one person, as long as both are there, and never more than the table allows."""

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases import delegations
from cases.access import may, visible_to
from cases.delegations import NotDelegable
from cases.models import Case, Delegation, Membership, Role, Side
from evidence.reports import decisions
from evidence.reports.decisions import Refused
from evidence.reports.models import Report
from portal.ledger.models import Detail
from portal.people.models import User
from tests import courtroom

pytestmark = pytest.mark.django_db
RELEASE = "report.release"


@pytest.fixture(autouse=True)
def vault_dir(tmp_path: object, settings: object) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]


@pytest.fixture
def case() -> Case:
    return courtroom.case(1)


def member(case: Case, name: str, role: str, side: str = Side.COURT) -> User:
    user = courtroom.person(name)
    courtroom.join(user, case, role, side)
    return user


@pytest.fixture
def judge(case: Case) -> User:
    return member(case, "judge", Role.PRESIDING_JUDGE)


@pytest.fixture
def clerk(case: Case) -> User:
    return member(case, "clerk", Role.CLERK)


@pytest.fixture
def report(case: Case, judge: User) -> Report:
    exhibit = courtroom.hand_in(case, judge, Side.PLAINTIFF)
    return courtroom.report(case, judge, courtroom.run(exhibit, courtroom.consistent()).verdict)


def client(user: User) -> Client:
    found = Client()
    found.force_login(user)
    return found


def test_the_clerk_releases_once_the_judge_has_handed_it_on_and_no_longer_after(report: Report, judge: User, clerk: User) -> None:
    assert not may(clerk, RELEASE, report)
    given = delegations.give(report.case, RELEASE, to=clerk, by=judge)
    decision = may(clerk, RELEASE, report)
    assert (decision.allow, decision.role, decision.predicate) == (True, "clerk", "delegated")
    delegations.end(given, by=judge)
    assert not may(clerk, RELEASE, report)
    again = delegations.give(report.case, RELEASE, to=clerk, by=judge)
    assert again.pk != given.pk and decisions.release(report, by=clerk).state == Report.State.RELEASED


def test_both_acts_are_in_the_book(case: Case, judge: User, clerk: User) -> None:
    delegations.end(delegations.give(case, RELEASE, to=clerk, by=judge), by=judge)
    acts = list(Detail.objects.filter(act__contains="delegate").order_by("pk").values_list("act", "actor", "case", "params"))
    params = json.dumps({"action": RELEASE, "person": str(clerk.public_id)}, separators=(",", ":"))
    assert acts == [(a, str(judge.public_id), str(case.public_id), params) for a in ("case.delegate", "case.undelegate")]


def test_giving_twice_and_ending_twice_is_once(case: Case, judge: User, clerk: User) -> None:
    one, two = (delegations.give(case, RELEASE, to=clerk, by=judge) for _ in range(2))
    assert one == two
    for _ in range(2):
        delegations.end(one, by=judge)
    assert Detail.objects.filter(act__contains="delegate").count() == 2


@pytest.mark.parametrize("role", [r for r in Role if r != Role.PRESIDING_JUDGE])
def test_nobody_but_the_presiding_judge_hands_anything_on(case: Case, judge: User, clerk: User, role: str) -> None:
    other = member(case, "other", role, Side.PLAINTIFF if role in {Role.LITIGANT, Role.AGENT} else Side.COURT)
    with pytest.raises(NotDelegable):
        delegations.give(case, RELEASE, to=clerk, by=other)
    given = delegations.give(case, RELEASE, to=clerk, by=judge)
    with pytest.raises(NotDelegable):
        delegations.end(given, by=other)
    assert may(clerk, RELEASE, case)


@pytest.mark.parametrize("role", [r for r in Role if r != Role.CLERK])
def test_nobody_is_given_what_the_table_does_not_let_the_role_have(case: Case, judge: User, report: Report, role: str) -> None:
    """To see it fail: leave the cell out of the question and look for a delegation only."""
    side = {Role.THIRD_PARTY: Side.THIRD, Role.LITIGANT: Side.PLAINTIFF, Role.AGENT: Side.PLAINTIFF}.get(Role(role), Side.COURT)
    other = member(case, "other", role, side)
    with pytest.raises(NotDelegable):
        delegations.give(case, RELEASE, to=other, by=judge)
    Delegation.objects.create(case=case, action=RELEASE, to=other, by=judge)  # written past the door
    assert bool(may(other, RELEASE, report)) == (role == Role.PRESIDING_JUDGE)


def test_it_is_of_this_case_and_this_action_alone(case: Case, judge: User, clerk: User, report: Report) -> None:
    other = courtroom.case(2)
    courtroom.join(judge, other, Role.PRESIDING_JUDGE)
    courtroom.join(clerk, other, Role.CLERK)
    delegations.give(other, RELEASE, to=clerk, by=judge)
    assert may(clerk, RELEASE, other) and not may(clerk, RELEASE, report)
    delegations.give(case, RELEASE, to=clerk, by=judge)
    for action in ("report.revoke", "determination.write", "case.manage_members", "evidence.exchange", "exchange.close", "seal.set"):
        assert not may(clerk, action, report), action
        with pytest.raises(NotDelegable):
            delegations.give(case, action, to=clerk, by=judge)


def test_it_ends_by_itself_with_the_judge_and_with_the_clerk(case: Case, judge: User, clerk: User, report: Report) -> None:
    """No delegation outlives the office it came from (court-domain §2: never acting after delegation ended)."""
    delegations.give(case, RELEASE, to=clerk, by=judge)
    seat = Membership.objects.get(user=judge)
    seat.end(at=timezone.now() + timedelta(hours=1))
    assert may(clerk, RELEASE, report) and not may(clerk, RELEASE, report, at=timezone.now() + timedelta(hours=2))
    seat.end(at=timezone.now())
    assert not may(clerk, RELEASE, report)
    successor = member(case, "successor", Role.PRESIDING_JUDGE)
    assert not may(clerk, RELEASE, report), "a successor decides anew"
    delegations.give(case, RELEASE, to=clerk, by=successor)
    assert may(clerk, RELEASE, report)
    judge.is_active = False
    Membership.objects.get(user=clerk).end(at=timezone.now())
    assert not may(clerk, RELEASE, report)


def test_a_closed_account_of_the_judge_ends_it(case: Case, judge: User, clerk: User) -> None:
    delegations.give(case, RELEASE, to=clerk, by=judge)
    User.objects.filter(pk=judge.pk).update(is_active=False)
    assert not may(clerk, RELEASE, case)


def test_who_may_release_by_delegation_cannot_stand_in_for_the_judge_when_a_report_is_revoked(case: Case, judge: User, clerk: User, report: Report) -> None:
    """Two persons, one of them the presiding judge. To see it fail: take the right to release for being the judge."""
    delegations.give(case, RELEASE, to=clerk, by=judge)
    second = member(case, "assistant", Role.JUDGE_ASSISTANT)
    decisions.ask_to_revoke(report, by=clerk, reason="错")
    with pytest.raises(Refused):
        decisions.revoke(report, by=second)
    report.refresh_from_db()
    assert report.state != Report.State.REVOKED


def test_it_opens_no_list(case: Case, judge: User, clerk: User, report: Report) -> None:
    before = set(visible_to(clerk, Report.objects.all()))
    delegations.give(case, RELEASE, to=clerk, by=judge)
    assert set(visible_to(clerk, Report.objects.all())) == before


# ── the page ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_judge_hands_on_and_takes_back_by_two_buttons(case: Case, judge: User, clerk: User) -> None:
    at, here = reverse("delegations", args=[case.public_id]), client(judge)
    page = here.get(at).content.decode()
    seat = Membership.objects.get(user=clerk)
    assert "没有交办" in page and f'value="{RELEASE}:{seat.pk}"' in page
    assert "已交办给" in here.post(at, {"give": f"{RELEASE}:{seat.pk}"}, follow=True).content.decode()
    assert may(clerk, RELEASE, case)
    assert "审判长交办" in client(clerk).get(reverse("case", args=[case.public_id])).content.decode()
    page = here.post(at, {"end": str(Delegation.objects.get().pk)}, follow=True).content.decode()
    assert "不能再办理这一事项" in page and "已经收回的" in page
    assert not may(clerk, RELEASE, case)


@pytest.mark.parametrize("sent", [{}, {"give": "x"}, {"give": "report.revoke:1"}, {"give": f"{RELEASE}:999999"}, {"end": "999999"}, {"end": "' OR 1=1"}])
def test_what_is_not_on_the_page_does_nothing(case: Case, judge: User, clerk: User, sent: dict[str, str]) -> None:
    assert client(judge).post(reverse("delegations", args=[case.public_id]), sent).status_code == 302
    assert not Delegation.objects.exists()


def test_a_delegation_of_another_case_cannot_be_ended_from_here(case: Case, judge: User, clerk: User) -> None:
    other = courtroom.case(2)
    courtroom.join(judge, other, Role.PRESIDING_JUDGE)
    courtroom.join(clerk, other, Role.CLERK)
    given = delegations.give(other, RELEASE, to=clerk, by=judge)
    client(judge).post(reverse("delegations", args=[case.public_id]), {"end": str(given.pk)})
    given.refresh_from_db()
    assert given.ended_at is None


def test_only_the_presiding_judge_finds_the_page(case: Case, judge: User, clerk: User) -> None:
    for user in (clerk, member(case, "panel", Role.PANEL_JUDGE), member(case, "party", Role.LITIGANT, Side.PLAINTIFF), courtroom.person("nobody")):
        for method in ("get", "post"):
            assert getattr(client(user), method)(reverse("delegations", args=[case.public_id])).status_code == 404
    assert "交办事项" not in client(clerk).get(reverse("case", args=[case.public_id])).content.decode()


# ── the rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_row_is_ended_once_and_never_changed(case: Case, judge: User, clerk: User) -> None:
    given = delegations.give(case, RELEASE, to=clerk, by=judge)
    with pytest.raises(NotImplementedError):
        given.delete()
    delegations.end(given, by=judge)
    for change in ("ended_at = NULL, ended_by_id = NULL", "ended_at = now()", "action = 'report.revoke'"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE cases_delegation SET {change} WHERE id = %s", [given.pk])
    with pytest.raises(IntegrityError), transaction.atomic():
        Delegation.objects.filter(pk=given.pk).delete()
