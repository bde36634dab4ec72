"""Rows of the record against the database itself: raw SQL, as somebody with the portal's own password would write it.

The columns that may move and the moves of each state are written out here from court-domain §7, not taken from the code.
"""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from cases.models import Case, Delegation, Role, Side
from evidence.exhibits.models import Exhibit
from evidence.reports.models import Report, Signature, Step, Volume
from evidence.runs.models import Run
from portal.people.models import User
from tests import courtroom

pytestmark = pytest.mark.django_db

TABLES = {
    # table -> columns that may move; None: the row never changes
    "exhibits_exhibit": {"state", "exchanged", "confidential"},
    "exhibits_exhibitfile": None,
    "exhibits_statement": None,
    "runs_run": {
        *("state", "attempt", "lease_until", "worker", "stage", "fault"),
        *("rung_at", "started_at", "finished_at", "released_at"),
    },
    "runs_runverdict": None,
    "reports_report": {
        *("state", "stage", "fault", "attempts", "draft_sha256", "annex_sha256", "unsigned_sha256", "signed_sha256"),
        *("signature_level", "pages", "issued_at", "checked_by_id", "signed_by_id", "signed_at", "released_at"),
    },
    "reports_report_verdicts": None,
    "reports_revision": None,
    "reports_signature": None,
    "reports_volume": None,
    "reports_step": None,
    "cases_delegation": {"ended_at", "ended_by_id"},
}
OTHER = {
    # another value of the same type
    "bigint": "coalesce({0}, 0) + 1000000",
    "integer": "{0} + 1",
    "smallint": "{0} + 1",
    "uuid": "gen_random_uuid()",
    "character varying": "left({0}, length({0}) - 1) || '~'",
    "text": "{0} || '~'",
    "jsonb": "{0} || '[1]'",
    "bytea": "{0} || '\\x00'::bytea",
    "boolean": "NOT {0}",
    "timestamp with time zone": "coalesce({0}, now()) - interval '1 second'",
}


def sql(text: str, *arguments: object) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        connection.check_constraints()  # as at the end of the transaction before, and of this one
        cursor.execute(text, arguments)
        touched = int(cursor.rowcount)
        connection.check_constraints()
        return touched


def refused(text: str, *arguments: object) -> bool:
    """Did the database refuse? A statement that touches no row is a fault of the test."""
    try:
        touched = sql(text, *arguments)
    except IntegrityError as fault:
        if getattr(fault.__cause__, "sqlstate", "") != "23001":
            raise
        return True
    if touched == 0:
        pytest.fail(f"nothing to refuse: {text}")
    return False


@pytest.fixture
def case(tmp_path: object, settings: object) -> Case:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]
    return courtroom.case()


@pytest.fixture
def clerk(case: Case) -> User:
    clerk = courtroom.person("clerk")
    courtroom.join(clerk, case, Role.CLERK)
    return clerk


@pytest.fixture
def exhibit(case: Case, clerk: User) -> Exhibit:
    return courtroom.hand_in(case, clerk, Side.PLAINTIFF)


@pytest.fixture
def run(exhibit: Exhibit) -> Run:
    return courtroom.run(exhibit, state=Run.State.QUEUED)


@pytest.fixture
def report(case: Case, clerk: User, exhibit: Exhibit) -> Report:
    return courtroom.report(case, clerk, courtroom.run(exhibit, courtroom.consistent()).verdict)


@pytest.fixture
def record(report: Report) -> Report:
    """A row in each table."""
    Delegation.objects.create(case=report.case, action="report.release", to=report.created_by, by=report.created_by)
    courtroom.state(Exhibit.objects.get(), report.created_by, source="x", notary="y")
    signed = report.newest
    Signature.objects.create(
        report=report, revision=signed, field="CourtSeal", certificate_sha256="0" * 64, subject="CN=x", serial="1", level="x", at=timezone.now()
    )
    made = Report.objects.create(number="in preparation", case=report.case, created_by=report.created_by)
    Volume.objects.create(report=made, number=1, sha256="0" * 64, pages=1, first_item="a", last_item="b")
    Step.objects.create(report=report, act=Step.Act.ORDERED, by=report.created_by)
    return report


# ── what was handed in and found stays ────────────────────────────────────────────────────────────────────────────────


def columns(table: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s", [table])
        return dict(cursor.fetchall())


@pytest.mark.parametrize("table", TABLES)
def test_no_other_column_can_be_changed(record: Report, table: str) -> None:
    """To see it fail: name one more column in the guard of this table's migration."""
    found = columns(table)
    movable = TABLES[table] or set()
    assert movable <= set(found)
    for name in set(found) - movable:
        assert refused(f'UPDATE {table} SET "{name}" = {OTHER[found[name]].format(chr(34) + name + chr(34))}'), name


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_nothing_is_taken_away(record: Report, table: str, statement: str) -> None:
    """To see it fail: drop a trigger."""
    assert refused(statement.format(table))


@pytest.mark.parametrize("table", ["cases_case", "people_user"])
def test_nothing_goes_with_something_else(record: Report, table: str) -> None:
    assert refused(f"TRUNCATE {table} CASCADE")


def test_a_statement_is_added_beside_the_old_one_and_never_under_its_number(record: Report) -> None:
    row = "INSERT INTO exhibits_statement (exhibit_id, head, number, text, by_id, role) SELECT exhibit_id, head, {}, 'z', by_id, role FROM exhibits_statement WHERE head = 'source'"
    assert sql(row.format("number + 1")) == 1
    with pytest.raises(IntegrityError, match="statement_number"):
        sql(row.format("1"))


def test_the_rows_are_as_they_were_and_nothing_was_refused_that_must_pass(record: Report, exhibit: Exhibit) -> None:
    """An update that changes nothing passes: the refusals above are not of every statement."""
    for table, movable in TABLES.items():
        if movable is not None:
            assert sql(f"UPDATE {table} SET id = id") > 0


# ── an exhibit ────────────────────────────────────────────────────────────────────────────────────────────────────────


def moves(table: str, states: list[str], start: Callable[[str], int]) -> set[tuple[str, str]]:
    """Every move of `state` that the database lets pass; `start` makes a row in a state and gives its id."""
    return {
        (one, other)
        for one in states
        for other in states
        if one != other and not refused(f"UPDATE {table} SET state = %s WHERE id = %s", other, start(one))
    }


def test_an_exhibit_moves_forward_only(case: Case, clerk: User) -> None:
    passed = moves("exhibits_exhibit", ["submitted", "late_pending", "received", "withdrawn", ""], lambda s: courtroom.hand_in(case, clerk, state=s).pk)
    assert passed == {("submitted", "received"), ("late_pending", "received")}


def test_an_exchange_cannot_be_undone(exhibit: Exhibit) -> None:
    """The other side has had it. To see it fail: leave the exchange out of the guard."""
    assert not refused("UPDATE exhibits_exhibit SET exchanged = true")
    assert refused("UPDATE exhibits_exhibit SET exchanged = false")


def test_secrecy_may_be_ordered_and_lifted(exhibit: Exhibit) -> None:
    assert not refused("UPDATE exhibits_exhibit SET confidential = true")
    assert not refused("UPDATE exhibits_exhibit SET confidential = false")


# ── a run and its verdict ─────────────────────────────────────────────────────────────────────────────────────────────

RUN_MOVES = {
    ("queued", "running"),
    ("running", "queued"),
    ("running", "done"),
    ("queued", "parked"),
    ("running", "parked"),
    ("queued", "cancelled"),
}


def test_a_run_moves_as_the_queue_moves_it(exhibit: Exhibit) -> None:
    states = [s.value for s in Run.State]
    assert moves("runs_run", states, lambda s: courtroom.run(exhibit, state=s).pk) == RUN_MOVES


@pytest.mark.parametrize("state", ["done", "parked", "cancelled"])
def test_a_finished_run_keeps_its_story(exhibit: Exhibit, state: str) -> None:
    run = courtroom.run(exhibit, state=state)
    for change in ("fault = 'x'", "worker = 'x'", "attempt = attempt + 1", "started_at = now()", "finished_at = now()", "stage = 'x'", "lease_until = now()"):
        assert refused(f"UPDATE runs_run SET {change} WHERE id = %s", run.pk), change
    assert not refused("UPDATE runs_run SET rung_at = now() WHERE id = %s", run.pk), "a bell may ring late"


def test_attempts_are_counted_one_by_one_and_never_back(run: Run) -> None:
    """The number is the fence against a worker that lost its lease."""
    assert refused("UPDATE runs_run SET state = 'running', attempt = 2 WHERE id = %s", run.pk)
    assert refused("UPDATE runs_run SET attempt = 1 WHERE id = %s", run.pk), "an attempt begins with work"
    assert not refused("UPDATE runs_run SET state = 'running', attempt = 1 WHERE id = %s", run.pk)
    assert not refused("UPDATE runs_run SET attempt = 2 WHERE id = %s", run.pk), "taken over after the lease"
    assert refused("UPDATE runs_run SET attempt = 1 WHERE id = %s", run.pk)
    assert not refused("UPDATE runs_run SET state = 'queued' WHERE id = %s", run.pk)
    assert refused("UPDATE runs_run SET attempt = 0 WHERE id = %s", run.pk)


def test_a_result_is_opened_once_and_only_when_there_is_one(exhibit: Exhibit, run: Run) -> None:
    done = courtroom.run(exhibit, courtroom.consistent())
    assert refused("UPDATE runs_run SET released_at = now() WHERE id = %s", run.pk)
    assert not refused("UPDATE runs_run SET released_at = now() WHERE id = %s", done.pk)
    for later in ("NULL", "now() + interval '1 hour'"):
        assert refused(f"UPDATE runs_run SET released_at = {later} WHERE id = %s", done.pk)


@pytest.mark.parametrize("state", ["queued", "running", "parked", "cancelled"])
def test_a_verdict_cannot_be_planted_where_no_work_was_done(exhibit: Exhibit, state: str) -> None:
    run = courtroom.run(exhibit, state=state)
    values = (run.pk, b"{}", "0" * 64, "CONSISTENT", "A", "engine/1", "0" * 64, timezone.now())
    assert refused(
        "INSERT INTO runs_runverdict (run_id, document, sha256, overall, grade, engine, trust_sha256, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        *values,
    )


# ── a report ──────────────────────────────────────────────────────────────────────────────────────────────────────────

REPORT_MOVES = {
    # the record: court-domain §7
    *(("draft", "checked"), ("checked", "draft"), ("signed", "released")),
    *(("signed", "superseded"), ("released", "superseded"), ("signed", "revoked"), ("released", "revoked")),
    # the work: a draft is made, a checked one is sealed, either may fail and is taken up where it failed; a draft may be given up
    *(("preparing", "draft"), ("preparing", "failed"), ("failed", "preparing"), ("checked", "sealing")),
    *(("sealing", "signed"), ("sealing", "failed"), ("failed", "sealing"), ("draft", "discarded"), ("failed", "discarded")),
}


def test_a_report_moves_forward_only(case: Case, clerk: User) -> None:
    states = [s.value for s in Report.State]
    judge = courtroom.person("judge")
    passed, refusals = set(), set()
    for one in states:
        for other in states:
            if one == other:
                continue
            made = courtroom.report(case, clerk, state=one, stage=other if other == "sealing" else "preparing")
            # What the new state asks beside the move, so that only the move itself is put to the test.
            if one in {"signed", "released"} and other == "revoked":
                Step.objects.create(report=made, act="revoke_asked", by=clerk, reason="x")
            try:
                moved(made, other, by=judge)
            except IntegrityError as fault:
                refusals.add(getattr(fault.__cause__, "sqlstate", ""))
            else:
                passed.add((one, other))
    assert passed == REPORT_MOVES and refusals == {"23001"}


WITH = {
    # what belongs to each state beside its step
    "draft": "draft_sha256 = coalesce(nullif(draft_sha256, ''), 'd'), annex_sha256 = coalesce(nullif(annex_sha256, ''), 'a'), issued_at = coalesce(issued_at, now()), checked_by_id = NULL",
    "checked": "checked_by_id = {by}",
    "sealing": "signed_by_id = coalesce(signed_by_id, {by})",
    "signed": "signed_sha256 = coalesce(nullif(signed_sha256, ''), md5(number)), unsigned_sha256 = 'u', signed_at = now()",
    "released": "released_at = now()",
    "failed": "stage = state, fault = 'x'",
}
ACTS = {"draft": "drafted", "sealing": "sent", "preparing": "retried"}


def moved(made: Report, state: str, *, by: User, act: str = "", reason: str = "x", also: str = "") -> None:
    """One move with its step and what goes with it, as somebody with the portal's own password would write it, up to the commit."""
    said = {("checked", "draft"): "returned", ("failed", "sealing"): "retried"}.get((made.state, state), ACTS.get(state, state))
    with transaction.atomic(), connection.cursor() as cursor:
        if state == "superseded":
            reason = courtroom.report(made.case, made.created_by, supersedes=made, version=2, kind="correction", reason="x").number
        Step.objects.create(report=made, act=act or said, by=by, reason=reason)
        changes = also or WITH.get(state, "fault = fault").format(by=by.pk)
        cursor.execute(f"UPDATE reports_report SET state = %s, {changes} WHERE id = %s", [state, made.pk])
        if state == "signed" and not also:
            cursor.execute("SELECT signed_sha256 FROM reports_report WHERE id = %s", [made.pk])
            courtroom.revise(made, cursor.fetchone()[0])
        connection.check_constraints()


@pytest.mark.parametrize(
    ("one", "other", "wrong"),
    [
        # another step, nobody, or no reason
        ("preparing", "draft", {"act": "checked"}),
        ("draft", "checked", {"act": "drafted"}),
        ("checked", "draft", {"act": "drafted"}),
        ("checked", "draft", {"reason": ""}),
        ("checked", "sealing", {"act": "checked"}),
        ("sealing", "signed", {"act": "sent"}),
        ("signed", "released", {"act": "signed"}),
        ("signed", "revoked", {"reason": ""}),
        ("released", "revoked", {"reason": ""}),
        ("draft", "discarded", {"act": "drafted"}),
        ("failed", "preparing", {"act": "failed"}),
        ("preparing", "failed", {"act": "retried"}),
        # what belongs to the move is left out
        ("preparing", "draft", {"also": "draft_sha256 = 'd', annex_sha256 = 'a'"}),
        ("checked", "draft", {"also": "fault = 'x'"}),
        ("sealing", "signed", {"also": "signed_sha256 = 's', signed_at = now()"}),
        ("sealing", "signed", {"also": "signed_sha256 = 's', unsigned_sha256 = 'u'"}),
        ("sealing", "signed", {"also": "signed_sha256 = 's', unsigned_sha256 = 'u', signed_at = now()"}),  # and no revision
        ("preparing", "failed", {"also": "stage = 'preparing'"}),
        # something else is slipped in
        ("draft", "checked", {"also": "checked_by_id = {by}, annex_sha256 = 'other'"}),
        ("draft", "checked", {"also": "checked_by_id = {by}, signed_by_id = {by}"}),
        ("checked", "sealing", {"also": "signed_by_id = {by}, signed_sha256 = 's'"}),
        ("sealing", "signed", {"also": "signed_sha256 = 's', unsigned_sha256 = 'u', signed_at = now(), released_at = now()"}),
    ],
)
def test_a_move_needs_its_step_and_what_belongs_to_it(case: Case, clerk: User, one: str, other: str, wrong: dict[str, str]) -> None:
    """Each is the move that passes above, but for one thing."""
    made = courtroom.report(case, clerk, state=one)
    judge = courtroom.person("judge")
    if other == "revoked":
        Step.objects.create(report=made, act="revoke_asked", by=clerk, reason="x")
    with pytest.raises(IntegrityError) as refusal:
        moved(made, other, by=judge, **{name: text.format(by=judge.pk) for name, text in wrong.items()})
    assert getattr(refusal.value.__cause__, "sqlstate", "") == "23001"
    made.refresh_from_db()
    assert made.state == one


@pytest.mark.parametrize("other", ["checked", "sealing"])
def test_the_step_is_of_the_person_whom_the_row_names(case: Case, clerk: User, other: str) -> None:
    made = courtroom.report(case, clerk, state="draft" if other == "checked" else "checked")
    judge, somebody = courtroom.person("judge"), courtroom.person("somebody")
    with pytest.raises(IntegrityError, match="with the step"):
        moved(made, other, by=somebody, also=WITH[other].format(by=judge.pk))


@pytest.mark.parametrize("state", ["signed", "released"])
@pytest.mark.parametrize("successor", ["none", "draft", "sealing", "of another", "unnamed"])
def test_a_report_is_superseded_by_a_signed_successor_only(case: Case, clerk: User, state: str, successor: str) -> None:
    """To see it fail: leave the successor out of the guard."""
    made, judge = courtroom.report(case, clerk, state=state), courtroom.person("judge")
    number = "HY2026-000001"
    replacing = {"version": 2, "kind": "correction", "reason": "x", "number": number}
    if successor in ("draft", "sealing"):
        courtroom.report(case, clerk, state=successor, supersedes=made, **replacing)
    elif successor == "of another":
        other = courtroom.report(case, clerk, state="superseded")
        number = other.successors.get().number
    elif successor == "unnamed":
        courtroom.report(case, clerk, supersedes=made, **replacing)
        number = made.number
    Step.objects.create(report=made, act="superseded", by=judge, reason=number)
    with pytest.raises(IntegrityError, match="with the step"), transaction.atomic():
        Report.objects.filter(pk=made.pk).update(state="superseded")
    if successor == "unnamed":  # by its right name it passes, and the transaction can end
        courtroom.move(made, "superseded", by=judge, reason="HY2026-000001")


@pytest.mark.parametrize("state", ["signed", "released"])
def test_predecessor_and_successor_are_not_both_in_force(case: Case, clerk: User, state: str) -> None:
    made = courtroom.report(case, clerk, state=state)
    new = courtroom.report(case, clerk, supersedes=made, version=2, kind="correction", reason="x")
    with pytest.raises(IntegrityError, match="out of force"), transaction.atomic():
        connection.check_constraints()  # as at the end of the transaction
    courtroom.move(made, "superseded", by=clerk, reason=new.number)
    connection.check_constraints()


@pytest.mark.parametrize("state", ["signed", "superseded", "revoked"])
def test_a_report_is_opened_by_its_release_and_by_nothing_else(case: Case, clerk: User, state: str) -> None:
    """Parties see what has a moment of release. To see it fail: let `released_at` move by itself."""
    made = courtroom.report(case, clerk, state=state)
    assert refused("UPDATE reports_report SET released_at = now() WHERE id = %s", made.pk)


@pytest.mark.parametrize("state", ["draft", "checked", "sealing", "signed"])
def test_no_volume_is_put_in_after_the_draft(case: Case, clerk: User, state: str) -> None:
    made = courtroom.report(case, clerk, state=state)
    assert refused("INSERT INTO reports_volume (report_id, number, sha256, pages, first_item, last_item) VALUES (%s, 1, 'x', 1, 'a', 'b')", made.pk)


def test_a_report_is_signed_only_with_signed_bytes(case: Case, clerk: User) -> None:
    made = courtroom.report(case, clerk, state="sealing")
    with pytest.raises(IntegrityError, match="report_signed"):
        moved(made, "signed", by=clerk, also="unsigned_sha256 = 'u', signed_at = now()")


FIXED_BY_SIGNING = ("annex_sha256", "unsigned_sha256", "signed_sha256", "signature_level", "pages", "signed_at", "fault")


@pytest.mark.parametrize("name", FIXED_BY_SIGNING)
def test_signing_fixes_a_report(report: Report, name: str) -> None:
    """To see it fail: let this column move in every state."""
    change = OTHER[columns("reports_report")[name]].format(name) if name != "fault" else "'x'"
    assert refused(f"UPDATE reports_report SET {name} = {change} WHERE id = %s", report.pk)


def test_signed_bytes_are_named_with_the_signature_and_not_before(case: Case, clerk: User) -> None:
    made = courtroom.report(case, clerk, state="sealing")
    assert refused("UPDATE reports_report SET signed_sha256 = %s WHERE id = %s", "a" * 64, made.pk)
    moved(made, "signed", by=clerk)
    assert refused("UPDATE reports_report SET signed_sha256 = %s WHERE id = %s", "b" * 64, made.pk)
    assert refused("UPDATE reports_report SET signed_sha256 = '' WHERE id = %s", made.pk)


def test_verdicts_enter_a_report_only_while_it_is_prepared(report: Report, exhibit: Exhibit) -> None:
    other = courtroom.run(exhibit, courtroom.inconsistent()).verdict
    assert refused("INSERT INTO reports_report_verdicts (report_id, runverdict_id) VALUES (%s, %s)", report.pk, other.pk)


def test_the_page_s_own_paths_still_work(case: Case, clerk: User, exhibit: Exhibit) -> None:
    """Order, fail, try again, as the verbs of the room write it."""
    verdict = courtroom.run(exhibit, courtroom.consistent()).verdict
    with transaction.atomic():
        from evidence.reports import issuing

        made = issuing.order(case, [verdict], by=clerk)
    courtroom.move(made, "failed", stage="preparing", fault="no key")
    courtroom.move(made, "preparing", by=clerk, fault="")
