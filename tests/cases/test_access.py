"""Who may what: the permission table cell by cell, the same rule as a query, and every page for everybody.

What each person may see is written out here by hand from court-domain §8, not taken from the code.
"""

import itertools
import random
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from cases.access import cases_where, may, visible_to
from cases.access.matrix import table
from cases.access.rows import drift
from cases.models import Case, CaseUserPermission, Delegation, Membership, Office, Role, Side
from evidence.exhibits.models import Exhibit, ExhibitFile
from evidence.exports import batches
from evidence.exports import queue as exports
from evidence.reports.models import Report
from evidence.runs.models import Run, RunVerdict
from tests import courtroom
from tests.courtroom import COURT, DEFENDANTS, NOBODY, PLAINTIFFS, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def vault_dir(tmp_path: object, settings: object) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]


@pytest.fixture
def cast() -> Cast:
    return courtroom.cast()


# ── the table ─────────────────────────────────────────────────────────────────────────────────────────────────────────

HOLDS: dict[str, Callable[[SimpleNamespace], bool]] = {
    # predicate -> does it hold for this thing? (side is the asking membership's side or not)
    "own": lambda t: t.mine,
    "own_or_exchanged": lambda t: t.mine or t.exchanged,
    "own_or_exchanged_and_clearance": lambda t: (t.mine or t.exchanged) and not t.confidential,
    "released": lambda t: t.released,
    "own_or_released": lambda t: t.mine or t.released,
    "window_open": lambda t: True,
    "mandate_valid": lambda t: True,
    "joined": lambda t: True,
    "second_person": lambda t: t.by_another,
    "delegated": lambda t: t.delegated,
}
"""The predicates of the release, written a second time; every other predicate of the table must deny."""


CONDITIONS = ("mine", "exchanged", "confidential", "released", "by_another", "delegated")
MANY = len(CONDITIONS)
SITUATIONS = {
    *(tuple(n == m for n in range(MANY)) for m in range(MANY)),
    *(tuple(n != m for n in range(MANY)) for m in range(MANY)),
    (True,) * MANY,
    (False,) * MANY,
}
"""All conditions hold, none does, each alone does, each alone does not."""


@pytest.mark.parametrize(CONDITIONS, sorted(SITUATIONS))
def test_every_cell_of_the_table(mine: bool, exchanged: bool, confidential: bool, released: bool, by_another: bool, delegated: bool) -> None:
    """16 roles × 42 actions, conditional cells in both of their values. To see it fail: change any cell's meaning."""
    case = courtroom.case()
    presiding = courtroom.person("presiding")
    courtroom.join(presiding, case, Role.PRESIDING_JUDGE)
    wrong = []
    for role in Role:
        party = role in {Role.LITIGANT, Role.AGENT, Role.THIRD_PARTY}
        user = courtroom.person(role)
        side = Side.THIRD if role == Role.THIRD_PARTY else Side.PLAINTIFF if party else Side.COURT
        courtroom.join(user, case, role, side, days=10)
        thing = SimpleNamespace(
            case=case,
            side=side if mine else Side.DEFENDANT,
            mine=mine,
            exchanged=exchanged,
            confidential=confidential,
            released=released,
            by_another=by_another,
            delegated=delegated,
            created_by_id=user.pk + 1 if by_another else user.pk,
        )
        column = "opposing" if role in {Role.LITIGANT, Role.AGENT} and not mine else role
        if delegated:
            Delegation.objects.bulk_create(Delegation(case=case, action=a, to=user, by=presiding) for a in table().actions)
        sees_case = _expected(table().cell(role, "case.view"), thing)
        for action in table().actions:
            expected = sees_case and _expected(table().cell(role if action == "case.view" else column, action), thing)
            if bool(may(user, action, case if action == "case.view" else thing)) != expected:
                wrong.append((role, action, expected))
    assert wrong == []


def _expected(cell: str | None, thing: SimpleNamespace) -> bool:
    if cell is None or cell == "Y":
        return cell == "Y"
    predicate = HOLDS.get(cell.removeprefix("P:"))
    return predicate is not None and predicate(thing)


def test_the_table_is_whole() -> None:
    assert (len(table().roles), len(table().actions)) == (16, 43)


# ── the rule as a query ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(6))
def test_the_question_and_the_query_agree(seed: int) -> None:
    """`may` and `visible_to` on random memberships, exhibits, runs and reports: one rule, written twice.

    To see it fail: take a condition out of either.
    """
    dice = random.Random(seed)
    people = [courtroom.person(f"p{n}") for n in range(10)]
    cases = [courtroom.case(n + 1) for n in range(3)]
    sides = {Role.LITIGANT: [Side.PLAINTIFF, Side.DEFENDANT], Role.AGENT: [Side.PLAINTIFF, Side.DEFENDANT], Role.THIRD_PARTY: [Side.THIRD]}
    for user, case in itertools.product(people, cases):
        for role in dice.sample(list(Role), dice.choice([0, 1, 1, 2])):
            days = dice.choice([None, -1, 5, 5])
            courtroom.join(user, case, role, dice.choice(sides.get(role, [Side.COURT])), days=days, since=dice.choice([30, 30, -1 if days is None else 30]))
    for case in cases:
        for side in (Side.PLAINTIFF, Side.DEFENDANT, Side.THIRD):
            made = courtroom.hand_in(case, people[0], side, exchanged=dice.random() < 0.5, confidential=dice.random() < 0.3)
            courtroom.run(made, courtroom.consistent(), released=dice.random() < 0.5)
        courtroom.report(case, people[0], state=dice.choice(["signed", "released"]))
    wrong = []
    for user in people:
        for model in (Case, Exhibit, Run, Report):
            action = "case.view" if model is Case else model.ACCESS_ACTION
            shown = set(visible_to(user, model.objects.all()))
            for thing in model.objects.all():
                if bool(may(user, action, thing)) != (thing in shown):
                    wrong.append((user.username, model.__name__, thing.pk, sorted(m.role for m in user.memberships.all())))
        opened = set(cases_where(user, "verify.run"))
        for case in cases:
            if bool(may(user, "verify.run", SimpleNamespace(case=case, side=Side.PLAINTIFF))) != (case in opened):
                wrong.append((user.username, "verify.run", case.pk, sorted(m.role for m in user.memberships.all())))
    assert wrong == []
    assert drift() == []


def test_files_and_verdicts_follow_their_exhibit_and_run(cast: Cast) -> None:
    for name, user in cast.people.items():
        exhibits = set(visible_to(user, Exhibit.objects.all()).values_list("pk", flat=True))
        assert set(visible_to(user, ExhibitFile.objects.all()).values_list("exhibit", flat=True)) == exhibits, name
        runs = set(visible_to(user, Run.objects.all()).values_list("pk", flat=True))
        assert set(visible_to(user, RunVerdict.objects.all()).values_list("run", flat=True)) == runs, name


@pytest.mark.parametrize("model", [Case, Exhibit, ExhibitFile, Run, RunVerdict, Report])
def test_strangers_and_the_closed_see_nothing(cast: Cast, model: type) -> None:
    cast.people["judge"].is_active = False
    for user in (AnonymousUser(), cast.people["superuser"], cast.people["ended_agent"], cast.people["endless_agent"], cast.people["judge"]):
        assert not visible_to(user, model.objects.all()).exists(), user


def test_the_end_of_a_mandate_cuts_at_once(cast: Cast) -> None:
    agent, exhibit = cast.people["agent"], cast.exhibits["own"]
    assert may(agent, "evidence.view_meta", exhibit) and visible_to(agent, Exhibit.objects.all()).exists()
    Membership.objects.get(user=agent).end(at=timezone.now())
    assert not may(agent, "evidence.view_meta", exhibit)
    for model in (Case, Exhibit, Run, Report):
        assert not visible_to(agent, model.objects.all()).exists()
    client = Client()
    client.force_login(agent)
    assert client.get(reverse("exhibits:exhibit", args=[exhibit.public_id])).status_code == 404


def test_a_mandate_ends_by_the_clock_without_anybody_doing_anything(cast: Cast) -> None:
    agent, exhibit = cast.people["agent"], cast.exhibits["own"]
    last = Membership.objects.get(user=agent).valid_to
    assert last is not None
    before, after = last - timedelta(seconds=1), last + timedelta(seconds=1)
    assert may(agent, "case.view", exhibit, at=before) and not may(agent, "case.view", exhibit, at=after)
    assert visible_to(agent, Case.objects.all(), at=before).exists()
    assert not visible_to(agent, Case.objects.all(), at=after).exists()


def test_a_membership_alone_writes_and_a_lost_row_shows(cast: Cast) -> None:
    """To see it fail: make `rows.sync` do nothing."""
    assert drift() == []
    judge = cast.people["judge"]
    CaseUserPermission.objects.filter(user=judge).delete()
    assert drift() == [(cast.case.pk, judge.pk)]
    assert not visible_to(judge, Case.objects.all()).exists()


# ── every page, for everybody ─────────────────────────────────────────────────────────────────────────────────────────

SIDES = COURT | PLAINTIFFS | DEFENDANTS
EXHIBITS = {
    # exhibit -> who may know that it exists
    "own": COURT | PLAINTIFFS,
    "exchanged": SIDES,
    "opened": SIDES,
    "confidential": SIDES,
    "defence": COURT | DEFENDANTS,
}
CONTENT = {**EXHIBITS, "confidential": COURT}
REPORTS = {"signed": COURT, "released": SIDES, "draft": COURT}
DECIDE = ("give_back", "again", "ask_revoke", "drop_revoke", "revoke", "sign", "approve")
"""What the court's side may try; whether it may be done to this report now is said in words (tests/evidence/reports/test_life.py)."""

Row = tuple[str, str, list[object], set[str]]


def _exported(cast: Cast) -> uuid.UUID:
    """An export of everything, ordered by the clerk, who alone may take it."""
    made = exports.order(cast.case, Exhibit.objects.filter(case=cast.case), by=cast.people["clerk"], whole=True)
    claimed = exports.EXPORTS.claim()
    if claimed is not None:
        exports.finish(claimed, sha256="0" * 64, size=0)
    return made.public_id


def _rows(cast: Cast) -> Iterator[Row]:
    """(method, name, arguments, who gets something other than 404) for every page of the rooms."""
    case = cast.case.public_id
    yield "get", "case", [case], SIDES
    yield "get", "delegations", [case], {"judge"}
    yield "post", "delegations", [case], {"judge"}
    yield "post", "reports:issue", [case], COURT
    yield "get", "reports:order", [case], COURT
    yield "get", "reports:of_case", [case], SIDES
    export = _exported(cast)
    for method, name in (("get", "of_case"), ("get", "choose"), ("post", "choose"), ("post", "make")):
        yield method, f"exports:{name}", [case], COURT
    for method, name in (("get", "export"), ("get", "state"), ("post", "again")):
        yield method, f"exports:{name}", [export], COURT
    yield "get", "exports:download", [export], {"clerk"}
    batch = batches.order(
        cast.case, Exhibit.objects.filter(case=cast.case), by=cast.people["clerk"], mode="each", language="zh", key=uuid.uuid4()
    ).public_id
    yield "post", "exports:order_reports", [case], COURT
    for method, name in (("get", "batch"), ("get", "batch_state"), ("post", "batch_retry")):
        yield method, f"exports:{name}", [batch], COURT
    yield "get", "captures:find_in_case", [case], COURT
    yield "get", "captures:compare_choose", [case], SIDES
    yield "get", "captures:timeline", [case], COURT
    for name, exhibit in cast.exhibits.items():
        key = exhibit.public_id
        yield "get", "exhibits:exhibit", [key], EXHIBITS[name]
        yield "get", "exhibits:progress", [key], EXHIBITS[name]
        yield "post", "exhibits:verify", [key], COURT
        yield "get", "exhibits:file", [key, 1], CONTENT[name]
        for method in ("get", "post"):
            yield method, "exhibits:state", [key], DEFENDANTS if name == "defence" else PLAINTIFFS
        yield "post", "connectors:ask", [key], COURT
        yield "get", "connectors:source", [key, 1, 1], COURT
        yield "get", "captures:find", [key], CONTENT[name]
        yield "post", "captures:again", [key, 1], COURT
        yield "get", "captures:capture", [key, 1, 1], EXHIBITS[name]
        yield "get", "captures:picture", [key, 1, 1, 1], CONTENT[name]
        yield "get", "captures:safe", [key, 1, 1], CONTENT[name]
        yield "get", "captures:safe_alone", [key, 1, 1], CONTENT[name]
        for other in ("exchanged", "defence"):
            pair = [key, 1, 1, cast.exhibits[other].public_id, 1, 1]
            yield "get", "captures:compare", pair, CONTENT[name] & CONTENT[other]
            yield "get", "captures:compare_picture", [*pair, 1, "overlay"], CONTENT[name] & CONTENT[other]
        yield "post", "captures:render", [key, 1, 1], CONTENT[name]
        yield "get", "captures:render_picture", [key, 1, 1], CONTENT[name]
    for name, report in cast.reports.items():
        key = report.public_id
        yield "get", "reports:report", [key], REPORTS[name]
        yield "get", "reports:state", [key], REPORTS[name]
        yield "get", "reports:download", [key], set() if name == "draft" else REPORTS[name]
        yield "get", "reports:bundle", [key], set() if name == "draft" else REPORTS[name]
        yield "get", "reports:volume", [key, 1], set()  # none of these has volumes; tested with that room
        yield "get", "reports:draft", [key], COURT if name == "draft" else set()
        yield "get", "reports:difference", [key], COURT
        yield "get", "reports:sign", [key], COURT
        for decision in DECIDE:
            yield "post", f"reports:{decision}", [key], COURT
        if name == "draft":
            yield "post", "reports:discard", [key], COURT
        yield "post", "reports:release", [key], {"judge"}


OWN_ONLY = "intake"
"""The mini-court form: a draft belongs to one user and to nobody else; its pages are tested with that room."""
WITHOUT_OBJECT = {"runs:again", "home", "reports:check", "reports:check_file", "reports:check_proof", "intake:start", "intake:guide"}


LOOK, DRAFT = {"sysadmin", "auditor", "supervisor"}, {"sysadmin", "auditor"}
KEY, DIGEST = uuid.UUID(int=0), "0" * 64
OFFICE_PAGES = {
    # page of the court as a whole -> its arguments, and the offices that find it; a role in a case opens none of them
    "trust:index": ([], LOOK),
    "trust:pack": ([DIGEST], LOOK),
    "trust:pack_file": ([DIGEST], LOOK),
    "trust:draft": ([KEY], LOOK),
    "trust:draft_file": ([KEY], LOOK),
    "trust:decide": ([KEY], LOOK),
    "trust:start": ([], DRAFT),
    "trust:edit": ([KEY, "platform"], DRAFT),
    "trust:remove": ([KEY], DRAFT),
    "trust:import": ([KEY], DRAFT),
    "reports:keys": ([], DRAFT),
    "reports:upkeep": ([], DRAFT),
    "reports:key": ([DIGEST], DRAFT),
    "reports:key_csv": ([DIGEST], DRAFT),
}
"""What the decision asks beyond the door (another person than the maker), and drafts as their maker's own: tests/evidence/trust."""


def test_the_pages_of_offices_are_absent_for_everybody_of_a_case(cast: Cast) -> None:
    """To see it fail: open a page of the trust store to court staff as such."""
    for role in set(Role) - {Role.LITIGANT, Role.AGENT, Role.THIRD_PARTY}:
        user = cast.people[f"as {role}"] = courtroom.person(f"as-{role}", court_staff=True)
        courtroom.join(user, cast.case, role)
    wrong = []
    for person, user in cast.people.items():
        client = _signed_in(user)
        absent = _body(client.get("/nothing/here/"))
        for name, (arguments, _offices) in OFFICE_PAGES.items():
            for method in ("get", "post"):
                found = getattr(client, method)(reverse(name, args=arguments))
                if found.status_code != 404 or _body(found) != absent:
                    wrong.append((person, method, name))
    assert wrong == []
    for name, (arguments, _offices) in OFFICE_PAGES.items():
        assert Client().post(reverse(name, args=arguments)).status_code == 302, name


@pytest.mark.parametrize("post", Office.Post.values)
def test_an_office_finds_its_pages_and_nothing_of_a_case(cast: Cast, post: str) -> None:
    """To see it fail: give a supervisor a cell for trust.propose."""
    holder = courtroom.person("holder", court_staff=True)
    Office.give(holder, post)
    client = _signed_in(holder)
    assert client.get(reverse("trust:index")).status_code == 200
    started = client.post(reverse("trust:start"), {"title": ""})
    assert (started.status_code == 302) == (post in DRAFT) and (started.status_code == 404) == (post not in DRAFT)
    assert not visible_to(holder, Case.objects.all()).exists() and not visible_to(holder, Run.objects.all()).exists()
    home = client.get(reverse("home")).content.decode()
    assert "您还没有列入任何案件" in home and "提交证据" not in home, "who keeps keys or the trust store hands nothing in"
    assert client.get(reverse("case", args=[cast.case.public_id])).status_code == 404


def test_no_page_is_missing_from_the_table(cast: Cast) -> None:
    """To see it fail: add a page to a room without a row above."""
    resolver = get_resolver()
    names = {n for n in resolver.reverse_dict if isinstance(n, str)} & {"home", "case", "delegations"}
    for space, (_prefix, inner) in resolver.namespace_dict.items():
        if space != OWN_ONLY:
            names |= {f"{space}:{n}" for n in inner.reverse_dict if isinstance(n, str)}
    assert names - WITHOUT_OBJECT == {row[1] for row in _rows(cast)} | OFFICE_PAGES.keys()


def test_every_page_answers_whom_it_should_and_nobody_else(cast: Cast) -> None:
    clients = {name: _signed_in(user) for name, user in cast.people.items()}
    nothing = uuid.uuid4()

    @cache
    def of_nothing(person: str, method: str, name: str, *rest: object) -> str:
        return _body(getattr(clients[person], method)(reverse(name, args=[nothing, *rest])))

    wrong = []
    for method, name, arguments, allowed in _rows(cast):
        for person, client in clients.items():
            found = getattr(client, method)(reverse(name, args=arguments))
            if person in allowed:
                if found.status_code not in {200, 302, 422} or "login" in found.get("Location", ""):
                    wrong.append((person, name, found.status_code))
                elif found.status_code == 302:
                    client.get(found["Location"])  # what the portal has to say of this act is said there, not on the next page
                continue
            if found.status_code != 404 or _body(found) != of_nothing(person, method, name, *arguments[1:]):
                wrong.append((person, name, found.status_code, "not like an absent one"))
        stranger = getattr(Client(), method)(reverse(name, args=arguments))
        if stranger.status_code != 302 or not stranger["Location"].startswith(reverse("account_login")):
            wrong.append(("anonymous", name, stranger.status_code))
    assert wrong == []
    assert set(cast.people) == SIDES | NOBODY


def test_lists_and_counts_hold_nothing_hidden(cast: Cast) -> None:
    """The docket and the catalogue, as each person reads them."""
    for name, user in cast.people.items():
        client = _signed_in(user)
        docket = client.get(reverse("home")).content.decode()
        catalogue = client.get(reverse("case", args=[cast.case.public_id]))
        for key, exhibit in cast.exhibits.items():
            known = name in EXHIBITS[key]
            assert (str(exhibit.public_id) in catalogue.content.decode()) == known, (name, key)
            assert known or str(exhibit.public_id) not in docket, (name, key)
        if name in SIDES:
            count = sum(name in who for who in EXHIBITS.values())
            assert f"{count} 件证据" in docket, name
        else:
            assert catalogue.status_code == 404
            assert cast.case.number not in docket, name


def test_a_verdict_not_yet_opened_is_in_no_list_of_the_other_side(cast: Cast) -> None:
    page = _signed_in(cast.people["defendant"]).get(reverse("case", args=[cast.case.public_id])).content.decode()
    rows = {key: page.split(str(e.public_id))[1].split("</tr>")[0] for key, e in cast.exhibits.items() if str(e.public_id) in page}
    assert "核验一致" in rows["opened"] and "核验一致" in rows["defence"]
    assert "核验一致" not in rows["exchanged"] and "未开放" in rows["exchanged"]


def _signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def _body(response: HttpResponse) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
