"""People with an account who ask for what is not theirs, in every way the web knows: other methods, other ids, other fields.

What one may not know answers like what does not exist: same status, same body, same headers, and the same work for the
database, so that not even a clock tells them apart.
"""

import random
import re
import uuid
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cases.access import may, visible_to
from cases.models import Case, Membership, Role, Side
from evidence.exhibits.models import Exhibit, ExhibitFile
from evidence.intake.models import Draft
from evidence.reports.models import Report
from evidence.runs.models import Run, RunVerdict
from portal.people.models import User
from tests import courtroom
from tests.courtroom import COURT, NOBODY, Cast

from .test_access import _rows

pytestmark = pytest.mark.django_db

METHODS = ("get", "head", "options", "post", "put", "patch", "delete")


@pytest.fixture(autouse=True)
def vault_dir(tmp_path: object, settings: object) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]


@pytest.fixture
def cast() -> Cast:
    return courtroom.cast()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def told(response: HttpResponse, *ids: object) -> tuple[object, ...]:
    """All that an answer tells, but for the id that was asked for, the form's token and the minute in the line for paper."""
    body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", body.decode(errors="replace"))
    text = re.sub(r'(<p class="mj-print-only">.*?) \d{4}-\d\d-\d\d \d\d:\d\d', r"\1", text)
    headers = sorted((k, v) for k, v in response.headers.items() if k != "Expires")
    for one in ids:
        text = text.replace(str(one), "ID")
        headers = [(k, v.replace(str(one), "ID")) for k, v in headers]
    return response.status_code, text, headers


# ── every address, every method ───────────────────────────────────────────────────────────────────────────────────────


def test_no_method_tells_a_forbidden_thing_from_an_absent_one(cast: Cast) -> None:
    """To see it fail: answer 403, or look the thing up before asking whether it is visible."""
    addresses = {(name, tuple(arguments)): allowed for _m, name, arguments, allowed in _rows(cast)}
    clients = {person: signed_in(cast.people[person]) for person in ("defendant", "outsider", "ended_agent", "superuser")}
    nothing = uuid.uuid4()

    @cache
    def of_nothing(person: str, method: str, name: str, *rest: object) -> tuple[object, ...]:
        return told(getattr(clients[person], method)(reverse(name, args=(nothing, *rest))), nothing, *rest)

    wrong = []
    for (name, arguments), allowed in addresses.items():
        for person in clients.keys() - allowed:
            for method in METHODS:
                asked = told(getattr(clients[person], method)(reverse(name, args=arguments)), *arguments)
                if asked != (absent := of_nothing(person, method, name, *arguments[1:])):
                    wrong.append((person, method, name, asked[0], absent[0]))
    assert wrong == []


def test_the_database_does_the_same_work_for_both(cast: Cast) -> None:
    """A longer way to "no" could be timed. To see it fail: ask a second question only about things that exist."""
    outsider = signed_in(cast.people["outsider"])
    outsider.get("/")
    for method, name, arguments, allowed in _rows(cast):
        if "outsider" in allowed:
            continue
        counts = []
        for asked in (arguments, [uuid.uuid4(), *arguments[1:]]):
            with CaptureQueriesContext(connection) as queries:
                getattr(outsider, method)(reverse(name, args=asked))
            counts.append(len(queries))
        assert counts[0] == counts[1], name


def test_nothing_moves_for_whoever_may_not(cast: Cast) -> None:
    """All the forbidden requests of the table, and then the record is looked at."""

    def state() -> tuple[object, ...]:
        return (
            list(Run.objects.order_by("pk").values_list("pk", "state", "released_at")),
            list(Report.objects.order_by("pk").values_list("pk", "state")),
            list(Exhibit.objects.order_by("pk").values_list("pk", "state", "exchanged")),
        )

    rows = list(_rows(cast))  # the table makes what it asks for
    before = state()
    fields = {"exhibit": [str(e.public_id) for e in cast.exhibits.values()], "state": "released", "exchanged": "on", "lane": "0"}
    clients = {person: signed_in(user) for person, user in cast.people.items()}
    for _method, name, arguments, allowed in rows:
        for person in clients.keys() - allowed:
            for method in ("post", "put", "patch", "delete"):
                getattr(clients[person], method)(reverse(name, args=arguments), fields if method == "post" else None)
    assert state() == before


def test_a_new_account_sees_nothing_and_can_do_nothing(cast: Cast) -> None:
    """Anybody may open an account: it must be worth nothing by itself."""
    client = Client()
    form = {"username": "newcomer", "password1": "correct horse battery", "password2": "correct horse battery"}
    assert client.post(reverse("account_signup"), {**form, "case": str(cast.case.public_id), "role": "presiding_judge"}).status_code == 302
    page = client.get("/").content.decode()
    assert "您还没有列入任何案件" in page and cast.case.number not in page
    for method, name, arguments, _allowed in _rows(cast):
        assert getattr(client, method)(reverse(name, args=arguments)).status_code == 404, name
    assert not Membership.objects.filter(user__username="newcomer").exists()


# ── ids of another case in a form ─────────────────────────────────────────────────────────────────────────────────────


def issue(user: User, of: Case, *exhibits: Exhibit, **more: str) -> HttpResponse:
    data: dict[str, Any] = {"exhibit": [str(e.public_id) for e in exhibits], **more}
    return signed_in(user).post(reverse("reports:issue", args=[of.public_id]), data)


def test_a_report_takes_no_exhibit_of_another_case(cast: Cast) -> None:
    """Not even from somebody who may see both. To see it fail: drop `case=case` from the view's query."""
    clerk = cast.people["clerk"]
    courtroom.join(clerk, cast.other_case, Role.CLERK)
    foreign = courtroom.hand_in(cast.other_case, cast.people["outsider"], Side.PLAINTIFF)
    courtroom.run(foreign, courtroom.consistent())
    before = set(Report.objects.values_list("pk", flat=True))
    assert issue(clerk, cast.case, foreign)["Location"] == reverse("case", args=[cast.case.public_id])
    assert set(Report.objects.values_list("pk", flat=True)) == before
    issue(clerk, cast.case, foreign, cast.exhibits["own"], cast.exhibits["own"])
    [made] = Report.objects.exclude(pk__in=before)
    assert [v.run.exhibit for v in made.verdicts.all()] == [cast.exhibits["own"]]
    assert issue(cast.people["outsider"], cast.other_case, cast.exhibits["own"])["Location"] == reverse("case", args=[cast.other_case.public_id])
    assert Report.objects.filter(case=cast.other_case).count() == 0


def test_a_form_sets_nothing_but_what_it_asks(cast: Cast) -> None:
    """Mass assignment: every column of the rows that these forms make."""
    clerk, before = cast.people["clerk"], set(Report.objects.values_list("pk", flat=True))
    extra = {"state": "released", "number": "HY2026-999999", "check_code": "AAAAAAAAAA", "signed_sha256": "0" * 64, "created_by": "1", "language": "xx", "case": str(cast.other_case.public_id)}
    issue(clerk, cast.case, cast.exhibits["own"], **extra)
    [made] = Report.objects.exclude(pk__in=before)
    assert (made.state, made.signed_sha256, made.created_by, made.case) == ("preparing", "", clerk, cast.case)
    assert made.number != extra["number"] and made.check_code != extra["check_code"] and made.language != "xx"
    client = signed_in(clerk)
    client.post(reverse("exhibits:verify", args=[cast.exhibits["own"].public_id]), {"state": "done", "released_at": "2026-01-01", "attempt": "4", "requested_by": "1"})
    run = Run.objects.filter(exhibit=cast.exhibits["own"]).latest("number")
    assert (run.state, run.released_at, run.attempt, run.requested_by) == ("queued", None, 0, clerk)
    for address in (reverse("set_language"), reverse("account_change_password"), reverse("account_reauthenticate")):
        client.post(address, {"language": "en", "is_superuser": "on", "is_staff": "on", "court_staff": "on", "username": "root", "full_name": "法官"})
    after = User.objects.get(pk=clerk.pk)
    assert (after.username, after.full_name, after.is_superuser, after.is_staff, after.court_staff) == ("clerk", clerk.full_name, False, False, False)


@pytest.mark.parametrize("junk", ["", "x", "0", "\x00", "1 OR 1=1", "../../x", "a" * 5000, "{uuid}" * 3])
def test_ids_that_are_none(cast: Cast, junk: str) -> None:
    clerk = signed_in(cast.people["clerk"])
    response = clerk.post(reverse("reports:issue", args=[cast.case.public_id]), {"exhibit": [junk, junk]})
    assert response["Location"] == reverse("case", args=[cast.case.public_id])


# ── a right that ends ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_end_of_a_mandate_closes_every_address_in_a_running_session(cast: Cast) -> None:
    """Draft, docket and receipt included. To see it fail: list drafts without asking for the case."""
    agent = cast.people["agent"]
    client = signed_in(agent)
    draft = Draft.objects.create(user=agent, case=cast.case, answers={"case": {"number": cast.case.number}})
    handed = Draft.objects.create(user=agent, case=cast.case, exhibit=cast.exhibits["own"])
    addresses = [
        *(reverse(name, args=arguments) for method, name, arguments, allowed in _rows(cast) if method == "get" and "agent" in allowed),
        reverse("intake:step", args=[draft.public_id, "who"]),
        reverse("intake:receipt", args=[handed.public_id]),
    ]
    assert len(addresses) > 10 and {client.get(a).status_code for a in addresses} <= {200, 302}
    assert cast.case.number in client.get("/").content.decode() and cast.case.number in client.get("/submit/").content.decode()
    Membership.objects.get(user=agent).end(at=timezone.now())
    assert [a for a in addresses if client.get(a).status_code != 404] == []
    for address in ("/", "/submit/", f"/submit/?case={cast.case.public_id}", f"/?q={cast.case.sequence}"):
        assert cast.case.number not in client.get(address).content.decode(), address


# ── sealed cases ──────────────────────────────────────────────────────────────────────────────────────────────────────


def seen_by_others(cast: Cast) -> Iterator[tuple[object, ...]]:
    released = cast.reports["released"]
    asked = (
        *("/", "/?q=123", "/?q=（2026）", "/?q=民初", f"/submit/?case={cast.case.public_id}"),
        f"/reports/check/?number={released.number}&code=XXXXXXXXXX",
        reverse("case", args=[cast.case.public_id]),
        reverse("exhibits:exhibit", args=[cast.exhibits["opened"].public_id]),
        reverse("reports:report", args=[released.public_id]),
    )
    for name in sorted(NOBODY):
        client = signed_in(cast.people[name])
        for address in asked:
            yield name, address, told(client.get(address))
    for address in asked:
        yield "", address, told(Client().get(address))


def test_a_sealed_case_is_to_others_what_an_open_one_is_nothing(cast: Cast) -> None:
    """Members only, which every case is: lists, search, counts, the public check and error pages tell nothing of either.

    Staff of other cases, superusers and ended agents are among the others. To see it fail: show counts of all cases.
    """
    open_, others = list(seen_by_others(cast)), cast.case.number
    Case.objects.filter(pk=cast.case.pk).update(sealed=True)
    assert list(seen_by_others(cast)) == open_
    for _name, _address, (_status, text, _headers) in open_:
        assert others not in text  # type: ignore[operator]
    for name in COURT:
        assert "封存" in signed_in(cast.people[name]).get("/").content.decode()


# ── the rule asked and the rule listed ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(8))
def test_the_question_and_the_query_agree_on_everything(seed: int) -> None:
    """Random courts: several sides, roles and mandates of one person, sealed cases, closed accounts, reports over both sides."""
    dice = random.Random(1000 + seed)
    people = [courtroom.person(f"p{n}", is_active=dice.random() < 0.9, court_staff=dice.random() < 0.5) for n in range(8)]
    sides = {Role.LITIGANT: [Side.PLAINTIFF, Side.DEFENDANT], Role.AGENT: [Side.PLAINTIFF, Side.DEFENDANT, Side.THIRD], Role.THIRD_PARTY: [Side.THIRD]}
    for n in range(3):
        case = courtroom.case(n + 1, sealed=dice.random() < 0.5)
        for user in people:
            for role in dice.sample(list(Role), dice.choice([0, 1, 1, 2, 3])):
                for side in dice.sample(s := sides.get(role, [Side.COURT]), dice.randint(1, len(s))):
                    days = dice.choice([None, -1, 5, 5])
                    member = courtroom.join(user, case, role, side, days=days, since=30 if days else dice.choice([30, -1]))
                    if dice.random() < 0.2:
                        Membership.objects.filter(pk=member.pk).update(party=None)
        verdicts = []
        for side in (Side.PLAINTIFF, Side.DEFENDANT, Side.THIRD):
            made = courtroom.hand_in(case, people[0], side, exchanged=dice.random() < 0.5, confidential=dice.random() < 0.3)
            verdicts.append(courtroom.run(made, courtroom.consistent(), released=dice.random() < 0.5).verdict)
        for _ in range(3):
            courtroom.report(case, people[0], *dice.sample(verdicts, dice.randint(0, 3)), state=dice.choice(["signed", "released", "released"]))
    wrong = []
    for user in people:
        for model in (Case, Exhibit, ExhibitFile, Run, RunVerdict, Report):
            action = "case.view" if model is Case else model.ACCESS_ACTION
            shown = set(visible_to(user, model.objects.all()))
            for thing in model.objects.all():
                asked = {ExhibitFile: lambda t: t.exhibit, RunVerdict: lambda t: t.run}.get(model, lambda t: t)(thing)
                if bool(may(user, action, asked)) != (thing in shown):
                    wrong.append((user.username, model.__name__, thing.pk, [(m.role, m.side) for m in user.memberships.all()]))
    assert wrong == []


def test_a_released_report_opens_to_a_side_only_what_the_side_may_know(cast: Cast) -> None:
    """A report on an exhibit that was never exchanged, released: the other side still must not learn of it.

    To see it fail: let `state = released` alone decide.
    """
    report = courtroom.report(cast.case, cast.people["clerk"], cast.runs["own"].verdict, cast.runs["opened"].verdict, state=Report.State.RELEASED)
    for name in ("plaintiff", "agent", "judge"):
        assert signed_in(cast.people[name]).get(reverse("reports:download", args=[report.public_id])).status_code == 200
    defendant = signed_in(cast.people["defendant"])
    for name in ("report", "state", "download"):
        assert defendant.get(reverse(f"reports:{name}", args=[report.public_id])).status_code == 404
    Exhibit.objects.filter(pk=cast.exhibits["own"].pk).update(exchanged=True)
    assert defendant.get(reverse("reports:download", args=[report.public_id])).status_code == 200
