"""The progress of a large exhibit in a real browser: followed by itself, and without JavaScript as of when the page was asked for."""

from typing import Any

import pytest
from django.urls import reverse

from cases.models import Role
from evidence.exhibits.models import Exhibit
from evidence.runs.models import Run
from portal.people.models import User
from tests import courtroom
from tests.evidence.intake.browser import DESK, chromium
from tests.screens import look, picture, speak

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs("chromium")]
SMALL = {"width": 360, "height": 780}
TOTAL = 500_000_000
NAME = "被告网店全站抓取_" + "20261122" * 6 + ".wacz"


@pytest.fixture(autouse=True)
def _playwright_runs_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def judge() -> User:
    return courtroom.person("judge")


@pytest.fixture
def exhibit(judge: User) -> Exhibit:
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    found = courtroom.hand_in(case, judge)
    courtroom.run(found, state=Run.State.RUNNING, stage="digests", stage_file=NAME, bytes_done=120_000_000, bytes_total=TOTAL)
    return found


@pytest.mark.parametrize("size", [SMALL, DESK], ids=["phone", "desk"])
def test_the_figures_go_on_by_themselves_and_become_the_result(
    size: dict[str, int], live_server: Any, judge: User, exhibit: Exhibit
) -> None:
    with chromium(live_server.url, judge, size=size) as context:
        page = context.new_page()
        page.goto(live_server.url + reverse("exhibits:exhibit", args=[exhibit.public_id]))
        for language, words in (("zh", "已读 114.4"), ("en", "114.4\u00a0MB of 476.8\u00a0MB read")):
            if language == "en":
                speak(page, "en")
            page.get_by_text(words).wait_for()
            look(page, f"progress-{size['width']}-{language}", full_page=False)
        Run.objects.update(stage="records", bytes_done=400_000_000)
        page.get_by_text("381.5\u00a0MB of 476.8\u00a0MB read").wait_for(timeout=30_000)
        assert page.locator("#progress progress").get_attribute("value") == "400000000"
        courtroom.conclude(Run.objects.get(), courtroom.consistent())
        page.locator("#progress").wait_for(state="detached", timeout=30_000)


def test_without_javascript_the_page_says_how_far_it_is_and_how_to_ask_again(
    live_server: Any, judge: User, exhibit: Exhibit
) -> None:
    with chromium(live_server.url, judge, script=False, size=SMALL) as context:
        page = context.new_page()
        page.goto(live_server.url + reverse("exhibits:exhibit", args=[exhibit.public_id]))
        assert "已读 114.4" in page.content()
        Run.objects.update(stage="container", bytes_done=1_000_000)
        page.get_by_role("link", name="刷新看看是否完成").first.click()
        assert "正在逐个核对压缩包里的文件。" in page.content() and "已读 976.6" in page.content()
        picture(page, "progress-360-zh-no-script")
