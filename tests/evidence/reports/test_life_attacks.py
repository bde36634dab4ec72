"""The life of a report against people who want to go round the second person, the order of things, or the record itself."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, connection, transaction
from django.http import Http404
from django.test import Client
from django.urls import get_resolver, reverse

from cases.models import Membership, Role, Side
from evidence.reports import decisions, differences, issuing
from evidence.reports.decisions import Refused
from evidence.reports.models import Report, Revision
from portal.ledger.models import Detail
from portal.people.models import User
from portal.vault import Damaged, Vault
from tests import courtroom
from tests.evidence.verification.test_command_line import run

from .life import Court, Press
from .test_bundle import ANSWER, TOKEN
from .test_bundle import store as store  # a fixture
from .test_report_pages import said, signed_in
from .test_report_parts import got
from .test_report_parts import report as open_report  # noqa: F401 - a fixture
from .test_versions import at_once as at_once  # a fixture
from .test_versions import correction

pytestmark = pytest.mark.django_db


# ── two persons ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", [Role.PRESIDING_JUDGE, Role.JUDGE_ASSISTANT, Role.CLERK])
@pytest.mark.parametrize("both", [True, False])
def test_another_role_makes_nobody_another_person(court: Court, role: str, both: bool) -> None:
    """Whoever ordered it gets another role in the case, beside the first or in its place, and superuser's flags too."""
    made = court.draft("clerk")
    if not both or role == Role.CLERK:
        Membership.objects.filter(user=court.clerk, case=court.case).delete()
    courtroom.join(court.clerk, court.case, role)
    User.objects.filter(pk=court.clerk.pk).update(is_superuser=True, is_staff=True)
    clerk = User.objects.get(pk=court.clerk.pk)
    for decide in (decisions.check, decisions.send):
        with pytest.raises((Refused, Http404)):
            decide(made, by=clerk, annex=made.annex_sha256)
        if decide is decisions.check:
            decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    made.refresh_from_db()
    assert (made.state, made.signed_by) == ("checked", None)


def test_who_tried_again_or_gave_back_is_not_taken_for_the_maker(court: Court, press: Press) -> None:
    """The maker stays the maker whoever presses the other buttons; the assistant's buttons give the clerk no signature."""
    made = court.draft("clerk")
    decisions.check(made, by=court.judge, annex=made.annex_sha256)
    decisions.give_back(made, by=court.assistant, reason="x")
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    with pytest.raises(Refused):
        decisions.send(made, by=court.clerk, annex=made.annex_sha256)
    press.sealing_fails = "no key"
    decisions.send(made, by=court.judge, annex=made.annex_sha256)
    made = issuing.produce(made.pk)
    assert decisions.retry(made, by=court.clerk).created_by == court.clerk
    with pytest.raises(Refused):
        decisions.send(made, by=court.clerk, annex=made.annex_sha256)
    made.refresh_from_db()
    assert made.signed_by == court.judge


@pytest.mark.parametrize("gone", ["inactive", "left"])
def test_whoever_is_no_longer_there_decides_nothing(court: Court, gone: str) -> None:
    made = court.draft("clerk")
    if gone == "inactive":
        User.objects.filter(pk=court.judge.pk).update(is_active=False)
    else:
        Membership.objects.filter(user=court.judge).delete()
    judge = User.objects.get(pk=court.judge.pk)
    with pytest.raises(Http404):
        decisions.check(made, by=judge, annex=made.annex_sha256)


def test_an_old_result_is_not_signed_by_trying_again(court: Court, press: Press) -> None:
    """The signing failed; meanwhile an exhibit came out otherwise; the clerk presses "again". To see it fail: leave `outdated` out of `retry`."""
    made = court.draft()
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    decisions.send(made, by=court.judge, annex=made.annex_sha256)
    press.sealing_fails = "the token is away"
    made = issuing.produce(made.pk)
    courtroom.run(court.exhibit, courtroom.inconsistent())
    press.sealing_fails = ""
    with pytest.raises(Refused, match="新的核验结果"):
        decisions.retry(made, by=court.clerk)
    assert issuing.produce(made.pk).state == "failed"


# ── straight to an address ────────────────────────────────────────────────────────────────────────────────────────────

DECISIONS = ("approve", "give_back", "sign", "release", "discard", "again", "ask_revoke", "drop_revoke", "revoke")


def test_every_address_of_a_report_is_nothing_to_whoever_has_no_part_in_the_case(court: Court) -> None:
    """Found in the table of addresses, so that a new one is asked too: a judge of another case, a party of another case, an auditor."""
    strangers = [courtroom.person(f"stranger-{n}") for n in range(3)]
    elsewhere = courtroom.case(99)
    courtroom.join(strangers[0], elsewhere, Role.PRESIDING_JUDGE)
    courtroom.join(strangers[1], elsewhere, Role.LITIGANT, Side.PLAINTIFF)
    courtroom.join(strangers[2], court.case, Role.AUDITOR)
    reports = [courtroom.report(court.case, court.clerk, court.verdict, state=s, volumes=[b"%PDF-v"]) for s in ("draft", "checked", "signed", "released", "revoked")]
    names = {p.name: len(p.pattern.converters) for p in get_resolver("evidence.reports.urls").url_patterns if "public_id" in p.pattern.converters}
    assert {"download", "draft", "bundle", "volume", "difference", *DECISIONS} <= set(names)
    states = {r.pk: r.state for r in reports}
    for stranger in strangers:
        client = signed_in(stranger)
        for one in reports:
            for name, arguments in names.items():
                address = reverse(f"reports:{name}", args=[one.public_id, 1][:arguments])
                answers = (client.get(address), client.post(address, {"annex": one.annex_sha256, "read": "yes", "reason": "x"}))
                assert {a.status_code for a in answers} <= {404, 405} and 404 in {a.status_code for a in answers}, (stranger, one.state, name)
    assert {r.pk: r.state for r in Report.objects.all()} == states
    unknown = Client()
    for name, arguments in names.items():
        answer = unknown.get(reverse(f"reports:{name}", args=[reports[3].public_id, 1][:arguments]))
        assert answer.status_code in (302, 405) and (answer.status_code == 405 or "/account" in answer["Location"] or "login" in answer["Location"]), name


@pytest.mark.parametrize("state", [s.value for s in Report.State])
def test_no_post_skips_a_state(court: Court, state: str) -> None:
    """Every button at every state, by the judge and the assistant, one after the other on fresh rows: only the moves of the table happen."""
    allowed = {
        "draft": {"checked", "discarded"}, "checked": {"draft", "sealing"}, "failed": {"preparing", "discarded"}, "signed": {"released"}, "released": set(),
        "preparing": set(), "sealing": set(), "superseded": set(), "revoked": set(), "discarded": set(),
    }  # fmt: skip
    for person in (court.judge, court.assistant, court.panel, court.party):
        for name in DECISIONS:
            made = courtroom.report(court.case, court.clerk, court.verdict, state=state)
            for _ in range(2):
                signed_in(person).post(reverse(f"reports:{name}", args=[made.public_id]), {"annex": made.annex_sha256, "read": "yes", "reason": "x", "state": "signed", "signed_by": person.pk})
            made.refresh_from_db()
            assert made.state == state or made.state in allowed[state], (person.username, name, made.state)
            if person in (court.panel, court.party):
                assert made.state == state


def test_unsigned_bytes_are_never_at_an_address_of_a_signed_report(court: Court) -> None:
    """Neither the draft nor the final pages before their signatures: those are not even kept."""
    made = court.draft()
    client = signed_in(court.judge)
    for name in ("download", "bundle"):
        assert client.get(reverse(f"reports:{name}", args=[made.public_id])).status_code == 404
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    decisions.send(made, by=court.judge, annex=made.annex_sha256)
    assert client.get(reverse("reports:download", args=[made.public_id])).status_code == 404
    made = issuing.produce(made.pk)
    assert not Vault(django_settings.PORTAL_VAULT_DIR).has(made.unsigned_sha256)
    assert client.get(reverse("reports:download", args=[made.public_id])).content.endswith(b"sealed")
    assert client.get(reverse("reports:draft", args=[made.public_id])).status_code == 404


# ── at once ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_signed_or_discarded_never_both(court: Court, at_once: Callable[..., list[str]]) -> None:
    for _ in range(4):
        made = court.draft(language="zh")
        decisions.check(made, by=court.assistant, annex=made.annex_sha256)
        at_once(
            lambda made=made: decisions.send(made, by=court.judge, annex=made.annex_sha256),
            lambda made=made: decisions.give_back(made, by=court.assistant, reason="x"),
            lambda made=made: decisions.discard(made, by=court.clerk),
        )
        made = issuing.produce(made.pk)
        acts = set(made.steps.values_list("act", flat=True))
        assert not {"signed", "discarded"} <= acts and (made.state == "signed") == bool(made.signed_sha256), acts
        if made.state in ("draft", "checked"):
            if made.state == "checked":
                decisions.give_back(made, by=court.assistant, reason="x")
            decisions.discard(made, by=court.clerk)


@pytest.mark.django_db(transaction=True)
def test_revoked_while_it_is_superseded_it_ends_in_one_of_the_two(court: Court, at_once: Callable[..., list[str]]) -> None:
    old = court.signed()
    new = correction(court, old)
    decisions.check(new, by=court.assistant, annex=new.annex_sha256)
    decisions.send(new, by=court.judge, annex=new.annex_sha256)
    decisions.ask_to_revoke(old, by=court.clerk, reason="x")
    at_once(lambda: issuing.produce(new.pk), lambda: decisions.revoke(old, by=court.judge))
    old.refresh_from_db()
    new.refresh_from_db()
    ends = list(old.steps.filter(act__in=("superseded", "revoked")).values_list("act", flat=True))
    assert new.state == "signed" and ends == [old.state]


@pytest.mark.django_db(transaction=True)
def test_released_from_two_tabs_is_released_once(court: Court, at_once: Callable[..., list[str]]) -> None:
    made = court.signed()
    at_once(*(lambda: decisions.release(made, by=court.judge) for _ in range(4)))
    assert made.steps.filter(act="released").count() == 1 and Detail.objects.filter(act="report.release").count() == 1


@pytest.mark.django_db(transaction=True)
def test_numbers_are_given_once_and_without_a_gap(court: Court, at_once: Callable[..., list[str]]) -> None:
    """Twelve orders at once, of which every third fails after it had its number; a number is of a report that stands, or of none."""

    def order(n: int) -> None:
        try:
            with transaction.atomic():
                issuing.order(court.case, [court.verdict], by=court.people[("clerk", "judge", "assistant")[n % 3]], profiles=(("etsi",), ("fre902",), ("bsa63",), ())[n // 3])
                if n % 3 == 2:
                    raise Refused
        except Refused:
            raise

    at_once(*(lambda n=n: order(n) for n in range(12)))
    numbers = sorted(Report.objects.values_list("number", flat=True))
    year = numbers[0][:7]
    assert numbers == [f"{year}{n:06d}" for n in range(1, 9)]
    steps = list(Detail.objects.filter(act="report.order").values_list("params", flat=True))
    assert len(steps) == 8 and all(any(number in s for s in steps) for number in numbers)


# ── the rows, with the portal's own password ──────────────────────────────────────────────────────────────────────────


def written(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)
        if not cursor.rowcount:
            pytest.fail("nothing to refuse")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reports_report SET signed_sha256 = repeat('f', 64)",
        "UPDATE reports_report SET number = 'HY2026-999999'",
        "UPDATE reports_report SET check_code = 'AAAAAAAAAA'",
        "UPDATE reports_report SET created_by_id = signed_by_id",
        "UPDATE reports_report SET signed_by_id = created_by_id",
        "UPDATE reports_report SET checked_by_id = created_by_id",
        "UPDATE reports_report SET state = 'draft'",
        "UPDATE reports_report SET state = 'preparing', signed_sha256 = ''",
        "UPDATE reports_report SET state = 'revoked'",
        "UPDATE reports_report SET released_at = now() - interval '1 year', state = 'released' WHERE released_at IS NOT NULL",
        "UPDATE reports_revision SET sha256 = repeat('f', 64)",
        "INSERT INTO reports_revision (report_id, number, sha256, level, reason, at) SELECT id, 3, repeat('f', 64), 'x', 'renewed', now() FROM reports_report",
        "INSERT INTO reports_revision (report_id, number, sha256, level, reason, at) SELECT id, 1, repeat('f', 64), 'x', 'signed', now() FROM reports_report",
        "DELETE FROM reports_step",
        "DELETE FROM reports_revision",
        "DELETE FROM reports_report",
        "TRUNCATE reports_report CASCADE",
        "TRUNCATE reports_revision, reports_signature",
        "INSERT INTO reports_report SELECT * FROM reports_report",
        "DELETE FROM reports_report_verdicts",
    ],
)
def test_a_signed_report_stays_whatever_is_written(court: Court, statement: str) -> None:
    made = courtroom.report(court.case, court.clerk, court.verdict, state="released")
    made.steps.create(act="released", by=court.judge)
    before = Report.objects.values().get(), list(Revision.objects.values())
    with pytest.raises(DatabaseError):
        written(statement)
    assert (Report.objects.values().get(), list(Revision.objects.values())) == before and made.steps.exists() and made.verdicts.exists()


@pytest.mark.parametrize(
    "steps",
    [
        [("revoke_asked", "clerk"), ("revoke_dropped", "clerk"), ("revoked", "judge")],
        [("revoke_asked", "clerk"), ("revoke_dropped", "clerk"), ("revoke_asked", "judge"), ("revoked", "judge")],
        [("revoked", "judge"), ("revoke_asked", "clerk")],
    ],
)
def test_a_request_that_is_over_revokes_nothing_in_the_table_either(court: Court, steps: list[tuple[str, str]]) -> None:
    made = courtroom.report(court.case, court.clerk, court.verdict)
    for act, by in steps:
        made.steps.create(act=act, by=court.people[by], reason="x")
    with pytest.raises(DatabaseError), transaction.atomic():
        Report.objects.filter(pk=made.pk).update(state="revoked")


# ── the bytes, with the vault's own rights ────────────────────────────────────────────────────────────────────────────


def spoil(sha256: str, data: bytes) -> None:
    place = Vault(django_settings.PORTAL_VAULT_DIR).path(sha256)
    place.chmod(0o640)
    place.write_bytes(data)


@pytest.mark.parametrize("how", ["changed", "gone", "longer"])
def test_other_bytes_than_those_on_record_are_never_handed_out(court: Court, how: str, caplog: pytest.LogCaptureFixture) -> None:
    made = court.signed()
    whole = Vault(django_settings.PORTAL_VAULT_DIR).read(made.signed_sha256)
    if how == "gone":
        Vault(django_settings.PORTAL_VAULT_DIR).path(made.signed_sha256).unlink()
    else:
        spoil(made.signed_sha256, whole.replace(b"final", b"FINAL") if how == "changed" else whole + b"x")
    before = Detail.objects.filter(act="report.download").count()
    answer = signed_in(court.judge).get(reverse("reports:download", args=[made.public_id]), follow=True)
    assert b"%PDF" not in answer.content and "与登记的摘要不符" in said(answer)
    assert Detail.objects.filter(act="report.download").count() == before and made.number in caplog.text


def test_a_draft_and_a_volume_too(court: Court) -> None:
    made = court.draft()
    spoil(made.draft_sha256, b"%PDF-1.7 no watermark")
    assert b"%PDF" not in signed_in(court.judge).get(reverse("reports:draft", args=[made.public_id]), follow=True).content
    signed = courtroom.report(court.case, court.clerk, court.verdict, state="released", volumes=[b"%PDF-1.7 volume"])
    spoil(signed.volumes.get().sha256, b"%PDF-1.7 other")
    assert b"%PDF" not in signed_in(court.judge).get(reverse("reports:volume", args=[signed.public_id, 1]), follow=True).content


def test_a_revision_is_not_built_on_other_bytes(court: Court) -> None:
    """A renewal would make the register know whatever lies there."""
    made = court.signed()
    other = b"%PDF-another report sealed"
    spoil(made.signed_sha256, other)
    with pytest.raises(Damaged):
        issuing.revise(made, other + b" and a time-stamp", level="PAdES-B-LTA", reason="renewed")
    assert made.revisions.count() == 1


def test_the_comparison_before_the_signature_is_of_what_was_checked_or_of_nothing(court: Court) -> None:
    made = court.draft()
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    spoil(made.annex_sha256, b'{"custody":[],"x":"nothing to see"}')
    with pytest.raises(differences.Unread):
        differences.annex_of(made)
    assert signed_in(court.judge).get(reverse("reports:sign", args=[made.public_id])).status_code == 200


@pytest.mark.parametrize("which", ["file", "report"])
def test_a_bundle_of_other_bytes_is_not_made(open_report: Report, which: str) -> None:  # noqa: F811
    sha256 = hashlib.sha256(TOKEN).hexdigest() if which == "file" else open_report.signed_sha256
    spoil(sha256, b"something else")
    assert got("judge-p", f"/reports/{open_report.public_id}/bundle/").status_code == 302
    assert not Detail.objects.filter(act="report.bundle").exists()


# ── what is the court's alone ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_court_s_nodes_answered_goes_along_for_the_bench_only(open_report: Report, tmp_path: Path) -> None:  # noqa: F811
    """A block holds records of people who have no part in the case; a party gets its digest, as on the exhibit's page. To see it fail:
    ask one right for all sources of an exhibit."""
    name, archives = f"blobs/{hashlib.sha256(ANSWER).hexdigest()}", {}
    for person in ("judge-p", "party-p"):
        whole = b"".join(got(person, f"/reports/{open_report.public_id}/bundle/").streaming_content)
        archives[person] = zipfile.ZipFile(io.BytesIO(whole))
        (tmp_path / f"{person}.zip").write_bytes(whole)
    assert name in archives["judge-p"].namelist() and name not in archives["party-p"].namelist()
    assert f"blobs/{hashlib.sha256(TOKEN).hexdigest()}" in archives["party-p"].namelist()
    assert len({a.read("bundle.json") for a in archives.values()}) == 1, "one digest, whoever gets it"
    done = run("--lang", "en", tmp_path / "party-p.zip")
    assert done.returncode == 2 and b"court-node/answer.json" in done.stdout
    (tmp_path / "answer").write_bytes(ANSWER)
    digest = hashlib.sha256(archives["party-p"].read("bundle.json")).hexdigest()
    assert run("--digest", digest, tmp_path / "party-p.zip", tmp_path / "answer").returncode == 0


