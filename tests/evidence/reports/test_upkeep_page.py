"""The page on renewals: every report that waits, why, and when it is tried again; for the offices that keep keys, never with a case."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases.models import Office
from evidence.reports import decisions, errands, issuing, patience, signing, upkeep
from evidence.reports.models import Errand, Report, Signature
from portal.people.models import User
from tests import courtroom
from tests.cases.test_access_attacks import signed_in

from .life import Court

pytestmark = pytest.mark.django_db
TSA = "9a" * 32


@pytest.fixture
def keeper() -> User:
    holder = courtroom.person("keeper", court_staff=True)
    Office.give(holder, Office.Post.SYSADMIN)
    return holder


def shown(user: User, language: str = "zh-hans") -> str:
    answer = signed_in(user).get(reverse("reports:upkeep"), headers={"accept-language": language})
    assert answer.status_code == 200
    return str(answer.content.decode())


def sealing(court: Court, *profiles: str) -> Report:
    made = court.draft(profiles=profiles)
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    return decisions.send(made, by=court.judge, annex=made.annex_sha256)


def archived(court: Court, number: str, *, days: int = 0) -> Report:
    made = courtroom.report(court.case, court.clerk, court.verdict, number=number)
    Signature.objects.create(
        report=made, revision=made.newest, field="DocTS1", certificate_sha256=TSA, subject="CN=TSA", serial="1", level="DocTimeStamp", at=made.signed_at
    )  # fmt: skip
    return made


@pytest.fixture
def certificate(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What stands in the file of the newest time-stamp."""
    said: dict[str, Any] = {"end": datetime.now(UTC) + timedelta(days=900), "revoked": None}
    monkeypatch.setattr(upkeep, "_certificate", lambda revision, now: (said["end"], said["revoked"]))
    return said


def test_it_says_when_nothing_waits(keeper: User) -> None:
    text = shown(keeper)
    assert "没有报告在等待签名" in text and "没有报告缺时间戳" in text and "还没有带归档时间戳的报告" in text
    assert "No report is waiting" in shown(keeper, "en")


def test_a_report_that_waits_for_a_key_stands_there_with_the_reason(court: Court, keeper: User, monkeypatch: pytest.MonkeyPatch) -> None:
    report = sealing(court)

    def broken(pdf: bytes, **_: Any) -> signing.Signed:
        raise signing.SigningError("the e-seal key cannot be opened <in its token>: NoSuchToken")

    monkeypatch.setattr(signing, "seal", broken)
    issuing.produce(report.pk)
    text = shown(keeper)
    assert report.number in text and "NoSuchToken" in text and "&lt;in its token&gt;" in text and "试过 1 次" in text
    assert court.case.number not in text and "tried 1 time" in shown(keeper, "en")
    page = signed_in(court.clerk).get(reverse("reports:report", args=[report.public_id])).content.decode()
    assert "等待签名：签名密钥暂时不能使用" in page and "NoSuchToken" in page


def test_a_report_without_its_time_stamp_stands_there_with_the_reason(court: Court, keeper: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def bare(pdf: bytes, **_: Any) -> signing.Signed:
        return signing.Signed(pdf + b" sealed", "PAdES-B-B", pending="the authority did not answer: ConnectionRefused", unanswered=True)

    monkeypatch.setattr(signing, "seal", bare)
    report = issuing.produce(sealing(court).pk)
    text = shown(keeper)
    assert report.number in text and "PAdES-B-B" in text and text.count("ConnectionRefused") == 2, "the reason, and that the authority rests"
    assert "时间戳服务没有应答" in text
    patience.answered()
    assert "时间戳服务没有应答" not in shown(keeper)


def test_renewals_with_their_day_and_those_past_help(court: Court, keeper: User, certificate: dict[str, Any]) -> None:
    report = archived(court, "HY2026-000801")
    due = timezone.localtime(report.newest.at + timedelta(days=365))  # type: ignore[union-attr]
    text = shown(keeper)
    assert report.number in text and f"{due:%Y-%m-%d}" in text and "不能再续期" not in text and court.case.number not in text
    certificate["end"] = datetime.now(UTC) + timedelta(days=30)
    assert "到期" in shown(keeper) and [d.why for d in upkeep.due()] == [upkeep.Why.ENDING]
    certificate["end"] = datetime.now(UTC) - timedelta(days=1)
    assert "1 份报告不能再续期" in shown(keeper) and "No longer possible" in shown(keeper, "en")
    certificate["end"], certificate["revoked"] = datetime.now(UTC) + timedelta(days=900), datetime.now(UTC) - timedelta(days=3)
    assert "起被吊销" in shown(keeper) and [d.lost for d in upkeep.due()] == [True]


def test_the_last_field_is_the_end(court: Court, certificate: dict[str, Any]) -> None:
    report = archived(court, "HY2026-000802")
    Signature.objects.create(
        report=report, revision=report.newest, field="DocTS10", certificate_sha256=TSA, subject="CN=TSA", serial="1", level="DocTimeStamp", at=report.signed_at
    )  # fmt: skip
    certificate["end"] = datetime.now(UTC) + timedelta(days=30)
    [one] = upkeep.due()
    assert one.lost and one.why == upkeep.Why.USED


def test_a_renewal_that_failed_says_why(court: Court, keeper: User, certificate: dict[str, Any]) -> None:
    report = archived(court, "HY2026-000803")
    claim = errands.claim(report.pk)
    assert claim is not None
    errands.put_off(claim, fault="does not hold as it is: DocTS1: broken")
    text = shown(keeper)
    assert "does not hold as it is" in text and Errand.objects.get(report=report).tries == 1


def test_many_reports_cost_no_more_queries(court: Court, keeper: User, certificate: dict[str, Any]) -> None:
    def cost() -> int:
        client = signed_in(keeper)
        client.get(reverse("reports:upkeep"))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("reports:upkeep"))
        return len(queries)

    archived(court, "HY2026-000810")
    few = cost()
    for n in range(60):
        archived(court, f"HY2026-0009{n:02d}")
    assert cost() == few


def test_it_is_of_the_offices_that_keep_keys(court: Court) -> None:
    supervisor = courtroom.person("supervisor", court_staff=True)
    Office.give(supervisor, Office.Post.SUPERVISOR)
    for user in (supervisor, court.judge, court.party):
        assert signed_in(user).get(reverse("reports:upkeep")).status_code == 404
