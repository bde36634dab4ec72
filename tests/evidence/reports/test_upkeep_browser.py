"""The page on renewals in a real browser: narrow and wide, Chinese and English, empty and full, with long words of other people's."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from cases.models import Office
from evidence.reports import decisions, errands, issuing, patience, signing, upkeep
from evidence.reports.models import Signature
from portal.people.models import User
from tests import courtroom
from tests.evidence.intake.browser import chromium
from tests.screens import look

from .life import Court

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
SIZES = {"360": {"width": 360, "height": 780}, "1280": {"width": 1280, "height": 900}}
LONG = "the e-seal key cannot be opened in its token: NoSuchToken " + "x" * 120


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def keeper() -> User:
    holder = courtroom.person("keeper", court_staff=True)
    Office.give(holder, Office.Post.SYSADMIN)
    return holder


def fill(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of each: waits for a key, lacks its time-stamp, due, past help in three ways, in order."""

    def broken(pdf: bytes, **_: Any) -> signing.Signed:
        raise signing.SigningError(LONG)

    def bare(pdf: bytes, **_: Any) -> signing.Signed:
        return signing.Signed(pdf + b" sealed", "PAdES-B-B", pending="the time-stamping authority did not answer: no answer in time", unanswered=True)

    for seal, profile in ((broken, "etsi"), (bare, "fre902")):
        made = court.draft(profiles=(profile,))
        decisions.check(made, by=court.assistant, annex=made.annex_sha256)
        decisions.send(made, by=court.judge, annex=made.annex_sha256)
        monkeypatch.setattr(signing, "seal", seal)
        issuing.produce(made.pk)
    patience.rest("the time-stamping authority did not answer: no answer in time")
    now = datetime.now(UTC)
    certificates = {
        "1" * 64: (now + timedelta(days=2000), None), "2" * 64: (now + timedelta(days=40), None),
        "3" * 64: (now - timedelta(days=4), None), "4" * 64: (now + timedelta(days=2000), now - timedelta(days=9)), "5" * 64: None,
    }  # fmt: skip
    monkeypatch.setattr(upkeep, "_certificate", lambda revision, at: certificates[revision.signatures.get().certificate_sha256])
    for n, (digest, field) in enumerate([*((d, "DocTS1") for d in certificates), ("2" * 64, "DocTS10")]):
        report = courtroom.report(court.case, court.clerk, court.verdict, number=f"HY2026-0007{n:02d}")
        Signature.objects.create(
            report=report, revision=report.newest, field=field, certificate_sha256=digest, subject="CN=TSA", serial="1", level="DocTimeStamp", at=timezone.now()
        )  # fmt: skip
    claim = errands.claim(report.pk)
    if claim is not None:
        errands.put_off(claim, fault="does not hold as it is: DocTS1: no path to the court's anchors (nothing shows it not revoked: CN=TSA)")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_it_fits_the_screen_and_everybody(live_server: Any, court: Court, keeper: User, monkeypatch: pytest.MonkeyPatch, size: str, language: str) -> None:
    """To see it fail: let the fault of a key run out of its line."""
    for name in ("empty", "full"):
        if name == "full":
            fill(court, monkeypatch)
        with chromium(live_server.url, keeper, size=SIZES[size]) as context:
            context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}])
            this = context.new_page()
            this.goto(live_server.url + reverse("reports:upkeep"))
            look(this, f"upkeep-{name}-{size}-{language}")
