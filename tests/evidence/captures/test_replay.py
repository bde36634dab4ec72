"""Interactive replay: no trace of it unless the court has set it up, and then apart from everything of the portal's."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Role, Side
from evidence.captures import replay
from evidence.captures.capture import Capture, Facts, Kind, Place
from evidence.exhibits.models import Exhibit
from portal.people.models import User
from tests import courtroom

pytestmark = pytest.mark.django_db
ORIGIN = "https://replay.court-replay.example"


@pytest.fixture
def judge(tmp_path: Path, settings: Any) -> User:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    settings.PORTAL_PUBLIC_URL = "https://evidence.court.example"
    return courtroom.person("judge")


@pytest.fixture
def exhibit(judge: User) -> Exhibit:
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    found = courtroom.hand_in(case, judge, files={"crawl.warc": b"WARC/1.1\r\n"})
    place = Place(file_sha256=found.files.get().sha256, payload_sha256="0" * 64, payload_size=9, record_offset=0)
    courtroom.read(found, Capture("record@0", Kind.PAGE, Facts(), place))
    return found


def page_of(exhibit: Exhibit, user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.get(reverse("captures:capture", args=[exhibit.public_id, 1, 1])).content.decode()


def test_no_trace_of_it_when_it_is_off(exhibit: Exhibit, judge: User) -> None:
    """To see it fail: show the section without asking for the setting."""
    shown = page_of(exhibit, judge)
    assert "回放" not in shown and "replay" not in shown.lower()


def test_the_link_hands_nothing_over(exhibit: Exhibit, judge: User, settings: Any) -> None:
    """The bare origin, no referrer, no opener; the banner before it."""
    settings.PORTAL_REPLAY_ORIGIN = ORIGIN
    shown = page_of(exhibit, judge)
    assert "回放是用第三方程序重建的，从不是核验的依据" in shown
    assert f'href="{ORIGIN}/" target="_blank" rel="noopener noreferrer" referrerpolicy="no-referrer"' in shown
    assert shown.count(ORIGIN) == 1


def test_a_saved_message_is_no_archive(judge: User, settings: Any) -> None:
    """The replay program does not read it. To see it fail: go by the place of the page alone."""
    settings.PORTAL_REPLAY_ORIGIN = ORIGIN
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    saved = courtroom.hand_in(case, judge, files={"a.mhtml": b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n"})
    place = Place(file_sha256=saved.files.get().sha256, payload_sha256="0" * 64, payload_size=9, record_offset=70)
    courtroom.read(saved, Capture("record@70", Kind.PAGE, Facts(), place))
    assert ORIGIN not in page_of(saved, judge)


def test_who_may_not_see_the_content_sees_no_link(exhibit: Exhibit, judge: User, settings: Any) -> None:
    settings.PORTAL_REPLAY_ORIGIN = ORIGIN
    Exhibit.objects.filter(pk=exhibit.pk).update(exchanged=True, confidential=True)
    other = courtroom.person("other")
    courtroom.join(other, exhibit.case, Role.LITIGANT, Side.DEFENDANT)
    assert ORIGIN not in page_of(exhibit, other)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evidence.court.example", "https://evidence.court.example:8443", "https://replay.court.example", "https://court.example",
        "https://evil.example/path", "https://evil.example/", "http://replay.court-replay.example", "//replay.example", "javascript:alert(1)",
        "https://Replay.example", "https://a@b.example", "https://replay.example\" onclick=x",
    ],
)  # fmt: skip
def test_a_place_that_is_not_apart_is_refused(exhibit: Exhibit, judge: User, settings: Any, origin: str) -> None:
    """Said by the start-up check, and not shown all the same."""
    settings.PORTAL_REPLAY_ORIGIN = origin
    (said,) = replay.replay_apart(None)
    assert said.id == "portal.E041"
    assert "回放" not in page_of(exhibit, judge)


def test_the_proxys_rules_still_fit_what_the_page_says() -> None:
    """The example for the proxy changes one sentence of the program; the page quotes it."""
    root = Path(__file__).parents[3]
    rules, page = (root / "deploy" / "replay-host.conf").read_text(), (root / "docs" / "replay.md").read_text()
    assert "mediastream: ws: wss: ; form-action 'self' ;" in rules and "mediastream: ws: wss: ; form-action 'self' ;" in page
    assert "ws:" not in rules.replace("mediastream: ws: wss: ; form-action 'self' ;", "").replace("# ", "")
