"""The transaction that turns a draft into an exhibit: once, whole, numbered, never refused for being late."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.utils import timezone

from cases.models import Case, Membership, Role
from evidence.exhibits.models import Exhibit, ExhibitFile, State
from evidence.intake.models import Draft
from evidence.intake.receiving import Incomplete, KeyReused, LateReasonNeeded, receive
from evidence.runs.models import Run
from portal.ledger.models import Entry
from portal.people.models import User

from .conftest import answered, attach, member, sha256, signed_in, sm3

pytestmark = pytest.mark.django_db


def acts(name: str) -> int:
    """How many entries of this act the book holds."""
    from portal.ledger.models import Detail

    return Detail.objects.filter(act=name).count()


def test_everything_is_written(ready: Draft, litigant: User, case: Case) -> None:
    exhibit = receive(ready, by=litigant, idempotency_key="k")
    assert (exhibit.case, exhibit.side, exhibit.number, exhibit.label) == (case, "plaintiff", 1, "原告证据1")
    assert exhibit.party is not None and exhibit.party.side == "plaintiff"
    assert exhibit.state == State.SUBMITTED and exhibit.late_reason == ""
    assert exhibit.submitted_by == litigant
    assert abs(exhibit.submitted_at - timezone.now()) < timedelta(minutes=1)
    file = ExhibitFile.objects.get()
    assert (file.name, file.size, file.sha256, file.sm3) == (
        "page.txt",
        8,
        sha256(b"evidence"),
        sm3(b"evidence"),
    )
    run = Run.objects.get()
    assert (run.exhibit, run.state, run.number, run.requested_by) == (exhibit, "queued", 1, litigant)
    assert acts("evidence.submit") == 1
    ready.refresh_from_db()
    assert ready.exhibit == exhibit


def test_receipt_numbers_name_the_day_and_cannot_be_guessed(ready: Draft, litigant: User) -> None:
    number = receive(ready, by=litigant, idempotency_key="k").receipt_number
    day, letters = number.split("-")
    assert day == timezone.localdate().strftime("%Y%m%d")
    assert len(letters) == 8 and set(letters) <= set("23456789ABCDEFGHJKMNPQRSTUVWXYZ")


def test_twice_is_once(ready: Draft, litigant: User) -> None:
    first = receive(ready, by=litigant, idempotency_key="k")
    assert receive(ready, by=litigant, idempotency_key="another") == first
    assert (
        Exhibit.objects.count(),
        ExhibitFile.objects.count(),
        Run.objects.count(),
        acts("evidence.submit"),
    ) == (1, 1, 1, 1)


def test_numbers_run_for_each_side(case: Case, litigant: User, opponent: User) -> None:
    numbers = []
    for user in (litigant, opponent, litigant, opponent, litigant):
        draft = answered(signed_in(user), upto="check")
        exhibit = receive(draft, by=user, idempotency_key=str(draft.pk))
        numbers.append((exhibit.side, exhibit.number))
    assert numbers == [
        ("plaintiff", 1),
        ("defendant", 1),
        ("plaintiff", 2),
        ("defendant", 2),
        ("plaintiff", 3),
    ]


def test_another_persons_draft_is_none(ready: Draft, opponent: User) -> None:
    with pytest.raises(Draft.DoesNotExist):
        receive(ready, by=opponent, idempotency_key="k")
    assert not Exhibit.objects.exists()


@pytest.mark.parametrize("page", ["who", "what", "purpose"])
def test_what_is_missing_is_named(ready: Draft, litigant: User, page: str) -> None:
    ready.answers.pop(page)
    ready.save()
    with pytest.raises(Incomplete) as incomplete:
        receive(ready, by=litigant, idempotency_key="k")
    assert [step.name for step in incomplete.value.steps] == [page]
    assert not Exhibit.objects.exists()


def test_an_unfinished_upload_holds_the_draft_back(ready: Draft, litigant: User) -> None:
    ready.uploads.update(state="arriving")
    with pytest.raises(Incomplete):
        receive(ready, by=litigant, idempotency_key="k")


def test_a_mandate_that_ended_a_minute_ago_submits_nothing(case: Case) -> None:
    agent = member(case, "tang", role=Role.AGENT, days=10)
    draft = answered(signed_in(agent), upto="check")
    Membership.objects.get(user=agent).end(at=timezone.now() - timedelta(minutes=1))
    with pytest.raises(Incomplete):
        receive(draft, by=agent, idempotency_key="k")
    assert not Exhibit.objects.exists()


# ── late ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_late_material_is_taken_with_its_reason(ready: Draft, litigant: User, case: Case) -> None:
    Case.objects.update(evidence_closes_at=timezone.now() - timedelta(seconds=5))
    with pytest.raises(LateReasonNeeded):
        receive(ready, by=litigant, idempotency_key="k")
    assert not Exhibit.objects.exists()
    exhibit = receive(ready, by=litigant, idempotency_key="k", late_reason="平台昨日才提供数据")
    assert (exhibit.state, exhibit.late_reason) == (State.LATE_PENDING, "平台昨日才提供数据")
    assert Run.objects.count() == 1


def test_in_time_keeps_no_reason(ready: Draft, litigant: User) -> None:
    Case.objects.update(evidence_closes_at=timezone.now() + timedelta(hours=1))
    exhibit = receive(ready, by=litigant, idempotency_key="k", late_reason="多余的说明")
    assert (exhibit.state, exhibit.late_reason) == (State.SUBMITTED, "")


def test_the_databases_clock_decides(ready: Draft, litigant: User) -> None:
    """The application host's clock an hour wrong either way changes nothing (spec reliability T1)."""
    import time_machine

    Case.objects.update(evidence_closes_at=timezone.now() + timedelta(minutes=30))
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        exhibit = receive(ready, by=litigant, idempotency_key="k")
    assert exhibit.state == State.SUBMITTED


# ── one transaction ───────────────────────────────────────────────────────────────────────────────────────────────────


class Broken(RuntimeError):
    pass


class Writes:
    """Counts the statements that write, and breaks the one it is told to: before it runs, or just after."""

    def __init__(self, *, broken: int = 0, after: bool = False) -> None:
        self.seen: list[str] = []
        self.broken, self.after = broken, after

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not re.search(r"\b(INSERT INTO|UPDATE \S+ SET|DELETE FROM)\b", sql):
            return execute(sql, params, many, context)
        self.seen.append(sql)
        if len(self.seen) == self.broken and not self.after:
            raise Broken
        result = execute(sql, params, many, context)
        if len(self.seen) == self.broken:
            raise Broken
        return result


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_failure_at_any_write_leaves_nothing(ready: Draft, litigant: User, after: bool) -> None:
    book = Entry.objects.count()
    for broken in range(1, 50):
        writes = Writes(broken=broken, after=after)
        try:
            with connection.execute_wrapper(writes), transaction.atomic():
                exhibit = receive(ready, by=litigant, idempotency_key="k")
        except Broken:
            assert (
                not Exhibit.objects.exists() and not ExhibitFile.objects.exists() and not Run.objects.exists()
            )
            assert Entry.objects.count() == book
            ready.refresh_from_db()
            assert ready.exhibit is None and ready.idempotency_key == ""
            continue
        break
    tables = {table for sql in writes.seen for table in re.findall(r'(?:INTO|UPDATE) "?(\w+)"?', sql)}
    assert {"exhibits_exhibit", "exhibits_exhibitfile", "runs_run", "ledger_entry", "intake_draft"} <= tables
    assert broken == len(writes.seen) + 1 > 6
    assert exhibit.number == 1


def test_a_file_the_vault_has_lost_is_never_acknowledged(
    ready: Draft, litigant: User, vault_dir: Path
) -> None:
    digest = sha256(b"evidence")
    (vault_dir / "sha256" / digest[:2] / digest[2:4] / digest).unlink()
    with pytest.raises(RuntimeError, match="lost"):
        receive(ready, by=litigant, idempotency_key="k")
    assert not Exhibit.objects.exists()


# ── idempotency keys ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_key_leads_two_equal_drafts_to_one_exhibit(browser: Client, litigant: User) -> None:
    first, second = (answered(browser, upto="check") for _ in range(2))
    exhibit = receive(first, by=litigant, idempotency_key="api-1")
    assert receive(second, by=litigant, idempotency_key="api-1") == exhibit
    assert Exhibit.objects.count() == 1


def test_one_key_for_two_things_is_refused(browser: Client, litigant: User) -> None:
    first, second = (answered(browser, upto="check") for _ in range(2))
    attach(browser, second, ("more.txt", b"something else"))
    receive(first, by=litigant, idempotency_key="api-1")
    with pytest.raises(KeyReused):
        receive(second, by=litigant, idempotency_key="api-1")
    assert Exhibit.objects.count() == 1


def test_the_same_key_of_another_person_is_another_key(case: Case, litigant: User, opponent: User) -> None:
    for user in (litigant, opponent):
        receive(answered(signed_in(user), upto="check"), by=user, idempotency_key="api-1")
    assert Exhibit.objects.count() == 2


@pytest.mark.parametrize("key", ["", "k" * 101])
def test_a_key_has_bounds(ready: Draft, litigant: User, key: str) -> None:
    with pytest.raises(KeyReused):
        receive(ready, by=litigant, idempotency_key=key)


# ── eight at once (U3) ────────────────────────────────────────────────────────────────────────────────────────────────


def together(*works: object) -> list[object]:
    def one(work: object) -> object:
        try:
            return work()  # type: ignore[operator]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


@pytest.mark.django_db(transaction=True)
def test_eight_submits_of_one_draft_at_once(ready: Draft, litigant: User) -> None:
    numbers = together(
        *[lambda: receive(Draft.objects.get(pk=ready.pk), by=litigant, idempotency_key="k").receipt_number]
        * 8
    )
    assert len(set(numbers)) == 1
    assert (
        Exhibit.objects.count(),
        ExhibitFile.objects.count(),
        Run.objects.count(),
        acts("evidence.submit"),
    ) == (1, 1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_eight_drafts_with_one_key_at_once(browser: Client, litigant: User) -> None:
    drafts = [answered(browser, upto="check") for _ in range(8)]
    works = [lambda draft=draft: receive(draft, by=litigant, idempotency_key="api").pk for draft in drafts]
    assert len(set(together(*works))) == 1
    assert Exhibit.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_different_drafts_at_once_get_eight_numbers(browser: Client, litigant: User) -> None:
    drafts = [answered(browser, upto="check") for _ in range(8)]
    works = [
        lambda draft=draft: receive(draft, by=litigant, idempotency_key=str(draft.pk)).number
        for draft in drafts
    ]
    assert sorted(together(*works)) == list(range(1, 9))  # type: ignore[type-var]


@pytest.mark.django_db(transaction=True)
def test_eight_presses_of_the_button_at_once(ready: Draft, litigant: User) -> None:
    from .conftest import page

    def press() -> str:
        response = signed_in(litigant).post(page(ready, "declare"), {"declared": "on"})
        return f"{response.status_code} {response['Location']}"

    assert len(set(together(*[press] * 8))) == 1
    assert Exhibit.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_costs_nothing(ready: Draft, litigant: User) -> None:
    with mock.patch("portal.celery.app.send_task", side_effect=OSError("broker down")):
        receive(ready, by=litigant, idempotency_key="k")
    assert Run.objects.get().state == "queued"
