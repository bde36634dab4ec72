"""Ordering a report: what is asked for is what is made, or the clerk is told; nothing that was typed is lost or cut in silence."""

import html
import re

import pytest
from django.urls import reverse

from evidence.reports import issuing, views
from evidence.reports.models import Report, Step
from tests import courtroom

from .life import Court
from .test_report_pages import page, said, signed_in

pytestmark = pytest.mark.django_db


def issue(court: Court, form: dict[str, object]) -> str:
    return said(signed_in(court.clerk).post(reverse("reports:issue", args=[court.case.public_id]), form, follow=True))


def test_more_exhibits_than_a_report_takes_are_refused_and_not_left_out(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    """One without a result among them too: what is counted is what would be in the report. To see it fail: cut the list of ids."""
    exhibits = [court.exhibit]
    for _ in range(2):
        exhibits.append(courtroom.hand_in(court.case, court.party))
        courtroom.run(exhibits[-1], courtroom.consistent())
    bare = courtroom.hand_in(court.case, court.party)
    monkeypatch.setattr(views, "EXHIBITS_MAX", 2)
    ids = [str(e.public_id) for e in (bare, *exhibits)]
    assert "最多 2 件" in issue(court, {"exhibit": ids}) and not Report.objects.exists()
    assert "最多 2 件" in said(signed_in(court.clerk).get(reverse("reports:order", args=[court.case.public_id]), {"exhibit": ids}))
    issue(court, {"exhibit": ids[:3]})
    assert Report.objects.get().verdicts.count() == 2


def test_a_big_report_is_made_anew_by_its_name_and_not_by_a_list_of_exhibits(court: Court) -> None:
    """An address holds some ninety exhibits, a report 500: a server refuses the longer line (RFC 9112, section 3)."""
    old = courtroom.report(court.case, court.clerk, court.verdict, state="released")
    verdicts = [court.verdict, *(courtroom.run(courtroom.hand_in(court.case, court.party), courtroom.consistent()).verdict for _ in range(99))]
    made = courtroom.report(court.case, court.clerk, *verdicts, state="draft", supersedes=old, version=2, kind="supplement", reason="x")
    courtroom.run(court.exhibit, courtroom.inconsistent())
    text = said(page(court.clerk, "report", made.public_id))
    (address,) = re.findall(r'href="([^"]*)">按最新结果重新生成', text)
    assert len(address) < 300
    form = said(signed_in(court.clerk).get(html.unescape(address)))
    assert form.count('name="exhibit"') == 100 and f'name="supersedes" value="{old.public_id}"' in form and "核验不一致" in form


def test_like_is_of_this_case_only(court: Court) -> None:
    elsewhere = courtroom.report(courtroom.case(77), court.clerk, state="draft")
    assert page(court.clerk, "order", court.case.public_id, like=str(elsewhere.public_id)).status_code == 404


@pytest.mark.parametrize("state", ["superseded", "revoked", "draft"])
def test_what_does_not_stand_is_not_replaced_and_that_is_said(court: Court, state: str) -> None:
    old = courtroom.report(court.case, court.clerk, court.verdict, state=state)
    count = Report.objects.count()
    text = issue(court, {"exhibit": [str(court.exhibit.public_id)], "supersedes": str(old.public_id), "kind": "correction", "reason": "x"})
    assert "不能再取代一次" in text and old.number in text and Report.objects.count() == count


def test_a_report_that_ends_while_the_form_is_sent_is_no_error_of_the_server(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at it and the order. To see it fail: let the page ask the state once, before the order."""
    old = courtroom.report(court.case, court.clerk, court.verdict, state="released")
    plain = issuing.order

    def late(*arguments: object, **more: object) -> Report:
        Step.objects.create(report=old, act=Step.Act.REVOKE_ASKED, by=court.clerk, reason="x")
        courtroom.move(old, "revoked", by=court.judge, reason="x")
        return plain(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(issuing, "order", late)
    text = issue(court, {"exhibit": [str(court.exhibit.public_id)], "supersedes": str(old.public_id), "kind": "correction", "reason": "x"})
    assert "不能再取代一次" in text and Report.objects.count() == 1


@pytest.mark.parametrize("reason", ["因" * 501, "更正\x00金额", "  \n "])
def test_a_reason_is_kept_as_it_was_written_or_refused(court: Court, reason: str) -> None:
    """It is printed in the report: a part of it would say something else. No database takes a NUL. To see it fail: cut it at 500."""
    old = courtroom.report(court.case, court.clerk, court.verdict, state="released")
    text = issue(court, {"exhibit": [str(court.exhibit.public_id)], "supersedes": str(old.public_id), "kind": "correction", "reason": reason})
    client = signed_in(court.clerk)
    asked = said(client.post(reverse("reports:ask_revoke", args=[old.public_id]), {"reason": reason}, follow=True))
    if "金额" in reason:
        assert Report.objects.latest("pk").reason == "更正 金额" and old.steps.get(act="revoke_asked").reason == "更正 金额"
        return
    assert Report.objects.count() == 1 and ("最多 500 字" in text or "写明理由" in text)
    assert not old.steps.filter(act="revoke_asked").exists() and ("最多 500 字" in asked or "请写明理由" in asked)


def test_what_waits_for_a_key_is_not_counted_as_before_a_draft(court: Court) -> None:
    """Drafts and signatures have queues of their own, and what waits out a pause is passed by."""
    waiting = courtroom.report(court.case, court.clerk, court.verdict, state="sealing")
    draft = courtroom.report(court.case, court.clerk, court.verdict, state="preparing")
    assert issuing.before(draft) == 0 and "马上开始" in said(page(court.clerk, "report", draft.public_id))
    other = courtroom.report(court.case, court.clerk, court.verdict, state="sealing")
    assert issuing.before(other) == 1
    from evidence.reports import errands

    claim = errands.claim(waiting.pk)
    assert claim is not None
    errands.put_off(claim, fault="no key")
    assert issuing.before(other) == 0
