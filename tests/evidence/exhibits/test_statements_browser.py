"""The six boxes and what was said in them, in a real browser: narrow and wide, Chinese and English, hostile words among them."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse

from cases.models import Case, Role, Side
from evidence.exhibits.models import Exhibit
from portal.people.models import User
from tests import courtroom
from tests.evidence.intake.browser import chromium
from tests.evidence.intake.conftest import answered, page, signed_in
from tests.screens import look

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
SIZES = {"360": {"width": 360, "height": 780}, "1280": {"width": 1280, "height": 900}}
LANGUAGES = ["zh-hans", "en"]


@pytest.fixture(autouse=True)
def _room(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def case() -> Case:
    return courtroom.case(123)


def member(case: Case, name: str, role: str, side: str = Side.COURT) -> User:
    user = courtroom.person(name)
    courtroom.join(user, case, role, side)
    return user


@pytest.fixture
def people(case: Case) -> dict[str, User]:
    return {"judge": member(case, "judge", Role.PRESIDING_JUDGE), "party": member(case, "party", Role.LITIGANT, Side.PLAINTIFF)}


@pytest.fixture
def exhibit(case: Case, people: dict[str, User]) -> Exhibit:
    made = courtroom.hand_in(case, people["party"], receipt_number="20261122-7K3M9QX2")
    courtroom.run(made, courtroom.consistent())
    party = people["party"]
    courtroom.state(made, party, source="x" * 400 + "\n第二行 </dd><b>粗</b>", generation="网页由网站自动生成\u202e反", notary="（2026）川成证字第1号")
    courtroom.state(made, party, source="被告网店的商品页面\n由本公司员工取得")
    return made


@pytest.fixture(params=SIZES, ids=list(SIZES))
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_page_fits_the_screen_and_everybody(
    live_server: Any, people: dict[str, User], exhibit: Exhibit, case: Case, size: str, language: str
) -> None:
    """To see it fail: take the label of a box away, or let a long word run out of its column."""
    draft = answered(signed_in(people["party"]), upto="prechain")
    pages = {
        "boxes": ("party", page(draft, "prechain")),
        "correcting": ("party", reverse("exhibits:state", args=[exhibit.public_id])),
        "party": ("party", reverse("exhibits:exhibit", args=[exhibit.public_id])),
        "judge": ("judge", reverse("exhibits:exhibit", args=[exhibit.public_id])),
    }
    for name, (who, address) in pages.items():
        with chromium(live_server.url, people[who], size=SIZES[size]) as context:
            context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}])
            this = context.new_page()
            this.goto(live_server.url + address)
            for closed in this.locator("details:has(.govuk-details__summary)").all():
                closed.evaluate("one => one.open = true")
            look(this, f"statements-{name}-{size}-{language}")
