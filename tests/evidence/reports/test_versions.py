"""Reports after their signature: versions, revoking, later revisions; and what happens when two people act at once."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from evidence.reports import decisions, edition, issuing
from evidence.reports.decisions import Refused
from evidence.reports.models import Report, Step
from portal.ledger.models import Detail
from portal.vault import Vault
from tests import courtroom

from .life import Court, Press

pytestmark = pytest.mark.django_db


def acts(of: Report) -> list[str]:
    return list(Detail.objects.filter(params__contains=of.number).order_by("entry_id").values_list("act", flat=True))


# ── versions ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def correction(court: Court, of: Report, **more: Any) -> Report:
    return court.draft(supersedes=of, kind="correction", reason="案由写错", **more)


def take(court: Court, report: Report) -> Report:
    decisions.check(report, by=court.assistant, annex=report.annex_sha256)
    decisions.send(report, by=court.judge, annex=report.annex_sha256)
    return issuing.produce(report.pk)


def test_a_correction_takes_the_place_of_the_old_one_when_it_is_signed(court: Court) -> None:
    old = decisions.release(court.signed(), by=court.judge)
    new = correction(court, old)
    old.refresh_from_db()
    assert (old.state, new.version, new.supersedes) == ("released", 2, old)
    new = take(court, new)
    old.refresh_from_db()
    assert (old.state, new.state) == ("superseded", "signed")
    with Vault(settings.PORTAL_VAULT_DIR).open(old.signed_sha256) as kept:
        assert kept.read().endswith(b"sealed"), "both versions are kept"
    assert "report.supersede" in acts(old)
    with pytest.raises(ValueError, match="in force"):
        court.order(supersedes=old, kind="correction", reason="x")


def test_only_the_presiding_judge_signs_what_takes_a_report_out_of_force(court: Court) -> None:
    """撤销/更正报告 is one action of the permission table."""
    old = court.signed()
    new = correction(court, old)
    decisions.check(new, by=court.judge, annex=new.annex_sha256)
    with pytest.raises(Refused, match="审判长"):
        decisions.send(new, by=court.assistant, annex=new.annex_sha256)
    assert decisions.send(new, by=court.judge, annex=new.annex_sha256).state == "sealing"


def test_of_two_corrections_one_wins(court: Court) -> None:
    old = court.signed()
    one, other = correction(court, old), correction(court, old, language="zh")
    for made in (one, other):
        decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    decisions.send(one, by=court.judge, annex=one.annex_sha256)
    with pytest.raises(Refused, match="正在取代"):
        decisions.send(other, by=court.judge, annex=other.annex_sha256)
    with pytest.raises(IntegrityError, match="report_superseded_once"), transaction.atomic():
        courtroom.move(other, "sealing", by=court.judge, checked_by=court.assistant, signed_by=court.judge)
    other.refresh_from_db()
    issuing.produce(one.pk)
    with pytest.raises(Refused, match="已被取代"):
        decisions.send(other, by=court.judge, annex=other.annex_sha256)


def test_a_report_revoked_while_its_correction_is_sealed_stays_revoked(court: Court) -> None:
    old = court.signed()
    new = correction(court, old)
    decisions.check(new, by=court.assistant, annex=new.annex_sha256)
    decisions.send(new, by=court.judge, annex=new.annex_sha256)
    decisions.ask_to_revoke(old, by=court.clerk, reason="错误")
    decisions.revoke(old, by=court.judge)
    assert issuing.produce(new.pk).state == "signed"
    old.refresh_from_db()
    assert old.state == "revoked"


# ── revoking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asks", "decides", "done"),
    [
        ("clerk", "judge", True),
        ("assistant", "judge", True),
        ("judge", "clerk", True),
        ("judge", "assistant", True),
        ("judge", "judge", False),
        ("clerk", "clerk", False),
        ("clerk", "assistant", False),
        ("assistant", "clerk", False),
    ],
)
@pytest.mark.parametrize("maker", ["clerk", "judge"])
def test_revoking_takes_two_persons_and_the_presiding_judge_is_one(court: Court, maker: str, asks: str, decides: str, done: bool) -> None:
    made = courtroom.report(court.case, court.people[maker], court.verdict)
    decisions.ask_to_revoke(made, by=court.people[asks], reason="鉴定另有结论")
    if done:
        decisions.revoke(made, by=court.people[decides])
    else:
        with pytest.raises(Refused):
            decisions.revoke(made, by=court.people[decides])
    made.refresh_from_db()
    assert made.state == ("revoked" if done else "signed")


def test_without_a_request_nothing_is_revoked_not_even_in_the_table(court: Court) -> None:
    made = court.signed()
    with pytest.raises(Refused, match="还没有人提请"):
        decisions.revoke(made, by=court.judge)
    for step in ((), ("revoke_asked",), ("revoke_asked", "revoked")):
        for act in step:
            Step.objects.create(report=made, act=act, by=court.judge)
        with pytest.raises(IntegrityError), transaction.atomic():
            Report.objects.filter(pk=made.pk).update(state="revoked")


def test_a_request_that_was_dropped_is_over(court: Court) -> None:
    made = court.signed()
    decisions.ask_to_revoke(made, by=court.clerk, reason="x")
    with pytest.raises(Refused, match="提请人"):
        decisions.drop_request(made, by=court.assistant)
    decisions.drop_request(made, by=court.judge)
    with pytest.raises(Refused, match="还没有人提请"):
        decisions.revoke(made, by=court.judge)


# ── later revisions ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_revision_extends_what_is_signed_and_is_what_is_handed_out(court: Court) -> None:
    made = court.signed()
    with Vault(settings.PORTAL_VAULT_DIR).open(made.signed_sha256) as kept:
        before = kept.read()
    for wrong in (b"%PDF-other", before[:-1] + b"X and more", b"x" + before):
        with pytest.raises(edition.ReportFault, match="extend"):
            issuing.revise(made, wrong, level="x", reason="renewed")
    second = issuing.revise(made, before + b" and a time-stamp", level="PAdES-B-LTA", reason="renewed")
    assert issuing.revise(made, before + b" and a time-stamp", level="PAdES-B-LTA", reason="renewed") == second
    made.refresh_from_db()
    assert made.newest == second and made.signed_sha256 != second.sha256 and made.revisions.count() == 2


# ── at once ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def at_once() -> Callable[..., list[str]]:
    def run(*work: Callable[[], object]) -> list[str]:
        """Each in a thread and a session of its own, let go together: what each came to."""
        gate, outcomes = threading.Barrier(len(work)), [""] * len(work)

        def one(n: int, do: Callable[[], object]) -> None:
            try:
                gate.wait(timeout=30)
                do()
                outcomes[n] = "done"
            except Refused:
                outcomes[n] = "refused"
            finally:
                connection.close()

        threads = [threading.Thread(target=one, args=pair) for pair in enumerate(work)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        return sorted(outcomes)

    return run


@pytest.mark.django_db(transaction=True)
def test_of_two_signers_at_once_one_signs(court: Court, at_once: Callable[..., list[str]]) -> None:
    made = court.draft()
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    outcomes = at_once(*(lambda by=by: decisions.send(made, by=by, annex=made.annex_sha256) for by in (court.judge, court.assistant)))
    assert outcomes == ["done", "refused"] and made.steps.filter(act="sent").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_sign_once(court: Court, press: Press, at_once: Callable[..., list[str]]) -> None:
    made = court.draft()
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    decisions.send(made, by=court.judge, annex=made.annex_sha256)
    at_once(*(lambda: issuing.produce(made.pk) for _ in range(3)))
    made.refresh_from_db()
    assert made.state == "signed" and made.revisions.count() == 1 and press.drafts.count(False) == 1


@pytest.mark.django_db(transaction=True)
def test_revoked_while_it_is_released_it_ends_revoked(court: Court, at_once: Callable[..., list[str]]) -> None:
    made = court.signed()
    decisions.ask_to_revoke(made, by=court.clerk, reason="x")
    at_once(lambda: decisions.release(made, by=court.judge), lambda: decisions.revoke(made, by=court.judge))
    made.refresh_from_db()
    assert made.state == "revoked"


@pytest.mark.django_db(transaction=True)
def test_of_two_corrections_sent_at_once_one_wins(court: Court, at_once: Callable[..., list[str]]) -> None:
    old = court.signed()
    both = [correction(court, old), correction(court, old, language="en")]
    for made in both:
        decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    outcomes = at_once(*(lambda made=made: decisions.send(made, by=court.judge, annex=made.annex_sha256) for made in both))
    assert outcomes == ["done", "refused"]
