"""Both verdicts on signatures in a real browser: on a phone and a desk, in both languages, nothing cut off, axe content."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from cases.models import Role
from tests import courtroom
from tests.evidence.intake.browser import DESK, chromium
from tests.evidence.verification.pdf_exhibits import (
    AT,
    LISTS,
    MIDDLE,
    SEAL,
    SIGNED,
    Plan,
    crl,
    document,
    sign,
    text,
    trust,
    verdict,
)
from tests.screens import look, speak

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
SMALL = {"width": 360, "height": 780}
DEED = sign(sign(document(text("The price is 100"))), Plan(name=b"Second", stamped=None)).data


@pytest.fixture(autouse=True)
def _playwright_runs_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.mark.parametrize("size", [SMALL, DESK], ids=["phone", "desk"])
def test_both_verdicts_fit_and_are_legible(size: dict[str, int], live_server: Any, settings: Any, tmp_path: Path) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    judge = courtroom.person("judge")
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    exhibit = courtroom.hand_in(case, judge, files={"公证书.pdf": DEED}, submitted_at=AT)
    revoked = crl(MIDDLE, revoked=[(SEAL, SIGNED - timedelta(days=1))], begin=AT + timedelta(days=1), end=AT + timedelta(days=900))
    with chromium(live_server.url, judge, size=size) as context:
        page = context.new_page()
        for language in ("zh", "en"):
            for times, store in ((1, trust()), (2, trust(lists=(LISTS[0], revoked)))):
                if exhibit.runs.count() < times:
                    courtroom.run(exhibit, verdict({"公证书.pdf": DEED}, store, at=AT + timedelta(days=30 * (times - 1))))
                page.goto(live_server.url + reverse("exhibits:exhibit", args=[exhibit.public_id]))
                section = page.locator("section[aria-labelledby=two-times]")
                look(page, f"two-times-{size['width']}-{language}-{exhibit.runs.count()}", of=section)
            if language == "zh":
                speak(page, "en")
        assert "as of receipt and as of now" in page.content()
