"""The life of a report as people and worker drive it: who may do what when, and what is refused.

The table of what each decision may do in each state is written out from court-domain §7 and the permission table, not taken
from the code.
"""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.http import Http404

from cases.access import who_may
from evidence.reports import decisions, issuing, patience
from evidence.reports.decisions import Refused
from evidence.reports.models import Report, Revision
from evidence.runs.models import Run
from portal.ledger.models import Detail
from tests import courtroom

from .life import Court, Press

pytestmark = pytest.mark.django_db


def acts(of: Report) -> list[str]:
    return list(Detail.objects.filter(params__contains=of.number).order_by("entry_id").values_list("act", flat=True))


# ── the way of a report ───────────────────────────────────────────────────────────────────────────────────────────────


def test_from_order_to_release_each_step_has_its_person_and_its_act(court: Court, press: Press) -> None:
    made = court.order()
    assert made.state == "preparing"
    made = issuing.produce(made.pk)
    assert made.state == "draft" and not made.signed_sha256 and made.revisions.count() == 0
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    decisions.send(made, by=court.judge, annex=made.annex_sha256)
    made = issuing.produce(made.pk)
    assert made.state == "signed" and press.drafts == [True, False]
    decisions.release(made, by=court.judge)
    made.refresh_from_db()
    assert made.released and made.newest is not None and made.newest.sha256 == made.signed_sha256
    told = [(s.act, s.by.username if s.by else None) for s in made.steps.select_related("by")]
    assert told == [
        ("ordered", "clerk"),
        ("drafted", None),
        ("checked", "assistant"),
        ("sent", "judge"),
        ("signed", None),
        ("released", "judge"),
    ]
    assert acts(made) == ["report.order", "report.draft", "report.check", "report.send", "report.sign", "report.release"]


def test_what_was_checked_is_what_is_signed_or_nothing_is(court: Court, press: Press) -> None:
    """To see it fail: leave out the comparison of the annexes in `_seal`."""
    made = court.draft()
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    decisions.send(made, by=court.judge, annex=made.annex_sha256)
    press.says = b'{"custody":[],"x":2}'
    made = issuing.produce(made.pk)
    assert (made.state, made.stage) == ("failed", "sealing") and "no longer what was checked" in made.fault
    assert not made.signed_sha256 and not Revision.objects.exists()
    press.says = b'{"custody":[],"x":1}'
    decisions.retry(made, by=court.clerk)
    assert issuing.produce(made.pk).state == "signed"


def test_a_signing_that_fails_goes_back_to_signing_and_keeps_the_decisions(court: Court, press: Press) -> None:
    made = court.draft()
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    decisions.send(made, by=court.judge, annex=made.annex_sha256)
    press.sealing_fails = "no key"
    made = issuing.produce(made.pk)
    assert (made.state, made.stage, made.signed_sha256) == ("failed", "sealing", "")
    press.sealing_fails = ""
    assert decisions.retry(made, by=court.clerk).state == "sealing"
    made = issuing.produce(made.pk)
    assert made.state == "signed" and made.signed_by == court.judge and made.checked_by == court.assistant


@pytest.mark.parametrize("said", ["byte \0 in it", "half a letter \udc80", "long " * 200])
def test_a_fault_is_told_whatever_its_words(court: Court, press: Press, said: str) -> None:
    """Parsers quote what they stumbled on. To see it fail: write the message as it comes; the report then waits for ever, and says nothing."""
    made = court.draft()
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    decisions.send(made, by=court.judge, annex=made.annex_sha256)
    press.sealing_fails = said
    made = issuing.produce(made.pk)
    assert (made.state, made.stage) == ("failed", "sealing") and made.fault.startswith(f"ReportFault: {said[:5]}")


def test_a_discarded_report_is_not_said_to_be_signed_when_the_button_is_pressed_again(court: Court, press: Press) -> None:
    made = court.draft()
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    decisions.send(made, by=court.judge, annex=made.annex_sha256)
    assert decisions.send(made, by=court.judge, annex=made.annex_sha256).state == "sealing"
    press.sealing_fails = "no key"
    issuing.produce(made.pk)
    decisions.discard(made, by=court.clerk)
    with pytest.raises(Refused, match="已作废"):
        decisions.send(made, by=court.judge, annex=made.annex_sha256)


def test_an_answer_of_the_authority_ends_the_count_of_its_silences(court: Court, press: Press) -> None:
    """The pause doubles with each silence in a row only. To see it fail: count on after a signature with a time-stamp."""
    patience.rest("no answer")
    patience.rest("no answer")
    cache.delete(patience._REST)  # the pause is over
    court.signed()
    assert not cache.get(patience._LAST)


# ── who may ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_made_it_neither_checks_nor_signs_it_and_is_told(court: Court) -> None:
    made = court.draft("clerk")
    with pytest.raises(Refused, match="另一人"):
        decisions.check(made, by=court.clerk, annex=made.annex_sha256)
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    with pytest.raises(Refused, match="另一人"):
        decisions.send(made, by=court.clerk, annex=made.annex_sha256)
    made.refresh_from_db()
    assert made.state == "checked"


@pytest.mark.parametrize("name", ["checked_by_id", "signed_by_id"])
def test_the_database_does_not_let_one_person_be_both(court: Court, name: str) -> None:
    """Straight to the table, as somebody with the portal's password would write it."""
    made = court.draft()
    if name == "signed_by_id":
        decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    state, act = {"checked_by_id": ("checked", "checked"), "signed_by_id": ("sealing", "sent")}[name]
    made.steps.create(act=act, by=made.created_by)
    with pytest.raises(IntegrityError, match="by_another"), transaction.atomic():
        Report.objects.filter(pk=made.pk).update(**{name: made.created_by_id, "state": state})
    with pytest.raises(IntegrityError), transaction.atomic():
        Report.objects.filter(pk=made.pk).update(state=state)


@pytest.mark.parametrize("name", ["panel", "party"])
def test_others_of_the_case_decide_nothing(court: Court, name: str) -> None:
    user = court.party if name == "party" else court.panel
    made = court.draft()
    for decide in (
        lambda: decisions.check(made, by=user, annex=made.annex_sha256),
        lambda: decisions.send(made, by=user, annex=made.annex_sha256),
        lambda: decisions.release(made, by=user),
        lambda: decisions.discard(made, by=user),
        lambda: decisions.retry(made, by=user),
        lambda: decisions.give_back(made, by=user, reason="x"),
        lambda: decisions.ask_to_revoke(made, by=user, reason="x"),
        lambda: decisions.revoke(made, by=user),
        lambda: decisions.drop_request(made, by=user),
    ):
        with pytest.raises(Http404):
            decide()


def test_only_the_presiding_judge_opens_a_report(court: Court) -> None:
    made = court.signed()
    for name in ("clerk", "assistant"):
        with pytest.raises(Http404):
            decisions.release(made, by=court.people[name])
    assert decisions.release(made, by=court.judge).state == "released"


def test_second_persons_are_named_to_whoever_made_it(court: Court) -> None:
    assert [m.user.username for m in who_may("report.sign", court.draft("clerk"))] == ["assistant", "judge"]


# ── no state is skipped ───────────────────────────────────────────────────────────────────────────────────────────────

DECISIONS: dict[str, tuple[str, Callable[[Report, Court], Report]]] = {
    # decision -> the one state it moves to, and how it is asked by somebody who may
    "check": ("checked", lambda r, c: decisions.check(r, by=c.assistant, annex=r.annex_sha256)),
    "give_back": ("draft", lambda r, c: decisions.give_back(r, by=c.clerk, reason="页码")),
    "send": ("sealing", lambda r, c: decisions.send(r, by=c.judge, annex=r.annex_sha256)),
    "release": ("released", lambda r, c: decisions.release(r, by=c.judge)),
    "discard": ("discarded", lambda r, c: decisions.discard(r, by=c.clerk)),
    "revoke": ("revoked", lambda r, c: decisions.revoke(r, by=c.judge)),
}
FROM = {
    "check": {"draft"},
    "give_back": {"checked"},
    "send": {"checked"},
    "release": {"signed"},
    "discard": {"draft", "failed"},
    "revoke": {"signed", "released"},
}


@pytest.mark.parametrize("state", [s.value for s in Report.State])
@pytest.mark.parametrize("decision", DECISIONS)
def test_each_decision_moves_from_its_own_states_only(court: Court, decision: str, state: str) -> None:
    """To see it fail: drop one `_in_state`."""
    made = courtroom.report(court.case, court.clerk, court.verdict, state=state)
    if decision == "revoke" and state in {"signed", "released"}:
        decisions.ask_to_revoke(made, by=court.clerk, reason="错误")
    target, decide = DECISIONS[decision]
    try:
        decide(made, court)
    except Refused:
        pass
    made.refresh_from_db()
    assert made.state == (target if state in FROM[decision] else state)


def test_nothing_moves_when_the_digest_is_another(court: Court) -> None:
    made = court.draft()
    with pytest.raises(Refused, match="摘要"):
        decisions.check(made, by=court.assistant, annex="0" * 64)
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    with pytest.raises(Refused, match="摘要"):
        decisions.send(made, by=court.judge, annex="")
    made.refresh_from_db()
    assert made.state == "checked"


def test_a_report_is_not_signed_on_a_result_that_is_no_longer_the_newest(court: Court) -> None:
    """A run finishes while the signer reads. To see it fail: leave `outdated` out of `send`."""
    made = court.draft()
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    working = courtroom.run(court.exhibit, state=Run.State.RUNNING)
    assert not decisions.outdated(made).exists(), "what has not finished says nothing yet"
    courtroom.conclude(working, courtroom.consistent())
    with pytest.raises(Refused, match="新的核验结果"):
        decisions.send(made, by=court.judge, annex=made.annex_sha256)
    assert list(decisions.outdated(made)) == [court.exhibit]


def test_going_back_needs_a_reason_and_a_new_check(court: Court) -> None:
    made = court.draft()
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    with pytest.raises(Refused, match="理由"):
        decisions.give_back(made, by=court.clerk, reason="  \n ")
    decisions.give_back(made, by=court.clerk, reason="案由写错")
    made.refresh_from_db()
    assert (made.state, made.checked_by) == ("draft", None)
    assert made.steps.get(act="returned").reason == "案由写错"
    assert "案由" not in "".join(Detail.objects.values_list("params", flat=True)), "the book of acts holds no free text"
    with pytest.raises(Refused):
        decisions.send(made, by=court.judge, annex=made.annex_sha256)


# ── pressed twice ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_button_may_be_pressed_twice(court: Court) -> None:
    first = court.order()
    assert court.order() == first
    made = issuing.produce(first.pk)
    assert court.order() == made, "an open draft on the same results is the same order"
    for _ in range(2):
        decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    for _ in range(2):
        decisions.send(made, by=court.judge, annex=made.annex_sha256)
    for _ in range(2):
        made = issuing.produce(made.pk)
    decisions.send(made, by=court.judge, annex=made.annex_sha256)
    for _ in range(2):
        decisions.release(made, by=court.judge)
    for _ in range(2):
        decisions.ask_to_revoke(made, by=court.clerk, reason="x")
    for _ in range(2):
        decisions.revoke(made, by=court.judge)
    assert len(acts(made)) == len(set(acts(made))) == 8
    assert court.order() != made


def test_a_discarded_number_is_not_used_again(court: Court) -> None:
    made = court.draft()
    decisions.discard(made, by=court.clerk)
    assert court.order().number > made.number
