"""The page of delegations in a real browser, narrow and wide, Chinese and English."""

from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse

from cases import delegations
from cases.models import Role
from tests import courtroom
from tests.evidence.intake.browser import chromium
from tests.screens import look

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
SIZES = {"360": {"width": 360, "height": 780}, "1280": {"width": 1280, "height": 900}}


@pytest.mark.parametrize("size", SIZES)
def test_it_fits_the_screen_and_everybody(live_server: Any, size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Buttons named for whom they are, one delegation that holds, one taken back; without script the same page."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    case = courtroom.case(1)
    judge, one, two = courtroom.person("judge"), courtroom.person("one"), courtroom.person("two")
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    for clerk in (one, two):
        courtroom.join(clerk, case, Role.CLERK)
        given = delegations.give(case, "report.release", to=clerk, by=judge)
    delegations.end(given, by=judge)
    for language in ("zh-hans", "en"):
        with chromium(live_server.url, judge, size=SIZES[size]) as context:
            context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}])
            this = context.new_page()
            this.goto(live_server.url + reverse("delegations", args=[case.public_id]))
            look(this, f"delegations-{size}-{language}")
            assert this.get_by_role("button", name="姓名one").count() == this.get_by_role("button", name="姓名two").count() == 1
