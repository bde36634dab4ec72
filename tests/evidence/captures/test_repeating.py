"""A parked reading once more: who may, once for each press, in the book, and with an end."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Role
from evidence.captures import kept, queue, working
from evidence.captures.capture import READER
from evidence.captures.models import FileReading
from evidence.exhibits.models import Exhibit
from portal.ledger.models import Detail
from portal.people.models import User
from tests import courtroom
from tests.evidence.captures.test_working import vault  # noqa: F401  (fixture)

pytestmark = pytest.mark.django_db
PAGE = b"<!doctype html><title>x</title><p>words of the page"


@pytest.fixture
def judge() -> User:
    return courtroom.person("judge")


@pytest.fixture
def exhibit(vault: Any, judge: User) -> Exhibit:  # noqa: F811
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    found = courtroom.hand_in(case, judge, files={"page.html": PAGE})
    queue.request(found)
    park()
    return found


def park() -> None:
    claim = queue.READINGS.claim()
    assert claim is not None and queue.READINGS.park(claim, fault="RESOURCE_LIMIT: memory")


def press(user: User, exhibit: Exhibit, position: int = 1) -> Any:
    client = Client()
    client.force_login(user)
    return client.post(reverse("captures:again", args=[exhibit.public_id, position]), follow=True)


def shown(exhibit: Exhibit) -> kept.Shown:
    (one,) = kept.of_files(exhibit.files.all())
    return one


def test_a_parked_file_is_read_once_more_and_then_shown(judge: User, exhibit: Exhibit) -> None:
    assert shown(exhibit).parked and shown(exhibit).may_be_repeated
    page = press(judge, exhibit)
    assert "已经排队" in page.content.decode() and shown(exhibit).waiting
    assert working.work_once()
    assert shown(exhibit).main and not shown(exhibit).may_be_repeated
    assert [(r.turn, r.state) for r in FileReading.objects.order_by("turn")] == [(1, "parked"), (2, "done")], "the first row stands"
    entry = Detail.objects.get(act="capture.again")
    assert (entry.subject, entry.case, entry.actor) == (exhibit.files.get().sha256, str(exhibit.case.public_id), str(judge.public_id))


def test_pressing_twice_is_pressing_once(judge: User, exhibit: Exhibit) -> None:
    for _ in range(3):
        press(judge, exhibit)
    assert FileReading.objects.count() == 2 and Detail.objects.filter(act="capture.again").count() == 1
    assert "没有重新读取" in press(judge, exhibit).content.decode()


def test_a_file_that_was_read_is_not_read_again(judge: User, exhibit: Exhibit) -> None:
    press(judge, exhibit)
    working.work_once()
    press(judge, exhibit)
    assert FileReading.objects.count() == 2 and not working.work_once()


def test_there_is_an_end_and_it_is_said(judge: User, exhibit: Exhibit) -> None:
    for turn in range(2, queue.TURNS_MAX + 1):
        press(judge, exhibit)
        park()
        assert FileReading.objects.count() == turn
    page = press(judge, exhibit).content.decode()
    assert FileReading.objects.count() == queue.TURNS_MAX
    assert "重试次数已经用完。" in page and reverse("captures:again", args=[exhibit.public_id, 1]) not in page


def test_the_button_is_for_those_who_may_verify(judge: User, exhibit: Exhibit) -> None:
    party = courtroom.person("party")
    courtroom.join(party, exhibit.case, Role.LITIGANT, exhibit.party.side)
    place = reverse("captures:again", args=[exhibit.public_id, 1])
    for user, sees in ((judge, True), (party, False)):
        client = Client()
        client.force_login(user)
        page = client.get(reverse("exhibits:exhibit", args=[exhibit.public_id])).content.decode()
        assert (place in page) is sees
        assert "没有能够展示" in page, "whoever may see the exhibit is told why nothing is shown"
    assert press(party, exhibit).status_code == 404
    assert press(courtroom.person("stranger"), exhibit).status_code == 404
    assert press(judge, exhibit, position=9).status_code == 404
    client = Client()
    client.force_login(judge)
    assert client.get(place).status_code == 405
    assert client.post(place.replace(str(exhibit.public_id), "00000000-0000-4000-8000-000000000000")).status_code == 404
    assert FileReading.objects.count() == 1


def test_an_older_reading_is_shown_while_the_new_reader_is_parked(judge: User, exhibit: Exhibit, vault: Any) -> None:  # noqa: F811
    assert not FileReading.objects.exclude(reader=READER).exists()
    row = FileReading.objects.get()
    FileReading.objects.create(sha256=row.sha256, reader="mingjian-reader/0", state="done", reading_sha256="a" * 64)
    assert not shown(exhibit).parked and not shown(exhibit).may_be_repeated


def test_a_section_that_waits_asks_for_itself_and_one_that_is_done_does_not(judge: User, exhibit: Exhibit) -> None:
    client = Client()
    client.force_login(judge)
    place = reverse("exhibits:exhibit", args=[exhibit.public_id])
    press(judge, exhibit)
    waiting = client.get(place).content.decode()
    assert 'hx-select="#captures-part"' in waiting and "刷新看看是否完成" in waiting
    working.work_once()
    assert 'hx-select="#captures-part"' not in client.get(place).content.decode()
