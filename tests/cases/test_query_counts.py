"""How many questions a page asks of the database, as an ordinary judge, clerk and party, never as a superuser.

The number must not grow with what is listed, and must not creep up unseen: a change that needs one more says so here.
"""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases.models import Case, Role, Side
from portal.people.models import User
from tests import courtroom

pytestmark = pytest.mark.django_db

QUERIES = {"home": 12, "case": 13, "exhibit": 15, "summary": 15, "submissions": 11, "capture": 11, "safe": 12, "find": 7, "find_in_case": 6, "timeline": 6, "compare": 15, "compare_choose": 6, "compare_choose_right": 12}


@pytest.fixture(autouse=True)
def vault_dir(tmp_path: object, settings: object) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]


@pytest.fixture
def judge() -> User:
    return courtroom.person("judge")


@pytest.fixture
def party() -> User:
    return courtroom.person("party")


def _fill(judge: User, party: User, *, cases: int, exhibits: int) -> Case:
    """Every case with exhibits in every state the docket tells apart."""
    made = []
    for _ in range(cases):
        case = courtroom.case(Case.objects.count() + 1)
        courtroom.join(judge, case, Role.PRESIDING_JUDGE)
        courtroom.join(party, case, Role.LITIGANT, Side.PLAINTIFF)
        for n in range(exhibits):
            exhibit = courtroom.hand_in(case, party)
            courtroom.run(exhibit, courtroom.consistent())
            if n % 3:
                courtroom.run(exhibit, state=["queued", "parked"][n % 2])
        made.append(case)
    return made[0]


def _count(user: User, path: str) -> int:
    client = Client()
    client.force_login(user)
    client.get(path)  # what is asked once per process is not the page's
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


@pytest.mark.parametrize(("cases", "exhibits"), [(1, 4), (6, 12)])
def test_the_docket_and_the_catalogue(judge: User, party: User, cases: int, exhibits: int) -> None:
    case = _fill(judge, party, cases=cases, exhibits=exhibits)
    found = {
        "home": _count(judge, reverse("home")),
        "case": _count(judge, reverse("case", args=[case.public_id])),
        "submissions": _count(party, reverse("home")),
    }
    assert found == {name: QUERIES[name] for name in found}


@pytest.mark.parametrize(("files", "runs"), [(1, 1), (20, 15)])
def test_the_page_of_an_exhibit(judge: User, party: User, files: int, runs: int) -> None:
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    courtroom.join(party, case, Role.LITIGANT, Side.PLAINTIFF)
    exhibit = courtroom.hand_in(case, party, files={f"{n}.html": b"%d" % n for n in range(files)})
    courtroom.read(exhibit)
    for _ in range(runs):
        courtroom.run(exhibit, courtroom.consistent(), requested_by=judge)
    for n in range(runs):
        courtroom.state(exhibit, party, source=f"{n}", notary=f"{n}")
    path = reverse("exhibits:exhibit", args=[exhibit.public_id])
    assert {"exhibit": _count(judge, path), "summary": _count(party, path)} == {k: QUERIES[k] for k in ("exhibit", "summary")}


@pytest.mark.parametrize(("exhibits", "files"), [(1, 1), (8, 6)])
def test_captures_and_the_search_in_them(judge: User, party: User, exhibits: int, files: int) -> None:
    case = courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    courtroom.join(party, case, Role.LITIGANT, Side.PLAINTIFF)
    for n in range(exhibits):
        exhibit = courtroom.hand_in(case, party, files={f"{k}.html": b"%d %d" % (n, k) for k in range(files)})
        courtroom.read(exhibit)
        courtroom.rendered(exhibit, judge)
        courtroom.run(exhibit, courtroom.consistent())
    courtroom.compared(exhibit)
    choose = reverse("captures:compare_choose", args=[case.public_id])
    found = {
        "capture": _count(judge, reverse("captures:capture", args=[exhibit.public_id, 1, 1])),
        "safe": _count(judge, reverse("captures:safe", args=[exhibit.public_id, 1, 1])),
        "find": _count(judge, reverse("captures:find", args=[exhibit.public_id]) + "?q=涉案作品"),
        "timeline": _count(judge, reverse("captures:timeline", args=[case.public_id])),
        "find_in_case": _count(judge, reverse("captures:find_in_case", args=[case.public_id]) + "?q=涉案作品"),
        "compare": _count(judge, reverse("captures:compare", args=[exhibit.public_id, 1, 1, exhibit.public_id, files, 1])),
        "compare_choose": _count(judge, choose),
        "compare_choose_right": _count(judge, f"{choose}?left={exhibit.public_id}.1.1"),
    }
    assert found == {name: QUERIES[name] for name in found}
